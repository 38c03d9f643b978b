//! A bounded cache that is never older than the last change it was told of.
//!
//! # Why no interleaving leaves an old value behind
//! Each key has a [slot](crate::slots), which it shares with others. A slot has an *epoch*, which counts
//! the changes told of its keys (a ticket is that count), and a *turn*, which one thread at a time has.
//! Values are put and removed in the turn of their key's slot and nowhere else; only eviction, which
//! forgets and never puts, takes no turn. So there are few interleavings to think of:
//!
//! **A fill against a change** (`replace`, `outdate` or `remove`). A change counts up the epoch and puts or removes
//! its value in one turn; a fill compares the epoch with its ticket and puts its value in one turn.
//! - The fill's turn comes first: whatever it puts, the change then replaces or removes.
//! - The change's turn comes first, and the ticket is from before it: the ticket is void, nothing is put.
//! - The change's turn comes first, and the ticket is from after it: what was read was read after the
//!   ticket, so after the commit that the change tells of. It is that value or a newer one.
//!
//! The third case also holds where the change was told late, and what is held is already newer than what
//! the fill has read or what the change tells: versions decide, and the newer value stays.
//!
//! **A change against a change.** An adapter with several writers may tell of version 5 before version 4, and so
//! may another node, which tells the version alone (`outdate`).
//! Where 5 is held, 4 does not replace it. Where 5 was held and then evicted, or was never admitted,
//! nothing held says so; the slot does: it remembers the highest version that it was told, and a lower one
//! is not put where its key is not held. Another key of the slot may have set that mark; then a value is
//! not kept that could have been, which costs one load.
//!
//! **`forget`** removes and never puts, in its turn: like eviction, it costs a load.
//!
//! **A fill or a change against `clear`.** `clear` counts up the epochs, each in its slot's turn, and then
//! empties the cache. A fill with a ticket from before has its turn before its slot's epoch is counted up,
//! and what it puts is emptied out; or after, and puts nothing. What others put meanwhile may be emptied
//! out too, which costs a load. Marks stay: a change may yet be told late. `remove_where` is the same, but for what
//! is emptied out; a fill with a ticket from before has put what it is asked about, or nothing.
//!
//! **A reader** takes no turn: it sees what was held before or after one. Whoever was told that a write is
//! done comes after the turn of the change that tells of it, and so reads that value or a newer one.

#[cfg(test)]
mod stress;
#[cfg(test)]
mod tests;

use std::hash::Hash;
use std::thread::available_parallelism;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};
use tenantry_ports::{IsChanged, LoadTicket, NearCache};

use crate::slots::Slots;

/// About what the cache itself takes for a value: its place in the table and in the queue, a share of
/// what is remembered of values that were evicted, and what the allocator adds.
const OVERHEAD_BYTES: u64 = 96;

/// No shard is smaller, unless the cache is: a value larger than its shard is not held.
const MIN_SHARD_BYTES: u64 = 2 << 20;

/// About what a value takes on average; only the length of the memory of evicted values depends on it.
const TYPICAL_BYTES: u64 = 512;

/// A [`NearCache`] over quick_cache. It holds what is asked for most (S3-FIFO) within a number of bytes.
pub struct MemoryCache<K, V> {
    values: Cache<K, V, Weigh<K, V>>,
    slots: Slots<DefaultHashBuilder>,
    version: fn(&V) -> u64,
}

#[derive(Clone)]
struct Weigh<K, V>(fn(&K, &V) -> u32);

impl<K, V> Weighter<K, V> for Weigh<K, V> {
    fn weight(&self, key: &K, value: &V) -> u64 {
        u64::from((self.0)(key, value)) + OVERHEAD_BYTES
    }
}

impl<K, V> MemoryCache<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A cache of about `max_bytes`, its own bookkeeping included.
    ///
    /// `weigh` says how many bytes a key with its value takes, always the same for the same value.
    /// `version` says which of two values of one key is the newer: the one with the higher version. Where
    /// values have no versions it is always the same number. Both are called under a lock: they must be
    /// quick, and must not call the cache.
    ///
    /// # Panics
    /// Never: the options that are set here are all that there must be.
    #[must_use]
    #[expect(clippy::expect_used, reason = "building fails only where a capacity is not set")]
    pub fn new(max_bytes: u64, weigh: fn(&K, &V) -> u32, version: fn(&V) -> u64) -> Self {
        let options = OptionsBuilder::new()
            .weight_capacity(max_bytes)
            .estimated_items_capacity(usize::try_from(max_bytes / TYPICAL_BYTES).unwrap_or(usize::MAX))
            .shards(shards_of(max_bytes))
            .build()
            .expect("both capacities are set");
        let hasher = DefaultHashBuilder::default();
        let values = Cache::with_options(options, Weigh(weigh), hasher, DefaultLifecycle::default());
        Self { values, slots: Slots::new(DefaultHashBuilder::default()), version }
    }

    /// Makes every load that is under way void.
    fn begin_epochs(&self) {
        for slot in self.slots.iter() {
            slot.turn().begin_epoch();
        }
    }

    fn held_version(&self, key: &K) -> Option<u64> {
        self.values.peek(key).map(|held| (self.version)(&held))
    }
}

/// As many shards as keep the threads out of each other's way, but none too small. A power of two, since
/// quick_cache rounds up to one.
fn shards_of(max_bytes: u64) -> usize {
    let useful = available_parallelism().map_or(4, |threads| threads.get() * 4);
    let possible = usize::try_from(max_bytes / MIN_SHARD_BYTES).unwrap_or(usize::MAX);
    1 << possible.clamp(1, useful).ilog2()
}

impl<K, V> NearCache<K, V> for MemoryCache<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn get(&self, key: &K) -> Option<V> {
        self.values.get(key)
    }

    fn last_known(&self, key: &K) -> Option<V> {
        self.values.peek(key)
    }

    fn ticket(&self, key: &K) -> LoadTicket {
        LoadTicket(self.slots.of(key).epoch())
    }

    fn fill(&self, key: K, value: V, ticket: LoadTicket) {
        let turn = self.slots.of(&key).turn();
        if turn.epoch() != ticket.0 {
            return;
        }
        let version = (self.version)(&value);
        if self.held_version(&key).is_none_or(|held| held < version) {
            self.values.insert(key, value);
        }
    }

    fn replace(&self, key: K, value: V) {
        let version = (self.version)(&value);
        let mut turn = self.slots.of(&key).turn();
        let newest_told = turn.tell(version);
        // Where nothing is held, something newer may have been.
        if self.held_version(&key).unwrap_or(newest_told) <= version {
            self.values.insert(key, value);
        }
    }

    fn outdate(&self, key: &K, version: u64) {
        let mut turn = self.slots.of(key).turn();
        turn.tell(version);
        if self.held_version(key).is_some_and(|held| held < version) {
            self.values.remove(key);
        }
    }

    fn forget(&self, key: &K) {
        let _turn = self.slots.of(key).turn();
        self.values.remove(key);
    }

    fn remove(&self, key: &K) {
        let turn = self.slots.of(key).turn();
        turn.begin_epoch();
        self.values.remove(key);
    }

    fn remove_where<'a>(&self, is_changed: &'a IsChanged<'a, K, V>) {
        self.begin_epochs();
        self.values.retain(|key, value| !is_changed(key, value));
    }

    fn clear(&self) {
        self.begin_epochs();
        self.values.clear();
    }
}
