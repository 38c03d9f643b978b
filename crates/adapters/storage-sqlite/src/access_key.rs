//! Access keys of tenants and of administrators.

use async_trait::async_trait;
use diesel::prelude::*;
use tenantry_domain::{
    AccessKey, AccessKeyName, KeyHash, KeyId, KeyOwner, Page, PageLimit, ScopeSet, TenantNumber, Timestamp,
};
use tenantry_ports::{AccessGrant, AccessKeyRepository, AccessKeyWriteError, KeyPosition, StorageError};

use crate::batch::{Change, WriteBatch};
use crate::counters::Which;
use crate::error::SqliteError;
use crate::schema::{admin_keys, tenant_keys, tenants};
use crate::storage::SqliteStorage;
use crate::tenant::{tenant_number, tenant_status};

/// What a write holds while it waits, about.
const WEIGHT: usize = 512;

#[async_trait]
impl AccessKeyRepository for SqliteStorage {
    async fn insert(&self, tenant: TenantNumber, key: AccessKey) -> Result<(), AccessKeyWriteError> {
        if key.owner != KeyOwner::Tenant(tenant) {
            let refused = format!("the key {} is not one of tenant {tenant}", key.id);
            return Err(StorageError::Failed(refused).into());
        }
        let write = self.write(WEIGHT, key, move |key, batch| insert(batch, tenant, key));
        if write.await?.1 { Ok(()) } else { Err(AccessKeyWriteError::TenantNotFound) }
    }

    async fn list(
        &self,
        tenant: TenantNumber,
        after: Option<KeyPosition>,
        limit: PageLimit,
    ) -> Result<Page<AccessKey>, StorageError> {
        self.read(move |connection| list(connection, tenant, after, limit)).await
    }

    async fn revoke(&self, tenant: TenantNumber, key: KeyId) -> Result<bool, StorageError> {
        Ok(self.write(WEIGHT, key, move |key, batch| revoke(batch, tenant, *key)).await?.1)
    }

    async fn find_grant(&self, key: KeyId) -> Result<Option<AccessGrant>, StorageError> {
        self.find_access(key).await
    }

    async fn record_use(&self, uses: Vec<(KeyId, Timestamp)>) -> Result<(), StorageError> {
        let weight = WEIGHT + uses.len() * size_of::<(KeyId, Timestamp)>();
        self.write(weight, uses, |uses, batch| record_use(batch, uses)).await.map(drop)
    }

    async fn insert_first_admin_key(&self, key: AccessKey) -> Result<bool, StorageError> {
        if key.owner != KeyOwner::Admin {
            return Err(StorageError::Failed(format!("the key {} is not an administrator's", key.id)));
        }
        Ok(self.write(WEIGHT, key, |key, batch| insert_first_admin_key(batch, key)).await?.1)
    }

    async fn has_admin_key(&self) -> Result<bool, StorageError> {
        self.read(has_admin_key).await
    }
}

fn insert(batch: &mut WriteBatch, tenant: TenantNumber, key: &AccessKey) -> Result<bool, SqliteError> {
    if batch.counters(tenant, Which::Open)?.is_none() {
        return Ok(false);
    }
    diesel::insert_into(tenant_keys::table)
        .values((
            tenant_keys::tenant_number.eq(tenant.get()),
            tenant_keys::key_id.eq(key.id.as_str()),
            tenant_keys::hash.eq(&key.hash.as_bytes()[..]),
            tenant_keys::name.eq(key.name.as_str()),
            tenant_keys::scopes.eq(key.scopes.to_line()),
            tenant_keys::created_at.eq(key.created_at.as_micros()),
            tenant_keys::expires_at.eq(key.expires_at.map(Timestamp::as_micros)),
            tenant_keys::last_used_at.eq(key.last_used_at.map(Timestamp::as_micros)),
        ))
        .execute(&mut batch.connection)?;
    batch.tell(Change::AccessKey(key.id));
    Ok(true)
}

pub(crate) fn list(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    after: Option<KeyPosition>,
    limit: PageLimit,
) -> Result<Page<AccessKey>, SqliteError> {
    let mut selected = tenant_keys::table
        .filter(tenant_keys::tenant_number.eq(tenant.get()))
        .order((tenant_keys::created_at.asc(), tenant_keys::key_id.asc()))
        .limit(limit.get() as i64 + 1)
        .into_boxed();
    if let Some(KeyPosition { created_at, id }) = after {
        let created_at = created_at.as_micros();
        selected = selected.filter(tenant_keys::created_at.ge(created_at)).filter(
            tenant_keys::created_at.gt(created_at).or(tenant_keys::key_id.gt(id.as_str().to_owned())),
        );
    }
    let rows: Vec<KeyRow> = selected.select(KeyRow::as_select()).load(connection)?;
    let owner = KeyOwner::Tenant(tenant);
    let keys = rows.into_iter().map(|row| row.into_key(owner)).collect::<Result<_, _>>()?;
    Ok(Page::from_one_more(keys, limit))
}

