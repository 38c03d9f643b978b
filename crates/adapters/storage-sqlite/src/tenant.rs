//! Tenants. Their erasure is in `tenant_erasure.rs`.

use async_trait::async_trait;
use diesel::prelude::*;
use tenantry_domain::{
    Erasure, JsonObject, NewTenant, Page, PageLimit, PastTenant, Tenant, TenantFilter, TenantName,
    TenantNumber, TenantStatus, Timestamp,
};
use tenantry_ports::{PastTenantOutcome, StorageError, TenantRepository, TenantUpdate, TenantWriteError};
use tenantry_storage_support::end_of_prefix;
use tenantry_storage_support::tenant::updated;

use crate::batch::{Change, WriteBatch};
use crate::error::SqliteError;
use crate::schema::{tenant_counters, tenants};
use crate::storage::SqliteStorage;
use crate::tenant_erasure::{erase_some, is_retired};

/// What a write holds while it waits, about, apart from what its administrator keeps about the tenant.
const WEIGHT: usize = 512;

#[async_trait]
impl TenantRepository for SqliteStorage {
    async fn create(&self, tenant: NewTenant) -> Result<Tenant, StorageError> {
        let write =
            self.write(WEIGHT + tenant.info.as_str().len(), tenant, |tenant, batch| create(batch, tenant));
        Ok(write.await?.1)
    }

    async fn create_past(&self, tenant: PastTenant) -> Result<PastTenantOutcome, StorageError> {
        let weight = WEIGHT + tenant.tenant.info.as_str().len();
        let write = self.write(weight, tenant, |tenant, batch| create_past(batch, tenant));
        Ok(write.await?.1)
    }

    async fn find(&self, tenant: TenantNumber) -> Result<Option<Tenant>, StorageError> {
        self.read(move |connection| find(connection, tenant)).await
    }

    async fn list(
        &self,
        filter: TenantFilter,
        after: Option<TenantNumber>,
        limit: PageLimit,
    ) -> Result<Page<Tenant>, StorageError> {
        self.read(move |connection| list(connection, &filter, after, limit)).await
    }

    async fn update(
        &self,
        tenant: TenantNumber,
        expected_version: u64,
        update: TenantUpdate,
    ) -> Result<Tenant, TenantWriteError> {
        let weight = WEIGHT + update.info.as_str().len();
        let write = self.write(weight, update, move |update, batch| {
            self::update(batch, tenant, expected_version, update)
        });
        write.await?.1
    }

    async fn deleting(&self, limit: PageLimit) -> Result<Vec<TenantNumber>, StorageError> {
        self.read(move |connection| deleting(connection, limit)).await
    }

    async fn erase_some(&self, tenant: TenantNumber, max_rows: u32) -> Result<bool, StorageError> {
        let write = self.write(WEIGHT, (), move |(), batch| erase_some(batch, tenant, max_rows));
        Ok(write.await?.1)
    }
}

fn create(batch: &mut WriteBatch, tenant: &NewTenant) -> Result<Tenant, SqliteError> {
    let now = batch.now().as_micros();
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
        .get_result(&mut batch.connection)?;
    diesel::insert_into(tenant_counters::table)
        .values(tenant_counters::tenant_number.eq(row.tenant_number))
        .execute(&mut batch.connection)?;
    row.into_tenant()
}

/// AUTOINCREMENT goes on behind a number that was brought along.
fn create_past(batch: &mut WriteBatch, past: &PastTenant) -> Result<PastTenantOutcome, SqliteError> {
    if let Some(held) = find(&mut batch.connection, past.number)? {
        return Ok(PastTenantOutcome::Held(held));
    }
    if is_retired(&mut batch.connection, past.number)? {
        return Ok(PastTenantOutcome::Retired);
    }
    let (created_at, updated_at) = past.times(batch.now());
    let row: TenantRow = diesel::insert_into(tenants::table)
        .values((
            tenants::tenant_number.eq(past.number.get()),
            tenants::name.eq(past.tenant.name.as_str()),
            tenants::status.eq(TenantStatus::Active.as_str()),
            tenants::tenant_info.eq(past.tenant.info.as_str()),
            tenants::version.eq(1_i64),
            tenants::created_at.eq(created_at.as_micros()),
            tenants::updated_at.eq(updated_at.as_micros()),
        ))
        .returning(TenantRow::as_returning())
        .get_result(&mut batch.connection)?;
    diesel::insert_into(tenant_counters::table)
        .values(tenant_counters::tenant_number.eq(row.tenant_number))
        .execute(&mut batch.connection)?;
    Ok(PastTenantOutcome::Created(row.into_tenant()?))
}

