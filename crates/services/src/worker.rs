//! A worker: takes jobs from the queue, and sees each through.

mod shares;
#[cfg(test)]
mod tests;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use futures_util::lock::Mutex;
use tenantry_ports::{Delivery, DeliveryTag, Job, JobQueue, QueueError, StorageError, Timer};

use crate::feed_import::{ImportOutcome, ImportService};
use shares::Shares;

/// A job that fails at each of so many deliveries, though storage says that another try will not mend it, is set
/// aside.
const MAX_DELIVERIES: u32 = 10;

/// How long a job waits that another worker has, or that storage could not do.
const MIN_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(60);

/// How long a job waits whose tenant has as many under way as it may have.
const CROWDED_DELAY: Duration = Duration::from_secs(2);

/// How jobs are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerOptions {
    /// How often the queue is told of a job that its worker still has it.
    pub keep_every: Duration,
    /// The most jobs of one tenant that are done at the same time: however long they take, others have the rest.
    pub most_of_a_tenant: usize,
}

/// What became of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkedJob {
    /// The job.
    pub job: Job,
    /// What became of it. Where storage did not do it, it is delivered again after a while.
    pub outcome: Result<ImportOutcome, StorageError>,
    /// Whether the queue knows that. If not it delivers the job again, which does no harm.
    pub settled: Result<(), QueueError>,
}

/// Takes jobs from a queue and does them, as many at the same time as call [`work`](Self::work).
pub struct Worker {
    queue: Arc<dyn JobQueue>,
    imports: Arc<ImportService>,
    timer: Arc<dyn Timer>,
    keep_every: Duration,
    /// Who waits at the queue: one for all, or each of them would look there again and again.
    door: Mutex<()>,
    shares: Shares,
}

impl Worker {
    /// A worker on this queue.
    #[must_use]
    pub fn new(
        queue: Arc<dyn JobQueue>,
        imports: Arc<ImportService>,
        timer: Arc<dyn Timer>,
        options: WorkerOptions,
    ) -> Self {
        let WorkerOptions { keep_every, most_of_a_tenant } = options;
        let shares = Shares::new(most_of_a_tenant);
        Self { queue, imports, timer, keep_every, door: Mutex::new(()), shares }
    }

    /// Waits for a job, up to `wait` at the queue, and does it. Once `stop` is done it waits no longer, and gives back
    /// the job that it has. Nothing where there was none. A job of a tenant that has as many under way as it may have is
    /// put back, and the next one waited for.
    ///
    /// # Errors
    /// When the queue gave none because it is out of order. It has not waited then.
    pub async fn work(
        &self,
        wait: Duration,
        mut stop: impl Future<Output = ()> + Unpin,
    ) -> Result<Option<WorkedJob>, QueueError> {
        let (Delivery { tag, job, deliveries }, _share) = loop {
            let next = pin!(async {
                let _door = self.door.lock().await;
                self.queue.next(wait).await
            });
            let delivery = match select(next, &mut stop).await {
                Either::Left((delivery, _)) => delivery?,
                Either::Right(_) => None,
            };
            let Some(delivery) = delivery else { return Ok(None) };
            let Job::FeedRun(run) = delivery.job;
            match self.shares.enter(run.tenant) {
                Some(share) => break (delivery, share),
                // If the queue does not hear of it, it delivers the job again all the same.
                None => drop(self.queue.put_back(&delivery.tag, CROWDED_DELAY).await),
            }
        };
        let Job::FeedRun(run) = job;
        let outcome = {
            let work = pin!(self.imports.carry_out(run, &mut stop));
            match select(work, pin!(self.keep(&tag))).await {
                Either::Left((outcome, _)) => outcome,
                Either::Right((never, _)) => match never {},
            }
        };
        let settled = self.settle(&tag, &outcome, deliveries).await;
        Ok(Some(WorkedJob { job, outcome, settled }))
    }

    async fn keep(&self, tag: &DeliveryTag) -> std::convert::Infallible {
        loop {
            self.timer.pause(self.keep_every).await;
            // If it does not hear of it, it delivers the job to another, who finds the run claimed.
            let _ = self.queue.keep(tag).await;
        }
    }

    async fn settle(
        &self,
        tag: &DeliveryTag,
        outcome: &Result<ImportOutcome, StorageError>,
        deliveries: u32,
    ) -> Result<(), QueueError> {
        match outcome {
            // Whoever has the run, if anybody, was told of it by a delivery of its own, or is found by the scheduler.
            Ok(ImportOutcome::Ended(_) | ImportOutcome::NothingToDo | ImportOutcome::Lost) => {
                self.queue.complete(tag).await
            }
            Ok(ImportOutcome::Busy { remaining }) => {
                self.queue.put_back(tag, (*remaining).clamp(MIN_DELAY, MAX_DELAY)).await
            }
            Ok(ImportOutcome::GivenBack) => self.queue.put_back(tag, Duration::ZERO).await,
            Err(error @ StorageError::Failed(_)) if deliveries >= MAX_DELIVERIES => {
                self.queue.set_aside(tag, &error.to_string()).await
            }
            Err(_) => {
                let delay = MIN_DELAY * 2_u32.saturating_pow(deliveries.clamp(1, 16) - 1);
                self.queue.put_back(tag, delay.min(MAX_DELAY)).await
            }
        }
    }
}
