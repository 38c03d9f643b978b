//! Listeners that remember what they heard.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tenantry_ports::{BusListener, Change, SharedCacheListener};

/// Counts the generations that a node has begun and met.
#[derive(Debug, Default)]
pub struct RecordedGenerations {
    began: AtomicUsize,
    met: AtomicUsize,
}

impl RecordedGenerations {
    /// How many this node has begun.
    pub fn began(&self) -> usize {
        self.began.load(Ordering::SeqCst)
    }

    /// How many of another node's it has met.
    pub fn met(&self) -> usize {
        self.met.load(Ordering::SeqCst)
    }
}

impl SharedCacheListener for RecordedGenerations {
    fn began_generation(&self) {
        self.began.fetch_add(1, Ordering::SeqCst);
    }

    fn met_generation(&self) {
        self.met.fetch_add(1, Ordering::SeqCst);
    }
}

/// What a node has heard on the bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BusEvent {
    /// It has joined.
    Joined,
    /// Another node has changed this.
    Changed(Change),
    /// It has lost the bus.
    Lost,
}

/// Remembers what a node has heard on the bus.
#[derive(Debug, Default)]
pub struct RecordedBus(Mutex<Vec<BusEvent>>);

impl RecordedBus {
    /// All of it, in order.
    ///
    /// # Panics
    /// When a listener panicked before.
    pub fn all(&self) -> Vec<BusEvent> {
        self.0.lock().unwrap().clone()
    }

    /// The changes, in order.
    ///
    /// # Panics
    /// When a listener panicked before.
    pub fn changes(&self) -> Vec<Change> {
        let changed = |event| if let BusEvent::Changed(change) = event { Some(change) } else { None };
        self.all().into_iter().filter_map(changed).collect()
    }

    fn heard(&self, event: BusEvent) {
        self.0.lock().unwrap().push(event);
    }
}

impl BusListener for RecordedBus {
    fn changed(&self, change: Change) {
        self.heard(BusEvent::Changed(change));
    }

    fn joined(&self) {
        self.heard(BusEvent::Joined);
    }

    fn lost(&self) {
        self.heard(BusEvent::Lost);
    }
}
