//! First-level values that are believed only for a while, for nodes that hear of changes by a bus: a bus can
//! fail without a word. A node that is alone needs none of this; where it has a shared cache all the same, its ages are
//! [without a limit](Ages::unlimited).

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tenantry_ports::{IsChanged, LoadTicket, NearCache, Timer};

/// How old a first-level value may be while the bus is lost, unless it is usually less.
const WHILE_LOST: Duration = Duration::from_millis(500);

/// How old first-level values may be: usually, and less while this node doesn't hear of changes. All caches of a
/// node share it.
pub struct Ages {
    timer: Arc<dyn Timer>,
    usual_ms: u64,
    /// What holds now.
    max_ms: AtomicU64,
    is_joined: AtomicBool,
}

impl Ages {
    /// Values may be `usual` old. Until the bus is [joined](crate::RemoteChanges) they may be half a second old.
    #[must_use]
    pub fn new(timer: Arc<dyn Timer>, usual: Duration) -> Self {
        let ages = Self {
            timer,
            usual_ms: millis(usual),
            max_ms: AtomicU64::new(0),
            is_joined: AtomicBool::new(false),
        };
        ages.bus_is_lost();
        ages
    }

    /// Values may be of any age: nobody else changes anything, and there is no bus to be joined or lost.
    #[must_use]
    pub fn unlimited(timer: Arc<dyn Timer>) -> Self {
        let ages = Self::new(timer, Duration::MAX);
        ages.bus_is_joined();
        ages
    }

    pub(crate) fn bus_is_joined(&self) {
        self.max_ms.store(self.usual_ms, Ordering::Release);
        self.is_joined.store(true, Ordering::Release);
    }

    pub(crate) fn bus_is_lost(&self) {
        self.is_joined.store(false, Ordering::Release);
        self.max_ms.store(self.usual_ms.min(millis(WHILE_LOST)), Ordering::Release);
    }

    /// Whether this node hears of changes now, or nobody else makes any.
    #[must_use]
    pub fn hears_of_changes(&self) -> bool {
        self.is_joined.load(Ordering::Acquire)
    }

    fn now_ms(&self) -> u64 {
        millis(self.timer.elapsed())
    }

    pub(crate) fn is_past(&self, since_ms: u64) -> bool {
        self.now_ms().saturating_sub(since_ms) > self.max_ms.load(Ordering::Acquire)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A value, and since when it has been held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aged<V> {
    value: V,
    since_ms: u64,
}

impl<V> Aged<V> {
    /// The value.
    pub fn value(&self) -> &V {
        &self.value
    }
}

/// A [`NearCache`] whose values are given out until they are too old; beyond that, only where nothing newer can be
/// read.
pub struct AgedCache<K: Send + Sync + 'static, V: Send + Sync + 'static> {
    cache: Arc<dyn NearCache<K, Aged<V>>>,
    ages: Arc<Ages>,
}

impl<K: Send + Sync + 'static, V: Send + Sync + 'static> AgedCache<K, V> {
    /// What `cache` holds, as long as `ages` allow.
    #[must_use]
    pub fn new(cache: Arc<dyn NearCache<K, Aged<V>>>, ages: Arc<Ages>) -> Self {
        Self { cache, ages }
    }

    fn is_past(&self, held: &Aged<V>) -> bool {
        self.ages.is_past(held.since_ms)
    }

    fn aged_from_now(&self, value: V) -> Aged<V> {
        Aged { value, since_ms: self.ages.now_ms() }
    }
}

impl<K: Send + Sync + 'static, V: Send + Sync + 'static> NearCache<K, V> for AgedCache<K, V> {
    fn get(&self, key: &K) -> Option<V> {
        self.cache.get(key).filter(|held| !self.is_past(held)).map(|held| held.value)
    }

    /// Whatever its age: as long as this node hears of changes, only one that was lost without a word can have been
    /// missed, and the age is there for that alone.
    fn last_known(&self, key: &K) -> Option<V> {
        self.cache.last_known(key).filter(|_| self.ages.hears_of_changes()).map(|held| held.value)
    }

    fn ticket(&self, key: &K) -> LoadTicket {
        self.cache.ticket(key)
    }

    fn fill(&self, key: K, value: V, ticket: LoadTicket) {
        if self.cache.last_known(&key).is_some_and(|held| self.is_past(&held)) {
            // It would keep out what was read anew, being as new or newer.
            self.cache.forget(&key);
        }
        self.cache.fill(key, self.aged_from_now(value), ticket);
    }

    fn replace(&self, key: K, value: V) {
        self.cache.replace(key, self.aged_from_now(value));
    }

    fn outdate(&self, key: &K, version: u64) {
        self.cache.outdate(key, version);
    }

    fn forget(&self, key: &K) {
        self.cache.forget(key);
    }

    fn remove(&self, key: &K) {
        self.cache.remove(key);
    }

    fn remove_where<'a>(&self, is_changed: &'a IsChanged<'a, K, V>) {
        self.cache.remove_where(&|key, held: &Aged<V>| is_changed(key, &held.value));
    }

    fn clear(&self) {
        self.cache.clear();
    }
}
