//! Who carries out runs of feeds: the queue, the timer that fills it, and the workers of this process.

use std::mem::{Discriminant, discriminant};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tenantry_domain::{FeedRun, RunState};
use tenantry_ports::{Clock, HealthProbe, Job, JobQueue, QueueError, RunKey, StorageError, Timer};
use tenantry_queue_rabbitmq::RabbitMqQueue;
use tenantry_services::{
    ImportOutcome, ImportService, ScheduleError, Scheduler, WorkedJob, Worker, WorkerOptions,
};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::background::{Background, Step};
use super::storage::Storage;
use crate::config::Config;

/// How often to look for feeds that are due, and for runs that nobody works on.
const SCHEDULE_EVERY: Duration = Duration::from_secs(1);
const RESCUE_EVERY: Duration = Duration::from_secs(2);

/// How long a worker waits for a job before it asks anew.
const WAIT: Duration = Duration::from_secs(20);

/// How long a worker waits when the queue is out of order.
const QUEUE_PAUSE: Duration = Duration::from_secs(1);

/// The jobs of this process. Clones share the queue.
#[derive(Clone)]
pub(crate) struct Jobs {
    queue: Arc<dyn JobQueue>,
    broker: Option<Arc<RabbitMqQueue>>,
    scheduler: Arc<Scheduler>,
    worker: Arc<Worker>,
    workers: u16,
}

impl Jobs {
    /// Those that the configuration asks for, of which this process does so many at the same time. Nothing is
    /// connected before [`start`](Self::start).
    pub(super) fn new(
        config: &Config,
        storage: &Storage,
        imports: &Arc<ImportService>,
        (clock, timer): (&Arc<dyn Clock>, &Arc<dyn Timer>),
        workers: u16,
    ) -> Self {
        let broker = config.rabbitmq_options(workers).map(|options| Arc::new(RabbitMqQueue::new(options)));
        let queue: Arc<dyn JobQueue> = match &broker {
            Some(broker) => broker.clone(),
            None => storage.jobs.clone(),
        };
        let scheduler = Scheduler::new(
            storage.feed_runs.clone(),
            Arc::clone(&queue),
            Arc::clone(clock),
            Arc::clone(timer),
        );
        let worker = Worker::new(
            Arc::clone(&queue),
            Arc::clone(imports),
            Arc::clone(timer),
            WorkerOptions {
                keep_every: config.takeover() / 3,
                // However slow a tenant's providers are, half of the workers are there for others.
                most_of_a_tenant: usize::from(workers / 2),
            },
        );
        Self { queue, broker, scheduler: Arc::new(scheduler), worker: Arc::new(worker), workers }
    }

    /// The queue that tells workers of runs.
    pub(super) fn queue(&self) -> Arc<dyn JobQueue> {
        Arc::clone(&self.queue)
    }

    /// Whether the broker is up, if there is one.
    pub(super) fn health(&self) -> Option<Arc<dyn HealthProbe>> {
        Some(self.broker.clone()?)
    }

    /// Connects with the broker, and begins to work, if this process is to. To be called in an actix system, in which
    /// it goes on.
    pub(crate) fn start(&self) -> JobTasks {
        let broker = self.broker.clone().map(|broker| {
            actix_web::rt::spawn(async move {
                broker.run().await;
            })
        });
        let stop = watch::Sender::new(false);
        let mut timer = Background::new();
        if self.workers > 0 {
            let scheduler = Arc::clone(&self.scheduler);
            timer.repeat("schedule", SCHEDULE_EVERY, async move || {
                let may_be_more = scheduler.schedule().await.map_err(storage_error)?;
                Ok(if may_be_more { Step::More } else { Step::Done })
            });
            let scheduler = Arc::clone(&self.scheduler);
            timer.repeat("rescue", RESCUE_EVERY, async move || {
                scheduler.rescue().await.map_err(storage_error)?;
                Ok(Step::Done)
            });
        }
        let fault = Arc::new(Mutex::new(None));
        let workers = (0..self.workers)
            .map(|_| {
                actix_web::rt::spawn(work(Arc::clone(&self.worker), Arc::clone(&fault), stop.subscribe()))
            })
            .collect();
        JobTasks { stop, timer, workers, broker }
    }
}

