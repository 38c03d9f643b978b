//! How runs come to be by the timer, and which of them nobody works on.

use std::marker::PhantomData;

use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Timestamptz, Uuid as SqlUuid};
use tenantry_domain::{FeedId, PageLimit, RunId, RunTrigger, Timestamp};
use tenantry_ports::{RunKey, ScheduleSlot};
use tenantry_storage_support::feed;
use tenantry_storage_support::feed_run_row::{OPEN, find_in_state};
use tenantry_storage_support::feed_run_schedule::{queue, set_next_run};
use uuid::Uuid;

use crate::batch::WriteBatch;
use crate::engine::Postgres;
use crate::error::PostgresError;
use crate::moment::to_moment;
use crate::static_query::static_query;
use crate::tenant::tenant_number;

static_query! {
    /// Which feeds are due.
    DueFeeds<'a> {
        "SELECT * FROM due_feeds(" moment: PgTimestamp as Timestamptz,
        ", " max_rows: i32 as Integer;
        ")"
    } -> (BigInt, SqlUuid)
}

/// Makes runs of feeds that are due. Those of tenants whose catalogs somebody else writes just now are left to the next
/// time.
pub(crate) fn schedule(
    batch: &mut WriteBatch,
    now: Timestamp,
    slots: &[ScheduleSlot],
) -> Result<Vec<RunKey>, PostgresError> {
    let max_rows = i32::try_from(slots.len()).unwrap_or(i32::MAX);
    let due = DueFeeds { moment: to_moment(now), max_rows, life: PhantomData };
    let due: Vec<(i64, Uuid)> = batch.run(|connection| Ok(due.load(connection)?))?;
    let mut made = Vec::with_capacity(due.len());
    let mut slots = slots.iter();
    for (tenant, feed) in due {
        let (tenant, feed) = (tenant_number(tenant)?, FeedId::new(feed));
        if !batch.lock_free_catalog(tenant)? || !batch.is_catalog_open(tenant) {
            continue;
        }
        let connection = batch.connection_for(tenant)?;
        // Another node may have done it meanwhile.
        let Some((standing, _)) = feed::find::<Postgres>(connection, tenant, feed)? else { continue };
        if standing.next_run_at.is_none_or(|due| due > now) {
            continue;
        }
        let Some(slot) = slots.next() else { break };
        let interval = i64::from(standing.settings.interval_seconds);
        set_next_run::<Postgres>(connection, tenant, feed, interval, slot, now)?;
        if find_in_state::<Postgres>(connection, tenant, feed, OPEN)?.is_none() {
            let key = RunKey { tenant, feed, run: slot.run };
            queue::<Postgres>(connection, key, RunTrigger::Schedule, now)?;
            made.push(key);
        }
    }
    Ok(made)
}

static_query! {
    /// Which runs nobody works on.
    StrandedRuns<'a> {
        "SELECT * FROM stranded_runs(" queued_before: PgTimestamp as Timestamptz,
        ", " max_rows: i32 as Integer;
        ")"
    } -> (BigInt, SqlUuid, SqlUuid)
}

pub(crate) fn stranded(
    connection: &mut PgConnection,
    queued_before: Timestamp,
    limit: PageLimit,
) -> Result<Vec<RunKey>, PostgresError> {
    let stranded = StrandedRuns {
        queued_before: to_moment(queued_before),
        max_rows: i32::try_from(limit.get()).unwrap_or(i32::MAX),
        life: PhantomData,
    };
    let rows: Vec<(i64, Uuid, Uuid)> = stranded.load(connection)?;
    rows.into_iter()
        .map(|(tenant, feed, run)| {
            Ok(RunKey { tenant: tenant_number(tenant)?, feed: FeedId::new(feed), run: RunId::new(run) })
        })
        .collect()
}
