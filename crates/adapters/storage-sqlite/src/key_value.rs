//! Key-values: the port, and finding one. Writes are in `key_value_write.rs`, lists in `key_value_list.rs`.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use diesel::prelude::*;
use tenantry_domain::{
    ContentType, Entry, EntryMeta, Key, Page, Precondition, Revision, TenantNumber, Timestamp,
};
use tenantry_ports::{
    EntryQuery, KeyValueRepository, KeyValueWriteError, ListedEntry, NewValue, PutOutcome, StorageError,
};

use crate::error::SqliteError;
use crate::key_value_list::list;
use crate::key_value_write::{delete, increment, put, remove_expired};
use crate::schema::key_values;
use crate::storage::SqliteStorage;

/// What a write without a value holds while it waits, about.
const WEIGHT: usize = 1024;

#[async_trait]
impl KeyValueRepository for SqliteStorage {
    async fn put(
        &self,
        tenant: TenantNumber,
        key: Key,
        value: NewValue,
        precondition: Precondition,
    ) -> Result<PutOutcome, KeyValueWriteError> {
        let weight = WEIGHT + value.bytes.len();
        let write =
            self.write(weight, (key, value, precondition), move |(key, value, precondition), batch| {
                put(batch, tenant, key, value, precondition)
            });
        write.await?.1
    }

    async fn find(&self, tenant: TenantNumber, key: Key) -> Result<Option<Arc<Entry>>, StorageError> {
        let now = self.now();
        let found = self.find_entry(tenant, key).await?;
        Ok(found.filter(|entry| entry.meta.is_live(now)))
    }

    async fn delete(
        &self,
        tenant: TenantNumber,
        key: Key,
        precondition: Precondition,
    ) -> Result<Revision, KeyValueWriteError> {
        let write = self.write(WEIGHT, (key, precondition), move |(key, precondition), batch| {
            delete(batch, tenant, key, precondition)
        });
        write.await?.1
    }

    async fn increment(
        &self,
        tenant: TenantNumber,
        key: Key,
        by: i64,
        initial: Option<i64>,
        precondition: Precondition,
    ) -> Result<(PutOutcome, i64), KeyValueWriteError> {
        let write = self.write(WEIGHT, (key, precondition), move |(key, precondition), batch| {
            increment(batch, tenant, key, by, initial, precondition)
        });
        write.await?.1
    }

    async fn list(&self, tenant: TenantNumber, query: EntryQuery) -> Result<Page<ListedEntry>, StorageError> {
        let now = self.now();
        self.read(move |connection| list(connection, tenant, &query, now)).await
    }

    async fn remove_expired(&self, limit: u32) -> Result<u32, StorageError> {
        let write = self.write(WEIGHT, (), move |(), batch| remove_expired(batch, limit));
        Ok(write.await?.1)
    }
}

/// The entry of that key, if it is there at `now`.
pub(crate) fn find(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    key: &Key,
    now: Timestamp,
) -> Result<Option<Entry>, SqliteError> {
    Ok(find_any(connection, tenant, key)?.filter(|entry| entry.meta.is_live(now)))
}

/// The entry of that key, also where it has ended.
pub(crate) fn find_any(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    key: &Key,
) -> Result<Option<Entry>, SqliteError> {
    let row: Option<(MetaRow, Vec<u8>)> = key_values::table
        .filter(key_values::tenant_number.eq(tenant.get()))
        .filter(key_values::key.eq(key.as_str()))
        .select((MetaRow::as_select(), key_values::value))
        .get_result(connection)
        .optional()?;
    let Some((row, value)) = row else { return Ok(None) };
    let meta = row.into_meta(key.clone(), value.len() as u64)?;
    Ok(Some(Entry { meta, value: Bytes::from(value) }))
}

/// A revision, as stored.
pub(crate) fn stored_revision(number: i64) -> Result<Revision, SqliteError> {
    let revision = u64::try_from(number).ok().and_then(Revision::new);
    revision.ok_or_else(|| SqliteError::Damaged(format!("the revision {number}")))
}

/// The columns of `key_values` that say everything but the key and the bytes.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = key_values, check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct MetaRow {
    content_type: String,
    version: i64,
    revision: i64,
    created_at: i64,
    updated_at: i64,
    expires_at: Option<i64>,
}

impl MetaRow {
    pub(crate) fn into_meta(self, key: Key, size: u64) -> Result<EntryMeta, SqliteError> {
        Ok(EntryMeta {
            key,
            content_type: ContentType::from_stored(&self.content_type),
            size,
            version: self.version.unsigned_abs(),
            revision: stored_revision(self.revision)?,
            created_at: Timestamp::from_micros(self.created_at),
            updated_at: Timestamp::from_micros(self.updated_at),
            expires_at: self.expires_at.map(Timestamp::from_micros),
        })
    }
}
