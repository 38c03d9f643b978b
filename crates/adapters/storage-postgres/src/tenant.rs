//! Tenants. Their erasure is in `tenant_erasure.rs`.

use async_trait::async_trait;
use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::prelude::*;
use tenantry_domain::{
    Erasure, JsonObject, NewTenant, Page, PageLimit, PastTenant, Tenant, TenantFilter, TenantName,
    TenantNumber, TenantStatus,
};
use tenantry_ports::{PastTenantOutcome, StorageError, TenantRepository, TenantUpdate, TenantWriteError};
use tenantry_storage_support::end_of_prefix;
use tenantry_storage_support::tenant::updated;

use crate::batch::{Change, WriteBatch};
use crate::claim::Claim;
use crate::error::PostgresError;
use crate::moment::{from_moment, to_moment};
use crate::schema::{tenant_counters, tenants};
use crate::storage::PostgresStorage;
use crate::tenant_erasure::erase_some;
use crate::tenant_past::create_past;

/// What a write holds while it waits, about, apart from what its administrator keeps about the tenant.
const WEIGHT: usize = 512;

#[async_trait]
impl TenantRepository for PostgresStorage {
    async fn create(&self, tenant: NewTenant) -> Result<Tenant, StorageError> {
        let weight = WEIGHT + tenant.info.as_str().len();
        // Its number is known to nobody yet: there is nothing to lock.
        let write = self.write(Claim::Installation, weight, tenant, |tenant, batch| create(batch, tenant));
        Ok(write.await?.1)
    }

    async fn create_past(&self, tenant: PastTenant) -> Result<PastTenantOutcome, StorageError> {
        let weight = WEIGHT + tenant.tenant.info.as_str().len();
        let write =
            self.write(Claim::Installation, weight, tenant, |tenant, batch| create_past(batch, tenant));
        Ok(write.await?.1)
    }

    async fn find(&self, tenant: TenantNumber) -> Result<Option<Tenant>, StorageError> {
        self.read_for(tenant, move |connection| find(connection, tenant)).await
    }

    async fn list(
        &self,
        filter: TenantFilter,
        after: Option<TenantNumber>,
        limit: PageLimit,
    ) -> Result<Page<Tenant>, StorageError> {
        self.read_for_registry(move |connection| list(connection, &filter, after, limit)).await
    }

    async fn update(
        &self,
        tenant: TenantNumber,
        expected_version: u64,
        update: TenantUpdate,
    ) -> Result<Tenant, TenantWriteError> {
        let weight = WEIGHT + update.info.as_str().len();
        let write = self.write(Claim::Tenant(tenant), weight, update, move |update, batch| {
            self::update(batch, tenant, expected_version, update)
        });
        write.await?.1
    }

    async fn deleting(&self, limit: PageLimit) -> Result<Vec<TenantNumber>, StorageError> {
        self.read_for_registry(move |connection| deleting(connection, limit)).await
    }

    async fn erase_some(&self, tenant: TenantNumber, max_rows: u32) -> Result<bool, StorageError> {
        let claim = Claim::Tenant(tenant);
        let write = self.write(claim, WEIGHT, (), move |(), batch| erase_some(batch, tenant, max_rows));
        Ok(write.await?.1)
    }
}

fn create(batch: &mut WriteBatch, tenant: &NewTenant) -> Result<Tenant, PostgresError> {
    let now = to_moment(batch.now());
    let row = batch.run_for_registry(|connection| {
        let row: TenantRow = diesel::insert_into(tenants::table)
            .values((
                tenants::name.eq(tenant.name.as_str()),
                tenants::status.eq(TenantStatus::Active.as_str()),
                tenants::tenant_info.eq(tenant.info.as_str()),
                tenants::version.eq(1_i64),
                tenants::created_at.eq(now),
                tenants::updated_at.eq(now),
            ))
            .returning(TenantRow::as_returning())
            .get_result(connection)?;
        Ok(row)
    })?;
    batch.run_for(tenant_number(row.tenant_number)?, |connection| {
        diesel::insert_into(tenant_counters::table)
            .values(tenant_counters::tenant_number.eq(row.tenant_number))
            .execute(connection)?;
        Ok(())
    })?;
    row.into_tenant()
}

pub(crate) fn find(
    connection: &mut PgConnection,
    tenant: TenantNumber,
) -> Result<Option<Tenant>, PostgresError> {
    let row: Option<TenantRow> =
        tenants::table.find(tenant.get()).select(TenantRow::as_select()).get_result(connection).optional()?;
    row.map(TenantRow::into_tenant).transpose()
}

