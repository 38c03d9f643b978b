//! Key-values: writing them, and finding one. Lists are in `key_value_list.rs`.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use tenantry_domain::{
    ContentType, Entry, EntryMeta, Key, Page, Precondition, Revision, TenantNumber, Timestamp, incremented,
};
use tenantry_ports::{
    EntryQuery, KeyValueRepository, KeyValueWriteError, ListedEntry, NewValue, PutOutcome, StorageError,
};

use crate::batch::{Change, WriteBatch};
use crate::counters::{Counters, Which};
use crate::error::SqliteError;
use crate::key_value_list::list;
use crate::schema::key_values;
use crate::static_query::static_query;
use crate::storage::SqliteStorage;

/// A refusal is an answer: nothing was changed, and the transaction goes on.
type Answer<T> = Result<Result<T, KeyValueWriteError>, SqliteError>;

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
        self.read(move |connection| find(connection, tenant, &key, now).map(|found| found.map(Arc::new)))
            .await
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

fn put(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    key: &Key,
    value: &NewValue,
    precondition: &Precondition,
) -> Answer<PutOutcome> {
    let Some(counters) = batch.counters(tenant, Which::Open)? else {
        return Ok(Err(KeyValueWriteError::TenantNotFound));
    };
    let now = batch.now();
    let standing = standing(&mut batch.connection, tenant, key, now)?;
    if let Err(refusal) = check(precondition, standing.as_ref()) {
        return Ok(Err(refusal));
    }
    let entry = Entry {
        meta: EntryMeta {
            key: key.clone(),
            content_type: value.content_type.clone(),
            size: value.bytes.len() as u64,
            version: standing.as_ref().map_or(0, |standing| standing.version) + 1,
            revision: next_revision(counters)?,
            created_at: standing.as_ref().map_or(now, |standing| standing.created_at),
            updated_at: now,
            expires_at: value.ttl.map(|ttl| ttl.ends_at(now)),
        },
        value: value.bytes.clone(),
    };
    store(batch, tenant, counters, entry, standing.is_none()).map(Ok)
}

fn increment(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    key: &Key,
    by: i64,
    initial: Option<i64>,
    precondition: &Precondition,
) -> Answer<(PutOutcome, i64)> {
    let Some(counters) = batch.counters(tenant, Which::Open)? else {
        return Ok(Err(KeyValueWriteError::TenantNotFound));
    };
    let now = batch.now();
    let held = find(&mut batch.connection, tenant, key, now)?;
    let standing = held.as_ref().map(|held| Standing::of(&held.meta));
    if let Err(refusal) = check(precondition, standing.as_ref()) {
        return Ok(Err(refusal));
    }
    let created = held.is_none();
    let (number, meta) = match (held, initial) {
        (None, None) => return Ok(Err(KeyValueWriteError::KeyNotFound)),
        (None, Some(initial)) => {
            let (content_type, revision) = (ContentType::plain_text(), Revision::default());
            let key = key.clone();
            let meta = EntryMeta {
                key,
                content_type,
                size: 0,
                version: 0,
                revision,
                created_at: now,
                updated_at: now,
                expires_at: None,
            };
            (initial, meta)
        }
        (Some(held), _) => match incremented(&held.value, by) {
            Ok(number) => (number, held.meta),
            Err(error) => return Ok(Err(error.into())),
        },
    };
    let value = Bytes::from(number.to_string());
    let meta = EntryMeta {
        size: value.len() as u64,
        version: meta.version + 1,
        revision: next_revision(counters)?,
        updated_at: now,
        ..meta
    };
    let stored = store(batch, tenant, counters, Entry { meta, value }, created)?;
    Ok(Ok((stored, number)))
}

fn delete(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    key: &Key,
    precondition: &Precondition,
) -> Answer<Revision> {
    let Some(counters) = batch.counters(tenant, Which::Open)? else {
        return Ok(Err(KeyValueWriteError::TenantNotFound));
    };
    let now = batch.now();
    let standing = standing(&mut batch.connection, tenant, key, now)?;
    if let Err(refusal) = check(precondition, standing.as_ref()) {
        return Ok(Err(refusal));
    }
    if standing.is_none() {
        return Ok(Err(KeyValueWriteError::KeyNotFound));
    }
    remove(batch, tenant, counters, key.clone()).map(Ok)
}

fn remove_expired(batch: &mut WriteBatch, limit: u32) -> Result<u32, SqliteError> {
    let now = batch.now().as_micros();
    // The index's own condition, to the letter: only so does SQLite see that it fits.
    let has_end = sql::<Bool>("expires_at >= -62167219200000000");
    let ended: Vec<(i64, String)> = key_values::table
        .filter(has_end)
        .filter(key_values::expires_at.le(now))
        .order(key_values::expires_at)
        .select((key_values::tenant_number, key_values::key))
        .limit(limit.into())
        .load(&mut batch.connection)?;
    let mut removed = 0;
    for (number, key) in ended {
        let tenant = TenantNumber::new(number);
        let tenant = tenant.ok_or_else(|| SqliteError::Damaged(format!("the tenant number {number}")))?;
        let counters = batch.counters(tenant, Which::Any)?;
        let counters =
            counters.ok_or_else(|| SqliteError::Damaged(format!("no counters of tenant {tenant}")))?;
        remove(batch, tenant, counters, Key::from_stored(&key))?;
        removed += 1;
    }
    Ok(removed)
}

