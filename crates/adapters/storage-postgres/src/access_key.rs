//! Access keys of tenants and of administrators.

use std::collections::HashMap;
use std::marker::PhantomData;

use async_trait::async_trait;
use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text, Timestamptz};
use tenantry_domain::{
    AccessKey, AccessKeyName, KeyHash, KeyId, KeyOwner, Page, PageLimit, ScopeSet, TenantNumber, Timestamp,
};
use tenantry_ports::{AccessGrant, AccessKeyRepository, AccessKeyWriteError, KeyPosition, StorageError};

use crate::batch::{Change, WriteBatch};
use crate::claim::Claim;
use crate::error::PostgresError;
use crate::event::not_asked;
use crate::moment::{from_moment, to_moment};
use crate::schema::{admin_keys, tenant_keys};
use crate::static_query::static_query;
use crate::storage::PostgresStorage;
use crate::tenant::{tenant_number, tenant_status};

/// What a write holds while it waits, about.
const WEIGHT: usize = 512;

#[async_trait]
impl AccessKeyRepository for PostgresStorage {
    async fn insert(&self, tenant: TenantNumber, key: AccessKey) -> Result<(), AccessKeyWriteError> {
        if key.owner != KeyOwner::Tenant(tenant) {
            let refused = format!("the key {} is not one of tenant {tenant}", key.id);
            return Err(StorageError::Failed(refused).into());
        }
        let claim = Claim::Tenant(tenant);
        let write = self.write(claim, WEIGHT, key, move |key, batch| insert(batch, tenant, key));
        if write.await?.1 { Ok(()) } else { Err(AccessKeyWriteError::TenantNotFound) }
    }

    async fn list(
        &self,
        tenant: TenantNumber,
        after: Option<KeyPosition>,
        limit: PageLimit,
    ) -> Result<Page<AccessKey>, StorageError> {
        self.read_for(tenant, move |connection| list(connection, tenant, after, limit)).await
    }

    async fn revoke(&self, tenant: TenantNumber, key: KeyId) -> Result<bool, StorageError> {
        let claim = Claim::Tenant(tenant);
        Ok(self.write(claim, WEIGHT, key, move |key, batch| revoke(batch, tenant, *key)).await?.1)
    }

    async fn find_grant(&self, key: KeyId) -> Result<Option<AccessGrant>, StorageError> {
        self.find_access(key).await
    }

    async fn record_use(&self, uses: Vec<(KeyId, Timestamp)>) -> Result<(), StorageError> {
        let weight = WEIGHT + uses.len() * size_of::<(KeyId, Timestamp)>();
        let write = self.write(Claim::Installation, weight, uses, |uses, batch| {
            batch.run(|connection| record_use(connection, uses))
        });
        write.await.map(drop)
    }

    async fn insert_first_admin_key(&self, key: AccessKey) -> Result<bool, StorageError> {
        if key.owner != KeyOwner::Admin {
            return Err(StorageError::Failed(format!("the key {} is not an administrator's", key.id)));
        }
        let insert = |key: &AccessKey, batch: &mut WriteBatch| insert_first_admin_key(batch, key);
        Ok(self.write(Claim::Installation, WEIGHT, key, insert).await?.1)
    }

    async fn has_admin_key(&self) -> Result<bool, StorageError> {
        self.read(has_admin_key).await
    }
}

fn insert(batch: &mut WriteBatch, tenant: TenantNumber, key: &AccessKey) -> Result<bool, PostgresError> {
    if !batch.is_open(tenant) {
        return Ok(false);
    }
    batch.run_for(tenant, |connection| {
        diesel::insert_into(tenant_keys::table)
            .values((
                tenant_keys::tenant_number.eq(tenant.get()),
                tenant_keys::key_id.eq(key.id.as_str()),
                tenant_keys::hash.eq(&key.hash.as_bytes()[..]),
                tenant_keys::name.eq(key.name.as_str()),
                tenant_keys::scopes.eq(key.scopes.to_line()),
                tenant_keys::created_at.eq(to_moment(key.created_at)),
                tenant_keys::expires_at.eq(key.expires_at.map(to_moment)),
                tenant_keys::last_used_at.eq(key.last_used_at.map(to_moment)),
            ))
            .execute(connection)?;
        Ok(())
    })?;
    batch.tell(Change::AccessKey(key.id));
    Ok(true)
}

pub(crate) fn list(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    after: Option<KeyPosition>,
    limit: PageLimit,
) -> Result<Page<AccessKey>, PostgresError> {
    let mut selected = tenant_keys::table
        .filter(tenant_keys::tenant_number.eq(tenant.get()))
        .order((tenant_keys::created_at.asc(), tenant_keys::key_id.asc()))
        .limit(limit.get() as i64 + 1)
        .into_boxed();
    if let Some(KeyPosition { created_at, id }) = after {
        let created_at = to_moment(created_at);
        selected = selected.filter(tenant_keys::created_at.ge(created_at)).filter(
            tenant_keys::created_at.gt(created_at).or(tenant_keys::key_id.gt(id.as_str().to_owned())),
        );
    }
    let rows: Vec<KeyRow> = selected.select(KeyRow::as_select()).load(connection)?;
    let owner = KeyOwner::Tenant(tenant);
    let keys = rows.into_iter().map(|row| row.into_key(owner)).collect::<Result<_, _>>()?;
    Ok(Page::from_one_more(keys, limit))
}

