//! Which queues there are, and how they are made.

use std::time::Duration;

use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::{AMQPValue, FieldTable, ShortString};

/// How long what is put back can wait, in seconds: a queue each, whose messages so all have the same time. A queue of
/// messages with times of their own would hold those behind a long one for as long.
const DELAYS: [u32; 7] = [1, 2, 4, 8, 16, 32, 64];

/// Beyond so many a job is refused: it stands in storage, and is published again later.
const MAX_JOBS: i32 = 100_000;

/// Beyond so many the oldest that were set aside leave.
const MAX_ASIDE: i32 = 10_000;

/// The queues of one installation.
#[derive(Debug, Clone)]
pub(crate) struct Topology {
    namespace: String,
}

impl Topology {
    pub(crate) fn new(namespace: &str) -> Self {
        Self { namespace: namespace.to_owned() }
    }

    /// Where jobs wait for a worker.
    pub(crate) fn jobs(&self) -> ShortString {
        format!("{}.jobs", self.namespace).into()
    }

    /// Where jobs stand that can't be done.
    pub(crate) fn aside(&self) -> ShortString {
        format!("{}.jobs.aside", self.namespace).into()
    }

    /// Where a job waits that is put back for so long, and how long it is to wait there for what is left then.
    pub(crate) fn delayed(&self, delay: Duration) -> (ShortString, Duration) {
        let fits = DELAYS.into_iter().find(|seconds| Duration::from_secs(u64::from(*seconds)) >= delay);
        let seconds = fits.unwrap_or(DELAYS[DELAYS.len() - 1]);
        let left = delay.saturating_sub(Duration::from_secs(u64::from(seconds)));
        (self.after(seconds), left)
    }

    fn after(&self, seconds: u32) -> ShortString {
        format!("{}.jobs.after-{seconds}s", self.namespace).into()
    }

    /// Makes the queues that are not there.
    pub(crate) async fn declare(&self, channel: &Channel) -> lapin::Result<()> {
        let text = |text: &str| AMQPValue::LongString(text.into());
        let mut jobs = FieldTable::default();
        jobs.insert("x-queue-type".into(), text("quorum"));
        jobs.insert("x-max-length".into(), AMQPValue::LongInt(MAX_JOBS));
        jobs.insert("x-overflow".into(), text("reject-publish"));
        declare(channel, self.jobs(), jobs).await?;

        let mut aside = FieldTable::default();
        aside.insert("x-queue-type".into(), text("quorum"));
        aside.insert("x-max-length".into(), AMQPValue::LongInt(MAX_ASIDE));
        declare(channel, self.aside(), aside).await?;

        for seconds in DELAYS {
            let mut after = FieldTable::default();
            after.insert("x-queue-type".into(), text("quorum"));
            // A classic queue, or one that leads back at most once, loses what comes to its time while the queue of jobs
            // is not there yet: when the broker starts.
            after.insert("x-dead-letter-strategy".into(), text("at-least-once"));
            after.insert("x-message-ttl".into(), AMQPValue::LongInt(seconds.cast_signed() * 1000));
            after.insert("x-dead-letter-exchange".into(), text(""));
            after.insert("x-dead-letter-routing-key".into(), text(self.jobs().as_str()));
            after.insert("x-max-length".into(), AMQPValue::LongInt(MAX_JOBS));
            after.insert("x-overflow".into(), text("reject-publish"));
            declare(channel, self.after(seconds), after).await?;
        }
        Ok(())
    }
}

async fn declare(channel: &Channel, name: ShortString, arguments: FieldTable) -> lapin::Result<()> {
    channel.queue_declare(name, QueueDeclareOptions::durable(), arguments).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_back_waits_no_shorter_than_it_is_to() {
        let topology = Topology::new("t");
        for (delay_ms, queue, left_ms) in [
            (1, "t.jobs.after-1s", 0),
            (1000, "t.jobs.after-1s", 0),
            (1001, "t.jobs.after-2s", 0),
            (60_000, "t.jobs.after-64s", 0),
            (64_001, "t.jobs.after-64s", 1),
        ] {
            let (found, left) = topology.delayed(Duration::from_millis(delay_ms));
            assert_eq!((found.as_str(), left), (queue, Duration::from_millis(left_ms)), "{delay_ms}");
        }
    }
}
