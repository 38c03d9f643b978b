//! What is remembered of keys that are not held: when one of them last changed.

use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, Ordering};

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
    epoch: AtomicU64,
    newest_told: AtomicU64,
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
    /// How many changes the slot has seen. `Acquire`: what is read afterwards is read after this.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// A key of the slot has changed.
    pub(crate) fn begin_epoch(&self) {
        self.epoch.fetch_add(1, Ordering::AcqRel);
    }

    /// A key of the slot has changed to a value of this version.
    pub(crate) fn tell(&self, version: u64) {
        self.begin_epoch();
        self.newest_told.fetch_max(version, Ordering::AcqRel);
    }

    /// The highest version that any key of the slot was told to have changed to.
    pub(crate) fn newest_told(&self) -> u64 {
        self.newest_told.load(Ordering::Acquire)
    }
}
