//! How runs come to be, by the timer or because somebody asked, and which of them nobody works on.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use tenantry_domain::{FeedId, PageLimit, Precondition, RunId, RunTrigger, TenantNumber, Timestamp};
use tenantry_ports::{RequestError, RequestedRun, RunKey, ScheduleSlot};
use tenantry_storage_support::engine::Engine as _;
use tenantry_storage_support::feed;
use tenantry_storage_support::feed_run_row::{OPEN, find, find_in_state};

use crate::batch::WriteBatch;
use crate::counters::Which;
use crate::engine::Sqlite;
use crate::error::SqliteError;
use crate::literal::{Literal as _, execute};
use crate::tenant::tenant_number;

pub(crate) fn request(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    feed: FeedId,
    run: RunId,
    trigger: RunTrigger,
    precondition: &Precondition,
) -> Result<Result<RequestedRun, RequestError>, SqliteError> {
    if batch.counters(tenant, Which::Open)?.is_none() {
        return Ok(Err(RequestError::NotFound));
    }
    let now = batch.now();
    let connection = &mut batch.connection;
    let Some(current) = feed::version::<Sqlite>(connection, tenant, feed)? else {
        return Ok(Err(RequestError::NotFound));
    };
    if !precondition.holds(Some(current)) {
        return Ok(Err(RequestError::VersionConflict { current }));
    }
    if let Some(open) = find_in_state::<Sqlite>(connection, tenant, feed, OPEN)? {
        return Ok(Ok(RequestedRun::Open(open.run)));
    }
    queue(connection, RunKey { tenant, feed, run }, trigger, now)?;
    let queued = find::<Sqlite>(connection, tenant, feed, run)?;
    let queued = queued.ok_or_else(|| SqliteError::Damaged(format!("no run {run}, which was queued")))?;
    Ok(Ok(RequestedRun::New(queued.run)))
}

fn queue(
    connection: &mut SqliteConnection,
    key: RunKey,
    trigger: RunTrigger,
    now: Timestamp,
) -> Result<(), SqliteError> {
    let insert = format!(
        "INSERT INTO feed_runs (tenant_number, feed_id, run_id, cause, state, queued_at) \
         VALUES ({}, {}, {}, '{}', 'queued', {})",
        key.tenant,
        key.feed.literal(),
        key.run.literal(),
        trigger.as_str(),
        now.as_micros()
    );
    execute(connection, &insert)?;
    Ok(())
}

/// Which run of which tenant's feed.
#[derive(Debug, QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = BigInt)]
    tenant_number: i64,
    #[diesel(sql_type = Binary)]
    feed_id: Vec<u8>,
    #[diesel(sql_type = Binary)]
    run_id: Vec<u8>,
}

/// A feed whose time has come.
#[derive(Debug, QueryableByName)]
struct DueRow {
    #[diesel(sql_type = BigInt)]
    tenant_number: i64,
    #[diesel(sql_type = Binary)]
    feed_id: Vec<u8>,
    #[diesel(sql_type = BigInt)]
    interval_seconds: i64,
}

pub(crate) fn schedule(
    batch: &mut WriteBatch,
    now: Timestamp,
    slots: &[ScheduleSlot],
) -> Result<Vec<RunKey>, SqliteError> {
    let connection = &mut batch.connection;
    let due = format!(
        "SELECT tenant_number, feed_id, interval_seconds FROM feeds JOIN tenants USING (tenant_number) \
         WHERE next_run_at >= -62167219200000000 AND next_run_at <= {} AND status = 'active' \
         ORDER BY next_run_at LIMIT {}",
        now.as_micros(),
        slots.len()
    );
    let due: Vec<DueRow> = diesel::sql_query(due).load(connection)?;
    let mut made = Vec::with_capacity(due.len());
    for (row, slot) in due.into_iter().zip(slots) {
        let feed = FeedId::new(Sqlite::uuid(row.feed_id, "a feed's id")?);
        let key = RunKey { tenant: tenant_number(row.tenant_number)?, feed, run: slot.run };
        // The interval in thousandths of a second, times the thousandths of it.
        let wait = row.interval_seconds * 1000 * (1000 + i64::from(slot.jitter_permille));
        let next = Timestamp::from_micros(now.as_micros().saturating_add(wait));
        let update = format!(
            "UPDATE feeds SET next_run_at = {} WHERE tenant_number = {} AND feed_id = {}",
            next.as_micros(),
            key.tenant,
            feed.literal()
        );
        execute(connection, &update)?;
        if find_in_state::<Sqlite>(connection, key.tenant, feed, OPEN)?.is_none() {
            queue(connection, key, RunTrigger::Schedule, now)?;
            made.push(key);
        }
    }
    Ok(made)
}

pub(crate) fn stranded(
    connection: &mut SqliteConnection,
    now: Timestamp,
    queued_before: Timestamp,
    limit: PageLimit,
) -> Result<Vec<RunKey>, SqliteError> {
    let select = format!(
        "SELECT tenant_number, feed_id, run_id FROM feed_runs JOIN tenants USING (tenant_number) \
         WHERE {OPEN} AND status <> 'deleting' \
         AND CASE state WHEN 'queued' THEN queued_at < {} ELSE claimed_until <= {} END \
         ORDER BY queued_at LIMIT {}",
        queued_before.as_micros(),
        now.as_micros(),
        limit.get()
    );
    let rows: Vec<KeyRow> = diesel::sql_query(select).load(connection)?;
    rows.into_iter()
        .map(|row| {
            Ok(RunKey {
                tenant: tenant_number(row.tenant_number)?,
                feed: FeedId::new(Sqlite::uuid(row.feed_id, "a feed's id")?),
                run: RunId::new(Sqlite::uuid(row.run_id, "a run's id")?),
            })
        })
        .collect()
}
