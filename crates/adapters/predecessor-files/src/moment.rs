//! Times, as the predecessors stored them.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use tenantry_domain::Timestamp;

/// Seconds since 1970 up to the end of the year 9999.
const MAX_SECONDS: i64 = 253_402_300_799;

/// Reads a `timestamp` (taken as UTC), a `timestamptz`, a date, or seconds since 1970 with or without a fraction. What is
/// finer than a microsecond is cut off.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.contains(':') {
        return date_time(&text.replacen('T', " ", 1));
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return in_range(day.and_time(chrono::NaiveTime::MIN).and_utc());
    }
    seconds(text)
}

fn date_time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = NaiveDateTime::parse_from_str(text.trim_end_matches('Z'), "%Y-%m-%d %H:%M:%S%.f") {
        return in_range(time.and_utc());
    }
    let time = DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f%#z").ok()?;
    in_range(time.with_timezone(&Utc))
}

fn in_range(time: DateTime<Utc>) -> Option<Timestamp> {
    let (micros, printable) = (time.timestamp_micros(), Timestamp::from(time));
    (printable.as_micros() == micros).then_some(printable)
}

/// Seconds in decimal, exactly: a binary float would move microseconds.
fn seconds(text: &str) -> Option<Timestamp> {
    if text.contains(['e', 'E']) {
        let seconds: f64 = text.parse().ok()?;
        let micros = (seconds * 1e6).round();
        let is_in_range = micros.abs() <= MAX_SECONDS as f64 * 1e6;
        return is_in_range.then(|| Timestamp::from_micros(micros as i64));
    }
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !are_digits(whole) || !are_digits(fraction) {
        return None;
    }
    let whole: i64 = whole.parse().ok().filter(|seconds| *seconds <= MAX_SECONDS)?;
    let fraction: i64 = format!("{fraction:0<6.6}").parse().ok()?;
    let micros = whole * 1_000_000 + fraction;
    Some(Timestamp::from_micros(if is_negative { -micros } else { micros }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn printed(text: &str) -> Option<String> {
        parse(text).map(|time| time.to_string())
    }

    #[test]
    fn every_form_in_which_the_predecessors_stored_times_is_read() {
        for (text, time) in [
            ("2021-04-16 00:00:00.23", "2021-04-16T00:00:00.230000Z"),
            ("2021-04-16 00:00:00", "2021-04-16T00:00:00.000000Z"),
            ("2021-04-16T00:00:00.123456789Z", "2021-04-16T00:00:00.123456Z"),
            ("2021-04-16 02:00:00.5+02", "2021-04-16T00:00:00.500000Z"),
            ("2021-04-15 18:30:00-05:30", "2021-04-16T00:00:00.000000Z"),
            ("2021-04-16 00:00:00+00", "2021-04-16T00:00:00.000000Z"),
            ("2021-04-16", "2021-04-16T00:00:00.000000Z"),
            ("1618531200.23", "2021-04-16T00:00:00.230000Z"),
            ("1618531200", "2021-04-16T00:00:00.000000Z"),
            ("1618531200.1234569", "2021-04-16T00:00:00.123456Z"),
            ("1.6185312e+09", "2021-04-16T00:00:00.000000Z"),
            ("-0.5", "1969-12-31T23:59:59.500000Z"),
        ] {
            assert_eq!(printed(text).as_deref(), Some(time), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_not_read_as_one() {
        for text in [
            "",
            ".",
            "-",
            "now",
            "infinity",
            "-infinity",
            "2021-02-30",
            "2021-04-16 25:00:00",
            "1e300",
            "NaN",
            "inf",
            "1618531200000",
            "0044-03-15 00:00:00 BC",
            "10000-01-01 00:00:00",
            "1.5.5",
            "12:00",
            "1_000",
        ] {
            assert_eq!(printed(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "\\PC*") {
            let _ = parse(&text);
        }

        #[test]
        fn seconds_are_exact_to_the_microsecond(micros in 0..MAX_SECONDS * 1_000_000) {
            let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            prop_assert_eq!(parse(&text), Some(Timestamp::from_micros(micros)));
        }
    }
}
