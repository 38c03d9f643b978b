//! How runs come to be by the timer, and which of them nobody works on.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use tenantry_domain::{FeedId, PageLimit, RunId, RunTrigger, Timestamp};
use tenantry_ports::{RunKey, ScheduleSlot};
use tenantry_storage_support::engine::Engine as _;
use tenantry_storage_support::feed_run_row::{OPEN, find_in_state};
use tenantry_storage_support::feed_run_schedule::{queue, set_next_run};

use crate::batch::WriteBatch;
use crate::engine::Sqlite;
use crate::error::SqliteError;
use crate::tenant::tenant_number;

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
        set_next_run::<Sqlite>(connection, key.tenant, feed, row.interval_seconds, slot, now)?;
        if find_in_state::<Sqlite>(connection, key.tenant, feed, OPEN)?.is_none() {
            queue::<Sqlite>(connection, key, RunTrigger::Schedule, now)?;
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
