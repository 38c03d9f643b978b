//! A run as it is stored.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use tenantry_domain::{
    CatalogRevision, FeedId, FeedRun, Page, PageLimit, RunCounts, RunId, RunState, RunTrigger, TenantNumber,
    Timestamp,
};
use tenantry_ports::Validators;

use crate::engine::{CatalogBatch, CatalogEngine, Damaged, Engine, ErrorOf, StoredId as _};
use crate::feed;

/// A row of `feed_runs`, its tenant left out.
#[derive(QueryableByName)]
pub struct RunRow<E: Engine> {
    #[diesel(sql_type = E::UuidType)]
    feed_id: E::Uuid,
    #[diesel(sql_type = E::UuidType)]
    run_id: E::Uuid,
    #[diesel(sql_type = Text)]
    cause: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = E::TimeType)]
    queued_at: E::Time,
    #[diesel(sql_type = Nullable<E::TimeType>)]
    started_at: Option<E::Time>,
    #[diesel(sql_type = Nullable<E::TimeType>)]
    finished_at: Option<E::Time>,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = BigInt)]
    attempts: i64,
    #[diesel(sql_type = BigInt)]
    plans_seen: i64,
    #[diesel(sql_type = BigInt)]
    plans_new: i64,
    #[diesel(sql_type = BigInt)]
    plans_changed: i64,
    #[diesel(sql_type = BigInt)]
    plans_unchanged: i64,
    #[diesel(sql_type = BigInt)]
    plans_left_sale: i64,
    #[diesel(sql_type = BigInt)]
    rejected: i64,
    #[diesel(sql_type = Nullable<Text>)]
    detail: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    catalog_revision: Option<i64>,
    #[diesel(sql_type = BigInt)]
    claim_number: i64,
    #[diesel(sql_type = Nullable<E::TimeType>)]
    claimed_until: Option<E::Time>,
    #[diesel(sql_type = Nullable<BigInt>)]
    staging: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    feed_version: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    feed_imports: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    etag: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    last_modified: Option<String>,
}

/// A run, and what only storage knows of it.
#[derive(Debug)]
pub struct StoredRun {
    /// The run.
    pub run: FeedRun,
    /// Of the claim that was taken last.
    pub claim_number: u32,
    /// Until when that claim holds, by the clock that claims go by.
    pub claimed_until: Option<Timestamp>,
    /// Under which number its rows are staged, while it has any.
    pub staging: Option<i64>,
    /// Its feed's version when it began to stage.
    pub feed_version: Option<i64>,
    /// How many imports its feed had then.
    pub feed_imports: Option<i64>,
    /// What the provider said of its answer, while it is held.
    pub validators: Validators,
}

impl<E: Engine> RunRow<E> {
    /// The run that it is.
    pub fn into_stored(self) -> Result<StoredRun, Damaged> {
        let id = RunId::new(E::uuid(self.run_id, "a run's id")?);
        let damaged = |what: &str| Damaged(format!("a run ({id}) with {what}"));
        let small = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
        let counts = RunCounts {
            bytes: self.bytes.unsigned_abs(),
            attempts: small(self.attempts),
            plans_seen: self.plans_seen.unsigned_abs(),
            plans_new: self.plans_new.unsigned_abs(),
            plans_changed: self.plans_changed.unsigned_abs(),
            plans_unchanged: self.plans_unchanged.unsigned_abs(),
            plans_left_sale: self.plans_left_sale.unsigned_abs(),
            rejected: self.rejected.unsigned_abs(),
        };
        let run = FeedRun {
            id,
            feed: FeedId::new(E::uuid(self.feed_id, "a feed's id")?),
            trigger: RunTrigger::parse(&self.cause).ok_or_else(|| damaged("a cause that is none"))?,
            state: RunState::parse(&self.state).ok_or_else(|| damaged("a state that is none"))?,
            queued_at: E::time(self.queued_at),
            started_at: self.started_at.map(E::time),
            finished_at: self.finished_at.map(E::time),
            counts,
            detail: self.detail,
            catalog_revision: self.catalog_revision.map(catalog_revision).transpose()?,
        };
        Ok(StoredRun {
            run,
            claim_number: small(self.claim_number),
            claimed_until: self.claimed_until.map(E::time),
            staging: self.staging,
            feed_version: self.feed_version,
            feed_imports: self.feed_imports,
            validators: Validators { etag: self.etag, last_modified: self.last_modified },
        })
    }
}

