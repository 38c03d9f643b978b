//! The catalog, to be read.

use async_trait::async_trait;
use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Text};
use tenantry_domain::{
    CatalogRevision, FeedId, Page, PageLimit, Plan, PlanId, PlanKey, PlanSource, PlanTitle, PlanVersion,
    ProviderId, SearchablePlan, SellMode, TenantNumber, Timestamp,
};
use tenantry_ports::{PlanRepository, SearchablePlans, StorageError};
use tenantry_storage_support::Caller;

use crate::error::SqliteError;
use crate::feed::stored_uuid;
use crate::feed_run_publish::revision;
use crate::literal::{Literal as _, number};
use crate::plan_content::{COLUMNS, ContentRow, prices, time};
use crate::schema::plans;
use crate::storage::SqliteStorage;

/// Whoever reads a whole catalog looks once in so many plans whether anybody still waits for it.
const LOOK: usize = 4096;

#[async_trait]
impl PlanRepository for SqliteStorage {
    async fn find(&self, tenant: TenantNumber, plan: PlanId) -> Result<Option<Plan>, StorageError> {
        self.read(move |connection| find(connection, tenant, plan)).await
    }

    async fn find_of(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        key: &PlanKey,
    ) -> Result<Option<Plan>, StorageError> {
        let derived = PlanId::of(feed, key);
        self.read(move |connection| find_derived(connection, tenant, derived)).await
    }

    async fn history(
        &self,
        tenant: TenantNumber,
        plan: PlanId,
        after: Option<u32>,
        limit: PageLimit,
        max_zone_bytes: u64,
    ) -> Result<Option<Page<PlanVersion>>, StorageError> {
        self.read(move |connection| history(connection, tenant, plan, after, limit, max_zone_bytes)).await
    }

    async fn version_at(
        &self,
        tenant: TenantNumber,
        plan: PlanId,
        moment: Timestamp,
    ) -> Result<Option<PlanVersion>, StorageError> {
        self.read(move |connection| version_at(connection, tenant, plan, moment)).await
    }

    async fn revision(&self, tenant: TenantNumber) -> Result<CatalogRevision, StorageError> {
        self.read(move |connection| revision(connection, tenant)).await
    }

    async fn searchable(&self, tenant: TenantNumber) -> Result<SearchablePlans, StorageError> {
        self.read_long(move |connection, caller| {
            connection.transaction(|connection| searchable(connection, tenant, caller))
        })
        .await
    }
}

/// A plan, but for its content.
#[derive(Debug, QueryableByName)]
pub(crate) struct PlanRow {
    #[diesel(sql_type = Binary)]
    id: Vec<u8>,
    #[diesel(sql_type = Binary)]
    feed_id: Vec<u8>,
    #[diesel(sql_type = Text)]
    base_plan_id: String,
    #[diesel(sql_type = Text)]
    plan_id: String,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = BigInt)]
    first_seen_at: i64,
    #[diesel(sql_type = BigInt)]
    last_seen_at: i64,
    #[diesel(sql_type = Bool)]
    in_feed: bool,
    #[diesel(embed)]
    content: ContentRow,
}

impl PlanRow {
    pub(crate) fn into_plan(self) -> Result<Plan, SqliteError> {
        let content = self.content.into_content()?;
        let key = PlanKey {
            base_plan_id: ProviderId::from_stored(self.base_plan_id),
            plan_id: ProviderId::from_stored(self.plan_id),
        };
        Ok(Plan {
            id: PlanId::new(stored_uuid(&self.id, "a plan's id")?),
            source: PlanSource { feed: FeedId::new(stored_uuid(&self.feed_id, "a feed's id")?), key },
            version: version(self.version),
            first_seen_at: Timestamp::from_micros(self.first_seen_at),
            last_seen_at: Timestamp::from_micros(self.last_seen_at),
            on_sale: self.in_feed && content.sell_mode == SellMode::Online,
            content,
        })
    }
}

/// The start of a query for plans with their newest content.
pub(crate) fn select_plans() -> String {
    format!(
        "SELECT p.id, p.feed_id, p.base_plan_id, p.plan_id, p.version, p.first_seen_at, p.in_feed, \
         CASE p.in_feed WHEN 1 THEN max(p.seen_at, coalesce(f.last_success_at, p.seen_at)) ELSE p.seen_at END \
         AS last_seen_at, {COLUMNS} FROM plans p \
         JOIN plan_versions v ON v.tenant_number = p.tenant_number AND v.id = p.id AND v.version = p.version \
         JOIN plan_contents c ON c.tenant_number = v.tenant_number AND c.staging = v.staging AND c.id = v.id \
         LEFT JOIN feeds f ON f.tenant_number = p.tenant_number AND f.feed_id = p.feed_id"
    )
}

