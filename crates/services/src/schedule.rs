//! The timer of feeds: which of them are due, and which runs nobody works on.

mod published;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tenantry_domain::{PageLimit, RunId};
use tenantry_ports::{
    Clock, FeedRunRepository, Job, JobQueue, QueueError, RunKey, ScheduleSlot, StorageError, Timer,
};
use uuid::Uuid;

use published::Published;

/// The most runs that a step makes.
const SLOTS: usize = 100;

/// A run that is queued for so long is published again: its job may have been lost, or never have reached the queue.
const QUEUED_FOR_SECONDS: i64 = 10;

/// How often a run that stays stranded is published again: twice as long after each time.
const AGAIN_AFTER: Duration = Duration::from_secs(15);
const AGAIN_AT_LEAST: Duration = Duration::from_secs(15 * 60);

/// Why a step of the schedule was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The runs were made, and the queue was not told. They stand in storage, from where
    /// [`Scheduler::rescue`] has them published.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// Makes runs of feeds whose time has come, and sees to it that each run finds a worker. Any number of nodes may do so
/// at the same time.
pub struct Scheduler {
    runs: Arc<dyn FeedRunRepository>,
    queue: Arc<dyn JobQueue>,
    clock: Arc<dyn Clock>,
    timer: Arc<dyn Timer>,
    published: Mutex<Published>,
}

impl Scheduler {
    /// The schedule of these runs, which are told to the queue.
    #[must_use]
    pub fn new(
        runs: Arc<dyn FeedRunRepository>,
        queue: Arc<dyn JobQueue>,
        clock: Arc<dyn Clock>,
        timer: Arc<dyn Timer>,
    ) -> Self {
        Self { runs, queue, clock, timer, published: Mutex::default() }
    }

    /// Makes runs of feeds that are due, at most 100, and answers whether there may be more. To be called each
    /// second or so.
    ///
    /// # Errors
    /// [`ScheduleError`] says each.
    pub async fn schedule(&self) -> Result<bool, ScheduleError> {
        let slots = (0..SLOTS).map(|_| slot()).collect();
        let made = self.runs.schedule(self.clock.now(), slots).await?;
        let is_full = made.len() == SLOTS;
        for run in made {
            self.publish(run).await?;
        }
        Ok(is_full)
    }

    /// Publishes runs again that nobody seems to work on, and answers how many. A run that stays so is published again
    /// ever less often: the queue may be long. To be called every few seconds.
    ///
    /// # Errors
    /// [`ScheduleError`] says each.
    pub async fn rescue(&self) -> Result<u32, ScheduleError> {
        let queued_before = self.clock.now().plus_seconds(-QUEUED_FOR_SECONDS);
        let stranded = self.runs.stranded(queued_before, PageLimit::MAX).await?;
        let due = self.published().due(stranded, self.timer.elapsed());
        let mut published = 0;
        for run in due {
            self.publish(run).await?;
            self.published().note(run, self.timer.elapsed());
            published += 1;
        }
        Ok(published)
    }

    async fn publish(&self, run: RunKey) -> Result<(), QueueError> {
        self.queue.publish(Job::FeedRun(run)).await
    }

    /// No code that can panic runs between two changes of it, so a poisoned lock guards a sound one.
    fn published(&self) -> std::sync::MutexGuard<'_, Published> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place for a run: its id, and of the chance in it how much its feed's next run is put off, so that feeds that
/// were made together are not fetched together for ever.
fn slot() -> ScheduleSlot {
    let run = Uuid::now_v7();
    let chance = run.as_u128() % 201;
    let jitter_permille = i16::try_from(chance).map_or(0, |chance| chance - 100);
    ScheduleSlot { run: RunId::new(run), jitter_permille }
}
