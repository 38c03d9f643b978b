//! Claims to runs: who may work on one, and until when.
//!
//! A file is one process's, so claims end by that process's clock. If it is set forward a living worker may lose its run
//! to another: the claim's number sees to it that only the run begins anew.

use std::time::Duration;

use tenantry_domain::{RunState, TenantNumber};
use tenantry_ports::{ClaimError, ClaimOutcome, ClaimedRun, RunClaim, RunKey};
use tenantry_storage_support::feed;
use tenantry_storage_support::feed_run_row::{StoredRun, find, is_run};

use crate::batch::WriteBatch;
use crate::counters::Which;
use crate::engine::Sqlite;
use crate::error::SqliteError;
use crate::literal::{Literal as _, execute, number};

/// What a write that a claim is checked for comes to.
pub(crate) type Claimed<T> = Result<Result<T, ClaimError>, SqliteError>;

pub(crate) fn claim(
    batch: &mut WriteBatch,
    key: RunKey,
    lasts: Duration,
) -> Result<ClaimOutcome, SqliteError> {
    let RunKey { tenant, feed, run } = key;
    if batch.counters(tenant, Which::Open)?.is_none() {
        return Ok(ClaimOutcome::Ended);
    }
    let now = batch.now();
    let connection = &mut batch.connection;
    let Some(standing) =
        find::<Sqlite>(connection, tenant, feed, run)?.filter(|stored| stored.run.state.is_open())
    else {
        return Ok(ClaimOutcome::Ended);
    };
    if let Some(until) = standing.claimed_until.filter(|until| *until > now) {
        return Ok(ClaimOutcome::Busy { remaining: until.since(now) });
    }
    let Some((feed, validators)) = feed::find::<Sqlite>(connection, tenant, feed)? else {
        return Ok(ClaimOutcome::Ended);
    };
    let (micros, until) = (now.as_micros(), now.plus(lasts).as_micros());
    execute(
        connection,
        &format!(
            "UPDATE feed_runs SET state = 'running', started_at = coalesce(started_at, {micros}), \
             claim_number = claim_number + 1, claimed_until = {until}, staging = 0 WHERE {}",
            is_run::<Sqlite>(tenant, key.feed, run)
        ),
    )?;
    begin_staging(batch, key, standing.staging)?;
    let stored = find::<Sqlite>(&mut batch.connection, tenant, key.feed, run)?;
    let stored = stored.ok_or_else(|| SqliteError::Damaged(format!("no run {run}, which was claimed")))?;
    let claim = RunClaim { key, number: stored.claim_number };
    Ok(ClaimOutcome::Claimed(Box::new(ClaimedRun { claim, run: stored.run, feed, validators })))
}

pub(crate) fn extend(batch: &mut WriteBatch, claim: &RunClaim, lasts: Duration) -> Claimed<()> {
    let RunKey { tenant, feed, run } = claim.key;
    if let Err(lost) = held(batch, claim)? {
        return Ok(Err(lost));
    }
    let (is_run, until) = (is_run::<Sqlite>(tenant, feed, run), batch.now().plus(lasts));
    let update = format!("UPDATE feed_runs SET claimed_until = {} WHERE {is_run}", until.as_micros());
    execute(&mut batch.connection, &update)?;
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
    if batch.counters(tenant, Which::Open)?.is_none() {
        return Ok(Err(ClaimError::Lost));
    }
    let standing = find::<Sqlite>(&mut batch.connection, tenant, feed, run)?;
    let is_held =
        |stored: &StoredRun| stored.run.state == RunState::Running && stored.claim_number == claim.number;
    Ok(standing.filter(is_held).ok_or(ClaimError::Lost))
}

/// Has the run stage under a new number from now on, with nothing counted; what stands under the one before is nobody's.
fn begin_staging(batch: &mut WriteBatch, key: RunKey, before: Option<i64>) -> Result<(), SqliteError> {
    let RunKey { tenant, feed, run } = key;
    let connection = &mut batch.connection;
    if let Some(before) = before {
        discard_later(connection, tenant, before)?;
    }
    let next = format!(
        "INSERT INTO catalogs (tenant_number, last_staging) VALUES ({tenant}, 1) \
         ON CONFLICT (tenant_number) DO UPDATE SET last_staging = last_staging + 1"
    );
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
    connection: &mut diesel::SqliteConnection,
    tenant: TenantNumber,
    staging: i64,
) -> Result<(), SqliteError> {
    let note = format!(
        "INSERT INTO discards (tenant_number, staging) VALUES ({tenant}, {staging}) ON CONFLICT DO NOTHING"
    );
    execute(connection, &note)?;
    Ok(())
}
