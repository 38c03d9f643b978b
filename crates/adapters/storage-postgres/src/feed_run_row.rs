//! A run as it is stored.

use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tenantry_domain::{
    CatalogRevision, FeedId, FeedRun, RunCounts, RunId, RunState, RunTrigger, TenantNumber,
};
use tenantry_ports::Validators;
use uuid::Uuid;

use crate::error::PostgresError;
use crate::literal::Literal as _;
use crate::moment::from_moment;

/// A row of `feed_runs`, its tenant left out.
#[derive(Debug, QueryableByName)]
pub(crate) struct RunRow {
    #[diesel(sql_type = SqlUuid)]
    feed_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    run_id: Uuid,
    #[diesel(sql_type = Text)]
    cause: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = Timestamptz)]
    queued_at: PgTimestamp,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    started_at: Option<PgTimestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_at: Option<PgTimestamp>,
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
pub(crate) struct StoredRun {
    pub(crate) run: FeedRun,
    pub(crate) claim_number: u32,
    /// Under which number its rows are staged, while it has any.
    pub(crate) staging: Option<i64>,
    /// Its feed's version and imports when it began to stage.
    pub(crate) feed_version: Option<i64>,
    pub(crate) feed_imports: Option<i64>,
    /// What the provider said of its answer, while it is held.
    pub(crate) validators: Validators,
}

impl RunRow {
    pub(crate) fn into_stored(self) -> Result<StoredRun, PostgresError> {
        let id = RunId::new(self.run_id);
        let damaged = |what: &str| PostgresError::Damaged(format!("a run ({id}) with {what}"));
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
            feed: FeedId::new(self.feed_id),
            trigger: RunTrigger::parse(&self.cause).ok_or_else(|| damaged("a cause that is none"))?,
            state: RunState::parse(&self.state).ok_or_else(|| damaged("a state that is none"))?,
            queued_at: from_moment(self.queued_at),
            started_at: self.started_at.map(from_moment),
            finished_at: self.finished_at.map(from_moment),
            counts,
            detail: self.detail,
            catalog_revision: self.catalog_revision.map(catalog_revision).transpose()?,
        };
        Ok(StoredRun {
            run,
            claim_number: small(self.claim_number),
            staging: self.staging,
            feed_version: self.feed_version,
            feed_imports: self.feed_imports,
            validators: Validators { etag: self.etag, last_modified: self.last_modified },
        })
    }
}

/// Which row of `feed_runs` a run is.
pub(crate) fn is_run(tenant: TenantNumber, feed: FeedId, run: RunId) -> String {
    format!("tenant_number = {tenant} AND feed_id = {} AND run_id = {}", feed.literal(), run.literal())
}

/// The run.
pub(crate) fn find(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    feed: FeedId,
    run: RunId,
) -> Result<Option<StoredRun>, PostgresError> {
    let select = format!("SELECT * FROM feed_runs WHERE {}", is_run(tenant, feed, run));
    let row: Option<RunRow> = diesel::sql_query(select).get_result(connection).optional()?;
    row.map(RunRow::into_stored).transpose()
}

/// The feed's run that has not ended, or the one that is held.
pub(crate) fn find_in_state(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    feed: FeedId,
    states: &str,
) -> Result<Option<StoredRun>, PostgresError> {
    let select = format!(
        "SELECT * FROM feed_runs WHERE tenant_number = {tenant} AND feed_id = {} AND {states}",
        feed.literal()
    );
    let row: Option<RunRow> = diesel::sql_query(select).get_result(connection).optional()?;
    row.map(RunRow::into_stored).transpose()
}

/// The state of runs that have not ended, in the words of the index of them.
pub(crate) const OPEN: &str = "state IN ('queued', 'running')";
/// As [`OPEN`], of the one that is held.
pub(crate) const HELD: &str = "state = 'held'";

/// A catalog's revision, as stored.
pub(crate) fn catalog_revision(number: i64) -> Result<CatalogRevision, PostgresError> {
    u64::try_from(number)
        .ok()
        .and_then(CatalogRevision::new)
        .ok_or_else(|| PostgresError::Damaged(format!("the catalog's revision {number}")))
}