fn storage_error(error: ScheduleError) -> StorageError {
    match error {
        ScheduleError::Storage(error) => error,
        ScheduleError::Queue(error) => StorageError::Unavailable(error.to_string()),
    }
}

/// What runs until it is told to finish.
pub(crate) struct JobTasks {
    stop: watch::Sender<bool>,
    timer: Background,
    workers: Vec<JoinHandle<()>>,
    broker: Option<JoinHandle<()>>,
}

impl JobTasks {
    /// Takes no more jobs, gives back those that are not done, and ends.
    pub(crate) async fn finish(self) {
        self.stop.send_replace(true);
        self.timer.finish().await;
        for worker in self.workers {
            if let Err(error) = worker.await {
                tracing::error!(%error, "a worker broke down");
            }
        }
        if let Some(broker) = self.broker {
            broker.abort();
        }
    }
}

/// Why none of the workers has had a job lately, if that is a fault.
type Fault = Mutex<Option<Discriminant<QueueError>>>;

/// Does one job after another until it is told to stop.
async fn work(worker: Arc<Worker>, fault: Arc<Fault>, mut stop: watch::Receiver<bool>) {
    // Nothing that can panic is done under the lock.
    let note = |now| std::mem::replace(&mut *fault.lock().unwrap_or_else(PoisonError::into_inner), now);
    while !*stop.borrow() {
        let mut told = stop.clone();
        let stopped = pin!(async move {
            // Who would tell it is gone: then it is to stop as well.
            let _ = told.wait_for(|is_told| *is_told).await;
        });
        let error = match worker.work(WAIT, stopped).await {
            Ok(worked) => {
                worked.iter().for_each(report);
                note(None);
                continue;
            }
            Err(error) => error,
        };
        if note(Some(discriminant(&error))) != Some(discriminant(&error)) {
            tracing::warn!(%error, "no jobs can be had, and it is tried again");
        }
        tokio::select! {
            () = tokio::time::sleep(QUEUE_PAUSE) => {}
            _ = stop.changed() => {}
        }
    }
}

/// Says what became of a job.
fn report(worked: &WorkedJob) {
    let Job::FeedRun(RunKey { tenant, feed, run }) = worked.job;
    match &worked.outcome {
        Ok(ImportOutcome::Ended(ended)) => report_run(worked.job, ended),
        Ok(ImportOutcome::NothingToDo | ImportOutcome::Busy { .. }) => {
            tracing::debug!(tenant.number = %tenant, feed.id = %feed, run.id = %run, "a run is another worker's or done");
        }
        Ok(ImportOutcome::Lost) => tracing::warn!(
            tenant.number = %tenant, feed.id = %feed, run.id = %run,
            "the claim to a run was lost, and nothing was changed: another worker has it, or its feed is gone"
        ),
        Ok(ImportOutcome::GivenBack) => {
            tracing::info!(tenant.number = %tenant, feed.id = %feed, run.id = %run, "a run was given back");
        }
        Err(error) => tracing::warn!(
            tenant.number = %tenant, feed.id = %feed, run.id = %run, %error,
            "a run could not be carried out, and is tried again"
        ),
    }
    if let Err(error) = &worked.settled {
        tracing::debug!(run.id = %run, %error, "the queue does not know what became of a job, and delivers it again");
    }
}

fn report_run(Job::FeedRun(RunKey { tenant, feed, run }): Job, ended: &FeedRun) {
    let (state, counts) = (ended.state.as_str(), ended.counts);
    if matches!(ended.state, RunState::Failed | RunState::Held) {
        let detail = ended.detail.as_deref().unwrap_or_default();
        tracing::warn!(
            tenant.number = %tenant, feed.id = %feed, run.id = %run, run.state = state, detail,
            "a run of a feed has changed nothing"
        );
        return;
    }
    tracing::info!(
        tenant.number = %tenant, feed.id = %feed, run.id = %run, run.state = state,
        plans.seen = counts.plans_seen, plans.new = counts.plans_new, plans.changed = counts.plans_changed,
        plans.left_sale = counts.plans_left_sale, rejected = counts.rejected,
        "a run of a feed has ended"
    );
}
