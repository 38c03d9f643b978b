//! The catalog, to be read.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use tenantry_domain::{
    FeedId, Page, PageLimit, Plan, PlanId, PlanKey, PlanSource, PlanVersion, ProviderId, SellMode,
    TenantNumber,
};

use crate::engine::{CatalogEngine, Damaged, Engine, Load, StoredId as _};
use crate::page::bounded_page;
use crate::plan_content::{COLUMNS, ContentRow};

/// A plan, but for its content.
#[derive(QueryableByName)]
pub struct PlanRow<E: Engine> {
    #[diesel(sql_type = E::UuidType)]
    id: E::Uuid,
    #[diesel(sql_type = E::UuidType)]
    feed_id: E::Uuid,
    #[diesel(sql_type = Text)]
    base_plan_id: String,
    #[diesel(sql_type = Text)]
    plan_id: String,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = E::TimeType)]
    first_seen_at: E::Time,
    #[diesel(sql_type = E::TimeType)]
    last_seen_at: E::Time,
    #[diesel(sql_type = Bool)]
    in_feed: bool,
    #[diesel(embed)]
    content: ContentRow<E>,
}

impl<E: Engine> PlanRow<E> {
    /// The plan that it is.
    pub fn into_plan(self) -> Result<Plan, Damaged> {
        let content = self.content.into_content()?;
        let key = PlanKey {
            base_plan_id: ProviderId::from_stored(self.base_plan_id),
            plan_id: ProviderId::from_stored(self.plan_id),
        };
        Ok(Plan {
            id: PlanId::new(E::uuid(self.id, "a plan's id")?),
            source: PlanSource { feed: FeedId::new(E::uuid(self.feed_id, "a feed's id")?), key },
            version: version(self.version),
            first_seen_at: E::time(self.first_seen_at),
            last_seen_at: E::time(self.last_seen_at),
            on_sale: self.in_feed && content.sell_mode == SellMode::Online,
            content,
        })
    }
}

/// The start of a query for plans with their newest content.
fn select_plans<E: CatalogEngine>() -> String {
    format!(
        "SELECT p.id, p.feed_id, p.base_plan_id, p.plan_id, p.version, p.first_seen_at, p.in_feed, \
         {} AS last_seen_at, {COLUMNS} FROM plans p \
         JOIN plan_versions v ON v.tenant_number = p.tenant_number AND v.id = p.id AND v.version = p.version \
         JOIN plan_contents c ON c.tenant_number = v.tenant_number AND c.staging = v.staging AND c.id = v.id \
         LEFT JOIN feeds f ON f.tenant_number = p.tenant_number AND f.feed_id = p.feed_id",
        E::PLAN_SEEN_AT
    )
}

/// The plan.
pub fn find<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    plan: PlanId,
) -> Result<Option<Plan>, E::Error> {
    let select = format!(
        "{} WHERE p.tenant_number = {tenant} AND p.id = {}",
        select_plans::<E>(),
        plan.in_text::<E>()
    );
    let row: Option<PlanRow<E>> = E::first(connection, select)?;
    Ok(row.map(PlanRow::into_plan).transpose()?)
}

/// The plan whose key that id follows from.
pub fn find_derived<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    derived: PlanId,
) -> Result<Option<Plan>, E::Error> {
    let kept = format!(
        "{} WHERE p.tenant_number = {tenant} AND p.derived_id = {}",
        select_plans::<E>(),
        derived.in_text::<E>()
    );
    let kept: Option<PlanRow<E>> = E::first(connection, kept)?;
    match kept {
        Some(kept) => Ok(Some(kept.into_plan()?)),
        None => find::<E>(connection, tenant, derived),
    }
}

/// A version of a plan.
#[derive(QueryableByName)]
pub struct VersionRow<E: Engine> {
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = E::TimeType)]
    seen_at: E::Time,
    #[diesel(embed)]
    content: ContentRow<E>,
}

impl<E: Engine> VersionRow<E> {
    /// The version that it is.
    pub fn into_version(self) -> Result<PlanVersion, Damaged> {
        Ok(PlanVersion {
            version: version(self.version),
            seen_at: E::time(self.seen_at),
            content: self.content.into_content()?,
        })
    }
}

/// The start of a query for the versions of a plan.
pub fn select_versions<E: Engine>(tenant: TenantNumber, plan: PlanId) -> String {
    format!(
        "SELECT v.version, v.seen_at, {COLUMNS} FROM plan_versions v \
         JOIN plan_contents c ON c.tenant_number = v.tenant_number AND c.staging = v.staging AND c.id = v.id \
         WHERE v.tenant_number = {tenant} AND v.id = {}",
        plan.in_text::<E>()
    )
}

/// The page of the plan's versions, newest first; nothing where there is no such plan.
pub fn history<E: CatalogEngine>(
    connection: &mut E::Connection,
    tenant: TenantNumber,
    plan: PlanId,
    after: Option<u32>,
    limit: PageLimit,
    max_zone_bytes: u64,
) -> Result<Option<Page<PlanVersion>>, E::Error> {
    let is_there = format!(
        "(SELECT count(*) FROM plans WHERE tenant_number = {tenant} AND id = {})",
        plan.in_text::<E>()
    );
    if E::number(connection, &is_there)? == 0 {
        return Ok(None);
    }
    let select = format!(
        "{} AND v.version < {} ORDER BY v.version DESC LIMIT {}",
        select_versions::<E>(tenant, plan),
        after.map_or(i64::MAX, i64::from),
        limit.get() + 1
    );
    let rows = <E as Load<VersionRow<E>>>::each(connection, select)?;
    let versions = rows.map(|row| Ok(row?.into_version()?));
    bounded_page(versions, limit, max_zone_bytes, |version: &PlanVersion| {
        version.content.zones.as_json().len()
    })
    .map(Some)
}

fn version(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
