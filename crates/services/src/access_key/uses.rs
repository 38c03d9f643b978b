//! When keys were last used: noted on each request, written now and then.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tenantry_domain::{KeyId, Timestamp};
use tenantry_ports::{AccessKeyRepository, StorageError};

/// Stands for no use at all.
pub(super) const NEVER: i64 = i64::MIN;

/// A use sooner than this after the one noted is not noted.
const INTERVAL_MICROS: i64 = 60_000_000;

type Uses = HashMap<KeyId, Timestamp>;

/// The uses that are yet to be written.
#[derive(Default)]
pub(super) struct NotedUses(Mutex<Uses>);

impl NotedUses {
    /// Notes a use at `now` of a key whose use was last noted at `last_noted`. Nearly always that is one
    /// look at an atomic.
    pub(super) fn note(&self, key: KeyId, last_noted: &AtomicI64, now: Timestamp) {
        let noted = last_noted.load(Ordering::Relaxed);
        if now.as_micros().saturating_sub(noted) < INTERVAL_MICROS {
            return;
        }
        // Of several requests at once one enters it.
        let won = last_noted.compare_exchange(noted, now.as_micros(), Ordering::Relaxed, Ordering::Relaxed);
        if won.is_ok() {
            keep_later(&mut self.lock(), key, now);
        }
    }

    /// Writes what was noted. What was not written, for whatever reason, is kept.
    pub(super) async fn flush(&self, keys: &dyn AccessKeyRepository) -> Result<(), StorageError> {
        let mut unwritten = Unwritten { uses: std::mem::take(&mut *self.lock()), home: self };
        if unwritten.uses.is_empty() {
            return Ok(());
        }
        keys.record_use(unwritten.uses.iter().map(|(key, time)| (*key, *time)).collect()).await?;
        unwritten.uses.clear();
        Ok(())
    }

    /// No code that can panic runs while the lock is held.
    fn lock(&self) -> MutexGuard<'_, Uses> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Uses on their way to storage. They go back where they came from when storage fails, and also when the
/// flush is dropped half way.
struct Unwritten<'a> {
    uses: Uses,
    home: &'a NotedUses,
}

impl Drop for Unwritten<'_> {
    fn drop(&mut self) {
        if self.uses.is_empty() {
            return;
        }
        let mut noted = self.home.lock();
        for (key, time) in self.uses.drain() {
            keep_later(&mut noted, key, time);
        }
    }
}

fn keep_later(uses: &mut Uses, key: KeyId, time: Timestamp) {
    uses.entry(key).and_modify(|noted| *noted = time.max(*noted)).or_insert(time);
}
