//! Points in time as the product writes them, in RFC 3339: UTC, to the microsecond.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::Result;

/// Reads `2026-11-26T10:00:00.000000Z`; a year from 1970 on.
pub(crate) fn read(text: &str) -> Result<SystemTime> {
    let numbers: Option<Vec<u64>> = text
        .strip_suffix('Z')
        .and_then(|text| text.split(['-', 'T', ':', '.']).map(|number| number.parse().ok()).collect());
    match numbers.as_deref() {
        Some(&[year @ 1970..=9999, month @ 1..=12, day @ 1..=31, hour, minute, second, micros]) => {
            let seconds = ((days(year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
            Ok(UNIX_EPOCH + Duration::from_secs(seconds) + Duration::from_micros(micros))
        }
        _ => Err(format!("{text} is no point in time").into()),
    }
}

/// Days from 1970 on, of the Gregorian calendar: years are counted from March, behind the day that comes and goes.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[test]
fn moments_are_read_to_the_microsecond() {
    for (text, micros) in [
        ("1970-01-01T00:00:00.000000Z", 0),
        ("2000-02-29T23:59:59.000001Z", 951_868_799_000_001),
        ("2026-11-26T10:00:00.500000Z", 1_795_687_200_500_000),
    ] {
        assert_eq!(read(text).unwrap(), UNIX_EPOCH + Duration::from_micros(micros), "{text}");
    }
    for text in ["", "2026-11-26", "2026-13-26T10:00:00.500000Z", "2026-11-26T10:00:00.500000"] {
        assert!(read(text).is_err(), "{text}");
    }
}
