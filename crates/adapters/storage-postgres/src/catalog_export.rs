//! Reading a tenant's catalog whole, to carry it to another storage.

use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text, Timestamptz, Uuid as SqlUuid};
use tenantry_domain::{FeedId, PlanId, PlanKey, PlanSource, ProviderId, TenantNumber};
use tenantry_ports::{CatalogPosition, CatalogRow, ExportBound};
use uuid::Uuid;

use crate::error::PostgresError;
use crate::feed::FeedRow;
use crate::feed_reject::RejectRow;
use crate::feed_run_row::RunRow;
use crate::literal::Literal as _;
use crate::moment::from_moment;
use crate::plan::VersionRow;
use crate::plan_content::COLUMNS;

/// Runs that have ended and are not held.
pub(crate) const ENDED: &str = "state NOT IN ('queued', 'running', 'held')";

/// The tables, in the order of their positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Table {
    Feeds,
    Runs,
    Rejects,
    Versions,
    Plans,
}

impl Table {
    const ALL: [Self; 5] = [Self::Feeds, Self::Runs, Self::Rejects, Self::Versions, Self::Plans];

    fn of(position: CatalogPosition) -> Self {
        match position {
            CatalogPosition::Feed(_) => Self::Feeds,
            CatalogPosition::Run(..) => Self::Runs,
            CatalogPosition::Reject(..) => Self::Rejects,
            CatalogPosition::Version(..) => Self::Versions,
            CatalogPosition::Plan(_) => Self::Plans,
        }
    }
}

/// The condition that a row stands behind that position of its table.
fn behind(after: Option<CatalogPosition>) -> String {
    match after {
        None => "TRUE".to_owned(),
        Some(CatalogPosition::Feed(feed)) => format!("feed_id > {}", feed.literal()),
        Some(CatalogPosition::Run(feed, run)) => {
            format!("(feed_id, run_id) > ({}, {})", feed.literal(), run.literal())
        }
        Some(CatalogPosition::Reject(feed, reject)) => {
            format!("(feed_id, reject_id) > ({}, {})", feed.literal(), reject.literal())
        }
        Some(CatalogPosition::Version(plan, version)) => {
            format!("(v.id, v.version) > ({}, {version})", plan.literal())
        }
        Some(CatalogPosition::Plan(plan)) => format!("id > {}", plan.literal()),
    }
}

/// The page of rows behind `after`: of its table, or of the next one that has any.
pub(crate) fn catalog(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    after: Option<CatalogPosition>,
    bound: ExportBound,
) -> Result<Vec<CatalogRow>, PostgresError> {
    let first = after.map_or(Table::Feeds, Table::of);
    for table in Table::ALL.into_iter().filter(|table| *table >= first) {
        let behind = behind(after.filter(|after| Table::of(*after) == table));
        let rows = read(connection, tenant, table, &behind, bound)?;
        if !rows.is_empty() {
            return Ok(rows);
        }
    }
    Ok(Vec::new())
}

fn read(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    table: Table,
    behind: &str,
    bound: ExportBound,
) -> Result<Vec<CatalogRow>, PostgresError> {
    let limit = bound.rows;
    match table {
        Table::Feeds => {
            let select = format!(
                "SELECT * FROM feeds WHERE tenant_number = {tenant} AND {behind} ORDER BY feed_id LIMIT {limit}"
            );
            page(connection, &select, bound, |row: FeedRow| {
                let (feed, validators) = row.into_feed()?;
                Ok(CatalogRow::Feed(feed, validators))
            })
        }
        Table::Runs => {
            let select = format!(
                "SELECT * FROM feed_runs WHERE tenant_number = {tenant} AND {ENDED} AND {behind} \
                 ORDER BY feed_id, run_id LIMIT {limit}"
            );
            page(connection, &select, bound, |row: RunRow| Ok(CatalogRow::Run(row.into_stored()?.run)))
        }
        Table::Rejects => {
            let select = format!(
                "SELECT r.*, t.raw FROM feed_rejects r JOIN reject_texts t USING (tenant_number, staging, reject_id) \
                 WHERE tenant_number = {tenant} AND {behind} ORDER BY feed_id, reject_id LIMIT {limit}"
            );
            page(connection, &select, bound, |row: FeedRejectRow| {
                let feed = FeedId::new(row.feed_id);
                Ok(CatalogRow::Reject(feed, row.reject.into_reject()?))
            })
        }
        Table::Versions => {
            let select = format!(
                "SELECT v.id, v.version, v.seen_at, {COLUMNS} FROM plan_versions v JOIN plan_contents c \
                 ON c.tenant_number = v.tenant_number AND c.staging = v.staging AND c.id = v.id \
                 WHERE v.tenant_number = {tenant} AND {behind} ORDER BY v.id, v.version LIMIT {limit}"
            );
            page(connection, &select, bound, |row: PlanVersionRow| {
                let plan = PlanId::new(row.id);
                Ok(CatalogRow::Version(plan, row.version.into_version()?))
            })
        }
        Table::Plans => {
            let select = format!(
                "SELECT id, feed_id, base_plan_id, plan_id, in_feed, seen_at FROM plans \
                 WHERE tenant_number = {tenant} AND {behind} ORDER BY id LIMIT {limit}"
            );
            page(connection, &select, bound, MovedPlanRow::into_row)
        }
    }
}

fn page<R>(
    connection: &mut PgConnection,
    select: &str,
    bound: ExportBound,
    into_row: impl Fn(R) -> Result<CatalogRow, PostgresError>,
) -> Result<Vec<CatalogRow>, PostgresError>
where
    R: QueryableByName<diesel::pg::Pg> + 'static,
{
    let (mut page, mut bytes) = (Vec::new(), 0_u64);
    // Row by row: what is behind the bound is never held in memory.
    for row in diesel::sql_query(select).load_iter::<R, PgRowByRowLoadingMode>(connection)? {
        let row = into_row(row?)?;
        bytes = bytes.saturating_add(row.bytes() as u64);
        page.push(row);
        if bytes >= bound.bytes {
            break;
        }
    }
    Ok(page)
}

#[derive(Debug, QueryableByName)]
struct FeedRejectRow {
    #[diesel(sql_type = SqlUuid)]
    feed_id: Uuid,
    #[diesel(embed)]
    reject: RejectRow,
}

#[derive(Debug, QueryableByName)]
struct PlanVersionRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(embed)]
    version: VersionRow,
}

#[derive(Debug, QueryableByName)]
struct MovedPlanRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    feed_id: Uuid,
    #[diesel(sql_type = Text)]
    base_plan_id: String,
    #[diesel(sql_type = Text)]
    plan_id: String,
    #[diesel(sql_type = Bool)]
    in_feed: bool,
    #[diesel(sql_type = Timestamptz)]
    seen_at: PgTimestamp,
}

impl MovedPlanRow {
    fn into_row(self) -> Result<CatalogRow, PostgresError> {
        let key = PlanKey {
            base_plan_id: ProviderId::from_stored(self.base_plan_id),
            plan_id: ProviderId::from_stored(self.plan_id),
        };
        Ok(CatalogRow::Plan {
            id: PlanId::new(self.id),
            source: PlanSource { feed: FeedId::new(self.feed_id), key },
            in_feed: self.in_feed,
            seen_at: from_moment(self.seen_at),
        })
    }
}
