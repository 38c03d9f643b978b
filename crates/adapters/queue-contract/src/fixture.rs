//! What a case is given, and how it is run.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tenantry_domain::{FeedId, RunId, TenantNumber};
use tenantry_ports::{Delivery, Job, JobQueue, RunKey};
use uuid::Uuid;

/// No case takes as long, unless it hangs.
const CASE_DEADLINE: Duration = Duration::from_secs(120);

/// What must come comes within this time.
const COMES: Duration = Duration::from_secs(60);

/// So long is waited for what must not come.
const STAYS_AWAY: Duration = Duration::from_millis(700);

/// A worker's way to the queue, which is there while this lives; dropping it is the worker's death.
pub struct OpenWorker {
    /// The queue.
    pub queue: Arc<dyn JobQueue>,
    /// What must live as long.
    pub keep_alive: Box<dyn Any + Send>,
}

/// An empty queue.
pub struct Queue {
    /// Opens it for one more worker.
    pub open_worker: Box<dyn Fn() -> BoxFuture<'static, OpenWorker>>,
    /// A tenant that there is.
    pub tenant: TenantNumber,
    /// What must live as long.
    pub keep_alive: Box<dyn Any>,
}

/// An empty queue and a worker.
pub struct QueueFixture {
    queue: Queue,
    pub(crate) worker: Worker,
}

/// A worker of a case.
pub(crate) struct Worker {
    pub(crate) queue: Arc<dyn JobQueue>,
    _keep_alive: Box<dyn Any + Send>,
}

/// Runs one case, in a runtime of two threads.
///
/// # Panics
/// When the queue breaks the promise that the case is about, or takes longer than two minutes.
pub fn run(open: impl AsyncFnOnce() -> Queue, case: impl AsyncFnOnce(&QueueFixture)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let case = async {
        let queue = open().await;
        let worker = Worker::of((queue.open_worker)().await);
        case(&QueueFixture { queue, worker }).await;
    };
    runtime.expect("a runtime starts").block_on(async {
        tokio::time::timeout(CASE_DEADLINE, case).await.expect("the case ends in time");
    });
}

/// A job of the tenant that no other case has.
#[must_use]
pub fn job(tenant: TenantNumber) -> Job {
    let feed = FeedId::new(Uuid::now_v7());
    Job::FeedRun(RunKey { tenant, feed, run: RunId::new(Uuid::now_v7()) })
}

impl QueueFixture {
    /// Another worker.
    pub(crate) async fn another_worker(&self) -> Worker {
        Worker::of((self.queue.open_worker)().await)
    }

    /// A new job.
    pub(crate) fn job(&self) -> Job {
        job(self.queue.tenant)
    }

    /// A new job that is in the queue.
    pub(crate) async fn published(&self) -> Job {
        let job = self.job();
        self.worker.publish(job).await;
        job
    }
}

impl Worker {
    fn of(open: OpenWorker) -> Self {
        Self { queue: open.queue, _keep_alive: open.keep_alive }
    }

    pub(crate) async fn publish(&self, job: Job) {
        self.queue.publish(job).await.expect("published");
    }

    /// The next job, which must come.
    pub(crate) async fn takes(&self) -> Delivery {
        self.queue.next(COMES).await.expect("the queue is there").expect("a job comes")
    }

    /// Nothing comes for a while.
    pub(crate) async fn gets_nothing(&self) {
        let next = self.queue.next(STAYS_AWAY).await.expect("the queue is there");
        assert_eq!(next, None, "no job is to come");
    }

    pub(crate) async fn completes(&self, delivery: &Delivery) {
        self.queue.complete(&delivery.tag).await.expect("completed");
    }
}