fn find(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    plan: PlanId,
) -> Result<Option<Plan>, SqliteError> {
    let select = format!("{} WHERE p.tenant_number = {tenant} AND p.id = {}", select_plans(), plan.literal());
    let row: Option<PlanRow> = diesel::sql_query(select).get_result(connection).optional()?;
    row.map(PlanRow::into_plan).transpose()
}

/// The plan whose key that id follows from.
fn find_derived(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    derived: PlanId,
) -> Result<Option<Plan>, SqliteError> {
    let kept = format!(
        "{} WHERE p.tenant_number = {tenant} AND p.derived_id = {}",
        select_plans(),
        derived.literal()
    );
    let kept: Option<PlanRow> = diesel::sql_query(kept).get_result(connection).optional()?;
    match kept {
        Some(kept) => kept.into_plan().map(Some),
        None => find(connection, tenant, derived),
    }
}

/// A version of a plan.
#[derive(Debug, QueryableByName)]
pub(crate) struct VersionRow {
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = BigInt)]
    seen_at: i64,
    #[diesel(embed)]
    content: ContentRow,
}

impl VersionRow {
    pub(crate) fn into_version(self) -> Result<PlanVersion, SqliteError> {
        Ok(PlanVersion {
            version: version(self.version),
            seen_at: Timestamp::from_micros(self.seen_at),
            content: self.content.into_content()?,
        })
    }
}

/// The start of a query for the versions of a plan.
fn select_versions(tenant: TenantNumber, plan: PlanId) -> String {
    format!(
        "SELECT v.version, v.seen_at, {COLUMNS} FROM plan_versions v \
         JOIN plan_contents c ON c.tenant_number = v.tenant_number AND c.staging = v.staging AND c.id = v.id \
         WHERE v.tenant_number = {tenant} AND v.id = {}",
        plan.literal()
    )
}

fn history(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    plan: PlanId,
    after: Option<u32>,
    limit: PageLimit,
    max_zone_bytes: u64,
) -> Result<Option<Page<PlanVersion>>, SqliteError> {
    let is_there =
        format!("(SELECT count(*) FROM plans WHERE tenant_number = {tenant} AND id = {})", plan.literal());
    if number(connection, &is_there)? == 0 {
        return Ok(None);
    }
    let select = format!(
        "{} AND v.version < {} ORDER BY v.version DESC LIMIT {}",
        select_versions(tenant, plan),
        after.map_or(i64::MAX, i64::from),
        limit.get() + 1
    );
    let mut page = Page { items: Vec::new(), more: false };
    let mut bytes = 0_u64;
    for row in diesel::sql_query(select).load_iter::<VersionRow, DefaultLoadingMode>(connection)? {
        let is_full = !page.items.is_empty() && bytes >= max_zone_bytes;
        if is_full || page.items.len() == limit.get() {
            page.more = true;
            break;
        }
        let version = row?.into_version()?;
        bytes = bytes.saturating_add(version.content.zones.as_json().len() as u64);
        page.items.push(version);
    }
    Ok(Some(page))
}

fn version_at(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    plan: PlanId,
    moment: Timestamp,
) -> Result<Option<PlanVersion>, SqliteError> {
    let select = format!(
        "{} AND v.seen_at <= {} ORDER BY v.version DESC LIMIT 1",
        select_versions(tenant, plan),
        moment.as_micros()
    );
    let row: Option<VersionRow> = diesel::sql_query(select).get_result(connection).optional()?;
    row.map(VersionRow::into_version).transpose()
}

fn searchable(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    caller: &Caller<'_>,
) -> Result<SearchablePlans, SqliteError> {
    let revision = revision(connection, tenant)?;
    let online = plans::table
        .filter(plans::tenant_number.eq(tenant.get()))
        .filter(plans::ever_online.eq(true))
        .select((
            plans::id,
            plans::title,
            plans::starts_at,
            plans::ends_at,
            plans::min_cents,
            plans::max_cents,
        ));
    type Row = (Vec<u8>, String, i64, i64, Option<i64>, Option<i64>);
    let mut found = Vec::new();
    for row in online.load_iter::<Row, DefaultLoadingMode>(connection)? {
        if found.len() % LOOK == 0 && caller.has_gone() {
            break;
        }
        let (id, title, starts_at, ends_at, min, max) = row?;
        found.push(SearchablePlan {
            id: PlanId::new(stored_uuid(&id, "a plan's id")?),
            title: PlanTitle::from_stored(title),
            time: time(starts_at, ends_at)?,
            prices: prices(min, max)?,
        });
    }
    // An index in this order would be written anew with every import.
    found.sort_unstable_by_key(|plan| (plan.time.starts_at(), plan.id));
    Ok(SearchablePlans { revision, plans: found })
}

fn version(number: i64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
