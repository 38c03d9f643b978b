//! The catalog, to be read.

use async_trait::async_trait;
use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use tenantry_domain::{
    CatalogRevision, FeedId, Page, PageLimit, Plan, PlanId, PlanKey, PlanTitle, PlanVersion, SearchablePlan,
    TenantNumber, Timestamp,
};
use tenantry_ports::{PlanRepository, SearchablePlans, StorageError};
use tenantry_storage_support::Caller;
use tenantry_storage_support::engine::Engine as _;
use tenantry_storage_support::feed_run_publish::revision;
use tenantry_storage_support::plan::{self, VersionRow, select_versions};
use tenantry_storage_support::plan_content::{prices, time};

use crate::engine::Sqlite;
use crate::error::SqliteError;
use crate::schema::plans;
use crate::storage::SqliteStorage;

/// Whoever reads a whole catalog looks once in so many plans whether anybody still waits for it.
const LOOK: usize = 4096;

#[async_trait]
impl PlanRepository for SqliteStorage {
    async fn find(&self, tenant: TenantNumber, plan: PlanId) -> Result<Option<Plan>, StorageError> {
        self.read(move |connection| plan::find::<Sqlite>(connection, tenant, plan)).await
    }

    async fn find_of(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        key: &PlanKey,
    ) -> Result<Option<Plan>, StorageError> {
        let derived = PlanId::of(feed, key);
        self.read(move |connection| plan::find_derived::<Sqlite>(connection, tenant, derived)).await
    }

    async fn history(
        &self,
        tenant: TenantNumber,
        plan: PlanId,
        after: Option<u32>,
        limit: PageLimit,
        max_zone_bytes: u64,
    ) -> Result<Option<Page<PlanVersion>>, StorageError> {
        self.read(move |connection| {
            plan::history::<Sqlite>(connection, tenant, plan, after, limit, max_zone_bytes)
        })
        .await
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
        self.read(move |connection| revision::<Sqlite>(connection, tenant)).await
    }

    async fn searchable(&self, tenant: TenantNumber) -> Result<SearchablePlans, StorageError> {
        self.read_long(move |connection, caller| {
            connection.transaction(|connection| searchable(connection, tenant, caller))
        })
        .await
    }
}

fn version_at(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    plan: PlanId,
    moment: Timestamp,
) -> Result<Option<PlanVersion>, SqliteError> {
    let select = format!(
        "{} AND v.seen_at <= {} ORDER BY v.version DESC LIMIT 1",
        select_versions::<Sqlite>(tenant, plan),
        moment.as_micros()
    );
    let row: Option<VersionRow<Sqlite>> = diesel::sql_query(select).get_result(connection).optional()?;
    Ok(row.map(VersionRow::into_version).transpose()?)
}

fn searchable(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    caller: &Caller<'_>,
) -> Result<SearchablePlans, SqliteError> {
    let revision = revision::<Sqlite>(connection, tenant)?;
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
            id: PlanId::new(Sqlite::uuid(id, "a plan's id")?),
            title: PlanTitle::from_stored(title),
            time: time::<Sqlite>(starts_at, ends_at)?,
            prices: prices(min, max)?,
        });
    }
    // An index in this order would be written anew with every import.
    found.sort_unstable_by_key(|plan| (plan.time.starts_at(), plan.id));
    Ok(SearchablePlans { revision, plans: found })
}
