//! The job queue, in the database.
//!
//! A job is a row that says when it may be delivered. Delivered, it may be again when its lease is over, unless the
//! worker keeps it. A worker that waits is woken by whoever publishes in the same process, and looks twice a second for
//! what others have published.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Text, Uuid as SqlUuid};
use tenantry_domain::{FeedId, RunId};
use tenantry_ports::{Delivery, DeliveryTag, Job, JobQueue, QueueError, RunKey, StorageError};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::claim::Claim;
use crate::error::PostgresError;
use crate::storage::PostgresStorage;
use crate::tenant::tenant_number;

/// The longest that a worker waits without a look.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What a job holds while it waits to be written, about.
const WEIGHT: usize = 128;

/// How many jobs that were set aside a tenant keeps, and the most characters of a reason.
const KEPT_ASIDE: i64 = 100;
const MAX_REASON: usize = 500;

/// The jobs that stand in the schema.
pub struct PostgresJobQueue {
    storage: PostgresStorage,
    lease: Duration,
    published: Arc<Notify>,
}

impl PostgresStorage {
    /// Its job queue. A job whose worker does not keep it for as long as `lease` is delivered to another.
    #[must_use]
    pub fn job_queue(&self, lease: Duration) -> PostgresJobQueue {
        PostgresJobQueue { storage: self.clone(), lease, published: Arc::default() }
    }
}

impl PostgresJobQueue {
    /// Takes the job that is due for longest.
    async fn take(&self) -> Result<Option<Delivery>, StorageError> {
        // Most looks find nothing: they are no transaction of a writer.
        let is_any_due = diesel::dsl::sql::<Bool>("SELECT has_due_job()");
        if !self.storage.read(move |connection| Ok(is_any_due.get_result(connection)?)).await? {
            return Ok(None);
        }
        let lease = milliseconds(self.lease);
        let take = self.storage.write(Claim::Installation, WEIGHT, (), move |(), batch| {
            batch.run(|connection| {
                let taken = diesel::sql_query("SELECT * FROM take_job($1)").bind::<BigInt, _>(lease);
                Ok(taken.get_result::<JobRow>(connection).optional()?)
            })
        });
        let (_, row) = take.await?;
        Ok(row.map(JobRow::into_delivery).transpose()?)
    }

    /// Changes the job, if the delivery is the last one and was not settled.
    async fn settle(
        &self,
        tag: &DeliveryTag,
        change: impl FnMut(&Lease, &mut PgConnection) -> Result<(), PostgresError> + Send + 'static,
    ) -> Result<(), QueueError> {
        let (lease, mut change) = (Lease::parse(tag)?, change);
        let tenant = lease.run.tenant;
        let write = self.storage.write(Claim::Tenant(tenant), WEIGHT, lease, move |lease, batch| {
            batch.run_for(tenant, |connection| change(lease, connection))
        });
        write.await.map_err(queue_error)?;
        Ok(())
    }
}

#[async_trait]
impl JobQueue for PostgresJobQueue {
    async fn publish(&self, job: Job) -> Result<(), QueueError> {
        let Job::FeedRun(run) = job;
        let write = self.storage.write(Claim::Tenant(run.tenant), WEIGHT, run, |run, batch| {
            // Of a tenant that is gone or on its way, nothing is left to do.
            if !batch.is_open(run.tenant) {
                return Ok(());
            }
            batch.run_for(run.tenant, |connection| publish(connection, *run))
        });
        write.await.map_err(queue_error)?;
        self.published.notify_one();
        Ok(())
    }

    async fn next(&self, wait: Duration) -> Result<Option<Delivery>, QueueError> {
        let end = Instant::now() + wait;
        loop {
            if let Some(delivery) = self.take().await.map_err(queue_error)? {
                return Ok(Some(delivery));
            }
            let now = Instant::now();
            if now >= end {
                return Ok(None);
            }
            let _ = timeout_at(end.min(now + LOOK_AGAIN), self.published.notified()).await;
        }
    }

    async fn keep(&self, tag: &DeliveryTag) -> Result<(), QueueError> {
        let time = milliseconds(self.lease);
        self.settle(tag, move |lease, connection| {
            lease.update(connection, "available_at = clock_timestamp() + $5 * interval '1 millisecond'", time)
        })
        .await
    }

    async fn complete(&self, tag: &DeliveryTag) -> Result<(), QueueError> {
        self.settle(tag, Lease::complete).await
    }

    async fn put_back(&self, tag: &DeliveryTag, delay: Duration) -> Result<(), QueueError> {
        let time = milliseconds(delay);
        let back = "is_leased = false, is_published_again = false, \
                    available_at = clock_timestamp() + $5 * interval '1 millisecond'";
        self.settle(tag, move |lease, connection| lease.update(connection, back, time)).await?;
        self.published.notify_one();
        Ok(())
    }

    async fn set_aside(&self, tag: &DeliveryTag, reason: &str) -> Result<(), QueueError> {
        let reason: String = reason.chars().filter(|c| *c != '\0').take(MAX_REASON).collect();
        self.settle(tag, move |lease, connection| lease.set_aside(connection, &reason)).await
    }
}

/// A delivery: which job, and the how many-eth it was.
struct Lease {
    run: RunKey,
    delivery: i32,
}

