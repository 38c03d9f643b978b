//! A storage in memory passes the contract: it shows that the suite asks for nothing that cannot be, and
//! is the place to break something and see which case goes red.

#![expect(clippy::unwrap_used, reason = "a test: a panic is a failure")]

mod access_key;
mod catalog;
mod event;
mod feed_run;
mod key_value;
mod moving;
mod staging;
mod tenant;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use tenantry_domain::{
    AccessKey, Entry, Event, Key, KeyId, Sequence, Tenant, TenantNumber, TenantStatus, Timestamp,
};
use tenantry_ports::{Clock, CommitListener, HealthProbe, SettingRepository, StorageError};
use tenantry_storage_contract::Storage;

use catalog::Catalog;

/// One tenant and all that it has.
struct Holding {
    tenant: Tenant,
    events: Vec<Event>,
    entries: BTreeMap<Key, Arc<Entry>>,
    revision: u64,
    catalog: Catalog,
    /// The sequence of the newest event, and when it was stored.
    last_event: (Sequence, Option<Timestamp>),
}

#[derive(Default)]
struct State {
    last_number: i64,
    tenants: BTreeMap<TenantNumber, Holding>,
    keys: BTreeMap<KeyId, AccessKey>,
    settings: BTreeMap<String, Vec<u8>>,
}

impl State {
    /// The tenant, if its data may be written.
    fn writable(&mut self, tenant: TenantNumber) -> Option<&mut Holding> {
        self.tenants.get_mut(&tenant).filter(|held| held.tenant.status != TenantStatus::Deleting)
    }
}

struct Memory {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn CommitListener>,
}

impl Memory {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

#[async_trait]
impl SettingRepository for Memory {
    async fn find(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError> {
        Ok(self.state().settings.get(name).cloned())
    }

    async fn find_or_insert(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StorageError> {
        Ok(self.state().settings.entry(name.to_owned()).or_insert(value).clone())
    }
}

#[async_trait]
impl HealthProbe for Memory {
    fn name(&self) -> &'static str {
        "memory"
    }

    async fn check(&self) -> Result<(), StorageError> {
        Ok(())
    }
}

async fn fresh(clock: Arc<dyn Clock>, listener: Arc<dyn CommitListener>) -> Storage {
    let memory = Arc::new(Memory { state: Mutex::default(), clock, listener });
    Storage {
        tenants: memory.clone(),
        access_keys: memory.clone(),
        events: memory.clone(),
        key_values: memory.clone(),
        feeds: memory.clone(),
        feed_runs: memory.clone(),
        plans: memory.clone(),
        settings: memory.clone(),
        exports: memory.clone(),
        imports: memory.clone(),
        health: memory,
        keep_alive: Box::new(()),
    }
}

/// The suite's modules have the names of its nouns, some of which this adapter's have too.
mod contract {
    use super::fresh;

    tenantry_storage_contract::storage_contract_tests!(fresh);
}
