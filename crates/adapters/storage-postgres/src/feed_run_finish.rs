//! How a run ends: readers see the catalog before it, or all of it.

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Timestamptz};
use tenantry_domain::{FeedId, FeedRun, Precondition, RunCounts, RunId, RunState, TenantNumber, Timestamp};
use tenantry_ports::{ConfirmError, RunClaim, RunEnd, RunKey, Validators};
use tenantry_storage_support::feed;
use tenantry_storage_support::feed_run_row::{HELD, StoredRun, find, find_in_state, is_run};

use crate::batch::WriteBatch;
use crate::engine::Postgres;
use crate::error::PostgresError;
use crate::feed_run_claim::{Claimed, discard_later, held};
use crate::feed_run_publish::{Comparison, Staging, Whence, next_revision, revision};
use crate::literal::{Literal as _, execute, storable};
use crate::moment::to_moment;

/// How a run stands when it has come to its end.
#[derive(Debug, Default)]
struct Outcome<'a> {
    counts: RunCounts,
    detail: Option<String>,
    catalog_revision: Option<u64>,
    /// What a held run keeps until it is confirmed.
    validators: Option<&'a Validators>,
}

pub(crate) fn finish(
    batch: &mut WriteBatch,
    claim: &RunClaim,
    now: Timestamp,
    end: &RunEnd,
    counts: RunCounts,
    max_rejects: u32,
) -> Claimed<FeedRun> {
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
            note_success(batch.connection_for(tenant)?, staging, now)?;
            let standing = revision(batch.connection_for(tenant)?, tenant)?.get();
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
        RunEnd::Replayed(tried) => {
            let mut compared = compare(batch, staging, &run, counts)?;
            compared.counts.plans_left_sale = 0;
            let has_changed = staging.take_plans(batch, &compared, now, Whence::Feed)?;
            staging.note_seen(batch, &compared, now)?;
            let connection = batch.connection_for(tenant)?;
            staging.remove_tried(connection, tried)?;
            staging.keep_rejects(connection, now, max_rejects)?;
            note_import(connection, staging)?;
            (RunState::Succeeded, succeeded(batch, tenant, compared.counts, has_changed)?)
        }
        RunEnd::Past => take_past(batch, staging, &run, counts, now, max_rejects)?,
    };
    if state != RunState::Failed {
        supersede(batch.connection_for(tenant)?, tenant, feed)?;
    }
    end_run(batch, staging, state, &outcome, now).map(Ok)
}

pub(crate) fn confirm(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    feed: FeedId,
    id: RunId,
    precondition: &Precondition,
    now: Timestamp,
    max_rejects: u32,
) -> Result<Result<FeedRun, ConfirmError>, PostgresError> {
    if !batch.is_catalog_open(tenant) {
        return Ok(Err(ConfirmError::NotFound));
    }
    let Some(run) = find::<Postgres>(batch.connection_for(tenant)?, tenant, feed, id)? else {
        return Ok(Err(ConfirmError::NotFound));
    };
    let current = feed::version::<Postgres>(batch.connection_for(tenant)?, tenant, feed)?.unwrap_or_default();
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
fn compare(
    batch: &mut WriteBatch,
    staging: Staging,
    run: &StoredRun,
    counts: RunCounts,
) -> Result<Comparison, PostgresError> {
    staging.compare_again(batch, run)?;
    let mut compared = staging.compare(batch.connection_for(staging.tenant)?)?;
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

fn take_whole<'a>(
    batch: &mut WriteBatch,
    staging: Staging,
    run: &StoredRun,
    compared: &Comparison,
    validators: &Validators,
    now: Timestamp,
    max_rejects: u32,
) -> Result<Outcome<'a>, PostgresError> {
    let mut has_changed = compared.counts.plans_left_sale > 0 && staging.leave_feed(batch, compared)?;
    has_changed |= staging.take_plans(batch, compared, now, Whence::Feed)?;
    let connection = batch.connection_for(staging.tenant)?;
    staging.keep_rejects(connection, now, max_rejects)?;
    staging.note_whole(connection, run, validators)?;
    note_success(connection, staging, now)?;
    note_import(connection, staging)?;
    succeeded(batch, staging.tenant, compared.counts, has_changed)
}

/// What is told where ids that plans of the past are to keep were free when they were staged, and are not any more.
const OVERTAKEN: &str = "another feed has taken ids of these plans meanwhile: import them again";

