//! Whether a replica is to be used, and what is logged of it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tenantry_ports::StorageError;

/// How long a replica is left alone that has failed. One read tries it again; the others go on meanwhile.
const AFTER_FAILURE: Duration = Duration::from_secs(1);

/// The same of one that was behind.
const WHILE_BEHIND: Duration = Duration::from_millis(100);

pub(super) struct Standing {
    place: String,
    epoch: Instant,
    /// Milliseconds from `epoch` until which it rests; 0: it is in use.
    rests_until: AtomicU64,
    is_told: AtomicBool,
}

impl Standing {
    pub(super) fn new(place: String) -> Self {
        Self { place, epoch: Instant::now(), rests_until: AtomicU64::new(0), is_told: AtomicBool::new(false) }
    }

    /// Whether it is in use, or the caller is the one that tries it again.
    pub(super) fn is_to_be_tried(&self) -> bool {
        let until = self.rests_until.load(Ordering::Relaxed);
        if until == 0 {
            return true;
        }
        let next = self.after(AFTER_FAILURE);
        let is_over = self.after(Duration::ZERO) >= until;
        is_over
            && self.rests_until.compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    pub(super) fn is_good(&self) {
        if self.rests_until.swap(0, Ordering::Relaxed) != 0 && self.is_told.swap(false, Ordering::Relaxed) {
            tracing::info!(replica = %self.place, "the replica is read from again");
        }
    }

    pub(super) fn is_behind(&self) {
        self.rests_until.store(self.after(WHILE_BEHIND), Ordering::Relaxed);
        if !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::info!(replica = %self.place, "the replica lags behind: the primary is read from");
        }
    }

    pub(super) fn has_failed(&self, error: &StorageError) {
        self.rests_until.store(self.after(AFTER_FAILURE), Ordering::Relaxed);
        if !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(replica = %self.place, %error, "the replica fails: the primary is read from");
        }
    }

    fn after(&self, pause: Duration) -> u64 {
        let after = (self.epoch.elapsed() + pause).as_millis();
        u64::try_from(after).unwrap_or(u64::MAX).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_read_tries_a_replica_again_that_has_rested() {
        let standing = Standing::new("there".to_owned());
        assert!(standing.is_to_be_tried() && standing.is_to_be_tried());
        standing.has_failed(&StorageError::Unavailable("down".to_owned()));
        assert!(!standing.is_to_be_tried());
        // Its rest is over.
        standing.rests_until.store(1, Ordering::Relaxed);
        let standing = Standing { epoch: Instant::now().checked_sub(AFTER_FAILURE).unwrap(), ..standing };
        assert!(standing.is_to_be_tried());
        assert!(!standing.is_to_be_tried(), "another one meanwhile");
        standing.is_good();
        assert!(standing.is_to_be_tried() && standing.is_to_be_tried());
    }
}
