//! Reading a tenant's catalog whole, to carry it to another storage.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use tenantry_domain::{FeedId, PlanId, PlanKey, PlanSource, ProviderId, TenantNumber};
use tenantry_ports::{CatalogPosition, CatalogRow, ExportBound};

use crate::engine::{CatalogEngine, Damaged, Engine, Load, StoredId as _};
use crate::feed::FeedRow;
use crate::feed_reject::RejectRow;
use crate::feed_run_row::RunRow;
use crate::plan::VersionRow;
use crate::plan_content::COLUMNS;

/// Runs that have ended and are not held.
pub const ENDED: &str = "state NOT IN ('queued', 'running', 'held')";

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
fn behind<E: Engine>(after: Option<CatalogPosition>) -> String {
    match after {
        None => "TRUE".to_owned(),
        Some(CatalogPosition::Feed(feed)) => format!("feed_id > {}", feed.in_text::<E>()),
        Some(CatalogPosition::Run(feed, run)) => {
            format!("(feed_id, run_id) > ({}, {})", feed.in_text::<E>(), run.in_text::<E>())
        }
        Some(CatalogPosition::Reject(feed, reject)) => {
            format!("(feed_id, reject_id) > ({}, {})", feed.in_text::<E>(), reject.in_text::<E>())
        }
        Some(CatalogPosition::Version(plan, version)) => {
            format!("(v.id, v.version) > ({}, {version})", plan.in_text::<E>())
        }
        Some(CatalogPosition::Plan(plan)) => format!("id > {}", plan.in_text::<E>()),
    }
}

/// The page of rows behind `after`: of its table, or of the next one that has any.
pub fn catalog<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    after: Option<CatalogPosition>,
    bound: ExportBound,
) -> Result<Vec<CatalogRow>, E::Error> {
    let first = after.map_or(Table::Feeds, Table::of);
    for table in Table::ALL.into_iter().filter(|table| *table >= first) {
        let behind = behind::<E>(after.filter(|after| Table::of(*after) == table));
        let rows = read::<E>(connection, tenant, table, &behind, bound)?;
        if !rows.is_empty() {
            return Ok(rows);
        }
    }
    Ok(Vec::new())
}

fn read<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    table: Table,
    behind: &str,
    bound: ExportBound,
) -> Result<Vec<CatalogRow>, E::Error> {
    let limit = bound.rows;
    match table {
        Table::Feeds => {
            let select = format!(
                "SELECT * FROM feeds WHERE tenant_number = {tenant} AND {behind} ORDER BY feed_id LIMIT {limit}"
            );
            page::<E, _>(connection, select, bound, |row: FeedRow<E>| {
                let (feed, validators) = row.into_feed()?;
                Ok(CatalogRow::Feed(feed, validators))
            })
        }
        Table::Runs => {
            let select = format!(
                "SELECT * FROM feed_runs WHERE tenant_number = {tenant} AND {ENDED} AND {behind} \
                 ORDER BY feed_id, run_id LIMIT {limit}"
            );
            page::<E, _>(connection, select, bound, |row: RunRow<E>| {
                Ok(CatalogRow::Run(row.into_stored()?.run))
            })
        }
        Table::Rejects => {
            let select = format!(
                "SELECT r.*, t.raw FROM feed_rejects r JOIN reject_texts t USING (tenant_number, staging, reject_id) \
                 WHERE tenant_number = {tenant} AND {behind} ORDER BY feed_id, reject_id LIMIT {limit}"
            );
            page::<E, _>(connection, select, bound, |row: FeedRejectRow<E>| {
                let feed = FeedId::new(E::uuid(row.feed_id, "a feed's id")?);
                Ok(CatalogRow::Reject(feed, row.reject.into_reject()?))
            })
        }
        Table::Versions => {
            let select = format!(
                "SELECT v.id, v.version, v.seen_at, {COLUMNS} FROM plan_versions v JOIN plan_contents c \
                 ON c.tenant_number = v.tenant_number AND c.staging = v.staging AND c.id = v.id \
                 WHERE v.tenant_number = {tenant} AND {behind} ORDER BY v.id, v.version LIMIT {limit}"
            );
            page::<E, _>(connection, select, bound, |row: PlanVersionRow<E>| {
                let plan = PlanId::new(E::uuid(row.id, "a plan's id")?);
                Ok(CatalogRow::Version(plan, row.version.into_version()?))
            })
        }
        Table::Plans => {
            let select = format!(
                "SELECT id, feed_id, base_plan_id, plan_id, in_feed, seen_at FROM plans \
                 WHERE tenant_number = {tenant} AND {behind} ORDER BY id LIMIT {limit}"
            );
            page::<E, _>(connection, select, bound, MovedPlanRow::<E>::into_row)
        }
    }
}

fn page<E: Load<R>, R>(
    connection: &mut E::Connection,
    select: String,
    bound: ExportBound,
    into_row: impl Fn(R) -> Result<CatalogRow, Damaged>,
) -> Result<Vec<CatalogRow>, E::Error> {
    let (mut page, mut bytes) = (Vec::new(), 0_u64);
    for row in E::each(connection, select)? {
        let row = into_row(row?)?;
        bytes = bytes.saturating_add(row.bytes() as u64);
        page.push(row);
        if page.len() >= bound.rows as usize || bytes >= bound.bytes {
            break;
        }
    }
    Ok(page)
}

/// A row of `feed_rejects`, with its feed.
#[derive(QueryableByName)]
pub struct FeedRejectRow<E: Engine> {
    #[diesel(sql_type = E::UuidType)]
    feed_id: E::Uuid,
    #[diesel(embed)]
    reject: RejectRow<E>,
}

/// A version, with its plan.
#[derive(QueryableByName)]
pub struct PlanVersionRow<E: Engine> {
    #[diesel(sql_type = E::UuidType)]
    id: E::Uuid,
    #[diesel(embed)]
    version: VersionRow<E>,
}

/// A row of `plans`, without what follows from its versions.
#[derive(QueryableByName)]
pub struct MovedPlanRow<E: Engine> {
    #[diesel(sql_type = E::UuidType)]
    id: E::Uuid,
    #[diesel(sql_type = E::UuidType)]
    feed_id: E::Uuid,
    #[diesel(sql_type = Text)]
    base_plan_id: String,
    #[diesel(sql_type = Text)]
    plan_id: String,
    #[diesel(sql_type = Bool)]
    in_feed: bool,
    #[diesel(sql_type = E::TimeType)]
    seen_at: E::Time,
}

impl<E: Engine> MovedPlanRow<E> {
    fn into_row(self) -> Result<CatalogRow, Damaged> {
        let key = PlanKey {
            base_plan_id: ProviderId::from_stored(self.base_plan_id),
            plan_id: ProviderId::from_stored(self.plan_id),
        };
        Ok(CatalogRow::Plan {
            id: PlanId::new(E::uuid(self.id, "a plan's id")?),
            source: PlanSource { feed: FeedId::new(E::uuid(self.feed_id, "a feed's id")?), key },
            in_feed: self.in_feed,
            seen_at: E::time(self.seen_at),
        })
    }
}
