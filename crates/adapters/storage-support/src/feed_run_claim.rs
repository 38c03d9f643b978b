//! Claims to runs: who may work on one, and until when. By which clock is the engine's.

use std::time::Duration;

use tenantry_domain::{RunState, TenantNumber};
use tenantry_ports::{ClaimError, ClaimOutcome, ClaimedRun, RunClaim, RunKey};

use crate::bind::Binds;
use crate::engine::{CatalogBatch, CatalogEngine as _, Damaged, Engine, ErrorOf, StoredId as _};
use crate::feed;
use crate::feed_run_row::{StoredRun, find, is_run};

/// What a write that a claim is checked for comes to.
pub type Claimed<T, B> = Result<Result<T, ClaimError>, ErrorOf<B>>;

/// See [`FeedRunRepository::claim`](tenantry_ports::FeedRunRepository::claim).
pub fn claim<B: CatalogBatch>(
    batch: &mut B,
    key: RunKey,
    lasts: Duration,
) -> Result<ClaimOutcome, ErrorOf<B>> {
    let RunKey { tenant, feed, run } = key;
    if !batch.is_catalog_open(tenant)? {
        return Ok(ClaimOutcome::Ended);
    }
    let now = batch.now();
    let connection = batch.connection_for(tenant)?;
    let Some(standing) =
        find::<B::Engine>(connection, tenant, feed, run)?.filter(|stored| stored.run.state.is_open())
    else {
        return Ok(ClaimOutcome::Ended);
    };
    let remaining =
        B::Engine::claim_remaining(connection, &standing, &is_run::<B::Engine>(tenant, feed, run), now)?;
    if !remaining.is_zero() {
        return Ok(ClaimOutcome::Busy { remaining });
    }
    let Some((feed, validators)) = feed::find::<B::Engine>(connection, tenant, feed)? else {
        return Ok(ClaimOutcome::Ended);
    };
    let mut binds = Binds::<B::Engine>::new();
    let now_text = binds.time_or_literal(now);
    let claim = format!(
        "UPDATE feed_runs SET state = 'running', started_at = coalesce(started_at, {now_text}), \
         claim_number = claim_number + 1, claimed_until = {}, staging = 0, feed_version = {} WHERE {}",
        B::Engine::claim_until(now, lasts),
        feed.version,
        is_run::<B::Engine>(tenant, key.feed, run)
    );
    binds.execute(connection, &claim)?;
    begin_staging(batch, key, standing.staging)?;
    let stored = find::<B::Engine>(batch.connection_for(tenant)?, tenant, key.feed, run)?;
    let stored = stored.ok_or_else(|| Damaged(format!("no run {run}, which was claimed")))?;
    let claim = RunClaim { key, number: stored.claim_number };
    Ok(ClaimOutcome::Claimed(Box::new(ClaimedRun { claim, run: stored.run, feed, validators })))
}

/// See [`FeedRunRepository::extend`](tenantry_ports::FeedRunRepository::extend).
pub fn extend<B: CatalogBatch>(batch: &mut B, claim: &RunClaim, lasts: Duration) -> Claimed<(), B> {
    let RunKey { tenant, feed, run } = claim.key;
    if let Err(lost) = held(batch, claim)? {
        return Ok(Err(lost));
    }
    let until = B::Engine::claim_until(batch.now(), lasts);
    let is_run = is_run::<B::Engine>(tenant, feed, run);
    let update = format!("UPDATE feed_runs SET claimed_until = {until} WHERE {is_run}");
    B::Engine::execute(batch.connection_for(tenant)?, &update)?;
    Ok(Ok(()))
}

/// See [`FeedRunRepository::restage`](tenantry_ports::FeedRunRepository::restage).
pub fn restage<B: CatalogBatch>(batch: &mut B, claim: &RunClaim) -> Claimed<(), B> {
    let standing = match held(batch, claim)? {
        Ok(standing) => standing,
        Err(lost) => return Ok(Err(lost)),
    };
    begin_staging(batch, claim.key, standing.staging)?;
    Ok(Ok(()))
}

/// The run as it stands, if the claim to it still holds.
pub fn held<B: CatalogBatch>(batch: &mut B, claim: &RunClaim) -> Claimed<StoredRun, B> {
    let RunKey { tenant, feed, run } = claim.key;
    if !batch.is_catalog_open(tenant)? {
        return Ok(Err(ClaimError::Lost));
    }
    let standing = find::<B::Engine>(batch.connection_for(tenant)?, tenant, feed, run)?;
    let is_held =
        |stored: &StoredRun| stored.run.state == RunState::Running && stored.claim_number == claim.number;
    Ok(standing.filter(is_held).ok_or(ClaimError::Lost))
}

/// Has the run stage under a new number from now on, with nothing counted; what stands under the one before is nobody's.
fn begin_staging<B: CatalogBatch>(batch: &mut B, key: RunKey, before: Option<i64>) -> Result<(), ErrorOf<B>> {
    let RunKey { tenant, feed, run } = key;
    let connection = batch.connection_for(tenant)?;
    if let Some(before) = before {
        discard_later::<B::Engine>(connection, tenant, before)?;
    }
    let next = B::Engine::next_of_catalog("last_staging", tenant);
    B::Engine::execute(connection, &next)?;
    let staging = B::Engine::number(
        connection,
        &format!("(SELECT last_staging FROM catalogs WHERE tenant_number = {tenant})"),
    )?;
    let update = format!(
        "UPDATE feed_runs SET staging = {staging}, plans_seen = 0, rejected = 0, feed_imports = feeds.imports FROM feeds WHERE feeds.tenant_number = {tenant} AND feeds.feed_id = {feed} \
         AND feed_runs.tenant_number = {tenant} AND feed_runs.feed_id = {feed} AND run_id = {}",
        run.in_text::<B::Engine>(),
        feed = feed.in_text::<B::Engine>()
    );
    B::Engine::execute(connection, &update)?;
    Ok(())
}

/// Notes that what stands under a staging is to be removed, as far as nobody names it.
pub fn discard_later<E: Engine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    staging: i64,
) -> Result<(), E::Error> {
    let note = format!(
        "INSERT INTO discards (tenant_number, staging) VALUES ({tenant}, {staging}) ON CONFLICT DO NOTHING"
    );
    E::execute(connection, &note)?;
    Ok(())
}
