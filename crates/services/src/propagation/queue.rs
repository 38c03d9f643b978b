//! The changes of this node that wait to be carried to the others.

use std::collections::hash_map::Entry::{Occupied, Vacant};
use std::collections::{HashMap, HashSet, VecDeque};

use futures_channel::oneshot;
use tenantry_domain::{CatalogRevision, Key, KeyId, TenantNumber};
use tenantry_ports::Change;

use crate::key_value::CachedEntry;

/// The most changes that are carried together, so that the first of them need not wait for long.
const BATCH_CHANGES: usize = 256;

/// The same by the bytes of their values, but for the one with which they reach it.
const BATCH_BYTES: usize = 4 << 20;

/// What a change is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Subject {
    KeyValue(TenantNumber, Key),
    AccessKey(KeyId),
    Tenant(TenantNumber),
    Catalog(TenantNumber, CatalogRevision),
}

/// Each subject waits once, with what it is by the last change; changes are counted, and so is what was carried.
pub(super) struct Queue {
    waiting: HashMap<Subject, Option<CachedEntry>>,
    /// The subjects that wait, the longest first, each with the count at which it came.
    order: VecDeque<(u64, Subject)>,
    bytes: usize,
    /// What is being carried just now.
    carrying: HashSet<Subject>,
    /// Key-values that did not reach the shared cache, until it is back. Nobody waits for them.
    lost: HashMap<Subject, CachedEntry>,
    pushed: u64,
    carried: u64,
    /// Who waits until how many are carried.
    settling: VecDeque<(u64, oneshot::Sender<()>)>,
    owing: Owing,
    has_bus: bool,
    finishing: bool,
    max_changes: usize,
    max_bytes: usize,
}

/// Whether others are to be told that it may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Owing {
    Nothing,
    /// They are, and it was not tried yet.
    Anew,
    /// They are, and the last attempt failed.
    Still,
}

/// What is carried together.
pub(super) struct Batch {
    items: Vec<(Subject, Option<CachedEntry>)>,
    /// How many changes are carried when this is.
    through: u64,
    tells_anything: bool,
}

impl Queue {
    pub(super) fn new(max_changes: usize, max_bytes: usize, has_bus: bool) -> Self {
        let mut queue = Self {
            waiting: HashMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            carrying: HashSet::new(),
            lost: HashMap::new(),
            pushed: 0,
            carried: 0,
            settling: VecDeque::new(),
            owing: Owing::Nothing,
            has_bus,
            finishing: false,
            max_changes,
            max_bytes,
        };
        queue.owe_anything();
        queue
    }

    /// Takes a change; of two changes of one key-value the one with the higher revision stays. Whether there was
    /// room: without, what is queued must be [given up](Self::give_up).
    #[must_use]
    pub(super) fn push(&mut self, subject: Subject, entry: Option<CachedEntry>) -> bool {
        self.pushed += 1;
        self.wait(subject, entry);
        self.order.len() + self.lost.len() <= self.max_changes && self.bytes <= self.max_bytes
    }

    fn wait(&mut self, subject: Subject, entry: Option<CachedEntry>) {
        let bytes = bytes_of(entry.as_ref());
        match self.waiting.entry(subject) {
            Occupied(mut held) => {
                let revision = |entry: &Option<CachedEntry>| entry.as_ref().map(|entry| entry.revision);
                if revision(held.get()) <= revision(&entry) {
                    self.bytes = self.bytes - bytes_of(held.get().as_ref()) + bytes;
                    held.insert(entry);
                }
            }
            Vacant(place) => {
                self.order.push_back((self.pushed, place.key().clone()));
                place.insert(entry);
                self.bytes += bytes;
            }
        }
    }

    /// The shared cache is back: what did not reach it waits again.
    pub(super) fn retry_lost(&mut self) {
        for (subject, entry) in std::mem::take(&mut self.lost) {
            self.bytes -= bytes_of(Some(&entry));
            self.wait(subject, Some(entry));
        }
    }

    /// Forgets what waits: others are told instead that it may be anything.
    pub(super) fn give_up(&mut self) {
        self.waiting.clear();
        self.order.clear();
        self.lost.clear();
        self.bytes = 0;
        self.owe_anything();
    }

    pub(super) fn owe_anything(&mut self) {
        if self.has_bus {
            self.owing = Owing::Anew;
        }
    }

    pub(super) fn finish(&mut self) {
        self.finishing = true;
    }

    /// Whether there is something to do at once.
    pub(super) fn has_work(&self) -> bool {
        // Where nothing waits, those who wait for what was given up remain.
        self.is_behind() || self.owing == Owing::Anew || self.is_finished()
    }

