//! How a run ends: readers see the catalog before it, or all of it.

use tenantry_domain::{FeedId, FeedRun, Precondition, RunCounts, RunId, RunState, TenantNumber, Timestamp};
use tenantry_ports::{ConfirmError, RunClaim, RunEnd, RunKey, Validators};

use crate::bind::{Bind, Binds};
use crate::engine::{CatalogEngine, Damaged, ErrorOf};
use crate::feed;
use crate::feed_run_claim::{Claimed, discard_later, held};
use crate::feed_run_publish::{Comparison, PublishBatch, Staging, Whence, next_revision, revision};
use crate::feed_run_row::{HELD, StoredRun, find, find_in_state, is_run};

/// How a run stands when it has come to its end.
#[derive(Debug, Default)]
struct Outcome<'a> {
    counts: RunCounts,
    detail: Option<String>,
    catalog_revision: Option<u64>,
    /// What a held run keeps until it is confirmed.
    validators: Option<&'a Validators>,
}

/// Ends the run. See [`FeedRunRepository::finish`](tenantry_ports::FeedRunRepository::finish).
pub fn finish<B: PublishBatch>(
    batch: &mut B,
    claim: &RunClaim,
    now: Timestamp,
    end: &RunEnd,
    counts: RunCounts,
    max_rejects: u32,
) -> Claimed<FeedRun, B> {
    let run = match held(batch, claim)? {
        Ok(standing) => standing,
        Err(lost) => return Ok(Err(lost)),
    };
    let RunKey { tenant, feed, run: id } = claim.key;
    let staging = Staging { tenant, feed, run: id, number: run.staging.unwrap_or_default() };
    let counts = RunCounts { bytes: counts.bytes, attempts: counts.attempts, ..RunCounts::default() };
    let (state, outcome) = match end {
        RunEnd::Failed { detail } => {
            (RunState::Failed, Outcome { counts, detail: Some(detail.clone()), ..Outcome::default() })
        }
        RunEnd::Unchanged => {
            staging.note_success::<B::Engine>(batch.connection_for(tenant)?, now)?;
            let standing = revision::<B::Engine>(batch.connection_for(tenant)?, tenant)?.get();
            (RunState::Unchanged, Outcome { counts, catalog_revision: Some(standing), ..Outcome::default() })
        }
        RunEnd::Whole { validators, max_leaving_permille } => {
            let compared = compare(batch, staging, &run, counts)?;
            match too_many_leave(&compared, *max_leaving_permille) {
                Some(detail) => {
                    let counts = compared.counts;
                    let validators = Some(validators);
                    let outcome = Outcome { counts, detail: Some(detail), validators, ..Outcome::default() };
                    (RunState::Held, outcome)
                }
                None => (
                    RunState::Succeeded,
                    take_whole(batch, staging, &run, &compared, validators, now, max_rejects)?,
                ),
            }
        }
        RunEnd::Replayed { tried, gone } => {
            let mut compared = compare(batch, staging, &run, counts)?;
            compared.counts.plans_left_sale = 0;
            let has_changed = batch.take_plans(&staging, &compared, now, Whence::Feed)?;
            batch.note_seen(&staging, &compared, now)?;
            staging.keep_out(batch, gone)?;
            staging.remove_tried(batch, tried)?;
            let connection = batch.connection_for(tenant)?;
            staging.keep_rejects::<B>(connection, now, max_rejects)?;
            staging.note_import::<B::Engine>(connection)?;
            (RunState::Succeeded, succeeded(batch, tenant, compared.counts, has_changed)?)
        }
        RunEnd::Past => take_past(batch, staging, &run, counts, now, max_rejects)?,
    };
    if state != RunState::Failed {
        supersede::<B::Engine>(batch.connection_for(tenant)?, tenant, feed)?;
    }
    end_run(batch, staging, state, &outcome, now).map(Ok)
}