fn list(
    connection: &mut PgConnection,
    filter: &TenantFilter,
    after: Option<TenantNumber>,
    limit: PageLimit,
) -> Result<Page<Tenant>, PostgresError> {
    // No name holds U+0000, and PostgreSQL does not even take it to compare.
    if filter.name_prefix.as_ref().is_some_and(|prefix| prefix.contains('\0')) {
        return Ok(Page { items: Vec::new(), more: false });
    }
    let mut selected = tenants::table
        .filter(tenants::tenant_number.gt(after.map_or(0, TenantNumber::get)))
        .order(tenants::tenant_number.asc())
        .limit(limit.get() as i64 + 1)
        .into_boxed();
    if let Some(status) = filter.status {
        selected = selected.filter(tenants::status.eq(status.as_str()));
    }
    if let Some(prefix) = &filter.name_prefix {
        selected = selected.filter(tenants::name.ge(prefix));
        if let Some(end) = end_of_prefix(prefix) {
            selected = selected.filter(tenants::name.lt(end));
        }
    }
    let rows: Vec<TenantRow> = selected.select(TenantRow::as_select()).load(connection)?;
    let found = rows.into_iter().map(TenantRow::into_tenant).collect::<Result<_, _>>()?;
    Ok(Page::from_one_more(found, limit))
}

fn update(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    expected_version: u64,
    update: &TenantUpdate,
) -> Result<Result<Tenant, TenantWriteError>, PostgresError> {
    let standing = batch.run_for(tenant, |connection| find(connection, tenant))?;
    let changed = match updated(standing, expected_version, update, batch.now()) {
        Ok(changed) => changed,
        Err(refused) => return Ok(Err(refused)),
    };
    batch.run_for(tenant, |connection| {
        diesel::update(tenants::table.find(tenant.get()))
            .set((
                tenants::name.eq(update.name.as_str()),
                tenants::status.eq(update.status.as_str()),
                tenants::tenant_info.eq(update.info.as_str()),
                tenants::version.eq(tenants::version + 1),
                tenants::updated_at.eq(to_moment(changed.updated_at)),
                tenants::erasure_started_at.eq(changed.erasure.map(|erasure| to_moment(erasure.started_at))),
                tenants::erased_rows
                    .eq(changed.erasure.map_or(0, |erasure| erasure.erased_rows.cast_signed())),
            ))
            .execute(connection)?;
        Ok(())
    })?;
    batch.set_open(tenant, update.status != TenantStatus::Deleting);
    batch.tell(Change::Tenant(tenant));
    Ok(Ok(changed))
}

fn deleting(connection: &mut PgConnection, limit: PageLimit) -> Result<Vec<TenantNumber>, PostgresError> {
    // The word stands in the text, not in a parameter: only so is it seen that the index fits, whatever the plan.
    let is_deleting = diesel::dsl::sql::<diesel::sql_types::Bool>("status = 'deleting'");
    let numbers: Vec<i64> = tenants::table
        .filter(is_deleting)
        .order(tenants::tenant_number.asc())
        .limit(limit.get() as i64)
        .select(tenants::tenant_number)
        .load(connection)?;
    numbers.into_iter().map(tenant_number).collect()
}

/// A row of `tenants`.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = tenants, check_for_backend(diesel::pg::Pg))]
pub(crate) struct TenantRow {
    pub(crate) tenant_number: i64,
    name: String,
    status: String,
    tenant_info: String,
    version: i64,
    created_at: PgTimestamp,
    updated_at: PgTimestamp,
    erasure_started_at: Option<PgTimestamp>,
    erased_rows: i64,
}

impl TenantRow {
    pub(crate) fn into_tenant(self) -> Result<Tenant, PostgresError> {
        let number = tenant_number(self.tenant_number)?;
        let damaged = |what: &str| PostgresError::Damaged(format!("tenant {number} with {what}"));
        let erasure = self.erasure_started_at.map(|started_at| Erasure {
            started_at: from_moment(started_at),
            erased_rows: self.erased_rows.unsigned_abs(),
        });
        Ok(Tenant {
            number,
            name: TenantName::from_stored(self.name),
            status: tenant_status(&self.status)?,
            info: JsonObject::from_stored(self.tenant_info)
                .map_err(|_| damaged("tenant_info that is no JSON"))?,
            version: self.version.unsigned_abs(),
            created_at: from_moment(self.created_at),
            updated_at: from_moment(self.updated_at),
            erasure,
        })
    }
}

/// A tenant's number, as stored.
pub(crate) fn tenant_number(number: i64) -> Result<TenantNumber, PostgresError> {
    TenantNumber::new(number).ok_or_else(|| PostgresError::Damaged(format!("the tenant number {number}")))
}

/// A tenant's status, as stored.
pub(crate) fn tenant_status(word: &str) -> Result<TenantStatus, PostgresError> {
    TenantStatus::parse(word).ok_or_else(|| PostgresError::Damaged(format!("the status {word}")))
}
