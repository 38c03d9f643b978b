//! Claims to runs: who may work on one, and until when.
//!
//! They end by the server's clock, as leases of jobs do, and no node's clock is asked: one that is wrong would take a run
//! from a worker that lives. It is the clock as it is (`clock_timestamp()`), and not as it was when the transaction
//! began: that may have waited for its locks.

use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use tenantry_domain::{RunState, TenantNumber};
use tenantry_ports::{ClaimError, ClaimOutcome, ClaimedRun, RunClaim, RunKey};
use tenantry_storage_support::feed;
use tenantry_storage_support::feed_run_row::{StoredRun, find, is_run};

use crate::batch::WriteBatch;
use crate::engine::Postgres;
use crate::error::PostgresError;
use crate::literal::{Literal as _, execute, number};
use crate::moment::to_moment;

/// What a write that a claim is checked for comes to.
pub(crate) type Claimed<T> = Result<Result<T, ClaimError>, PostgresError>;

/// The longest that a claim lasts: a year is as good as for ever.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 60 * 60);

pub(crate) fn claim(
    batch: &mut WriteBatch,
    key: RunKey,
    lasts: Duration,
) -> Result<ClaimOutcome, PostgresError> {
    let RunKey { tenant, feed, run } = key;
    if !batch.is_catalog_open(tenant) {
        return Ok(ClaimOutcome::Ended);
    }
    let now = batch.now();
    let connection = batch.connection_for(tenant)?;
    let Some(standing) =
        find::<Postgres>(connection, tenant, feed, run)?.filter(|stored| stored.run.state.is_open())
    else {
        return Ok(ClaimOutcome::Ended);
    };
    let remaining = remaining(connection, &is_run::<Postgres>(tenant, feed, run))?;
    if !remaining.is_zero() {
        return Ok(ClaimOutcome::Busy { remaining });
    }
    let Some((feed, validators)) = feed::find::<Postgres>(connection, tenant, feed)? else {
        return Ok(ClaimOutcome::Ended);
    };
    let claim = format!(
        "UPDATE feed_runs SET state = 'running', started_at = coalesce(started_at, $1), \
         claim_number = claim_number + 1, claimed_until = {}, staging = 0 WHERE {}",
        from_now(lasts),
        is_run::<Postgres>(tenant, key.feed, run)
    );
    diesel::sql_query(claim).bind::<Timestamptz, _>(to_moment(now)).execute(connection)?;
    begin_staging(batch, key, standing.staging)?;
    let stored = find::<Postgres>(batch.connection_for(tenant)?, tenant, key.feed, run)?;
    let stored = stored.ok_or_else(|| PostgresError::Damaged(format!("no run {run}, which was claimed")))?;
    let claim = RunClaim { key, number: stored.claim_number };
    Ok(ClaimOutcome::Claimed(Box::new(ClaimedRun { claim, run: stored.run, feed, validators })))
}

/// How long the claim to the run still lasts, by the server's clock.
fn remaining(connection: &mut PgConnection, is_run: &str) -> Result<Duration, PostgresError> {
    let micros = format!(
        "(SELECT coalesce(ceil(extract(epoch FROM claimed_until - clock_timestamp()) * 1000000), 0)::bigint \
         FROM feed_runs WHERE {is_run})"
    );
    Ok(u64::try_from(number(connection, &micros)?).map(Duration::from_micros).unwrap_or_default())
}

/// The time, by the server's clock, when what lasts so long from now has ended.
fn from_now(lasts: Duration) -> String {
    format!("clock_timestamp() + {} * interval '1 microsecond'", lasts.min(LONGEST).as_micros())
}

pub(crate) fn extend(batch: &mut WriteBatch, claim: &RunClaim, lasts: Duration) -> Claimed<()> {
    let RunKey { tenant, feed, run } = claim.key;
    if let Err(lost) = held(batch, claim)? {
        return Ok(Err(lost));
    }
    let (until, is_run) = (from_now(lasts), is_run::<Postgres>(tenant, feed, run));
    let update = format!("UPDATE feed_runs SET claimed_until = {until} WHERE {is_run}");
    execute(batch.connection_for(tenant)?, &update)?;
    Ok(Ok(()))
}

pub(crate) fn restage(batch: &mut WriteBatch, claim: &RunClaim) -> Claimed<()> {
    let standing = match held(batch, claim)? {
        Ok(standing) => standing,
        Err(lost) => return Ok(Err(lost)),
    };
    begin_staging(batch, claim.key, standing.staging)?;
    Ok(Ok(()))
}

/// The run as it stands, if the claim to it still holds.
pub(crate) fn held(batch: &mut WriteBatch, claim: &RunClaim) -> Claimed<StoredRun> {
    let RunKey { tenant, feed, run } = claim.key;
    if !batch.is_catalog_open(tenant) {
        return Ok(Err(ClaimError::Lost));
    }
    let standing = find::<Postgres>(batch.connection_for(tenant)?, tenant, feed, run)?;
    let is_held =
        |stored: &StoredRun| stored.run.state == RunState::Running && stored.claim_number == claim.number;
    Ok(standing.filter(is_held).ok_or(ClaimError::Lost))
}

/// Has the run stage under a new number from now on, with nothing counted; what stands under the one before is nobody's.
fn begin_staging(batch: &mut WriteBatch, key: RunKey, before: Option<i64>) -> Result<(), PostgresError> {
    let RunKey { tenant, feed, run } = key;
    let connection = batch.connection_for(tenant)?;
    if let Some(before) = before {
        discard_later(connection, tenant, before)?;
    }
    let next = format!("UPDATE catalogs SET last_staging = last_staging + 1 WHERE tenant_number = {tenant}");
    execute(connection, &next)?;
    let staging =
        number(connection, &format!("(SELECT last_staging FROM catalogs WHERE tenant_number = {tenant})"))?;
    let update = format!(
        "UPDATE feed_runs SET staging = {staging}, plans_seen = 0, rejected = 0, feed_version = feeds.version, \
         feed_imports = feeds.imports FROM feeds WHERE feeds.tenant_number = {tenant} AND feeds.feed_id = {feed} \
         AND feed_runs.tenant_number = {tenant} AND feed_runs.feed_id = {feed} AND run_id = {}",
        run.literal(),
        feed = feed.literal()
    );
    execute(connection, &update)?;
    Ok(())
}

/// Notes that what stands under a staging is to be removed, as far as nobody names it.
pub(crate) fn discard_later(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    staging: i64,
) -> Result<(), PostgresError> {
    let note = format!(
        "INSERT INTO discards (tenant_number, staging) VALUES ({tenant}, {staging}) ON CONFLICT DO NOTHING"
    );
    execute(connection, &note)?;
    Ok(())
}
