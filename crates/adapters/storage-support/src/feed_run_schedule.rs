//! How runs come to be, by the timer or because somebody asked.

use tenantry_domain::{FeedId, Precondition, RunId, RunTrigger, TenantNumber, Timestamp};
use tenantry_ports::{RequestError, RequestedRun, RunKey, ScheduleSlot};

use crate::bind::Binds;
use crate::engine::{CatalogBatch, Damaged, Engine, ErrorOf, StoredId as _};
use crate::feed;
use crate::feed_run_row::{OPEN, find, find_in_state};

/// See [`FeedRunRepository::request`](tenantry_ports::FeedRunRepository::request).
pub fn request<B: CatalogBatch>(
    batch: &mut B,
    tenant: TenantNumber,
    feed: FeedId,
    run: RunId,
    trigger: RunTrigger,
    precondition: &Precondition,
) -> Result<Result<RequestedRun, RequestError>, ErrorOf<B>> {
    if !batch.is_catalog_open(tenant)? {
        return Ok(Err(RequestError::NotFound));
    }
    let now = batch.now();
    let connection = batch.connection_for(tenant)?;
    let Some(current) = feed::version::<B::Engine>(connection, tenant, feed)? else {
        return Ok(Err(RequestError::NotFound));
    };
    if !precondition.holds(Some(current)) {
        return Ok(Err(RequestError::VersionConflict { current }));
    }
    if let Some(open) = find_in_state::<B::Engine>(connection, tenant, feed, OPEN)? {
        return Ok(Ok(RequestedRun::Open(open.run)));
    }
    queue::<B::Engine>(connection, RunKey { tenant, feed, run }, trigger, now)?;
    let queued = find::<B::Engine>(connection, tenant, feed, run)?;
    let queued = queued.ok_or_else(|| Damaged(format!("no run {run}, which was queued")))?;
    Ok(Ok(RequestedRun::New(queued.run)))
}

/// Makes a run, which waits for a worker from now on.
pub fn queue<E: Engine>(
    connection: &mut E::Connection,
    key: RunKey,
    trigger: RunTrigger,
    now: Timestamp,
) -> Result<(), E::Error> {
    let mut binds = Binds::<E>::new();
    let insert = format!(
        "INSERT INTO feed_runs (tenant_number, feed_id, run_id, cause, state, queued_at) \
         VALUES ({}, {}, {}, '{}', 'queued', {})",
        key.tenant,
        key.feed.in_text::<E>(),
        key.run.in_text::<E>(),
        trigger.as_str(),
        binds.time_or_literal(now)
    );
    binds.execute(connection, &insert)?;
    Ok(())
}

/// When the feed is due again after a run at `now`.
pub fn set_next_run<E: Engine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    feed: FeedId,
    interval_seconds: i64,
    slot: &ScheduleSlot,
    now: Timestamp,
) -> Result<(), E::Error> {
    // The interval in thousandths of a second, times the thousandths of it.
    let wait = interval_seconds * 1000 * (1000 + i64::from(slot.jitter_permille));
    let next = Timestamp::from_micros(now.as_micros().saturating_add(wait));
    let mut binds = Binds::<E>::new();
    let update = format!(
        "UPDATE feeds SET next_run_at = {} WHERE tenant_number = {tenant} AND feed_id = {}",
        binds.time_or_literal(next),
        feed.in_text::<E>()
    );
    binds.execute(connection, &update)?;
    Ok(())
}