fn revoke(batch: &mut WriteBatch, tenant: TenantNumber, key: KeyId) -> Result<bool, PostgresError> {
    let row = tenant_keys::table
        .filter(tenant_keys::tenant_number.eq(tenant.get()))
        .filter(tenant_keys::key_id.eq(key.as_str()));
    let removed = batch.run_for(tenant, |connection| Ok(diesel::delete(row).execute(connection)?))?;
    if removed == 0 {
        return Ok(false);
    }
    batch.tell(Change::AccessKey(key));
    Ok(true)
}

static_query! {
    /// Finds keys by their ids, whoever's they are.
    FindGrants<'a> {
        "SELECT tenant_number, tenant_status, key_id, hash, name, scopes, created_at, expires_at, last_used_at \
         FROM find_grants(" key_ids: Vec<&'a str> as Array<Text>;
        ")"
    } -> (
        Nullable<BigInt>,
        Nullable<Text>,
        (Text, Binary, Text, Text, Timestamptz, Nullable<Timestamptz>, Nullable<Timestamptz>),
    )
}

/// The keys of those ids, each of which is another, whoever's they are, with their tenants' statuses.
pub(crate) fn find_grants(
    connection: &mut PgConnection,
    ids: &[KeyId],
) -> Result<Vec<Option<AccessGrant>>, PostgresError> {
    let mut grants: HashMap<KeyId, AccessGrant> = HashMap::with_capacity(ids.len());
    let find = FindGrants { key_ids: ids.iter().map(KeyId::as_str).collect(), life: PhantomData };
    for (number, status, row) in find.load::<(Option<i64>, Option<String>, KeyRow)>(connection)? {
        let owner = match number {
            Some(number) => KeyOwner::Tenant(tenant_number(number)?),
            None => KeyOwner::Admin,
        };
        let tenant_status = status.map(|status| tenant_status(&status)).transpose()?;
        let key = row.into_key(owner)?;
        grants.insert(key.id, AccessGrant { key, tenant_status });
    }
    let found = ids.iter().map(|id| grants.remove(id)).collect();
    if grants.is_empty() { Ok(found) } else { Err(not_asked()) }
}

static_query! {
    /// Notes when keys were used.
    RecordKeyUse<'a> {
        "SELECT record_key_use(" key_ids: Vec<&'a str> as Array<Text>,
        ", " used_ats: Vec<PgTimestamp> as Array<Timestamptz>;
        ")"
    } -> Text
}

fn record_use(connection: &mut PgConnection, uses: &[(KeyId, Timestamp)]) -> Result<(), PostgresError> {
    let record = RecordKeyUse {
        key_ids: uses.iter().map(|(key, _)| key.as_str()).collect(),
        used_ats: uses.iter().map(|(_, used_at)| to_moment(*used_at)).collect(),
        life: PhantomData,
    };
    record.execute(connection)?;
    Ok(())
}

fn insert_first_admin_key(batch: &mut WriteBatch, key: &AccessKey) -> Result<bool, PostgresError> {
    let is_first = batch.run(|connection| {
        if has_admin_key(connection)? {
            return Ok(false);
        }
        diesel::insert_into(admin_keys::table)
            .values((
                admin_keys::key_id.eq(key.id.as_str()),
                admin_keys::hash.eq(&key.hash.as_bytes()[..]),
                admin_keys::name.eq(key.name.as_str()),
                admin_keys::scopes.eq(key.scopes.to_line()),
                admin_keys::created_at.eq(to_moment(key.created_at)),
                admin_keys::expires_at.eq(key.expires_at.map(to_moment)),
                admin_keys::last_used_at.eq(key.last_used_at.map(to_moment)),
            ))
            .execute(connection)?;
        Ok(true)
    })?;
    if is_first {
        batch.tell(Change::AccessKey(key.id));
    }
    Ok(is_first)
}

fn has_admin_key(connection: &mut PgConnection) -> Result<bool, PostgresError> {
    Ok(diesel::select(diesel::dsl::exists(admin_keys::table.select(admin_keys::key_id)))
        .get_result(connection)?)
}

/// What the rows of `tenant_keys` and `admin_keys` have in common.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = tenant_keys, check_for_backend(diesel::pg::Pg))]
pub(crate) struct KeyRow {
    key_id: String,
    hash: Vec<u8>,
    name: String,
    scopes: String,
    created_at: PgTimestamp,
    expires_at: Option<PgTimestamp>,
    last_used_at: Option<PgTimestamp>,
}

impl KeyRow {
    pub(crate) fn into_key(self, owner: KeyOwner) -> Result<AccessKey, PostgresError> {
        let damaged = |what: &str| PostgresError::Damaged(format!("an access key with {what}"));
        let hash = self.hash.try_into().map_err(|_| damaged("a hash that is none"))?;
        Ok(AccessKey {
            id: KeyId::parse(&self.key_id).ok_or_else(|| damaged("an id that is none"))?,
            owner,
            name: AccessKeyName::from_stored(self.name),
            scopes: ScopeSet::from_line(&self.scopes),
            hash: KeyHash::from_stored(hash),
            created_at: from_moment(self.created_at),
            expires_at: self.expires_at.map(from_moment),
            last_used_at: self.last_used_at.map(from_moment),
        })
    }
}
