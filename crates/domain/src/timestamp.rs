//! Points in time, in the one precision that every engine keeps.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};

/// A point in time, in UTC, to the microsecond. Printed as RFC 3339 with six digits and `Z`.
///
/// Years 0 to 9999: what RFC 3339 can print.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const MIN_MICROS: i64 = -62_167_219_200_000_000;
const MAX_MICROS: i64 = 253_402_300_799_999_999;

impl Timestamp {
    /// The last moment that can be printed.
    pub const MAX: Self = Self(MAX_MICROS);

    /// Microseconds since 1970-01-01T00:00:00Z, held within the years 0 to 9999.
    #[must_use]
    pub fn from_micros(micros: i64) -> Self {
        Self(micros.clamp(MIN_MICROS, MAX_MICROS))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub fn as_seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// This time and `seconds` more, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn plus_seconds(self, seconds: i64) -> Self {
        Self::from_micros(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }

    /// This time and so long after it, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self::from_micros(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// How long it is from `earlier` to this time; nothing where it is not later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        (self - earlier).to_std().unwrap_or_default()
    }

    /// The next representable time.
    #[must_use]
    pub fn next(self) -> Self {
        Self::from_micros(self.0.saturating_add(1))
    }

    /// The same time for chrono, cut off at the microsecond.
    #[must_use]
    pub fn to_datetime(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Reads an RFC 3339 date-time, with any offset.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(text).ok().map(|time| Self::from(time.with_timezone(&Utc)))
    }

    /// Reads the start of a filter's range: an RFC 3339 date-time, or a day (`YYYY-MM-DD` or
    /// `MM-DD-YYYY`), which begins at midnight UTC.
    #[must_use]
    pub fn parse_range_start(text: &str) -> Option<Self> {
        Self::parse_rfc3339(text).or_else(|| Some(midnight(parse_day(text)?)))
    }

    /// Reads the end of a filter's range, itself part of the range: an RFC 3339 date-time, or a day,
    /// which lasts until its last microsecond in UTC.
    #[must_use]
    pub fn parse_range_end(text: &str) -> Option<Self> {
        Self::parse_rfc3339(text).or_else(|| Some(Self(midnight(parse_day(text)?.succ_opt()?).0 - 1)))
    }
}

fn parse_day(text: &str) -> Option<NaiveDate> {
    let digits_where = |shape: &str| {
        text.len() == shape.len()
            && text
                .bytes()
                .zip(shape.bytes())
                .all(|(b, s)| if s == b'-' { b == b'-' } else { b.is_ascii_digit() })
    };
    if digits_where("dddd-dd-dd") {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()
    } else if digits_where("dd-dd-dddd") {
        NaiveDate::parse_from_str(text, "%m-%d-%Y").ok()
    } else {
        None
    }
}

fn midnight(day: NaiveDate) -> Timestamp {
    Timestamp::from(day.and_time(chrono::NaiveTime::MIN).and_utc())
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self::from_micros(time.timestamp_micros())
    }
}

impl std::ops::Sub for Timestamp {
    type Output = TimeDelta;

    fn sub(self, earlier: Self) -> TimeDelta {
        TimeDelta::microseconds(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_datetime().to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_printed_with_six_digits_and_z() {
        let time = Timestamp::from_micros(1_618_531_200_230_000);
        assert_eq!(time.to_string(), "2021-04-16T00:00:00.230000Z");
        assert_eq!(Timestamp::parse_rfc3339(&time.to_string()), Some(time));
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-31T23:59:59.999999Z");
    }

    #[test]
    fn a_day_is_read_in_both_orders_and_covers_all_of_itself() {
        for day in ["2021-04-16", "04-16-2021"] {
            assert_eq!(Timestamp::parse_range_start(day).unwrap().to_string(), "2021-04-16T00:00:00.000000Z");
            assert_eq!(Timestamp::parse_range_end(day).unwrap().to_string(), "2021-04-16T23:59:59.999999Z");
        }
    }

    #[test]
    fn what_is_no_date_is_not_read_as_one() {
        for text in [
            "",
            "yesterday",
            "2021-13-01",
            "13-13-2021",
            "2021-4-6",
            "04/16/2021",
            "2021-04-16T00:00:00",
            "+021-04-16",
        ] {
            assert_eq!(Timestamp::parse_range_start(text), None, "{text}");
            assert_eq!(Timestamp::parse_range_end(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_added_to_a_time_lies_between_it_and_its_sum() {
        let time = Timestamp::from_micros(-1);
        let later = time.plus(Duration::new(1, 1999));
        assert_eq!((later.as_micros(), later.since(time)), (1_000_000, Duration::from_micros(1_000_001)));
        assert_eq!((time.plus(Duration::MAX), time.since(later)), (Timestamp::MAX, Duration::ZERO));
    }

    #[test]
    fn an_offset_is_turned_into_utc() {
        let time = Timestamp::parse_range_start("2021-04-16T02:00:00+02:00").unwrap();
        assert_eq!(time.to_string(), "2021-04-16T00:00:00.000000Z");
    }
}
