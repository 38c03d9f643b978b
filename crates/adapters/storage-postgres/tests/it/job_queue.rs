//! PostgreSQL passes the contract of job queues.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use diesel::RunQueryDsl as _;
use tenantry_domain::TenantStatus;
use tenantry_ports::{JobQueue, TenantRepository, TenantUpdate};
use tenantry_queue_contract::{OpenWorker, Queue};
use tenantry_storage_postgres::PostgresStorage;

use crate::support::{Schema, connection, open, tenant};

const LEASE: Duration = Duration::from_secs(2);

/// Each worker has a storage of its own, as if it were on another machine.
async fn empty() -> Queue {
    let schema = Arc::new(Schema::new());
    let tenant = tenant(&open(&schema).unwrap()).await;
    let of_workers = Arc::clone(&schema);
    let open_worker = move || -> Pin<Box<dyn Future<Output = OpenWorker> + Send>> {
        Box::pin(worker(open(&of_workers).unwrap()))
    };
    Queue { open_worker: Box::new(open_worker), tenant, keep_alive: Box::new(schema) }
}

async fn worker(storage: PostgresStorage) -> OpenWorker {
    OpenWorker { queue: Arc::new(storage.job_queue(LEASE)), keep_alive: Box::new(storage) }
}

tenantry_queue_contract::job_queue_contract_tests!(empty);
tenantry_queue_contract::leased_jobs_contract_tests!(empty);

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

#[tokio::test]
async fn of_jobs_that_were_set_aside_a_tenant_keeps_the_last_hundred() {
    let schema = Schema::new();
    let storage = open(&schema).unwrap();
    let number = tenant(&storage).await;
    let queue = storage.job_queue(LEASE);
    for _ in 0..102 {
        queue.publish(tenantry_queue_contract::job(number)).await.unwrap();
        let delivery = queue.next(LEASE).await.unwrap().unwrap();
        queue.set_aside(&delivery.tag, "it can't be done").await.unwrap();
    }
    let count = format!("SELECT count(*) AS count FROM {}.jobs WHERE set_aside_at IS NOT NULL", schema.name);
    let found: Count = diesel::sql_query(count).get_result(&mut connection()).unwrap();
    assert_eq!(found.count, 100);
}

#[tokio::test]
async fn jobs_go_with_their_tenant() {
    let schema = Schema::new();
    let storage = open(&schema).unwrap();
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
