//! SQLite passes the storage contract.

use std::sync::Arc;

use tempfile::TempDir;
use tenantry_ports::{Clock, CommitListener};
use tenantry_storage_contract::{Storage, storage_contract_tests};
use tenantry_storage_sqlite::{SqliteOptions, SqliteStorage};

async fn fresh(clock: Arc<dyn Clock>, listener: Arc<dyn CommitListener>) -> Storage {
    let directory = TempDir::new().unwrap();
    let options = SqliteOptions::new(directory.path().join("tenantry.db"));
    let storage = SqliteStorage::open(options, clock, listener).unwrap();
    let storage = Arc::new(storage);
    Storage {
        tenants: storage.clone(),
        access_keys: storage.clone(),
        events: storage.clone(),
        key_values: storage.clone(),
        feeds: storage.clone(),
        feed_runs: storage.clone(),
        plans: storage.clone(),
        settings: storage.clone(),
        exports: Arc::new(storage.export()),
        imports: storage.clone(),
        health: storage,
        keep_alive: Box::new(directory),
    }
}

storage_contract_tests!(fresh);