/// Ends a run that is held. See [`FeedRunRepository::confirm`](tenantry_ports::FeedRunRepository::confirm).
pub fn confirm<B: PublishBatch>(
    batch: &mut B,
    tenant: TenantNumber,
    feed: FeedId,
    id: RunId,
    precondition: &Precondition,
    now: Timestamp,
    max_rejects: u32,
) -> Result<Result<FeedRun, ConfirmError>, ErrorOf<B>> {
    if !batch.is_catalog_open(tenant)? {
        return Ok(Err(ConfirmError::NotFound));
    }
    let Some(run) = find::<B::Engine>(batch.connection_for(tenant)?, tenant, feed, id)? else {
        return Ok(Err(ConfirmError::NotFound));
    };
    let current =
        feed::version::<B::Engine>(batch.connection_for(tenant)?, tenant, feed)?.unwrap_or_default();
    if !precondition.holds(Some(current)) {
        return Ok(Err(ConfirmError::VersionConflict { current }));
    }
    if run.run.state != RunState::Held {
        return Ok(Err(ConfirmError::NotHeld));
    }
    let staging = Staging { tenant, feed, run: id, number: run.staging.unwrap_or_default() };
    let compared = compare(batch, staging, &run, run.run.counts)?;
    let outcome = take_whole(batch, staging, &run, &compared, &run.validators, now, max_rejects)?;
    end_run(batch, staging, RunState::Succeeded, &outcome, now).map(Ok)
}

/// Compares what is staged with the catalog as it stands. Of `counts` the bytes and attempts are kept.
fn compare<B: PublishBatch>(
    batch: &mut B,
    staging: Staging,
    run: &StoredRun,
    counts: RunCounts,
) -> Result<Comparison, ErrorOf<B>> {
    staging.compare_again(batch, run)?;
    let mut compared = staging.compare::<B::Engine>(batch.connection_for(staging.tenant)?)?;
    compared.counts.bytes = counts.bytes;
    compared.counts.attempts = counts.attempts;
    Ok(compared)
}

/// Why the run is held, if more than `permille` thousandths of the plans in the feed would leave it.
fn too_many_leave(compared: &Comparison, permille: u16) -> Option<String> {
    let (leaving, all) = (compared.counts.plans_left_sale, compared.in_feed);
    (leaving.saturating_mul(1000) > all.saturating_mul(u64::from(permille)))
        .then(|| format!("{leaving} of the {all} plans in the feed would leave it"))
}

fn take_whole<'a, B: PublishBatch>(
    batch: &mut B,
    staging: Staging,
    run: &StoredRun,
    compared: &Comparison,
    validators: &Validators,
    now: Timestamp,
    max_rejects: u32,
) -> Result<Outcome<'a>, ErrorOf<B>> {
    let mut has_changed = compared.counts.plans_left_sale > 0 && batch.leave_feed(&staging, compared)?;
    has_changed |= batch.take_plans(&staging, compared, now, Whence::Feed)?;
    let connection = batch.connection_for(staging.tenant)?;
    staging.keep_rejects::<B>(connection, now, max_rejects)?;
    staging.note_whole::<B::Engine>(connection, run, validators)?;
    staging.note_success::<B::Engine>(connection, now)?;
    staging.note_import::<B::Engine>(connection)?;
    succeeded(batch, staging.tenant, compared.counts, has_changed)
}

/// What is told where ids that plans of the past are to keep were free when they were staged, and are not any more.
const OVERTAKEN: &str = "another feed has taken ids of these plans meanwhile: import them again";

/// What another system has kept comes in, beside what the feed has.
fn take_past<'a, B: PublishBatch>(
    batch: &mut B,
    staging: Staging,
    run: &StoredRun,
    counts: RunCounts,
    now: Timestamp,
    max_rejects: u32,
) -> Result<(RunState, Outcome<'a>), ErrorOf<B>> {
    staging.compare_again(batch, run)?;
    let connection = batch.connection_for(staging.tenant)?;
    if B::is_overtaken(connection, &staging)? {
        let detail = Some(OVERTAKEN.to_owned());
        return Ok((RunState::Failed, Outcome { counts, detail, ..Outcome::default() }));
    }
    let left = if staging.was_fetched::<B::Engine>(connection)? {
        staging.leave_changed::<B::Engine>(connection)?
    } else {
        0
    };
    let mut compared = staging.compare::<B::Engine>(connection)?;
    let RunCounts { bytes, attempts, .. } = counts;
    compared.counts = RunCounts { bytes, attempts, plans_left_sale: 0, ..compared.counts };
    let has_changed = batch.take_plans(&staging, &compared, now, Whence::Past)?;
    let connection = batch.connection_for(staging.tenant)?;
    staging.keep_rejects::<B>(connection, now, max_rejects)?;
    staging.note_import::<B::Engine>(connection)?;
    let outcome = succeeded(batch, staging.tenant, compared.counts, has_changed)?;
    Ok((RunState::Succeeded, Outcome { detail: left_as_they_are(left), ..outcome }))
}