fn revoke(batch: &mut WriteBatch, tenant: TenantNumber, key: KeyId) -> Result<bool, SqliteError> {
    let row = tenant_keys::table
        .filter(tenant_keys::tenant_number.eq(tenant.get()))
        .filter(tenant_keys::key_id.eq(key.as_str()));
    if diesel::delete(row).execute(&mut batch.connection)? == 0 {
        return Ok(false);
    }
    batch.tell(Change::AccessKey(key));
    Ok(true)
}

pub(crate) fn find_grant(
    connection: &mut SqliteConnection,
    key: KeyId,
) -> Result<Option<AccessGrant>, SqliteError> {
    let of_tenant: Option<(KeyRow, i64, String)> = tenant_keys::table
        .inner_join(tenants::table)
        .filter(tenant_keys::key_id.eq(key.as_str()))
        .select((KeyRow::as_select(), tenants::tenant_number, tenants::status))
        .get_result(connection)
        .optional()?;
    if let Some((row, number, status)) = of_tenant {
        let key = row.into_key(KeyOwner::Tenant(tenant_number(number)?))?;
        return Ok(Some(AccessGrant { key, tenant_status: Some(tenant_status(&status)?) }));
    }
    let of_admin: Option<KeyRow> = admin_keys::table
        .find(key.as_str())
        .select((
            admin_keys::key_id,
            admin_keys::hash,
            admin_keys::name,
            admin_keys::scopes,
            admin_keys::created_at,
            admin_keys::expires_at,
            admin_keys::last_used_at,
        ))
        .get_result(connection)
        .optional()?;
    let Some(row) = of_admin else { return Ok(None) };
    Ok(Some(AccessGrant { key: row.into_key(KeyOwner::Admin)?, tenant_status: None }))
}

fn record_use(batch: &mut WriteBatch, uses: &[(KeyId, Timestamp)]) -> Result<(), SqliteError> {
    for (key, used_at) in uses {
        let used_at = used_at.as_micros();
        let of_tenant = tenant_keys::table
            .filter(tenant_keys::key_id.eq(key.as_str()))
            .filter(tenant_keys::last_used_at.is_null().or(tenant_keys::last_used_at.lt(used_at)));
        diesel::update(of_tenant)
            .set(tenant_keys::last_used_at.eq(used_at))
            .execute(&mut batch.connection)?;
        let of_admin = admin_keys::table
            .filter(admin_keys::key_id.eq(key.as_str()))
            .filter(admin_keys::last_used_at.is_null().or(admin_keys::last_used_at.lt(used_at)));
        diesel::update(of_admin).set(admin_keys::last_used_at.eq(used_at)).execute(&mut batch.connection)?;
    }
    Ok(())
}

fn insert_first_admin_key(batch: &mut WriteBatch, key: &AccessKey) -> Result<bool, SqliteError> {
    if has_admin_key(&mut batch.connection)? {
        return Ok(false);
    }
    diesel::insert_into(admin_keys::table)
        .values((
            admin_keys::key_id.eq(key.id.as_str()),
            admin_keys::hash.eq(&key.hash.as_bytes()[..]),
            admin_keys::name.eq(key.name.as_str()),
            admin_keys::scopes.eq(key.scopes.to_line()),
            admin_keys::created_at.eq(key.created_at.as_micros()),
            admin_keys::expires_at.eq(key.expires_at.map(Timestamp::as_micros)),
            admin_keys::last_used_at.eq(key.last_used_at.map(Timestamp::as_micros)),
        ))
        .execute(&mut batch.connection)?;
    batch.tell(Change::AccessKey(key.id));
    Ok(true)
}

fn has_admin_key(connection: &mut SqliteConnection) -> Result<bool, SqliteError> {
    Ok(diesel::select(diesel::dsl::exists(admin_keys::table.select(admin_keys::key_id)))
        .get_result(connection)?)
}

/// What the rows of `tenant_keys` and `admin_keys` have in common.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = tenant_keys, check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct KeyRow {
    key_id: String,
    hash: Vec<u8>,
    name: String,
    scopes: String,
    created_at: i64,
    expires_at: Option<i64>,
    last_used_at: Option<i64>,
}

impl KeyRow {
    pub(crate) fn into_key(self, owner: KeyOwner) -> Result<AccessKey, SqliteError> {
        let damaged = |what: &str| SqliteError::Damaged(format!("an access key with {what}"));
        let hash = self.hash.try_into().map_err(|_| damaged("a hash that is none"))?;
        Ok(AccessKey {
            id: KeyId::parse(&self.key_id).ok_or_else(|| damaged("an id that is none"))?,
            owner,
            name: AccessKeyName::from_stored(self.name),
            scopes: ScopeSet::from_line(&self.scopes),
            hash: KeyHash::from_stored(hash),
            created_at: Timestamp::from_micros(self.created_at),
            expires_at: self.expires_at.map(Timestamp::from_micros),
            last_used_at: self.last_used_at.map(Timestamp::from_micros),
        })
    }
}
