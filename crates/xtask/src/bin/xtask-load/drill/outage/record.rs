//! What became of each request, and when.

use std::time::{Duration, Instant};

/// A request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An event or a key-value.
    Write,
    /// A key that nobody writes, on either node: caches have it.
    CachedRead,
    /// A key that is being written, on the node that writes.
    ReadAtWriter,
    /// The same on the other node.
    ReadAtOther,
    /// A run of a feed is asked for.
    RunRequest,
    /// A run is looked at that was just asked for.
    RunRead,
}

/// Its outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// As it should be.
    Good,
    /// 503 with `Retry-After`.
    Unavailable,
    /// What was read is older than it may be.
    Stale,
    /// Any other answer.
    Wrong,
    /// No answer.
    Broken,
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record {
    pub(super) kind: Kind,
    pub(super) end: End,
    /// When its answer came, from the beginning of the load.
    pub(super) at: Duration,
    pub(super) took: Duration,
}

/// The records of one thread.
pub(super) struct Records {
    begun: Instant,
    all: Vec<Record>,
}

impl Records {
    /// None yet, of a load that began then.
    pub(super) fn since(begun: Instant) -> Self {
        Self { begun, all: Vec::new() }
    }

    /// A request that was sent then has just ended.
    pub(super) fn add(&mut self, kind: Kind, sent: Instant, end: End) {
        let now = Instant::now();
        self.all.push(Record { kind, end, at: now - self.begun, took: now - sent });
    }

    /// All of them.
    pub(super) fn finish(self) -> Vec<Record> {
        self.all
    }
}
