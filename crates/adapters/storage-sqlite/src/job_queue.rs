//! The job queue, in the database.
//!
//! A job is a row that says when it may be delivered. Delivered, it may be again when its lease is over, unless the
//! worker keeps it. This process alone has the file, so a worker that waits is woken by whoever publishes.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Text};
use tenantry_domain::{FeedId, RunId, Timestamp};
use tenantry_ports::{Delivery, DeliveryTag, Job, JobQueue, QueueError, RunKey, StorageError};
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};
use uuid::Uuid;

use crate::batch::WriteBatch;
use crate::error::SqliteError;
use crate::schema::jobs;
use crate::storage::SqliteStorage;
use crate::tenant::tenant_number;

/// The longest that a worker waits without a look: for jobs whose time comes.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// What a job holds while it waits to be written, about.
const WEIGHT: usize = 128;

/// How many jobs that were set aside a tenant keeps, and the most characters of a reason.
const KEPT_ASIDE: i64 = 100;
const MAX_REASON: usize = 500;

/// The jobs that stand in the file. Those who wait for one are woken by those who publish one here.
pub struct SqliteJobQueue {
    storage: SqliteStorage,
    lease: Duration,
    published: Arc<Notify>,
}

impl SqliteStorage {
    /// Its job queue. A job whose worker does not keep it for as long as `lease` is delivered to another.
    #[must_use]
    pub fn job_queue(&self, lease: Duration) -> SqliteJobQueue {
        SqliteJobQueue { storage: self.clone(), lease, published: Arc::default() }
    }
}

impl SqliteJobQueue {
    /// Takes the job that is due for longest.
    async fn take(&self) -> Result<Option<Delivery>, StorageError> {
        let now = self.storage.now();
        // Most looks find nothing: they are no transaction of the writer.
        if !self.storage.read(move |connection| is_any_due(connection, now)).await? {
            return Ok(None);
        }
        let lease = self.lease;
        let (_, row) = self.storage.write(WEIGHT, (), move |(), batch| take(batch, lease)).await?;
        Ok(row.map(JobRow::into_delivery).transpose()?)
    }

    async fn settle(
        &self,
        tag: &DeliveryTag,
        run: impl FnMut(&Lease, &mut WriteBatch) -> Result<(), SqliteError> + Send + 'static,
    ) -> Result<(), QueueError> {
        let lease = Lease::parse(tag)?;
        self.storage.write(WEIGHT, lease, run).await.map_err(queue_error)?;
        Ok(())
    }
}

#[async_trait]
impl JobQueue for SqliteJobQueue {
    async fn publish(&self, job: Job) -> Result<(), QueueError> {
        let write = self.storage.write(WEIGHT, job, |job, batch| publish(batch, *job));
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
        let time = self.lease;
        self.settle(tag, move |lease, batch| lease.move_to(batch, time, true)).await
    }

    async fn complete(&self, tag: &DeliveryTag) -> Result<(), QueueError> {
        self.settle(tag, Lease::complete).await
    }

    async fn put_back(&self, tag: &DeliveryTag, delay: Duration) -> Result<(), QueueError> {
        self.settle(tag, move |lease, batch| lease.move_to(batch, delay, false)).await?;
        self.published.notify_one();
        Ok(())
    }

    async fn set_aside(&self, tag: &DeliveryTag, reason: &str) -> Result<(), QueueError> {
        let reason: String = reason.chars().take(MAX_REASON).collect();
        self.settle(tag, move |lease, batch| lease.set_aside(batch, &reason)).await
    }
}

/// A delivery: which job, and the how many-eth it was.
struct Lease {
    run: RunKey,
    delivery: i64,
}

impl Lease {
    fn parse(tag: &DeliveryTag) -> Result<Self, QueueError> {
        let parts = tag.0.split_once('#');
        let lease = parts.and_then(|(job, delivery)| {
            let Job::FeedRun(run) = Job::parse(job)?;
            Some(Self { run, delivery: delivery.parse().ok()? })
        });
        lease.ok_or_else(|| QueueError::Failed("this is no delivery of this queue".to_owned()))
    }

    /// Makes the job available after that time, as long as the delivery is the last one. If it was published
    /// meanwhile, and its worker has it no more, it is so at once.
    fn move_to(&self, batch: &mut WriteBatch, time: Duration, keeps: bool) -> Result<(), SqliteError> {
        let at = batch.now().plus(time).as_micros();
        let row = diesel::update(held(self));
        match keeps {
            true => row.set(jobs::available_at.eq(at)).execute(&mut batch.connection)?,
            false => row
                .set((
                    jobs::available_at.eq(at),
                    jobs::is_leased.eq(false),
                    jobs::is_published_again.eq(false),
                ))
                .execute(&mut batch.connection)?,
        };
        Ok(())
    }

    fn complete(&self, batch: &mut WriteBatch) -> Result<(), SqliteError> {
        let now = batch.now().as_micros();
        let done = diesel::delete(held(self).filter(jobs::is_published_again.eq(false)));
        if done.execute(&mut batch.connection)? == 0 {
            let again = (
                jobs::available_at.eq(now),
                jobs::deliveries.eq(0),
                jobs::is_leased.eq(false),
                jobs::is_published_again.eq(false),
            );
            diesel::update(held(self)).set(again).execute(&mut batch.connection)?;
        }
        Ok(())
    }

