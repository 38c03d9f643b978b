//! What time it is.

use tenantry_domain::Timestamp;

/// A source of the current time.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait Clock: Send + Sync {
    /// The time now. It may stand still or jump back, as computers' clocks do.
    fn now(&self) -> Timestamp;
}

/// The computer's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Timestamp::from_micros(
            since_epoch.map_or(0, |time| i64::try_from(time.as_micros()).unwrap_or(i64::MAX)),
        )
    }
}