/// Which row of `feed_runs` a run is.
pub fn is_run<E: Engine>(tenant: TenantNumber, feed: FeedId, run: RunId) -> String {
    format!(
        "tenant_number = {tenant} AND feed_id = {} AND run_id = {}",
        feed.in_text::<E>(),
        run.in_text::<E>()
    )
}

/// The run.
pub fn find<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    feed: FeedId,
    run: RunId,
) -> Result<Option<StoredRun>, E::Error> {
    let select = format!("SELECT * FROM feed_runs WHERE {}", is_run::<E>(tenant, feed, run));
    let row: Option<RunRow<E>> = E::first(connection, select)?;
    Ok(row.map(RunRow::into_stored).transpose()?)
}

/// The feed's run that has not ended, or the one that is held.
pub fn find_in_state<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    feed: FeedId,
    states: &str,
) -> Result<Option<StoredRun>, E::Error> {
    let select = format!(
        "SELECT * FROM feed_runs WHERE tenant_number = {tenant} AND feed_id = {} AND {states}",
        feed.in_text::<E>()
    );
    let row: Option<RunRow<E>> = E::first(connection, select)?;
    Ok(row.map(RunRow::into_stored).transpose()?)
}

/// The page of the feed's runs, newest first; nothing where there is no such feed.
pub fn list<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    feed: FeedId,
    after: Option<RunId>,
    limit: PageLimit,
) -> Result<Option<Page<FeedRun>>, E::Error> {
    if feed::version::<E>(connection, tenant, feed)?.is_none() {
        return Ok(None);
    }
    let behind = after.map(|after| format!("AND run_id < {}", after.in_text::<E>())).unwrap_or_default();
    let select = format!(
        "SELECT * FROM feed_runs WHERE tenant_number = {tenant} AND feed_id = {} {behind} \
         ORDER BY run_id DESC LIMIT {}",
        feed.in_text::<E>(),
        limit.get() + 1
    );
    let rows: Vec<RunRow<E>> = E::load(connection, select)?;
    let runs = rows.into_iter().map(|row| Ok(row.into_stored()?.run)).collect::<Result<_, Damaged>>()?;
    Ok(Some(Page::from_one_more(runs, limit)))
}

/// Removes all but the last `keep` of the feed's runs that have ended. Answers how many those were.
pub fn prune<B: CatalogBatch>(
    batch: &mut B,
    tenant: TenantNumber,
    feed: FeedId,
    keep: u32,
) -> Result<u32, ErrorOf<B>> {
    if !batch.is_catalog_open(tenant)? {
        return Ok(0);
    }
    let ended = format!(
        "tenant_number = {tenant} AND feed_id = {} AND state NOT IN ('queued', 'running', 'held')",
        feed.in_text::<B::Engine>()
    );
    let prune = format!(
        "DELETE FROM feed_runs WHERE {ended} AND run_id IN \
         (SELECT run_id FROM feed_runs WHERE {ended} ORDER BY run_id DESC {} {keep})",
        B::Engine::BEHIND
    );
    Ok(u32::try_from(B::Engine::execute(batch.connection_for(tenant)?, &prune)?).unwrap_or(u32::MAX))
}

/// The state of runs that have not ended, in the words of the index of them.
pub const OPEN: &str = "state IN ('queued', 'running')";
/// As [`OPEN`], of the one that is held.
pub const HELD: &str = "state = 'held'";

/// A catalog's revision, as stored.
pub fn catalog_revision(number: i64) -> Result<CatalogRevision, Damaged> {
    u64::try_from(number)
        .ok()
        .and_then(CatalogRevision::new)
        .ok_or_else(|| Damaged(format!("the catalog's revision {number}")))
}