/// What is told of plans that the catalog has with other content, and keeps.
fn left_as_they_are(plans: u64) -> Option<String> {
    (plans > 0)
        .then(|| format!("{plans} plans differ from the catalog, which is newer: they stay as they are"))
}

fn succeeded<'a, B: PublishBatch>(
    batch: &mut B,
    tenant: TenantNumber,
    counts: RunCounts,
    has_changed: bool,
) -> Result<Outcome<'a>, ErrorOf<B>> {
    let revision = match has_changed {
        true => next_revision(batch, tenant)?,
        false => revision::<B::Engine>(batch.connection_for(tenant)?, tenant)?,
    };
    Ok(Outcome { counts, catalog_revision: Some(revision.get()), ..Outcome::default() })
}

/// The run that is held, if one is, is not waited for any more.
fn supersede<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    feed: FeedId,
) -> Result<(), E::Error> {
    let Some(held) = find_in_state::<E>(connection, tenant, feed, HELD)? else { return Ok(()) };
    if let Some(staging) = held.staging {
        discard_later::<E>(connection, tenant, staging)?;
    }
    let supersede = format!(
        "UPDATE feed_runs SET state = 'superseded', staging = NULL, etag = NULL, last_modified = NULL WHERE {}",
        is_run::<E>(tenant, feed, held.run.id)
    );
    E::execute(connection, &supersede)?;
    Ok(())
}

fn end_run<B: PublishBatch>(
    batch: &mut B,
    Staging { tenant, feed, run, number }: Staging,
    state: RunState,
    outcome: &Outcome<'_>,
    now: Timestamp,
) -> Result<FeedRun, ErrorOf<B>> {
    let connection = batch.connection_for(tenant)?;
    let staging = if state == RunState::Held { number.to_string() } else { "NULL".to_owned() };
    if state != RunState::Held {
        discard_later::<B::Engine>(connection, tenant, number)?;
    }
    let counts = outcome.counts;
    let revision =
        outcome.catalog_revision.map_or_else(|| "NULL".to_owned(), |revision| revision.to_string());
    let validators = outcome.validators;
    let mut binds = Binds::<B::Engine>::new();
    let end = format!(
        "UPDATE feed_runs SET state = '{}', finished_at = {}, claimed_until = NULL, staging = {staging}, bytes = {}, \
         attempts = {}, plans_seen = {}, plans_new = {}, plans_changed = {}, plans_unchanged = {}, \
         plans_left_sale = {}, rejected = {}, catalog_revision = {revision}, detail = {}, etag = {}, last_modified = {} \
         WHERE {}",
        state.as_str(),
        binds.time_or_literal(now),
        counts.bytes,
        counts.attempts,
        counts.plans_seen,
        counts.plans_new,
        counts.plans_changed,
        counts.plans_unchanged,
        counts.plans_left_sale,
        counts.rejected,
        binds.add(Bind::Foreign(outcome.detail.as_deref())),
        binds.add(Bind::Text(validators.and_then(|validators| validators.etag.as_deref()))),
        binds.add(Bind::Text(validators.and_then(|validators| validators.last_modified.as_deref()))),
        is_run::<B::Engine>(tenant, feed, run)
    );
    binds.execute(connection, &end)?;
    let ended = find::<B::Engine>(connection, tenant, feed, run)?;
    ended.map(|stored| stored.run).ok_or_else(|| Damaged(format!("no run {run}, which has ended")).into())
}
