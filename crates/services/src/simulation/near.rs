//! First levels: one that keeps its promise in the plainest way, and one that holds nothing.

use std::collections::HashMap;
use std::sync::Mutex;

use tenantry_domain::{Key, TenantNumber};
use tenantry_ports::{IsChanged, LoadTicket, NearCache};

use super::scheduler::Chance;
use crate::key_value::CachedEntry;

/// Holds what it is given, and forgets when it is told to.
pub(super) struct TestNear {
    held: Mutex<Held>,
    chance: Chance,
}

#[derive(Default)]
struct Held {
    values: HashMap<(TenantNumber, Key), CachedEntry>,
    /// The highest revision that was told of each key.
    told: HashMap<(TenantNumber, Key), u64>,
    epoch: u64,
}

impl Held {
    /// Makes loads void. Whether nothing newer was told.
    fn tell(&mut self, key: &(TenantNumber, Key), version: u64) -> bool {
        self.epoch += 1;
        let told = self.told.entry(key.clone()).or_default();
        *told = version.max(*told);
        *told == version
    }
}

impl TestNear {
    pub(super) fn new(chance: Chance) -> Self {
        Self { held: Mutex::default(), chance }
    }

    /// What is forgotten for want of room makes no ticket void.
    pub(super) fn forget_something(&self) {
        let mut held = self.held.lock().unwrap();
        let mut keys: Vec<_> = held.values.keys().cloned().collect();
        keys.sort_by(|a, b| a.1.cmp(&b.1));
        if !keys.is_empty() {
            held.values.remove(&keys[self.chance.below(keys.len())]);
        }
    }
}

impl NearCache<(TenantNumber, Key), CachedEntry> for TestNear {
    fn get(&self, key: &(TenantNumber, Key)) -> Option<CachedEntry> {
        self.held.lock().unwrap().values.get(key).cloned()
    }

    fn last_known(&self, key: &(TenantNumber, Key)) -> Option<CachedEntry> {
        self.get(key)
    }

    fn forget(&self, key: &(TenantNumber, Key)) {
        self.held.lock().unwrap().values.remove(key);
    }

    fn ticket(&self, _: &(TenantNumber, Key)) -> LoadTicket {
        LoadTicket(self.held.lock().unwrap().epoch)
    }

    fn fill(&self, key: (TenantNumber, Key), value: CachedEntry, ticket: LoadTicket) {
        let mut held = self.held.lock().unwrap();
        if held.epoch == ticket.0 && held.values.get(&key).is_none_or(|held| held.revision < value.revision) {
            held.values.insert(key, value);
        }
    }

    fn replace(&self, key: (TenantNumber, Key), value: CachedEntry) {
        let mut held = self.held.lock().unwrap();
        if held.tell(&key, value.revision.get()) {
            held.values.insert(key, value);
        }
    }

    fn outdate(&self, key: &(TenantNumber, Key), version: u64) {
        let mut held = self.held.lock().unwrap();
        held.tell(key, version);
        if held.values.get(key).is_some_and(|held| held.revision.get() < version) {
            held.values.remove(key);
        }
    }

    fn remove(&self, key: &(TenantNumber, Key)) {
        let mut held = self.held.lock().unwrap();
        held.epoch += 1;
        held.values.remove(key);
    }

    fn remove_where<'a>(&self, is_changed: &'a IsChanged<'a, (TenantNumber, Key), CachedEntry>) {
        let mut held = self.held.lock().unwrap();
        held.epoch += 1;
        held.values.retain(|key, value| !is_changed(key, value));
    }

    fn clear(&self) {
        let mut held = self.held.lock().unwrap();
        held.epoch += 1;
        held.values.clear();
    }
}

/// Holds nothing.
pub(super) struct Nothing;

impl<K: Send + Sync + 'static, V: Send + Sync + 'static> NearCache<K, V> for Nothing {
    fn last_known(&self, _: &K) -> Option<V> {
        None
    }

    fn forget(&self, _: &K) {}

    fn get(&self, _: &K) -> Option<V> {
        None
    }

    fn ticket(&self, _: &K) -> LoadTicket {
        LoadTicket(0)
    }

    fn fill(&self, _: K, _: V, _: LoadTicket) {}

    fn replace(&self, _: K, _: V) {}

    fn outdate(&self, _: &K, _: u64) {}

    fn remove(&self, _: &K) {}

    fn remove_where<'a>(&self, _: &'a IsChanged<'a, K, V>) {}

    fn clear(&self) {}
}