/// What a write must know of the entry that stands.
struct Standing {
    version: u64,
    revision: Revision,
    created_at: Timestamp,
}

impl Standing {
    fn of(meta: &EntryMeta) -> Self {
        Self { version: meta.version, revision: meta.revision, created_at: meta.created_at }
    }
}

fn check(precondition: &Precondition, standing: Option<&Standing>) -> Result<(), KeyValueWriteError> {
    let current = standing.map(|standing| standing.revision);
    if precondition.holds(current.map(Revision::get)) {
        return Ok(());
    }
    Err(KeyValueWriteError::PreconditionFailed { current })
}

/// The entry of that key, if it is there at `now`, without its value.
fn standing(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    key: &Key,
    now: Timestamp,
) -> Result<Option<Standing>, SqliteError> {
    let row: Option<(i64, i64, i64, Option<i64>)> = key_values::table
        .filter(key_values::tenant_number.eq(tenant.get()))
        .filter(key_values::key.eq(key.as_str()))
        .select((key_values::version, key_values::revision, key_values::created_at, key_values::expires_at))
        .get_result(connection)
        .optional()?;
    let Some((version, revision, created_at, expires_at)) = row else { return Ok(None) };
    if expires_at.is_some_and(|end| end <= now.as_micros()) {
        return Ok(None);
    }
    Ok(Some(Standing {
        version: version.unsigned_abs(),
        revision: stored_revision(revision)?,
        created_at: Timestamp::from_micros(created_at),
    }))
}

/// The entry of that key, if it is there at `now`.
fn find(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    key: &Key,
    now: Timestamp,
) -> Result<Option<Entry>, SqliteError> {
    let row: Option<(MetaRow, Vec<u8>)> = key_values::table
        .filter(key_values::tenant_number.eq(tenant.get()))
        .filter(key_values::key.eq(key.as_str()))
        .select((MetaRow::as_select(), key_values::value))
        .get_result(connection)
        .optional()?;
    let Some((row, value)) = row else { return Ok(None) };
    let meta = row.into_meta(key.clone(), value.len() as u64)?;
    Ok(meta.is_live(now).then(|| Entry { meta, value: Bytes::from(value) }))
}

static_query! {
    /// Stores an entry, whatever stands under its key.
    PutEntry<'a> {
        "INSERT INTO key_values (tenant_number, key, content_type, version, revision, created_at, \
         updated_at, expires_at, value) VALUES (" tenant: i64 as BigInt,
        ", " key: &'a str as Text,
        ", " content_type: &'a str as Text,
        ", " version: i64 as BigInt,
        ", " revision: i64 as BigInt,
        ", " created_at: i64 as BigInt,
        ", " updated_at: i64 as BigInt,
        ", " expires_at: Option<i64> as Nullable<BigInt>,
        ", " value: &'a [u8] as Binary;
        ") ON CONFLICT (tenant_number, key) DO UPDATE SET content_type = excluded.content_type, \
         version = excluded.version, revision = excluded.revision, created_at = excluded.created_at, \
         updated_at = excluded.updated_at, expires_at = excluded.expires_at, value = excluded.value"
    }
}

fn store(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    counters: Counters,
    entry: Entry,
    created: bool,
) -> Result<PutOutcome, SqliteError> {
    let meta = &entry.meta;
    let revision = meta.revision.get().cast_signed();
    let put = PutEntry {
        tenant: tenant.get(),
        key: meta.key.as_str(),
        content_type: meta.content_type.as_str(),
        version: meta.version.cast_signed(),
        revision,
        created_at: meta.created_at.as_micros(),
        updated_at: meta.updated_at.as_micros(),
        expires_at: meta.expires_at.map(Timestamp::as_micros),
        value: &entry.value,
    };
    put.execute(&mut batch.connection)?;
    batch.set_counters(tenant, Counters { key_value_revision: revision, ..counters });
    let entry = Arc::new(entry);
    let (key, revision) = (entry.meta.key.clone(), entry.meta.revision);
    batch.tell(Change::KeyValue { tenant, key, revision, entry: Some(Arc::clone(&entry)) });
    Ok(PutOutcome { entry, created })
}

fn remove(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    counters: Counters,
    key: Key,
) -> Result<Revision, SqliteError> {
    let revision = next_revision(counters)?;
    let row = key_values::table
        .filter(key_values::tenant_number.eq(tenant.get()))
        .filter(key_values::key.eq(key.as_str()));
    diesel::delete(row).execute(&mut batch.connection)?;
    let key_value_revision = revision.get().cast_signed();
    batch.set_counters(tenant, Counters { key_value_revision, ..counters });
    batch.tell(Change::KeyValue { tenant, key, revision, entry: None });
    Ok(revision)
}

fn next_revision(counters: Counters) -> Result<Revision, SqliteError> {
    stored_revision(counters.key_value_revision + 1)
}

fn stored_revision(number: i64) -> Result<Revision, SqliteError> {
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
