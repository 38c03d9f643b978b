//! Claims to runs: who may work on one, and until when.

use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use tenantry_domain::{RunState, TenantNumber, Timestamp};
use tenantry_ports::{ClaimError, ClaimOutcome, ClaimedRun, RunClaim, RunKey};

use crate::batch::WriteBatch;
use crate::error::PostgresError;
use crate::feed;
use crate::feed_run_row::{StoredRun, find, is_run};
use crate::literal::{Literal as _, execute, number};
use crate::moment::to_moment;

/// What a write that a claim is checked for comes to.
pub(crate) type Claimed<T> = Result<Result<T, ClaimError>, PostgresError>;

pub(crate) fn claim(
    batch: &mut WriteBatch,
    key: RunKey,
    now: Timestamp,
    until: Timestamp,
) -> Result<ClaimOutcome, PostgresError> {
    let RunKey { tenant, feed, run } = key;
    if !batch.is_catalog_open(tenant) {
        return Ok(ClaimOutcome::Ended);
    }
    let connection = batch.connection_for(tenant)?;
    let Some(standing) = find(connection, tenant, feed, run)?.filter(|stored| stored.run.state.is_open())
    else {
        return Ok(ClaimOutcome::Ended);
    };
    if let Some(until) = standing.claimed_until.filter(|until| *until >= now) {
        return Ok(ClaimOutcome::Busy { until });
    }
    let Some((feed, validators)) = feed::find(connection, tenant, feed)? else {
        return Ok(ClaimOutcome::Ended);
    };
    let claim = format!(
        "UPDATE feed_runs SET state = 'running', started_at = coalesce(started_at, $1), \
         claim_number = claim_number + 1, claimed_until = $2, staging = 0 WHERE {}",
        is_run(tenant, key.feed, run)
    );
    diesel::sql_query(claim)
        .bind::<Timestamptz, _>(to_moment(now))
        .bind::<Timestamptz, _>(to_moment(until))
        .execute(connection)?;
    begin_staging(batch, key, standing.staging)?;
    let stored = find(batch.connection_for(tenant)?, tenant, key.feed, run)?;
    let stored = stored.ok_or_else(|| PostgresError::Damaged(format!("no run {run}, which was claimed")))?;
    let claim = RunClaim { key, number: stored.claim_number };
    Ok(ClaimOutcome::Claimed(Box::new(ClaimedRun { claim, run: stored.run, feed, validators })))
}

pub(crate) fn extend(batch: &mut WriteBatch, claim: &RunClaim, until: Timestamp) -> Claimed<()> {
    let RunKey { tenant, feed, run } = claim.key;
    if let Err(lost) = held(batch, claim)? {
        return Ok(Err(lost));
    }
    let update = format!("UPDATE feed_runs SET claimed_until = $1 WHERE {}", is_run(tenant, feed, run));
    let update = diesel::sql_query(update).bind::<Timestamptz, _>(to_moment(until));
    update.execute(batch.connection_for(tenant)?)?;
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
    let standing = find(batch.connection_for(tenant)?, tenant, feed, run)?;
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
