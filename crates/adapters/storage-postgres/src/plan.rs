//! The catalog, to be read.

use async_trait::async_trait;
use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tenantry_domain::{
    CatalogRevision, FeedId, Page, PageLimit, Plan, PlanId, PlanKey, PlanTitle, PlanVersion, SearchablePlan,
    TenantNumber, Timestamp,
};
use tenantry_ports::{PlanRepository, SearchablePlans, StorageError};
use tenantry_storage_support::feed_run_publish::revision;
use tenantry_storage_support::plan::{self, VersionRow, select_versions};
use tenantry_storage_support::plan_content::{prices, time};
use uuid::Uuid;

use crate::engine::Postgres;
use crate::error::PostgresError;
use crate::literal::Literal as _;
use crate::moment::to_moment;
use crate::storage::{PostgresStorage, Turn};

/// How many plans are read at once: between two chunks it is looked whether anybody still waits for the catalog.
const CHUNK: usize = 8192;

#[async_trait]
impl PlanRepository for PostgresStorage {
    async fn find(&self, tenant: TenantNumber, plan: PlanId) -> Result<Option<Plan>, StorageError> {
        self.read_for(tenant, move |connection| plan::find::<Postgres>(connection, tenant, plan)).await
    }

    async fn find_of(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        key: &PlanKey,
    ) -> Result<Option<Plan>, StorageError> {
        let derived = PlanId::of(feed, key);
        self.read_for(tenant, move |connection| plan::find_derived::<Postgres>(connection, tenant, derived))
            .await
    }

    async fn history(
        &self,
        tenant: TenantNumber,
        plan: PlanId,
        after: Option<u32>,
        limit: PageLimit,
        max_zone_bytes: u64,
    ) -> Result<Option<Page<PlanVersion>>, StorageError> {
        self.read_for(tenant, move |connection| {
            plan::history::<Postgres>(connection, tenant, plan, after, limit, max_zone_bytes)
        })
        .await
    }

    async fn version_at(
        &self,
        tenant: TenantNumber,
        plan: PlanId,
        moment: Timestamp,
    ) -> Result<Option<PlanVersion>, StorageError> {
        self.read_for(tenant, move |connection| version_at(connection, tenant, plan, moment)).await
    }

    async fn revision(&self, tenant: TenantNumber) -> Result<CatalogRevision, StorageError> {
        self.read_for(tenant, move |connection| revision::<Postgres>(connection, tenant)).await
    }

    async fn searchable(&self, tenant: TenantNumber) -> Result<SearchablePlans, StorageError> {
        self.read_long(tenant, move |connection, turn| searchable(connection, tenant, turn)).await
    }
}

fn version_at(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    plan: PlanId,
    moment: Timestamp,
) -> Result<Option<PlanVersion>, PostgresError> {
    let select = format!(
        "{} AND v.seen_at <= $1 ORDER BY v.version DESC LIMIT 1",
        select_versions::<Postgres>(tenant, plan)
    );
    let row: Option<VersionRow<Postgres>> = diesel::sql_query(select)
        .bind::<Timestamptz, _>(to_moment(moment))
        .get_result(connection)
        .optional()?;
    Ok(row.map(VersionRow::into_version).transpose()?)
}

/// What a search needs of a plan.
#[derive(Debug, QueryableByName)]
struct SearchableRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Timestamptz)]
    starts_at: PgTimestamp,
    #[diesel(sql_type = Timestamptz)]
    ends_at: PgTimestamp,
    #[diesel(sql_type = Nullable<BigInt>)]
    min_cents: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    max_cents: Option<i64>,
}

fn searchable(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    turn: &Turn<'_>,
) -> Result<SearchablePlans, PostgresError> {
    let revision = revision::<Postgres>(connection, tenant)?;
    let mut found: Vec<SearchablePlan> = Vec::new();
    let mut last = None;
    loop {
        let behind = last.map(|last: PlanId| format!("AND id > {}", last.literal())).unwrap_or_default();
        let select = format!(
            "SELECT id, title, starts_at, ends_at, min_cents, max_cents FROM plans \
             WHERE tenant_number = {tenant} AND ever_online {behind} ORDER BY id LIMIT {CHUNK}"
        );
        let rows: Vec<SearchableRow> = diesel::sql_query(select).load(connection)?;
        let is_last = rows.len() < CHUNK;
        for row in rows {
            found.push(SearchablePlan {
                id: PlanId::new(row.id),
                title: PlanTitle::from_stored(row.title),
                time: time::<Postgres>(row.starts_at, row.ends_at)?,
                prices: prices(row.min_cents, row.max_cents)?,
            });
        }
        if is_last || turn.is_over() {
            break;
        }
        last = found.last().map(|plan| plan.id);
    }
    // An index in this order would be written anew with every import.
    found.sort_unstable_by_key(|plan| (plan.time.starts_at(), plan.id));
    Ok(SearchablePlans { revision, plans: found })
}