pub(crate) fn find(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
) -> Result<Option<Tenant>, SqliteError> {
    let row: Option<TenantRow> =
        tenants::table.find(tenant.get()).select(TenantRow::as_select()).get_result(connection).optional()?;
    row.map(TenantRow::into_tenant).transpose()
}

fn list(
    connection: &mut SqliteConnection,
    filter: &TenantFilter,
    after: Option<TenantNumber>,
    limit: PageLimit,
) -> Result<Page<Tenant>, SqliteError> {
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
) -> Result<Result<Tenant, TenantWriteError>, SqliteError> {
    let standing = find(&mut batch.connection, tenant)?;
    let changed = match updated(standing, expected_version, update, batch.now()) {
        Ok(changed) => changed,
        Err(refused) => return Ok(Err(refused)),
    };
    batch.flush_counters_of(tenant)?;
    diesel::update(tenants::table.find(tenant.get()))
        .set((
            tenants::name.eq(update.name.as_str()),
            tenants::status.eq(update.status.as_str()),
            tenants::tenant_info.eq(update.info.as_str()),
            tenants::version.eq(tenants::version + 1),
            tenants::updated_at.eq(changed.updated_at.as_micros()),
            tenants::erasure_started_at.eq(changed.erasure.map(|erasure| erasure.started_at.as_micros())),
            tenants::erased_rows.eq(changed.erasure.map_or(0, |erasure| erasure.erased_rows.cast_signed())),
        ))
        .execute(&mut batch.connection)?;
    batch.tell(Change::Tenant(tenant));
    Ok(Ok(changed))
}

fn deleting(connection: &mut SqliteConnection, limit: PageLimit) -> Result<Vec<TenantNumber>, SqliteError> {
    // The word stands in the text, not in a parameter: only so does SQLite see that its index fits.
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
#[diesel(table_name = tenants, check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct TenantRow {
    tenant_number: i64,
    name: String,
    status: String,
    tenant_info: String,
    version: i64,
    created_at: i64,
    updated_at: i64,
    erasure_started_at: Option<i64>,
    erased_rows: i64,
}

impl TenantRow {
    pub(crate) fn into_tenant(self) -> Result<Tenant, SqliteError> {
        let number = tenant_number(self.tenant_number)?;
        let damaged = |what: &str| SqliteError::Damaged(format!("tenant {number} with {what}"));
        let erasure = self.erasure_started_at.map(|started_at| Erasure {
            started_at: Timestamp::from_micros(started_at),
            erased_rows: self.erased_rows.unsigned_abs(),
        });
        Ok(Tenant {
            number,
            name: TenantName::from_stored(self.name),
            status: tenant_status(&self.status)?,
            info: JsonObject::from_stored(self.tenant_info)
                .map_err(|_| damaged("tenant_info that is no JSON"))?,
            version: self.version.unsigned_abs(),
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
            erasure,
        })
    }
}

/// A tenant's number, as stored.
pub(crate) fn tenant_number(number: i64) -> Result<TenantNumber, SqliteError> {
    TenantNumber::new(number).ok_or_else(|| SqliteError::Damaged(format!("the tenant number {number}")))
}

/// A tenant's status, as stored.
pub(crate) fn tenant_status(word: &str) -> Result<TenantStatus, SqliteError> {
    TenantStatus::parse(word).ok_or_else(|| SqliteError::Damaged(format!("the status {word}")))
}
