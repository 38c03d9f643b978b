//! What is remembered of keys, held or not: that they changed, and what to.

use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A power of two. Keys of one slot make each other's loads void, which costs a second load and no more.
const SLOTS: usize = 1024;

/// A fixed number of slots; each key has one, by its hash.
pub(crate) struct Slots<S> {
    slots: Box<[Slot]>,
    hasher: S,
}

/// What is remembered of all keys of one slot together.
#[derive(Default)]
pub(crate) struct Slot {
    /// How many changes there were. Changed only in a turn; read without one.
    epoch: AtomicU64,
    /// The highest version that a key was told to have changed to.
    newest_told: Mutex<u64>,
}

/// While it lives nobody else has the slot's turn.
pub(crate) struct Turn<'a> {
    slot: &'a Slot,
    newest_told: MutexGuard<'a, u64>,
}

impl<S: BuildHasher> Slots<S> {
    pub(crate) fn new(hasher: S) -> Self {
        Self { slots: (0..SLOTS).map(|_| Slot::default()).collect(), hasher }
    }

    pub(crate) fn of(&self, key: &impl Hash) -> &Slot {
        let hash = self.hasher.hash_one(key);
        // The remainder fits a usize, whatever its width.
        &self.slots[usize::try_from(hash % SLOTS as u64).unwrap_or_default()]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter()
    }
}

impl Slot {
    /// How many changes there were. Whatever is read after this call is read after the count was.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Waits for the turn. One that ended in a panic has left the slot as it was or changed it whole.
    pub(crate) fn turn(&self) -> Turn<'_> {
        Turn { slot: self, newest_told: self.newest_told.lock().unwrap_or_else(PoisonError::into_inner) }
    }
}

impl Turn<'_> {
    /// See [`Slot::epoch`].
    pub(crate) fn epoch(&self) -> u64 {
        self.slot.epoch()
    }

    /// Something has changed: makes every ticket void.
    pub(crate) fn begin_epoch(&self) {
        self.slot.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// A key has changed to a value of this version. Answers the highest version told so far.
    pub(crate) fn tell(&mut self, version: u64) -> u64 {
        self.begin_epoch();
        *self.newest_told = version.max(*self.newest_told);
        *self.newest_told
    }
}
