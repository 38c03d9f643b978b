//! Nodes over one storage, which is a map in memory.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tenantry_domain::{ContentType, Entry, EntryMeta, Key, Precondition, Revision, TenantNumber, Timestamp};
use tenantry_ports::{CommitListener, MockKeyValueRepository, NewValue, PutOutcome, SystemClock};
use tenantry_services::{KeyValueError, KeyValueService};

use super::super::{Bus, CacheTasks, Caches};
use crate::config::{CacheSettings, ConfigLoader};

/// What nodes have in common. It counts its reads.
#[derive(Clone, Default)]
pub(super) struct Storage {
    entries: Arc<Mutex<BTreeMap<Key, Arc<Entry>>>>,
    pub(super) reads: Arc<AtomicU64>,
}

pub(super) struct Node {
    pub(super) caches: Caches,
    pub(super) key_values: KeyValueService,
    tasks: CacheTasks,
}

/// The settings of a node that is alone.
pub(super) fn settings() -> CacheSettings {
    ConfigLoader::new().load().unwrap().settings().cache.clone()
}

pub(super) fn tenant() -> TenantNumber {
    TenantNumber::new(7).unwrap()
}

pub(super) fn key(name: &str) -> Key {
    Key::new(name.as_bytes()).unwrap()
}

impl Node {
    /// To be called in an actix system.
    pub(super) fn start(settings: &CacheSettings, storage: &Storage, bus: Option<Bus>) -> Self {
        let clock = Arc::new(SystemClock);
        let caches = Caches::new(settings, clock.clone(), bus, false);
        let entries = Arc::new(storage.repository(Arc::new(caches.coherence())));
        let mut key_values = KeyValueService::new(entries, Arc::clone(&caches.key_values), clock, 1 << 20);
        if let Some(propagation) = caches.propagation() {
            key_values = key_values.among_nodes(Arc::clone(propagation));
        }
        let tasks = caches.start();
        Self { caches, key_values, tasks }
    }

    /// Puts a value, and answers its revision.
    pub(super) async fn put(&self, name: &str, text: &str) -> u64 {
        let value = NewValue {
            bytes: text.as_bytes().to_vec().into(),
            content_type: ContentType::plain_text(),
            ttl: None,
        };
        let put = self.key_values.put(tenant(), key(name), value, Precondition::default()).await;
        put.unwrap().entry.meta.revision.get()
    }

    /// The revision of what is there; 0 where nothing is.
    pub(super) async fn get(&self, name: &str) -> u64 {
        match self.key_values.get(tenant(), key(name)).await {
            Ok(entry) => entry.meta.revision.get(),
            Err(KeyValueError::KeyNotFound) => 0,
            Err(error) => panic!("{error}"),
        }
    }

    pub(super) async fn stop(self) {
        self.tasks.finish().await;
    }
}

impl Storage {
    fn repository(&self, listener: Arc<dyn CommitListener>) -> MockKeyValueRepository {
        let mut repository = MockKeyValueRepository::new();
        let Self { entries, reads } = self.clone();
        repository.expect_find().returning(move |_, key| {
            reads.fetch_add(1, Ordering::SeqCst);
            Ok(entries.lock().unwrap().get(&key).cloned())
        });
        let entries = Arc::clone(&self.entries);
        repository.expect_put().returning(move |tenant, key, value, _| {
            let mut entries = entries.lock().unwrap();
            let revision = entries.values().map(|entry| entry.meta.revision.get()).max().unwrap_or(0) + 1;
            let entry = Arc::new(entry(key.clone(), revision, value));
            entries.insert(key.clone(), Arc::clone(&entry));
            listener.key_value_changed(tenant, &key, entry.meta.revision, Some(Arc::clone(&entry)));
            Ok(PutOutcome { entry, created: true })
        });
        repository
    }
}

fn entry(key: Key, revision: u64, value: NewValue) -> Entry {
    let meta = EntryMeta {
        key,
        content_type: value.content_type,
        size: value.bytes.len() as u64,
        version: 1,
        revision: Revision::new(revision).unwrap(),
        created_at: Timestamp::from_micros(1),
        updated_at: Timestamp::from_micros(1),
        expires_at: None,
    };
    Entry { meta, value: value.bytes }
}
