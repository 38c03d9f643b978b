//! A bounded cache that is never older than the last change it was told of.
//!
//! # Why no interleaving leaves an old value behind
//! Each key has a [slot](crate::slots), whose *epoch* counts the changes told of its keys; a ticket is that
//! count. All that puts or removes a value of a key does so inside moka's `and_compute_with`, which is
//! serial for each key: its *turn*.
//!
//! **A fill against a change** (`replace` or `remove`). The change first counts up the epoch, then takes
//! its turn. The fill takes its turn and compares the epoch inside it.
//! - The fill's turn comes after the change's: it sees the new epoch and keeps nothing.
//! - The fill's turn comes before: it may keep what it read, but the change's turn is yet to come, and
//!   puts the newer value in its place, or removes it.
//!
//! This is why `remove` takes a turn and does not call moka's `invalidate`, which takes none: it could find
//! nothing to remove between the fill's comparison and its insertion.
//!
//! **A fill that began after the change** holds the new epoch as its ticket. It read after the ticket, so
//! after the commit that the change tells of: what it keeps is that or something newer. Where the change's
//! turn comes only after the fill's, versions decide: the change does not replace what is newer than itself.
//!
//! **A change against a change.** An adapter with several writers may tell of version 5 before version 4.
//! Where 5 is held, 4 does not replace it. Where 5 was held and then evicted, or never admitted, nothing
//! held says so; the slot does: it remembers the highest version that it was told, and a change to a lower
//! one is not kept where its key is not held. Another key of the slot may have set that mark; then a value
//! is not kept that could have been, which costs one load. The mark is set before the turn and read inside
//! it, so of two changes to one key the second turn sees the marks of both.
//!
//! **A fill against `clear`.** There is no turn for all keys. Each value is held with the *generation* in
//! which it was put, and one of a former generation counts as absent. `clear` first counts up every epoch,
//! then the generation; a fill first reads the generation, then compares the epoch. If the epoch is still
//! the ticket's, the generation that was read is the former one, and the value is never seen once `clear`
//! has returned. (`Release` on the generation's count and `Acquire` on its read make it so: whoever sees
//! the new generation sees the new epochs.) moka's `invalidate_all` alone would not do: a fill may compare
//! before it and insert after it.
//!
//! **A reader** takes no turn: it sees the value before or after one. Whoever was told that a write is
//! done comes after the turn of the change that tells of it, and so reads that value or a newer one.

#[cfg(test)]
mod stress;
#[cfg(test)]
mod tests;

use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::quality::RandomState;
use moka::ops::compute::Op;
use moka::sync::Cache;
use tenantry_ports::{LoadTicket, NearCache};

use crate::slots::Slots;

/// About what a value takes in moka beyond its own weight: the node in the table, the two in the queues,
/// the key's and the entry's counters.
const OVERHEAD_BYTES: u32 = 256;

/// A [`NearCache`] over moka. It holds what is asked for most (TinyLFU) within a number of bytes.
pub struct MemoryCache<K, V> {
    values: Cache<K, Held<V>, RandomState>,
    slots: Slots<RandomState>,
    generation: AtomicU64,
    version: fn(&V) -> u64,
}

#[derive(Clone)]
struct Held<V> {
    value: V,
    generation: u64,
}

impl<K, V> MemoryCache<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A cache of about `max_bytes`, its own bookkeeping included.
    ///
    /// `weigh` says how many bytes a key with its value takes; `version` says which of two values of one
    /// key is the newer: the one with the higher version. Where values have no versions it is always the
    /// same number. Both are called under a lock: they must be quick, and must not call the cache.
    #[must_use]
    pub fn new(max_bytes: u64, weigh: fn(&K, &V) -> u32, version: fn(&V) -> u64) -> Self {
        let values = Cache::builder()
            .max_capacity(max_bytes)
            .weigher(move |key, held: &Held<V>| weigh(key, &held.value).saturating_add(OVERHEAD_BYTES))
            .build_with_hasher(RandomState::default());
        Self { values, slots: Slots::new(RandomState::default()), generation: AtomicU64::new(0), version }
    }

    /// Takes the key's turn. `decide` is told the version that is held, if any.
    fn turn(&self, key: K, decide: impl FnOnce(Option<u64>) -> Op<V>) {
        self.values.entry(key).and_compute_with(|held| {
            // Read before `decide` looks at an epoch: see above.
            let generation = self.generation();
            let held = held.map(moka::Entry::into_value).filter(|held| held.generation == generation);
            match decide(held.map(|held| (self.version)(&held.value))) {
                Op::Put(value) => Op::Put(Held { value, generation }),
                Op::Remove => Op::Remove,
                Op::Nop => Op::Nop,
            }
        });
    }

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

impl<K, V> NearCache<K, V> for MemoryCache<K, V>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn get(&self, key: &K) -> Option<V> {
        let held = self.values.get(key)?;
        (held.generation == self.generation()).then_some(held.value)
    }

    fn ticket(&self, key: &K) -> LoadTicket {
        LoadTicket(self.slots.of(key).epoch())
    }

    fn fill(&self, key: K, value: V, ticket: LoadTicket) {
        let slot = self.slots.of(&key);
        // Most loads that are void are so by now, and need no turn.
        if slot.epoch() != ticket.0 {
            return;
        }
        self.turn(key, |held| {
            let is_void = slot.epoch() != ticket.0;
            let version = (self.version)(&value);
            if is_void || held.is_some_and(|held| held >= version) { Op::Nop } else { Op::Put(value) }
        });
    }

    fn replace(&self, key: K, value: V) {
        let slot = self.slots.of(&key);
        let version = (self.version)(&value);
        slot.tell(version);
        self.turn(key, |held| {
            // Where nothing is held, something newer may have been.
            let newest = held.unwrap_or_else(|| slot.newest_told());
            if newest > version { Op::Nop } else { Op::Put(value) }
        });
    }

    fn remove(&self, key: &K) {
        self.slots.of(key).begin_epoch();
        self.turn(key.clone(), |_| Op::Remove);
    }

    fn clear(&self) {
        self.slots.iter().for_each(crate::slots::Slot::begin_epoch);
        self.generation.fetch_add(1, Ordering::Release);
        // The values of the former generation are not seen any more; this gives their memory back.
        self.values.invalidate_all();
    }
}
