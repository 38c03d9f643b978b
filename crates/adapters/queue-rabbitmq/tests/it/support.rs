//! What several tests need.

use std::sync::Arc;
use std::time::Duration;

use tenantry_domain::TenantNumber;
use tenantry_ports::HealthProbe;
use tenantry_queue_rabbitmq::{RabbitMqOptions, RabbitMqQueue, RabbitMqUrl};
use uuid::Uuid;

/// How long something that must happen may take before it counts as not happening.
const DEADLINE: Duration = Duration::from_secs(60);

/// The RabbitMQ of the tests.
pub(crate) fn server() -> String {
    std::env::var("TENANTRY_TEST_RABBITMQ_URL").unwrap_or_else(|_| {
        panic!("run `cargo xtask test`, which starts a RabbitMQ, or set TENANTRY_TEST_RABBITMQ_URL")
    })
}

pub(crate) fn tenant() -> TenantNumber {
    TenantNumber::new(7).unwrap()
}

/// The beginning of names that no other test has.
pub(crate) fn namespace() -> String {
    format!("t{}", Uuid::now_v7().simple())
}

pub(crate) fn options(url: &str, namespace: &str, prefetch: u16) -> RabbitMqOptions {
    let url = RabbitMqUrl::parse(url).unwrap();
    RabbitMqOptions { url, namespace: namespace.to_owned(), prefetch, timeout: Duration::from_millis(1500) }
}

/// A process's queue; the process ends when this is dropped.
pub(crate) struct Process {
    pub(crate) queue: Arc<RabbitMqQueue>,
    running: tokio::task::JoinHandle<()>,
}

impl Process {
    /// Starts one, and waits until it is connected.
    pub(crate) async fn start(options: RabbitMqOptions) -> Self {
        let queue = Arc::new(RabbitMqQueue::new(options));
        let run = Arc::clone(&queue);
        let running = tokio::spawn(async move { run.run().await });
        let process = Self { queue, running };
        process.is_up(true).await;
        process
    }

    /// Waits until it is connected, or until it knows that it is not.
    pub(crate) async fn is_up(&self, up: bool) {
        let wait = async {
            while self.queue.check().await.is_ok() != up {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let in_time = tokio::time::timeout(DEADLINE, wait).await;
        assert!(in_time.is_ok(), "in {DEADLINE:?} the queue was not up ({up})");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.running.abort();
    }
}
