//! Keeping the claim to a run while it is worked on.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tenantry_ports::{ClaimError, FeedRunRepository, RunClaim, StorageError, Timer};

/// How long to wait before storage that was not available is asked again.
const RETRY: Duration = Duration::from_millis(250);

/// What is needed to keep a claim.
#[derive(Clone, Copy)]
pub(super) struct Keeping<'a> {
    pub(super) runs: &'a dyn FeedRunRepository,
    pub(super) claim: &'a RunClaim,
    pub(super) timer: &'a dyn Timer,
    /// How long a claim lasts.
    pub(super) lasts: Duration,
}

impl Keeping<'_> {
    /// Moves the claim's end on, again and again. Returns once the claim is lost, or may be, because storage could not
    /// be told of it in time. `since` is when it was last asked for, by the timer.
    pub(super) async fn keep(self, mut since: Duration) {
        let mut pause = self.lasts / 3;
        loop {
            self.timer.pause(pause).await;
            let asked_at = self.timer.elapsed();
            match self.runs.extend(self.claim, self.lasts).await {
                Ok(()) => (since, pause) = (asked_at, self.lasts / 3),
                Err(ClaimError::Storage(_)) if self.timer.elapsed().saturating_sub(since) < self.lasts => {
                    pause = RETRY.min(self.lasts / 3);
                }
                Err(_) => return,
            }
        }
    }

    /// Tries until storage is available. When that is no use any more, [`keep`](Self::keep) says.
    pub(super) async fn until_available<'a, T>(
        self,
        attempt: impl Fn() -> BoxFuture<'a, Result<T, ClaimError>>,
    ) -> Result<T, ClaimError> {
        until_available(self.timer, attempt).await
    }
}

/// As [`Keeping::until_available`].
pub(super) async fn until_available<'a, T>(
    timer: &dyn Timer,
    attempt: impl Fn() -> BoxFuture<'a, Result<T, ClaimError>>,
) -> Result<T, ClaimError> {
    loop {
        match attempt().await {
            Err(ClaimError::Storage(StorageError::Unavailable(_))) => timer.pause(RETRY).await,
            answer => return answer,
        }
    }
}
