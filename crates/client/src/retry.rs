//! How often, and after what pauses, a request is sent again.

use std::time::Duration;

/// How often, and after what pauses, a request that failed is sent again: exponential back-off with full jitter, and
/// `Retry-After` honoured. Which requests are, the [crate](crate) says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How often a request is sent at most; 1: never again. 4 unless told.
    pub max_attempts: u32,
    /// The pause before the second attempt is between nothing and this; before each further one between nothing and
    /// twice as much as before. 100 ms unless told.
    pub base_pause: Duration,
    /// What that grows to at most. 5 s unless told.
    pub max_pause: Duration,
    /// So long after the first attempt began no other begins. 60 s unless told.
    pub max_elapsed: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: 4,
            base_pause: Duration::from_millis(100),
            max_pause: Duration::from_secs(5),
            max_elapsed: Duration::from_secs(60),
        }
    }
}

impl RetryPolicy {
    /// Each request is sent once.
    #[must_use]
    pub fn never() -> Self {
        Self { max_attempts: 1, ..Self::default() }
    }

    /// The pause after so many attempts, of which `elapsed` was spent; nothing where there is to be no other attempt.
    /// `random` is between 0 and 1.
    pub(crate) fn pause(
        &self,
        attempts: u32,
        elapsed: Duration,
        retry_after: Option<Duration>,
        random: f64,
    ) -> Option<Duration> {
        if attempts >= self.max_attempts {
            return None;
        }
        let doublings = attempts.saturating_sub(1).min(31);
        let ceiling = self.base_pause.saturating_mul(1 << doublings).min(self.max_pause);
        // Those who are told the same time come back spread, not all at once.
        let pause = retry_after.unwrap_or_default().saturating_add(ceiling.mul_f64(random.clamp(0.0, 1.0)));
        (elapsed.saturating_add(pause) < self.max_elapsed).then_some(pause)
    }
}

/// A random number between 0 and 1; 1 where the operating system has none.
pub(crate) fn random() -> f64 {
    getrandom::u32().map_or(1.0, |bits| f64::from(bits) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_TIME: Duration = Duration::ZERO;

    fn ms(pause: Option<Duration>) -> Option<u128> {
        pause.map(|pause| pause.as_millis())
    }

    #[test]
    fn pauses_grow_to_their_bound_and_end_with_the_last_attempt() {
        let policy = RetryPolicy { max_attempts: 9, ..RetryPolicy::default() };
        let pauses: Vec<_> = (1..=9).map(|attempts| ms(policy.pause(attempts, NO_TIME, None, 1.0))).collect();
        let expected = [100, 200, 400, 800, 1600, 3200, 5000, 5000].map(Some);
        assert_eq!(pauses[..8], expected);
        assert_eq!(pauses[8], None);
    }

    #[test]
    fn a_pause_is_anything_from_nothing_to_its_bound() {
        let policy = RetryPolicy::default();
        assert_eq!(ms(policy.pause(1, NO_TIME, None, 0.0)), Some(0));
        assert_eq!(ms(policy.pause(1, NO_TIME, None, 0.5)), Some(50));
    }

    #[test]
    fn what_the_server_asks_for_is_waited_at_least() {
        let policy = RetryPolicy::default();
        let asked = Some(Duration::from_secs(2));
        assert_eq!(ms(policy.pause(1, NO_TIME, asked, 0.0)), Some(2000));
        assert_eq!(ms(policy.pause(1, NO_TIME, asked, 1.0)), Some(2100));
    }

    #[test]
    fn no_attempt_begins_after_the_time_is_over() {
        let policy = RetryPolicy { max_elapsed: Duration::from_secs(10), ..RetryPolicy::default() };
        assert_eq!(policy.pause(1, Duration::from_millis(9_950), None, 1.0), None);
        assert_eq!(policy.pause(1, NO_TIME, Some(Duration::from_secs(3600)), 0.0), None);
        assert!(policy.pause(1, Duration::from_secs(9), None, 1.0).is_some());
    }

    #[test]
    fn never_is_never() {
        assert_eq!(RetryPolicy::never().pause(1, NO_TIME, None, 0.0), None);
    }

    #[test]
    fn absurd_numbers_do_no_harm() {
        let policy =
            RetryPolicy { max_attempts: u32::MAX, base_pause: Duration::MAX, ..RetryPolicy::default() };
        assert_eq!(policy.pause(u32::MAX - 1, NO_TIME, None, 1.0), Some(policy.max_pause));
        assert_eq!(policy.pause(1, Duration::MAX, Some(Duration::MAX), 1.0), None);
    }
}