    fn set_aside(&self, batch: &mut WriteBatch, reason: &str) -> Result<(), SqliteError> {
        let aside = (
            jobs::set_aside_at.eq(batch.now().as_micros()),
            jobs::set_aside_reason.eq(reason),
            jobs::is_leased.eq(false),
            jobs::is_published_again.eq(false),
        );
        diesel::update(held(self)).set(aside).execute(&mut batch.connection)?;
        diesel::sql_query(
            "DELETE FROM jobs WHERE tenant_number = ? AND (feed_id, run_id) IN (SELECT feed_id, run_id FROM jobs \
             WHERE tenant_number = ? AND set_aside_at IS NOT NULL ORDER BY set_aside_at DESC LIMIT -1 OFFSET ?)",
        )
        .bind::<BigInt, _>(self.run.tenant.get())
        .bind::<BigInt, _>(self.run.tenant.get())
        .bind::<BigInt, _>(KEPT_ASIDE)
        .execute(&mut batch.connection)?;
        Ok(())
    }
}

/// The job, if the delivery is the last one and was not settled.
#[diesel::dsl::auto_type]
fn held<'a>(lease: &'a Lease) -> _ {
    let tenant: i64 = lease.run.tenant.get();
    let feed: Vec<u8> = lease.run.feed.get().as_bytes().to_vec();
    let run: Vec<u8> = lease.run.run.get().as_bytes().to_vec();
    let delivery: i64 = lease.delivery;
    jobs::table
        .filter(jobs::tenant_number.eq(tenant))
        .filter(jobs::feed_id.eq(feed))
        .filter(jobs::run_id.eq(run))
        .filter(jobs::deliveries.eq(delivery))
        .filter(jobs::is_leased.eq(true))
}

/// A job as it is taken.
#[derive(QueryableByName)]
struct JobRow {
    #[diesel(sql_type = BigInt)]
    tenant_number: i64,
    #[diesel(sql_type = Binary)]
    feed_id: Vec<u8>,
    #[diesel(sql_type = Binary)]
    run_id: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    deliveries: i64,
}

impl JobRow {
    fn into_delivery(self) -> Result<Delivery, SqliteError> {
        let uuid = |bytes: &[u8]| {
            Uuid::from_slice(bytes).map_err(|_| SqliteError::Damaged("a job whose id is none".to_owned()))
        };
        let job = Job::FeedRun(RunKey {
            tenant: tenant_number(self.tenant_number)?,
            feed: FeedId::new(uuid(&self.feed_id)?),
            run: RunId::new(uuid(&self.run_id)?),
        });
        Ok(Delivery {
            tag: DeliveryTag(format!("{job}#{}", self.deliveries)),
            job,
            deliveries: u32::try_from(self.deliveries).unwrap_or(u32::MAX),
        })
    }
}

fn is_any_due(connection: &mut SqliteConnection, now: Timestamp) -> Result<bool, SqliteError> {
    let due = jobs::table
        .filter(jobs::set_aside_at.is_null())
        .filter(jobs::available_at.le(now.as_micros()))
        .select(jobs::tenant_number);
    Ok(diesel::select(diesel::dsl::exists(due)).get_result(connection)?)
}

fn take(batch: &mut WriteBatch, lease: Duration) -> Result<Option<JobRow>, SqliteError> {
    let now = batch.now();
    let taken = diesel::sql_query(
        "UPDATE jobs SET available_at = ?, deliveries = deliveries + 1, is_leased = 1, is_published_again = 0 \
         WHERE (tenant_number, feed_id, run_id) = (SELECT tenant_number, feed_id, run_id FROM jobs \
         WHERE set_aside_at IS NULL AND available_at <= ? ORDER BY available_at LIMIT 1) \
         RETURNING tenant_number, feed_id, run_id, deliveries",
    )
    .bind::<BigInt, _>(now.plus(lease).as_micros())
    .bind::<BigInt, _>(now.as_micros())
    .get_result(&mut batch.connection);
    Ok(taken.optional()?)
}

/// A job that is there already stays where it is; that of a worker is noted to be delivered once more, and one that was
/// set aside is due again. Of a tenant that is gone or on its way, nothing is left to do.
fn publish(batch: &mut WriteBatch, Job::FeedRun(run): Job) -> Result<(), SqliteError> {
    diesel::sql_query(
        "INSERT INTO jobs (tenant_number, feed_id, run_id, available_at) \
         SELECT tenant_number, ?, ?, ? FROM tenants WHERE tenant_number = ? AND status <> ? \
         ON CONFLICT DO UPDATE SET is_published_again = is_leased, \
         available_at = CASE WHEN set_aside_at IS NULL THEN available_at ELSE excluded.available_at END, \
         deliveries = CASE WHEN set_aside_at IS NULL THEN deliveries ELSE 0 END, \
         set_aside_at = NULL, set_aside_reason = NULL",
    )
    .bind::<Binary, _>(run.feed.get().as_bytes().as_slice())
    .bind::<Binary, _>(run.run.get().as_bytes().as_slice())
    .bind::<BigInt, _>(batch.now().as_micros())
    .bind::<BigInt, _>(run.tenant.get())
    .bind::<Text, _>(tenantry_domain::TenantStatus::Deleting.as_str())
    .execute(&mut batch.connection)?;
    Ok(())
}

fn queue_error(error: StorageError) -> QueueError {
    match error {
        StorageError::Unavailable(text) | StorageError::Full(text) => QueueError::Unavailable(text),
        StorageError::Failed(text) => QueueError::Failed(text),
    }
}
