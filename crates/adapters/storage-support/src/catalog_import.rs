//! Writing a tenant's catalog that was read from another storage.
//!
//! Contents and texts stand under the numbers of stagings, of which there are none here: what was moved gets numbers
//! below zero, which none is given.

use tenantry_domain::{
    CatalogRevision, FeedId, FeedRun, PlanId, PlanSource, PlanVersion, Reject, TenantNumber, Timestamp,
};
use tenantry_ports::CatalogRow;

use crate::bind::{Bind, Binds};
use crate::engine::{CatalogEngine, StoredId as _};
use crate::feed;

/// Under which number the texts of rejects stand that were moved.
const TEXTS: i64 = -1;

/// Stores a row as it was, unless it is there.
pub fn store<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    row: &CatalogRow,
) -> Result<(), E::Error> {
    match row {
        CatalogRow::Feed(feed, validators) => {
            feed::insert::<E>(connection, tenant, feed, validators, "ON CONFLICT DO NOTHING")
        }
        CatalogRow::Run(run) => store_run::<E>(connection, tenant, run),
        CatalogRow::Reject(feed, reject) => store_reject::<E>(connection, tenant, *feed, reject),
        CatalogRow::Version(plan, version) => store_version::<E>(connection, tenant, *plan, version),
        CatalogRow::Plan { id, source, in_feed, seen_at } => {
            store_plan::<E>(connection, tenant, *id, source, *in_feed, *seen_at)
        }
    }
}

/// Gives the catalog the revision that it had.
pub fn store_revision<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    revision: CatalogRevision,
) -> Result<(), E::Error> {
    let store = format!(
        "INSERT INTO catalogs (tenant_number, revision) VALUES ({tenant}, {revision}) ON CONFLICT DO NOTHING"
    );
    E::execute(connection, &store)?;
    Ok(())
}

fn store_run<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    run: &FeedRun,
) -> Result<(), E::Error> {
    let counts = run.counts;
    let mut binds = Binds::<E>::new();
    let store = format!(
        "INSERT INTO feed_runs (tenant_number, feed_id, run_id, cause, state, queued_at, started_at, finished_at, \
         bytes, attempts, plans_seen, plans_new, plans_changed, plans_unchanged, plans_left_sale, rejected, detail, \
         catalog_revision) VALUES ({tenant}, {}, {}, '{}', '{}', {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}) \
         ON CONFLICT DO NOTHING",
        run.feed.in_text::<E>(),
        run.id.in_text::<E>(),
        run.trigger.as_str(),
        run.state.as_str(),
        binds.time(run.queued_at),
        binds.add(Bind::Time(run.started_at)),
        binds.add(Bind::Time(run.finished_at)),
        counts.bytes,
        counts.attempts,
        counts.plans_seen,
        counts.plans_new,
        counts.plans_changed,
        counts.plans_unchanged,
        counts.plans_left_sale,
        counts.rejected,
        binds.add(Bind::Foreign(run.detail.as_deref())),
        binds.add(Bind::Number(run.catalog_revision.map(|revision| revision.get().cast_signed())))
    );
    binds.execute(connection, &store)?;
    Ok(())
}

fn store_reject<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    feed: FeedId,
    reject: &Reject,
) -> Result<(), E::Error> {
    let record = &reject.record;
    let mut binds = Binds::<E>::new();
    let store = format!(
        "INSERT INTO feed_rejects (tenant_number, feed_id, reject_id, run_id, first_seen_at, last_seen_at, \
         place_offset, base_plan_id, plan_id, code, detail, staging) \
         VALUES ({tenant}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {TEXTS}) ON CONFLICT DO NOTHING",
        feed.in_text::<E>(),
        reject.id.in_text::<E>(),
        reject.run.in_text::<E>(),
        binds.time(reject.first_seen_at),
        binds.time(reject.last_seen_at),
        binds.number(i64::try_from(record.place.offset).unwrap_or(i64::MAX)),
        binds.add(Bind::Foreign(record.place.base_plan_id.as_deref())),
        binds.add(Bind::Foreign(record.place.plan_id.as_deref())),
        binds.text(record.reason.code.as_str()),
        binds.foreign(&record.reason.detail)
    );
    binds.execute(connection, &store)?;
    E::store_text(connection, tenant, TEXTS, reject.id, &record.raw)
}

fn store_version<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    plan: PlanId,
    version: &PlanVersion,
) -> Result<(), E::Error> {
    let staging = -i64::from(version.version);
    E::store_content(connection, tenant, staging, plan, &version.content)?;
    let digest = version.content.digest();
    let mut binds = Binds::<E>::new();
    let store = format!(
        "INSERT INTO plan_versions (tenant_number, id, version, seen_at, digest, staging) \
         VALUES ({tenant}, {}, {}, {}, {}, {staging}) ON CONFLICT DO NOTHING",
        plan.in_text::<E>(),
        version.version,
        binds.time(version.seen_at),
        binds.add(Bind::Bytes(&digest))
    );
    binds.execute(connection, &store)?;
    Ok(())
}

/// Stores a plan, with what follows from its versions, which are there.
fn store_plan<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    plan: PlanId,
    source: &PlanSource,
    in_feed: bool,
    seen_at: Timestamp,
) -> Result<(), E::Error> {
    let derived = PlanId::of(source.feed, &source.key);
    let mut binds = Binds::<E>::new();
    let store = format!(
        "INSERT INTO plans (tenant_number, id, derived_id, feed_id, base_plan_id, plan_id, version, digest, title, \
         starts_at, ends_at, min_cents, max_cents, is_online, ever_online, in_feed, first_seen_at, seen_at) \
         SELECT {tenant}, v.id, {}, {}, {}, {}, v.version, v.digest, c.title, c.starts_at, c.ends_at, c.min_cents, \
         c.max_cents, c.sell_mode = 'online', EXISTS (SELECT 1 FROM plan_contents d \
         JOIN plan_versions w USING (tenant_number, staging, id) \
         WHERE w.tenant_number = {tenant} AND w.id = v.id AND d.sell_mode = 'online'), {}, \
         (SELECT min(w.seen_at) FROM plan_versions w WHERE w.tenant_number = {tenant} AND w.id = v.id), {} \
         FROM plan_versions v JOIN plan_contents c USING (tenant_number, staging, id) \
         WHERE v.tenant_number = {tenant} AND v.id = {} ORDER BY v.version DESC LIMIT 1 ON CONFLICT DO NOTHING",
        if derived == plan { "NULL".to_owned() } else { derived.in_text::<E>() },
        source.feed.in_text::<E>(),
        binds.text(source.key.base_plan_id.as_str()),
        binds.text(source.key.plan_id.as_str()),
        binds.add(Bind::Flag(in_feed)),
        binds.time(seen_at),
        plan.in_text::<E>()
    );
    binds.execute(connection, &store)?;
    Ok(())
}
