//! RabbitMQ passes the contract of job queues.

use std::pin::Pin;

use tenantry_queue_contract::{OpenWorker, Queue};

use crate::support::{Process, namespace, options, server, tenant};

async fn empty() -> Queue {
    let namespace = namespace();
    let open_worker =
        move || -> Pin<Box<dyn Future<Output = OpenWorker> + Send>> { Box::pin(worker(namespace.clone())) };
    Queue { open_worker: Box::new(open_worker), tenant: tenant(), keep_alive: Box::new(()) }
}

/// A worker that does one job at a time.
async fn worker(namespace: String) -> OpenWorker {
    let process = Process::start(options(&server(), &namespace, 1)).await;
    OpenWorker { queue: process.queue.clone(), keep_alive: Box::new(process) }
}

tenantry_queue_contract::job_queue_contract_tests!(empty);