/// Holds for the job, if the delivery is the last one and was not settled.
const HELD: &str = "tenant_number = $1 AND feed_id = $2 AND run_id = $3 AND deliveries = $4 AND is_leased";

impl Lease {
    fn parse(tag: &DeliveryTag) -> Result<Self, QueueError> {
        let parts = tag.0.split_once('#');
        let lease = parts.and_then(|(job, delivery)| {
            let Job::FeedRun(run) = Job::parse(job)?;
            Some(Self { run, delivery: delivery.parse().ok()? })
        });
        lease.ok_or_else(|| QueueError::Failed("this is no delivery of this queue".to_owned()))
    }

    fn update(&self, connection: &mut PgConnection, what: &str, number: i64) -> Result<(), PostgresError> {
        diesel::sql_query(format!("UPDATE jobs SET {what} WHERE {HELD}"))
            .bind::<BigInt, _>(self.run.tenant.get())
            .bind::<SqlUuid, _>(self.run.feed.get())
            .bind::<SqlUuid, _>(self.run.run.get())
            .bind::<Integer, _>(self.delivery)
            .bind::<BigInt, _>(number)
            .execute(connection)?;
        Ok(())
    }

    fn complete(&self, connection: &mut PgConnection) -> Result<(), PostgresError> {
        let done = diesel::sql_query(format!("DELETE FROM jobs WHERE {HELD} AND NOT is_published_again"))
            .bind::<BigInt, _>(self.run.tenant.get())
            .bind::<SqlUuid, _>(self.run.feed.get())
            .bind::<SqlUuid, _>(self.run.run.get())
            .bind::<Integer, _>(self.delivery)
            .execute(connection)?;
        if done == 0 {
            let again = "available_at = clock_timestamp(), deliveries = $5, is_leased = false, \
                         is_published_again = false";
            self.update(connection, again, 0)?;
        }
        Ok(())
    }

    fn set_aside(&self, connection: &mut PgConnection, reason: &str) -> Result<(), PostgresError> {
        let aside = "is_leased = false, is_published_again = false, set_aside_at = clock_timestamp()";
        diesel::sql_query(format!("UPDATE jobs SET {aside}, set_aside_reason = $5 WHERE {HELD}"))
            .bind::<BigInt, _>(self.run.tenant.get())
            .bind::<SqlUuid, _>(self.run.feed.get())
            .bind::<SqlUuid, _>(self.run.run.get())
            .bind::<Integer, _>(self.delivery)
            .bind::<Text, _>(reason)
            .execute(connection)?;
        diesel::sql_query(
            "DELETE FROM jobs AS j USING (SELECT feed_id, run_id FROM jobs WHERE tenant_number = $1 \
             AND set_aside_at IS NOT NULL ORDER BY set_aside_at DESC OFFSET $2) AS old \
             WHERE j.tenant_number = $1 AND j.feed_id = old.feed_id AND j.run_id = old.run_id",
        )
        .bind::<BigInt, _>(self.run.tenant.get())
        .bind::<BigInt, _>(KEPT_ASIDE)
        .execute(connection)?;
        Ok(())
    }
}

/// A job as it is taken.
#[derive(QueryableByName)]
struct JobRow {
    #[diesel(sql_type = BigInt)]
    tenant_number: i64,
    #[diesel(sql_type = SqlUuid)]
    feed_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    run_id: Uuid,
    #[diesel(sql_type = Integer)]
    deliveries: i32,
}

impl JobRow {
    fn into_delivery(self) -> Result<Delivery, PostgresError> {
        let job = Job::FeedRun(RunKey {
            tenant: tenant_number(self.tenant_number)?,
            feed: FeedId::new(self.feed_id),
            run: RunId::new(self.run_id),
        });
        Ok(Delivery {
            tag: DeliveryTag(format!("{job}#{}", self.deliveries)),
            job,
            deliveries: u32::try_from(self.deliveries).unwrap_or(u32::MAX),
        })
    }
}

/// A job that is there already stays where it is; that of a worker is noted to be delivered once more, and one that was
/// set aside is due again.
fn publish(connection: &mut PgConnection, run: RunKey) -> Result<(), PostgresError> {
    diesel::sql_query(
        "INSERT INTO jobs AS held (tenant_number, feed_id, run_id, available_at) \
         VALUES ($1, $2, $3, clock_timestamp()) \
         ON CONFLICT (tenant_number, feed_id, run_id) DO UPDATE SET is_published_again = held.is_leased, \
         available_at = CASE WHEN held.set_aside_at IS NULL THEN held.available_at ELSE excluded.available_at END, \
         deliveries = CASE WHEN held.set_aside_at IS NULL THEN held.deliveries ELSE 0 END, \
         set_aside_at = NULL, set_aside_reason = NULL",
    )
    .bind::<BigInt, _>(run.tenant.get())
    .bind::<SqlUuid, _>(run.feed.get())
    .bind::<SqlUuid, _>(run.run.get())
    .execute(connection)?;
    Ok(())
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

fn queue_error(error: StorageError) -> QueueError {
    match error {
        StorageError::Unavailable(text) | StorageError::Full(text) => QueueError::Unavailable(text),
        StorageError::Failed(text) => QueueError::Failed(text),
    }
}
