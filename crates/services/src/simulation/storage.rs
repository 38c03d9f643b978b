//! Storage: commits happen in one moment, at which the writing node's listener is told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tenantry_domain::{Entry, Key, Page, Precondition, Revision, TenantNumber};
use tenantry_ports::{
    CommitListener, EntryQuery, KeyValueRepository, KeyValueWriteError, ListedEntry, NewValue, PutOutcome,
    StorageError,
};

use super::scheduler::Chance;
use crate::samples::{entry, revision};

#[derive(Default)]
pub(super) struct TestStorage {
    rows: Mutex<Rows>,
}

#[derive(Default)]
struct Rows {
    entries: HashMap<Key, Arc<Entry>>,
    deleted: HashMap<Key, Vec<u64>>,
    last_revision: u64,
}

/// Storage as one node reaches it.
pub(super) struct NodeStorage {
    storage: Arc<TestStorage>,
    listener: Arc<dyn CommitListener>,
    chance: Chance,
}

impl TestStorage {
    pub(super) fn of_node(
        self: &Arc<Self>,
        listener: Arc<dyn CommitListener>,
        chance: Chance,
    ) -> NodeStorage {
        NodeStorage { storage: Arc::clone(self), listener, chance }
    }

    /// Whether the key was absent at some time since this revision: before the first, or after a deletion.
    pub(super) fn was_absent_since(&self, key: &Key, revision: u64) -> bool {
        let rows = self.rows.lock().unwrap();
        revision == 0
            || rows.deleted.get(key).is_some_and(|all| all.iter().any(|deleted| *deleted >= revision))
    }
}

#[async_trait]
impl KeyValueRepository for NodeStorage {
    async fn put(
        &self,
        tenant: TenantNumber,
        key: Key,
        _: NewValue,
        _: Precondition,
    ) -> Result<PutOutcome, KeyValueWriteError> {
        self.chance.steps().await;
        let put = {
            let mut rows = self.storage.rows.lock().unwrap();
            rows.last_revision += 1;
            let put = entry(rows.last_revision, None);
            rows.entries.insert(key.clone(), Arc::clone(&put));
            put
        };
        self.chance.steps().await;
        self.listener.key_value_changed(tenant, &key, put.meta.revision, Some(Arc::clone(&put)));
        self.chance.steps().await;
        Ok(PutOutcome { entry: put, created: false })
    }

    async fn find(&self, _: TenantNumber, key: Key) -> Result<Option<Arc<Entry>>, StorageError> {
        self.chance.steps().await;
        let found = self.storage.rows.lock().unwrap().entries.get(&key).cloned();
        self.chance.steps().await;
        Ok(found)
    }

    async fn delete(
        &self,
        tenant: TenantNumber,
        key: Key,
        _: Precondition,
    ) -> Result<Revision, KeyValueWriteError> {
        self.chance.steps().await;
        let deleted = {
            let mut rows = self.storage.rows.lock().unwrap();
            rows.entries.remove(&key).ok_or(KeyValueWriteError::KeyNotFound)?;
            rows.last_revision += 1;
            let deleted = rows.last_revision;
            rows.deleted.entry(key.clone()).or_default().push(deleted);
            revision(deleted)
        };
        self.chance.steps().await;
        self.listener.key_value_changed(tenant, &key, deleted, None);
        self.chance.steps().await;
        Ok(deleted)
    }

    async fn increment(
        &self,
        _: TenantNumber,
        _: Key,
        _: i64,
        _: Option<i64>,
        _: Precondition,
    ) -> Result<(PutOutcome, i64), KeyValueWriteError> {
        unreachable!("nobody increments here")
    }

    async fn list(&self, _: TenantNumber, _: EntryQuery) -> Result<Page<ListedEntry>, StorageError> {
        unreachable!("nobody lists here")
    }

    async fn remove_expired(&self, _: u32) -> Result<u32, StorageError> {
        unreachable!("nothing ends here")
    }
}