/// What another system has kept comes in, beside what the feed has.
fn take_past<'a>(
    batch: &mut WriteBatch,
    staging: Staging,
    run: &StoredRun,
    counts: RunCounts,
    now: Timestamp,
    max_rejects: u32,
) -> Result<(RunState, Outcome<'a>), PostgresError> {
    staging.compare_again(batch, run)?;
    let connection = batch.connection_for(staging.tenant)?;
    if staging.is_overtaken(connection)? {
        let detail = Some(OVERTAKEN.to_owned());
        return Ok((RunState::Failed, Outcome { counts, detail, ..Outcome::default() }));
    }
    let left = if staging.was_fetched(connection)? { staging.leave_changed(connection)? } else { 0 };
    let mut compared = staging.compare(connection)?;
    let RunCounts { bytes, attempts, .. } = counts;
    compared.counts = RunCounts { bytes, attempts, plans_left_sale: 0, ..compared.counts };
    let has_changed = staging.take_plans(batch, &compared, now, Whence::Past)?;
    let connection = batch.connection_for(staging.tenant)?;
    staging.keep_rejects(connection, now, max_rejects)?;
    note_import(connection, staging)?;
    let outcome = succeeded(batch, staging.tenant, compared.counts, has_changed)?;
    Ok((RunState::Succeeded, Outcome { detail: left_as_they_are(left), ..outcome }))
}

/// What is told of plans that the catalog has with other content, and keeps.
fn left_as_they_are(plans: u64) -> Option<String> {
    (plans > 0)
        .then(|| format!("{plans} plans differ from the catalog, which is newer: they stay as they are"))
}

fn succeeded<'a>(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    counts: RunCounts,
    has_changed: bool,
) -> Result<Outcome<'a>, PostgresError> {
    let revision = match has_changed {
        true => next_revision(batch, tenant)?,
        false => revision(batch.connection_for(tenant)?, tenant)?,
    };
    Ok(Outcome { counts, catalog_revision: Some(revision.get()), ..Outcome::default() })
}

/// All plans in the feed were seen now.
fn note_success(
    connection: &mut PgConnection,
    staging: Staging,
    now: Timestamp,
) -> Result<(), PostgresError> {
    let note = format!(
        "UPDATE feeds SET last_success_at = greatest(last_success_at, $1) WHERE tenant_number = {} AND feed_id = {}",
        staging.tenant,
        staging.feed.literal()
    );
    diesel::sql_query(note).bind::<Timestamptz, _>(to_moment(now)).execute(connection)?;
    Ok(())
}

/// Another run that stages meanwhile has to compare again.
fn note_import(connection: &mut PgConnection, staging: Staging) -> Result<(), PostgresError> {
    let note = format!(
        "UPDATE feeds SET imports = imports + 1 WHERE tenant_number = {} AND feed_id = {}",
        staging.tenant,
        staging.feed.literal()
    );
    execute(connection, &note)?;
    Ok(())
}

/// The run that is held, if one is, is not waited for any more.
fn supersede(connection: &mut PgConnection, tenant: TenantNumber, feed: FeedId) -> Result<(), PostgresError> {
    let Some(held) = find_in_state::<Postgres>(connection, tenant, feed, HELD)? else { return Ok(()) };
    if let Some(staging) = held.staging {
        discard_later(connection, tenant, staging)?;
    }
    let supersede = format!(
        "UPDATE feed_runs SET state = 'superseded', staging = NULL, etag = NULL, last_modified = NULL WHERE {}",
        is_run::<Postgres>(tenant, feed, held.run.id)
    );
    execute(connection, &supersede)?;
    Ok(())
}

fn end_run(
    batch: &mut WriteBatch,
    Staging { tenant, feed, run, number }: Staging,
    state: RunState,
    outcome: &Outcome<'_>,
    now: Timestamp,
) -> Result<FeedRun, PostgresError> {
    let connection = batch.connection_for(tenant)?;
    let staging = if state == RunState::Held { number.to_string() } else { "NULL".to_owned() };
    if state != RunState::Held {
        discard_later(connection, tenant, number)?;
    }
    let counts = outcome.counts;
    let revision =
        outcome.catalog_revision.map_or_else(|| "NULL".to_owned(), |revision| revision.to_string());
    let end = format!(
        "UPDATE feed_runs SET state = '{}', finished_at = $1, claimed_until = NULL, staging = {staging}, bytes = {}, \
         attempts = {}, plans_seen = {}, plans_new = {}, plans_changed = {}, plans_unchanged = {}, \
         plans_left_sale = {}, rejected = {}, catalog_revision = {revision}, detail = $2, etag = $3, last_modified = $4 \
         WHERE {}",
        state.as_str(),
        counts.bytes,
        counts.attempts,
        counts.plans_seen,
        counts.plans_new,
        counts.plans_changed,
        counts.plans_unchanged,
        counts.plans_left_sale,
        counts.rejected,
        is_run::<Postgres>(tenant, feed, run)
    );
    diesel::sql_query(end)
        .bind::<Timestamptz, _>(to_moment(now))
        .bind::<Nullable<Text>, _>(outcome.detail.as_deref().map(storable))
        .bind::<Nullable<Text>, _>(outcome.validators.and_then(|validators| validators.etag.as_deref()))
        .bind::<Nullable<Text>, _>(
            outcome.validators.and_then(|validators| validators.last_modified.as_deref()),
        )
        .execute(connection)?;
    let ended = find::<Postgres>(connection, tenant, feed, run)?;
    ended
        .map(|stored| stored.run)
        .ok_or_else(|| PostgresError::Damaged(format!("no run {run}, which has ended")))
}
