//! In which zone a provider's clock stands.

use std::fmt;

use chrono::{Duration, MappedLocalTime, NaiveDateTime, TimeZone as _, Utc};
use chrono_tz::Tz;

use crate::timestamp::Timestamp;

/// A time zone of the IANA database: `UTC`, `Europe/Madrid`, …
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeZone(Tz);

impl TimeZone {
    /// Universal time.
    pub const UTC: Self = Self(Tz::UTC);

    /// The zone of that name; case counts.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// Reads `YYYY-MM-DDTHH:MM:SS`, with or without a fraction, as a time of this zone; or an RFC 3339
    /// date-time, whose own offset holds. Nothing for a date that there is not.
    ///
    /// Of a time that the zone's clocks show twice the earlier is meant; of one that they skip, the moment
    /// at which they would have shown it.
    #[must_use]
    pub fn read(self, text: &str) -> Option<Timestamp> {
        self.moments(text).map(|[earlier, _]| earlier)
    }

    /// As [`TimeZone::read`], for the end of what starts at `starts_at`: of a time that the zone's clocks show twice the
    /// later is meant where the earlier lies before the start.
    #[must_use]
    pub fn read_end(self, text: &str, starts_at: Timestamp) -> Option<Timestamp> {
        self.moments(text).map(|[earlier, later]| if earlier < starts_at { later } else { earlier })
    }

    /// The first and the last moment at which the zone's clocks show that time: mostly the same one.
    fn moments(self, text: &str) -> Option<[Timestamp; 2]> {
        let bytes = text.as_bytes();
        // Four digits for the year, and nothing that chrono would also take.
        if bytes.len() < 19 || bytes[4] != b'-' || !bytes[..4].iter().all(u8::is_ascii_digit) {
            return None;
        }
        if let Ok(local) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
            // A leap second is not a time that can be kept.
            return (!text.as_bytes()[17..].starts_with(b"60")).then(|| self.at(local)).flatten();
        }
        Timestamp::parse_rfc3339(text).map(|moment| [moment; 2])
    }

    fn at(self, local: NaiveDateTime) -> Option<[Timestamp; 2]> {
        if self == Self::UTC {
            return Some([Timestamp::from(local.and_utc()); 2]);
        }
        let moments = match self.0.from_local_datetime(&local) {
            MappedLocalTime::Single(moment) => [moment; 2],
            MappedLocalTime::Ambiguous(earlier, later) => [earlier, later],
            // Skipped: no zone's clocks were ever set forward by more than a day.
            MappedLocalTime::None => {
                let before = self.0.from_local_datetime(&(local - Duration::days(1))).earliest()?;
                [before + Duration::days(1); 2]
            }
        };
        Some(moments.map(|moment| Timestamp::from(moment.with_timezone(&Utc))))
    }
}

impl Default for TimeZone {
    fn default() -> Self {
        Self::UTC
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(zone: &str, text: &str) -> Option<String> {
        TimeZone::parse(zone).unwrap().read(text).map(|time| time.to_string())
    }

    #[test]
    fn a_time_without_a_zone_is_one_of_the_feeds_zone() {
        let text = "2021-06-30T21:00:00";
        assert_eq!(read("UTC", text).unwrap(), "2021-06-30T21:00:00.000000Z");
        assert_eq!(read("Europe/Madrid", text).unwrap(), "2021-06-30T19:00:00.000000Z");
        assert_eq!(read("Europe/Madrid", "2021-06-30T21:00:00.25").unwrap(), "2021-06-30T19:00:00.250000Z");
    }

    #[test]
    fn a_time_with_an_offset_keeps_it() {
        assert_eq!(read("Europe/Madrid", "2021-06-30T21:00:00Z").unwrap(), "2021-06-30T21:00:00.000000Z");
        assert_eq!(read("UTC", "2021-06-30T21:00:00-05:00").unwrap(), "2021-07-01T02:00:00.000000Z");
    }

    #[test]
    fn a_time_shown_twice_is_the_earlier_and_a_skipped_one_is_when_it_would_have_been() {
        assert_eq!(read("Europe/Madrid", "2021-10-31T02:30:00").unwrap(), "2021-10-31T00:30:00.000000Z");
        assert_eq!(read("Europe/Madrid", "2021-03-28T02:30:00").unwrap(), "2021-03-28T01:30:00.000000Z");
    }

    #[test]
    fn an_end_that_is_shown_twice_is_the_first_of_both_that_is_not_before_the_start() {
        let zone = TimeZone::parse("Europe/Madrid").unwrap();
        let end =
            |starts: &str, ends: &str| zone.read_end(ends, zone.read(starts).unwrap()).unwrap().to_string();
        for (starts, ends, moment) in [
            ("2021-10-31T01:30:00", "2021-10-31T02:30:00", "2021-10-31T00:30:00.000000Z"),
            ("2021-10-31T02:30:00", "2021-10-31T02:30:00", "2021-10-31T00:30:00.000000Z"),
            ("2021-10-31T02:30:00", "2021-10-31T02:15:00", "2021-10-31T01:15:00.000000Z"),
            ("2021-10-31T02:30:00", "2021-10-31T03:15:00", "2021-10-31T02:15:00.000000Z"),
            ("2021-10-31T02:30:00", "2021-10-31T01:15:00", "2021-10-30T23:15:00.000000Z"),
            ("2021-11-01T02:30:00", "2021-10-31T02:15:00", "2021-10-31T01:15:00.000000Z"),
        ] {
            assert_eq!(end(starts, ends), moment, "{starts} to {ends}");
        }
    }

    #[test]
    fn a_date_that_there_is_not_is_not_read() {
        for text in [
            "",
            "2021-09-31T20:00:00",
            "2021-02-29T20:00:00",
            "2021-06-30",
            "2021-06-30 21:00:00",
            "2021-06-30T24:00:00",
            "2021-06-30T23:59:60",
            "+2021-06-30T21:00:00",
            "21-06-30T21:00:00Z",
            "2021-06-30T21:00:00 ",
            "mañana a las nueve…",
        ] {
            assert_eq!(read("UTC", text), None, "{text}");
        }
        assert_eq!(TimeZone::parse("Mars/Olympus"), None);
    }
}
