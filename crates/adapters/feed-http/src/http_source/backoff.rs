//! How long to wait until the next attempt.

use std::time::{Duration, SystemTime};

/// The longest wait before attempt `attempt` + 1: twice as long for each attempt that was made, up to `max`. How long
/// it is within that is left to chance ("full jitter"), so that many who were refused together do not come back
/// together.
pub(crate) fn longest(attempt: u32, first: Duration, max: Duration) -> Duration {
    let doublings = attempt.saturating_sub(1).min(30);
    first.saturating_mul(1 << doublings).min(max)
}

/// A random part of a time.
pub(crate) fn part_of(longest: Duration) -> Duration {
    // Without random bits the whole is waited.
    let share = getrandom::u32().map_or(1.0, |bits| f64::from(bits) / f64::from(u32::MAX));
    longest.mul_f64(share)
}

/// What a `Retry-After` header asks for, in seconds or as a date (RFC 9110, section 10.2.3).
pub(crate) fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        // More seconds than fit are as good as for ever.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::from(u32::MAX))));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn each_wait_may_be_twice_as_long_as_the_one_before_up_to_the_bound() {
        let longest = |attempt| longest(attempt, SECOND, 60 * SECOND).as_secs();
        assert_eq!([1, 2, 3, 4, 6, 7, 8, u32::MAX].map(longest), [1, 2, 4, 8, 32, 60, 60, 60]);
    }

    #[test]
    fn a_wait_is_anywhere_within_its_bound() {
        let waits: Vec<_> = (0..200).map(|_| part_of(SECOND)).collect();
        assert!(waits.iter().all(|wait| *wait <= SECOND));
        assert!(waits.iter().any(|wait| *wait < SECOND / 2) && waits.iter().any(|wait| *wait > SECOND / 2));
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        for (value, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("Wed, 21 Oct 2015 07:29:30 GMT", Some(90)),
            ("Wed, 21 Oct 2015 07:00:00 GMT", Some(0)),
            ("99999999999999999999999", Some(u64::from(u32::MAX))),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs), "{value}");
        }
    }
}
