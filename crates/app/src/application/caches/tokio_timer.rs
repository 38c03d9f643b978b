//! Time as tokio has it.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use tenantry_ports::Timer;

/// The computer's monotonic clock, and tokio's sleep: to be awaited in a tokio runtime.
#[derive(Debug, Clone, Copy)]
pub(super) struct TokioTimer(Instant);

impl TokioTimer {
    pub(super) fn new() -> Self {
        Self(Instant::now())
    }
}

#[async_trait]
impl Timer for TokioTimer {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    async fn pause(&self, duration: Duration) {
        tokio::time::sleep(duration).await;
    }
}