    fn is_behind(&self) -> bool {
        self.carried < self.pushed || !self.order.is_empty()
    }

    /// Whether it is to end, and nothing is left of which others do not know.
    fn is_finished(&self) -> bool {
        self.finishing && !self.is_behind() && self.owing == Owing::Nothing && self.lost.is_empty()
    }

    /// Whether there is nothing to do but to try again to tell what is owed.
    pub(super) fn is_only_owing(&self) -> bool {
        self.owing == Owing::Still && !self.has_work()
    }

    pub(super) fn is_pending(&self, subject: &Subject) -> bool {
        self.waiting.contains_key(subject)
            || self.carrying.contains(subject)
            || self.lost.contains_key(subject)
    }

    /// The next to be carried, which may be nothing but what is owed. Nothing at all: it is finished.
    pub(super) fn take(&mut self) -> Option<Batch> {
        if self.is_finished() {
            return None;
        }
        let (mut items, mut bytes) = (Vec::new(), 0);
        while items.len() < BATCH_CHANGES && bytes < BATCH_BYTES {
            let Some((_, subject)) = self.order.pop_front() else { break };
            let entry = self.waiting.remove(&subject).flatten();
            bytes += bytes_of(entry.as_ref());
            self.carrying.insert(subject.clone());
            items.push((subject, entry));
        }
        self.bytes -= bytes;
        let through = self.order.front().map_or(self.pushed, |(count, _)| (count - 1).max(self.carried));
        let tells_anything = self.owing != Owing::Nothing;
        self.owing = Owing::Nothing;
        Some(Batch { items, through, tells_anything })
    }

    /// The batch was carried, as far as that was possible. `replaced`: whether the shared cache has it, or there is
    /// none; `told`: whether the others know.
    pub(super) fn carried(&mut self, batch: Batch, replaced: bool, told: bool) {
        self.carrying.clear();
        self.carried = batch.through;
        if !replaced {
            let key_values = batch.items.into_iter().filter_map(|(subject, entry)| Some((subject, entry?)));
            key_values.for_each(|(subject, entry)| self.lose(subject, entry));
        }
        if !told && self.owing == Owing::Nothing {
            self.owing = Owing::Still;
        }
        while self.settling.front().is_some_and(|(count, _)| *count <= self.carried) {
            if let Some((_, settled)) = self.settling.pop_front() {
                // Whoever has stopped waiting need not be told.
                let _ = settled.send(());
            }
        }
    }

    /// An earlier change of the key may wait, or be lost already, where changes were told out of order.
    fn lose(&mut self, subject: Subject, entry: CachedEntry) {
        if self.waiting.contains_key(&subject) {
            return self.wait(subject, Some(entry));
        }
        let lost = self.lost.get(&subject);
        if lost.is_none_or(|lost| lost.revision < entry.revision) {
            self.bytes = self.bytes + bytes_of(Some(&entry)) - bytes_of(lost);
            self.lost.insert(subject, entry);
        }
    }

    /// Resolves when all that was pushed so far is carried; nothing where it is.
    pub(super) fn when_carried(&mut self) -> Option<oneshot::Receiver<()>> {
        if self.carried == self.pushed {
            return None;
        }
        let (settled, carried) = oneshot::channel();
        self.settling.push_back((self.pushed, settled));
        Some(carried)
    }
}

impl Batch {
    /// What the others are to be told.
    pub(super) fn changes(&self) -> Vec<Change> {
        if self.tells_anything {
            return vec![Change::Anything];
        }
        self.items.iter().map(|(subject, entry)| change(subject, entry.as_ref())).collect()
    }

    /// The key-values in it, and what they are now.
    pub(super) fn key_values(&self) -> impl Iterator<Item = (TenantNumber, &Key, &CachedEntry)> {
        self.items.iter().filter_map(|item| match item {
            (Subject::KeyValue(tenant, key), Some(entry)) => Some((*tenant, key, entry)),
            _ => None,
        })
    }
}

fn change(subject: &Subject, entry: Option<&CachedEntry>) -> Change {
    match subject {
        Subject::KeyValue(tenant, key) => Change::KeyValue {
            tenant: *tenant,
            key: key.clone(),
            revision: entry.map(|entry| entry.revision).unwrap_or_default(),
        },
        Subject::AccessKey(id) => Change::AccessKey(*id),
        Subject::Tenant(tenant) => Change::Tenant(*tenant),
        Subject::Catalog(tenant, revision) => Change::Catalog { tenant: *tenant, revision: *revision },
    }
}

fn bytes_of(entry: Option<&CachedEntry>) -> usize {
    entry.and_then(|entry| entry.entry.as_ref()).map_or(0, |entry| entry.value.len())
}
