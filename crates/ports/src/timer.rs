//! How time passes.

use std::time::Duration;

use async_trait::async_trait;

/// Time that only goes forward, and waiting for it. What day it is, is the [`Clock`](crate::Clock)'s business.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait Timer: Send + Sync {
    /// The time since a moment that stays the same while the process lives. It never goes back.
    fn elapsed(&self) -> Duration;

    /// Waits so long, or a little longer.
    async fn pause(&self, duration: Duration);
}
