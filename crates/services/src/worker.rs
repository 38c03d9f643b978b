//! A worker: takes jobs from the queue, one at a time, and sees each through.

#[cfg(test)]
mod tests;

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tenantry_ports::{Delivery, DeliveryTag, Job, JobQueue, QueueError, StorageError, Timer};

use crate::feed_import::{ImportOutcome, ImportService};

/// A job that fails at each of so many deliveries, though storage says that another try will not mend it, is set
/// aside.
const MAX_DELIVERIES: u32 = 10;

/// How long a job waits that another worker has, or that storage could not do.
const MIN_DELAY: Duration = Duration::from_secs(1);
const MAX_DELAY: Duration = Duration::from_secs(60);

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

/// Takes jobs from a queue and does them.
pub struct Worker {
    queue: Arc<dyn JobQueue>,
    imports: Arc<ImportService>,
    timer: Arc<dyn Timer>,
    keep_every: Duration,
}

impl Worker {
    /// A worker on this queue, which it tells every `keep_every` that it still has its job.
    #[must_use]
    pub fn new(
        queue: Arc<dyn JobQueue>,
        imports: Arc<ImportService>,
        timer: Arc<dyn Timer>,
        keep_every: Duration,
    ) -> Self {
        Self { queue, imports, timer, keep_every }
    }

    /// Waits up to `wait` for a job, and does it. Once `stop` is done it waits no longer, and gives back the job that
    /// it has. Nothing where there was none.
    ///
    /// # Errors
    /// When the queue gave none because it is out of order. It has not waited then.
    pub async fn work(
        &self,
        wait: Duration,
        mut stop: impl Future<Output = ()> + Unpin,
    ) -> Result<Option<WorkedJob>, QueueError> {
        let delivery = match select(self.queue.next(wait), &mut stop).await {
            Either::Left((delivery, _)) => delivery?,
            Either::Right(_) => None,
        };
        let Some(Delivery { tag, job, deliveries }) = delivery else { return Ok(None) };
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
