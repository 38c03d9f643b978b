//! Key-values: the port, and finding one. Writes are in `key_value_write.rs`, lists in `key_value_list.rs`.

use std::collections::{BTreeSet, HashMap};
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
use crate::event_append::Runs;
use crate::key_value_list::list;
use crate::key_value_write::{Operation, Outcome, remove_expired};
use crate::moment::from_moment;
use crate::row_place::{RowPlace, Tid};
use crate::schema::key_values;
use crate::static_query::static_query;
use crate::storage::PostgresStorage;
use crate::tenant::tenant_number;

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
        ", " ends: Vec<i32> as Array<Integer>,
        ", " keys: Vec<&'a str> as Array<Text>,
        ", " with_values: bool as Bool;
        ")"
    } -> (
        BigInt,
        Text,
        Tid,
        (Text, BigInt, BigInt, Timestamptz, Timestamptz, Nullable<Timestamptz>),
        Nullable<Binary>,
    )
}

/// A row that was found.
#[derive(Debug, Queryable)]
pub(crate) struct Found {
    number: i64,
    key: String,
    pub(crate) place: RowPlace,
    pub(crate) meta: MetaRow,
    /// Its bytes, where they were asked for.
    pub(crate) value: Option<Vec<u8>>,
}

impl Found {
    /// What it was found under.
    pub(crate) fn key(&self) -> Result<(TenantNumber, Key), PostgresError> {
        Ok((tenant_number(self.number)?, Key::from_stored(&self.key)))
    }
}

/// What stands under those keys, also where it has ended. A tenant's keys are beside one another, and none comes twice.
pub(crate) fn look_up<'a>(
    connection: &mut PgConnection,
    keys: impl Iterator<Item = (TenantNumber, &'a Key)> + Clone,
    with_values: bool,
) -> Result<Vec<Found>, PostgresError> {
    let runs = Runs::of(keys.clone().map(|(tenant, _)| tenant));
    let find = FindKeyValues {
        tenants: runs.tenants,
        ends: runs.ends,
        keys: keys.map(|(_, key)| key.as_str()).collect(),
        with_values,
        life: PhantomData,
    };
    Ok(find.load(connection)?)
}

/// The entries of those keys, each of which is another, of one tenant each, also those that have ended.
pub(crate) fn find_all(
    connection: &mut PgConnection,
    keys: &[(TenantNumber, Key)],
) -> Result<Vec<Option<Arc<Entry>>>, PostgresError> {
    // A tenant's are to be beside one another.
    let asked: BTreeSet<(TenantNumber, &Key)> = keys.iter().map(|(tenant, key)| (*tenant, key)).collect();
    let mut entries = HashMap::new();
    for found in look_up(connection, asked.iter().copied(), true)? {
        let (tenant, key) = found.key()?;
        let value = Bytes::from(found.value.unwrap_or_default());
        let meta = found.meta.into_meta(key.clone(), value.len() as u64)?;
        entries.insert((tenant, key), Arc::new(Entry { meta, value }));
    }
    Ok(keys.iter().map(|key| entries.remove(key)).collect())
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
