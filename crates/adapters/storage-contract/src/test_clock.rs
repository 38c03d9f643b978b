//! A clock that is set by hand.

use std::sync::atomic::{AtomicI64, Ordering};

use tenantry_domain::Timestamp;
use tenantry_ports::Clock;

/// A clock that stands still until it is set. It begins at 2026-01-01T00:00:00Z.
#[derive(Debug)]
pub struct TestClock(AtomicI64);

impl TestClock {
    /// Sets the time, forward or back.
    pub fn set(&self, time: Timestamp) {
        self.0.store(time.as_micros(), Ordering::SeqCst);
    }

    /// Moves the time by so many microseconds, back where negative, and says what it is then.
    pub fn advance_micros(&self, micros: i64) -> Timestamp {
        self.set(Timestamp::from_micros(self.now().as_micros() + micros));
        self.now()
    }

    /// Moves the time by so many seconds, back where negative, and says what it is then.
    pub fn advance_seconds(&self, seconds: i64) -> Timestamp {
        self.advance_micros(seconds * 1_000_000)
    }
}

impl Default for TestClock {
    fn default() -> Self {
        Self(AtomicI64::new(1_767_225_600_000_000))
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}
