//! PostgreSQL passes the storage contract.

use std::sync::Arc;

use tenantry_ports::{Clock, CommitListener};
use tenantry_storage_contract::Storage;
use tenantry_storage_postgres::PostgresStorage;

use crate::support::Schema;

async fn fresh(clock: Arc<dyn Clock>, listener: Arc<dyn CommitListener>) -> Storage {
    let schema = Schema::new();
    let storage = PostgresStorage::open(schema.options(), clock, listener).unwrap();
    over(storage, schema)
}

/// The suite's view of a storage, which drops the schema in the end.
pub(crate) fn over(storage: PostgresStorage, schema: Schema) -> Storage {
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
        exports: storage.clone(),
        imports: storage.clone(),
        health: storage.clone(),
        keep_alive: Box::new((storage, schema)),
    }
}

tenantry_storage_contract::storage_contract_tests!(fresh);
