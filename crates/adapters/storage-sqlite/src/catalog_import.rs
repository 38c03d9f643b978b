//! Writing a tenant's catalog that was read from another storage.
//!
//! Contents and texts stand under the numbers of stagings, of which there are none here: what was moved gets numbers
//! below zero, which none is given.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use tenantry_domain::{
    CatalogRevision, FeedId, FeedRun, PlanId, PlanSource, PlanVersion, Reject, TenantNumber, Timestamp,
};
use tenantry_ports::CatalogRow;

use crate::error::SqliteError;
use crate::feed;
use crate::feed_run_stage::{insert_content, insert_text};
use crate::literal::{Literal as _, execute};

/// Under which number the texts of rejects stand that were moved.
const TEXTS: i64 = -1;

/// Stores a row as it was, unless it is there.
pub(crate) fn store(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    row: &CatalogRow,
) -> Result<(), SqliteError> {
    match row {
        CatalogRow::Feed(feed, validators) => {
            feed::insert(connection, tenant, feed, validators, "ON CONFLICT DO NOTHING")
        }
        CatalogRow::Run(run) => store_run(connection, tenant, run),
        CatalogRow::Reject(feed, reject) => store_reject(connection, tenant, *feed, reject),
        CatalogRow::Version(plan, version) => store_version(connection, tenant, *plan, version),
        CatalogRow::Plan { id, source, in_feed, seen_at } => {
            store_plan(connection, tenant, *id, source, *in_feed, *seen_at)
        }
    }
}

/// Gives the catalog the revision that it had.
pub(crate) fn store_revision(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    revision: CatalogRevision,
) -> Result<(), SqliteError> {
    let store = format!(
        "INSERT INTO catalogs (tenant_number, revision) VALUES ({tenant}, {revision}) ON CONFLICT DO NOTHING"
    );
    execute(connection, &store)?;
    Ok(())
}

fn store_run(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    run: &FeedRun,
) -> Result<(), SqliteError> {
    let counts = run.counts;
    let store = format!(
        "INSERT INTO feed_runs (tenant_number, feed_id, run_id, cause, state, queued_at, started_at, finished_at, \
         bytes, attempts, plans_seen, plans_new, plans_changed, plans_unchanged, plans_left_sale, rejected, detail, \
         catalog_revision) VALUES ({tenant}, {}, {}, '{}', '{}', ?, ?, ?, {}, {}, {}, {}, {}, {}, {}, {}, ?, ?) \
         ON CONFLICT DO NOTHING",
        run.feed.literal(),
        run.id.literal(),
        run.trigger.as_str(),
        run.state.as_str(),
        counts.bytes,
        counts.attempts,
        counts.plans_seen,
        counts.plans_new,
        counts.plans_changed,
        counts.plans_unchanged,
        counts.plans_left_sale,
        counts.rejected
    );
    diesel::sql_query(store)
        .bind::<BigInt, _>(run.queued_at.as_micros())
        .bind::<Nullable<BigInt>, _>(run.started_at.map(Timestamp::as_micros))
        .bind::<Nullable<BigInt>, _>(run.finished_at.map(Timestamp::as_micros))
        .bind::<Nullable<Text>, _>(run.detail.as_deref())
        .bind::<Nullable<BigInt>, _>(run.catalog_revision.map(|revision| revision.get().cast_signed()))
        .execute(connection)?;
    Ok(())
}

fn store_reject(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    feed: FeedId,
    reject: &Reject,
) -> Result<(), SqliteError> {
    let record = &reject.record;
    let store = format!(
        "INSERT INTO feed_rejects (tenant_number, feed_id, reject_id, run_id, first_seen_at, last_seen_at, \
         place_offset, base_plan_id, plan_id, code, detail, staging) \
         VALUES ({tenant}, {}, {}, {}, ?, ?, ?, ?, ?, ?, ?, {TEXTS}) ON CONFLICT DO NOTHING",
        feed.literal(),
        reject.id.literal(),
        reject.run.literal()
    );
    diesel::sql_query(store)
        .bind::<BigInt, _>(reject.first_seen_at.as_micros())
        .bind::<BigInt, _>(reject.last_seen_at.as_micros())
        .bind::<BigInt, _>(i64::try_from(record.place.offset).unwrap_or(i64::MAX))
        .bind::<Nullable<Text>, _>(record.place.base_plan_id.as_deref())
        .bind::<Nullable<Text>, _>(record.place.plan_id.as_deref())
        .bind::<Text, _>(record.reason.code.as_str())
        .bind::<Text, _>(record.reason.detail.as_str())
        .execute(connection)?;
    insert_text(connection, tenant.get(), TEXTS, reject.id, &record.raw)
}

fn store_version(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    plan: PlanId,
    version: &PlanVersion,
) -> Result<(), SqliteError> {
    let staging = -i64::from(version.version);
    insert_content(connection, tenant, staging, plan, &version.content)?;
    let store = format!(
        "INSERT INTO plan_versions (tenant_number, id, version, seen_at, digest, staging) \
         VALUES ({tenant}, {}, {}, ?, ?, {staging}) ON CONFLICT DO NOTHING",
        plan.literal(),
        version.version
    );
    diesel::sql_query(store)
        .bind::<BigInt, _>(version.seen_at.as_micros())
        .bind::<Binary, _>(&version.content.digest()[..])
        .execute(connection)?;
    Ok(())
}

/// Stores a plan, with what follows from its versions, which are there.
fn store_plan(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    plan: PlanId,
    source: &PlanSource,
    in_feed: bool,
    seen_at: Timestamp,
) -> Result<(), SqliteError> {
    let derived = PlanId::of(source.feed, &source.key);
    let store = format!(
        "INSERT INTO plans (tenant_number, id, derived_id, feed_id, base_plan_id, plan_id, version, digest, title, \
         starts_at, ends_at, min_cents, max_cents, is_online, ever_online, in_feed, first_seen_at, seen_at) \
         SELECT {tenant}, v.id, {}, {}, ?, ?, v.version, v.digest, c.title, c.starts_at, c.ends_at, c.min_cents, \
         c.max_cents, c.sell_mode = 'online', EXISTS (SELECT 1 FROM plan_contents d \
         JOIN plan_versions w USING (tenant_number, staging, id) \
         WHERE w.tenant_number = {tenant} AND w.id = v.id AND d.sell_mode = 'online'), ?, \
         (SELECT min(w.seen_at) FROM plan_versions w WHERE w.tenant_number = {tenant} AND w.id = v.id), ? \
         FROM plan_versions v JOIN plan_contents c USING (tenant_number, staging, id) \
         WHERE v.tenant_number = {tenant} AND v.id = {} ORDER BY v.version DESC LIMIT 1 ON CONFLICT DO NOTHING",
        if derived == plan { "NULL".to_owned() } else { derived.literal() },
        source.feed.literal(),
        plan.literal()
    );
    diesel::sql_query(store)
        .bind::<Text, _>(source.key.base_plan_id.as_str())
        .bind::<Text, _>(source.key.plan_id.as_str())
        .bind::<Bool, _>(in_feed)
        .bind::<BigInt, _>(seen_at.as_micros())
        .execute(connection)?;
    Ok(())
}
