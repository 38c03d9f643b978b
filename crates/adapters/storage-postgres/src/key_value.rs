//! Key-values: the port, and finding one. Writes are in `key_value_write.rs`, lists in `key_value_list.rs`.

use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text, Timestamptz};
use tenantry_domain::{ContentType, Entry, EntryMeta, Key, Page, Precondition, Revision, TenantNumber};
use tenantry_ports::{
    EntryQuery, KeyValueRepository, KeyValueWriteError, ListedEntry, NewValue, PutOutcome, StorageError,
};

use crate::claim::Claim;
use crate::error::PostgresError;
use crate::event::at;
use crate::key_value_list::list;
use crate::key_value_write::{Operation, Outcome, remove_expired};
use crate::moment::from_moment;
use crate::schema::key_values;
use crate::static_query::static_query;
use crate::storage::PostgresStorage;

/// What a write without a value holds while it waits, about.
const WEIGHT: usize = 1024;

#[async_trait]
impl KeyValueRepository for PostgresStorage {
    async fn put(
        &self,
        tenant: TenantNumber,
        key: Key,
        value: NewValue,
        precondition: Precondition,
    ) -> Result<PutOutcome, KeyValueWriteError> {
        let weight = WEIGHT + value.bytes.len();
        match self.operate(tenant, key, precondition, weight, Operation::Put(value)).await? {
            Outcome::Put(outcome) => Ok(outcome),
            other => Err(other.unexpected()),
        }
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
        match self.operate(tenant, key, precondition, WEIGHT, Operation::Delete).await? {
            Outcome::Removed(revision) => Ok(revision),
            other => Err(other.unexpected()),
        }
    }

    async fn increment(
        &self,
        tenant: TenantNumber,
        key: Key,
        by: i64,
        initial: Option<i64>,
        precondition: Precondition,
    ) -> Result<(PutOutcome, i64), KeyValueWriteError> {
        let operation = Operation::Increment { by, initial };
        match self.operate(tenant, key, precondition, WEIGHT, operation).await? {
            Outcome::Incremented(outcome, number) => Ok((outcome, number)),
            other => Err(other.unexpected()),
        }
    }

    async fn list(&self, tenant: TenantNumber, query: EntryQuery) -> Result<Page<ListedEntry>, StorageError> {
        let now = self.now();
        self.read_anywhere(tenant, move |connection, _| list(connection, tenant, &query, now)).await
    }

    async fn remove_expired(&self, limit: u32) -> Result<u32, StorageError> {
        let write = self.write_staged(
            Claim::Installation,
            WEIGHT,
            (),
            move |(), batch| remove_expired(batch, limit),
            |(), staged, batch| {
                let removed = staged
                    .into_iter()
                    .filter(|place| matches!(batch.writes.take(*place), Ok(Outcome::Removed(_))));
                Ok(u32::try_from(removed.count()).unwrap_or(u32::MAX))
            },
        );
        Ok(write.await?.1)
    }
}

impl PostgresStorage {
    /// Hands in an operation on one key.
    async fn operate(
        &self,
        tenant: TenantNumber,
        key: Key,
        precondition: Precondition,
        weight: usize,
        operation: Operation,
    ) -> Result<Outcome, KeyValueWriteError> {
        let write = self.write_staged(
            Claim::Tenant(tenant),
            weight,
            (key, precondition, operation),
            move |(key, precondition, operation), batch| {
                if !batch.is_open(tenant) {
                    return Ok(None);
                }
                let (key, precondition, operation) = (key.clone(), precondition.clone(), operation.clone());
                Ok(Some(batch.writes.push(tenant, key, precondition, operation)))
            },
            |_, staged, batch| {
                Ok(staged.map_or(Err(KeyValueWriteError::TenantNotFound), |place| batch.writes.take(place)))
            },
        );
        write.await?.1
    }
}

static_query! {
    /// Finds entries by their keys.
    FindKeyValues<'a> {
        "SELECT * FROM find_key_values(" tenants: Vec<i64> as Array<BigInt>,
        ", " keys: Vec<&'a str> as Array<Text>,
        ", " with_values: Vec<bool> as Array<Bool>;
        ")"
    } -> (Integer, (Text, BigInt, BigInt, Timestamptz, Timestamptz, Nullable<Timestamptz>), Nullable<Binary>)
}

/// What stands under a key, and its bytes where they were asked for.
pub(crate) type Found = (MetaRow, Option<Vec<u8>>);

/// What stands under those keys, of one tenant each, also where it has ended: everything but the bytes, and the
/// bytes where `with_value` says so of the key.
pub(crate) fn look_up<'a>(
    connection: &mut PgConnection,
    keys: impl Iterator<Item = (TenantNumber, &'a Key)> + Clone,
    with_value: impl Fn(usize) -> bool,
) -> Result<Vec<Option<Found>>, PostgresError> {
    let find = FindKeyValues {
        tenants: keys.clone().map(|(tenant, _)| tenant.get()).collect(),
        keys: keys.clone().map(|(_, key)| key.as_str()).collect(),
        with_values: keys.enumerate().map(|(place, _)| with_value(place)).collect(),
        life: PhantomData,
    };
    let mut found: Vec<_> = find.keys.iter().map(|_| None).collect();
    for (place, meta, value) in find.load::<(i32, MetaRow, Option<Vec<u8>>)>(connection)? {
        *at(&mut found, place)? = Some((meta, value));
    }
    Ok(found)
}

/// The entries of those keys, of one tenant each, also those that have ended.
pub(crate) fn find_all(
    connection: &mut PgConnection,
    keys: &[(TenantNumber, Key)],
) -> Result<Vec<Option<Arc<Entry>>>, PostgresError> {
    let found = look_up(connection, keys.iter().map(|(tenant, key)| (*tenant, key)), |_| true)?;
    let entries = found.into_iter().zip(keys).map(|(found, (_, key))| {
        let Some((meta, value)) = found else { return Ok(None) };
        let value = Bytes::from(value.unwrap_or_default());
        let meta = meta.into_meta(key.clone(), value.len() as u64)?;
        Ok(Some(Arc::new(Entry { meta, value })))
    });
    entries.collect()
}

/// A revision, as stored.
pub(crate) fn stored_revision(number: i64) -> Result<Revision, PostgresError> {
    let revision = u64::try_from(number).ok().and_then(Revision::new);
    revision.ok_or_else(|| PostgresError::Damaged(format!("the revision {number}")))
}

/// The columns of `key_values` that say everything but the key and the bytes.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = key_values, check_for_backend(diesel::pg::Pg))]
pub(crate) struct MetaRow {
    content_type: String,
    version: i64,
    revision: i64,
    created_at: PgTimestamp,
    updated_at: PgTimestamp,
    expires_at: Option<PgTimestamp>,
}

impl MetaRow {
    pub(crate) fn into_meta(self, key: Key, size: u64) -> Result<EntryMeta, PostgresError> {
        Ok(EntryMeta {
            key,
            content_type: ContentType::from_stored(&self.content_type),
            size,
            version: self.version.unsigned_abs(),
            revision: stored_revision(self.revision)?,
            created_at: from_moment(self.created_at),
            updated_at: from_moment(self.updated_at),
            expires_at: self.expires_at.map(from_moment),
        })
    }
}
