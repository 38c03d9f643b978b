//! SQLite passes the contract of job queues.

use std::sync::Arc;
use std::time::Duration;

use tenantry_domain::TenantStatus;
use tenantry_ports::{JobQueue, TenantRepository, TenantUpdate};
use tenantry_queue_contract::{OpenWorker, Queue};
use tenantry_storage_sqlite::SqliteStorage;

use crate::support::{open, place, tenant};

const LEASE: Duration = Duration::from_secs(2);

async fn empty() -> Queue {
    let (folder, path) = place();
    let storage = open(&path).unwrap();
    let tenant = tenant(&storage).await;
    Queue {
        open_worker: Box::new(move || Box::pin(worker(storage.clone()))),
        tenant,
        keep_alive: Box::new(folder),
    }
}

async fn worker(storage: SqliteStorage) -> OpenWorker {
    OpenWorker { queue: Arc::new(storage.job_queue(LEASE)), keep_alive: Box::new(()) }
}

tenantry_queue_contract::job_queue_contract_tests!(empty);
tenantry_queue_contract::leased_jobs_contract_tests!(empty);

#[tokio::test]
async fn jobs_go_with_their_tenant() {
    let (_folder, path) = place();
    let storage = open(&path).unwrap();
    let number = tenant(&storage).await;
    let queue = storage.job_queue(LEASE);
    queue.publish(tenantry_queue_contract::job(number)).await.unwrap();
    let tenant = TenantRepository::find(&storage, number).await.unwrap().unwrap();
    let gone = TenantUpdate { name: tenant.name, info: tenant.info, status: TenantStatus::Deleting };
    storage.update(number, tenant.version, gone).await.unwrap();
    queue.publish(tenantry_queue_contract::job(number)).await.unwrap();
    while !storage.erase_some(number, 10).await.unwrap() {}
    assert_eq!(queue.next(Duration::ZERO).await, Ok(None));
}
