//! Work that somebody is to do, now or after a crash.

use std::time::Duration;

use async_trait::async_trait;

use crate::feed_run::RunKey;

/// A job: what is to be done. Doing it twice does no more than doing it once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Job {
    /// Carry out a run of a feed.
    FeedRun(RunKey),
}

/// A job that was handed to a worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// By which the queue knows it again.
    pub tag: DeliveryTag,
    /// What is to be done.
    pub job: Job,
    /// How often it was delivered, this time included, as far as the queue knows.
    pub deliveries: u32,
}

/// By which a queue knows a delivery again: its own number or text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DeliveryTag(pub String);

/// Why a queue did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// It is out of reach, or did not answer in time: worth another try in a moment.
    #[error("the job queue is not available: {0}")]
    Unavailable(String),
    /// A fault that another try will not mend.
    #[error("the job queue failed: {0}")]
    Failed(String),
}

/// Hands jobs from whoever has them to workers, each at least once.
///
/// A job that was published is delivered until a worker settles it: if the worker dies, or does not settle it within
/// the queue's limit and does not [keep](JobQueue::keep) it, it is delivered again. So the same job may be with
/// two workers at once, and jobs come in any order. Nothing rests on the queue but that work begins soon: what must
/// be done stands in storage, from where it can be published again.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait JobQueue: Send + Sync {
    /// Takes a job. When it has answered `Ok` the job survives a crash of this process and of the queue's. A job that is
    /// waiting there already may be taken once more or not.
    async fn publish(&self, job: Job) -> Result<(), QueueError>;

    /// The next job that is due; waits up to `wait` for one. Dropping the future loses no job.
    async fn next(&self, wait: Duration) -> Result<Option<Delivery>, QueueError>;

    /// The worker still has it: it is not to be delivered to another for now.
    async fn keep(&self, tag: &DeliveryTag) -> Result<(), QueueError>;

    /// It is done.
    async fn complete(&self, tag: &DeliveryTag) -> Result<(), QueueError>;

    /// It is to be delivered again, not before `delay` has passed.
    async fn put_back(&self, tag: &DeliveryTag, delay: Duration) -> Result<(), QueueError>;

    /// It can't be done: it is set aside where an operator finds it, with the reason, and not delivered again.
    async fn set_aside(&self, tag: &DeliveryTag, reason: &str) -> Result<(), QueueError>;
}
