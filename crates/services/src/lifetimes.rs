//! How long the shared cache holds a value.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tenantry_domain::Timestamp;
use tenantry_ports::Clock;

use crate::key_value::CachedEntry;

/// What has ended, or ends soon, is held for this long yet: while a change of a key may still be on its way, the
/// newer one must be there to refuse it. Readers go by the entry's own end.
const LEAST: Duration = Duration::from_secs(5);

/// Gives out lifetimes that differ by chance, so that what came together does not leave together.
pub(crate) struct Lifetimes {
    usual: Duration,
    clock: Arc<dyn Clock>,
    chance: AtomicU64,
}

impl Lifetimes {
    /// Lifetimes of `usual`, give or take a fifth.
    pub(crate) fn new(usual: Duration, clock: Arc<dyn Clock>) -> Self {
        let mut seed = [0; 8];
        // Without random bytes lifetimes differ all the same, only alike at each start.
        let _ = getrandom::fill(&mut seed);
        Self { usual, clock, chance: AtomicU64::new(u64::from_ne_bytes(seed)) }
    }

    /// How long to hold this: not much longer than until its own end.
    pub(crate) fn of(&self, cached: &CachedEntry) -> Duration {
        let usual = self.next_usual();
        match cached.entry.as_ref().and_then(|entry| entry.meta.expires_at) {
            Some(end) => usual.min(left_until(end, self.clock.now()).saturating_add(LEAST)),
            None => usual,
        }
    }

    fn next_usual(&self) -> Duration {
        // SplitMix64: any counter will do as its state.
        let mut bits = self.chance.fetch_add(0x9E37_79B9_7F4A_7C15, Ordering::Relaxed);
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let permille = 800 + u32::try_from((bits ^ (bits >> 31)) % 401).unwrap_or_default();
        self.usual * permille / 1000
    }
}

fn left_until(end: Timestamp, now: Timestamp) -> Duration {
    (end - now).to_std().unwrap_or_default()
}
