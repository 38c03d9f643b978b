//! Writing key-values.

use std::sync::Arc;

use bytes::Bytes;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use tenantry_domain::{
    ContentType, Entry, EntryMeta, Key, Precondition, Revision, TenantNumber, Timestamp, incremented,
};
use tenantry_ports::{KeyValueWriteError, NewValue, PutOutcome};

use crate::batch::{Change, WriteBatch};
use crate::counters::{Counters, Which};
use crate::error::SqliteError;
use crate::key_value::{find, stored_revision};
use crate::schema::key_values;
use crate::static_query::static_query;
use crate::tenant::tenant_number;

/// A refusal is an answer: nothing was changed, and the transaction goes on.
type Answer<T> = Result<Result<T, KeyValueWriteError>, SqliteError>;

/// See [`KeyValueRepository::put`](tenantry_ports::KeyValueRepository::put).
pub(crate) fn put(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    key: &Key,
    value: &NewValue,
    precondition: &Precondition,
) -> Answer<PutOutcome> {
    let Some(counters) = batch.counters(tenant, Which::Open)? else {
        return Ok(Err(KeyValueWriteError::TenantNotFound));
    };
    let standing = standing(batch, tenant, key)?;
    if let Err(refusal) = check(precondition, standing.as_ref()) {
        return Ok(Err(refusal));
    }
    let expires_at = value.ttl.map(|ttl| ttl.ends_at(batch.now()));
    let content_type = value.content_type.clone();
    let write = Write { key, content_type, expires_at, value: value.bytes.clone(), standing };
    store(batch, tenant, counters, write).map(Ok)
}

/// See [`KeyValueRepository::increment`](tenantry_ports::KeyValueRepository::increment).
pub(crate) fn increment(
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
    let (number, content_type, expires_at) = match (held, initial) {
        (None, None) => return Ok(Err(KeyValueWriteError::KeyNotFound)),
        (None, Some(initial)) => (initial, ContentType::plain_text(), None),
        (Some(held), _) => match incremented(&held.value, by) {
            Ok(number) => (number, held.meta.content_type, held.meta.expires_at),
            Err(error) => return Ok(Err(error.into())),
        },
    };
    let value = Bytes::from(number.to_string());
    let write = Write { key, content_type, expires_at, value, standing };
    Ok(Ok((store(batch, tenant, counters, write)?, number)))
}

/// See [`KeyValueRepository::delete`](tenantry_ports::KeyValueRepository::delete).
pub(crate) fn delete(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    key: &Key,
    precondition: &Precondition,
) -> Answer<Revision> {
    let Some(counters) = batch.counters(tenant, Which::Open)? else {
        return Ok(Err(KeyValueWriteError::TenantNotFound));
    };
    let standing = standing(batch, tenant, key)?;
    if let Err(refusal) = check(precondition, standing.as_ref()) {
        return Ok(Err(refusal));
    }
    if standing.is_none() {
        return Ok(Err(KeyValueWriteError::KeyNotFound));
    }
    remove(batch, tenant, counters, key.clone()).map(Ok)
}

/// See [`KeyValueRepository::remove_expired`](tenantry_ports::KeyValueRepository::remove_expired).
pub(crate) fn remove_expired(batch: &mut WriteBatch, limit: u32) -> Result<u32, SqliteError> {
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
        let tenant = tenant_number(number)?;
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

/// The entry of that key, if it is there at the time of the transaction.
fn standing(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    key: &Key,
) -> Result<Option<Standing>, SqliteError> {
    let now = batch.now().as_micros();
    let row: Option<(i64, i64, i64, Option<i64>)> = key_values::table
        .filter(key_values::tenant_number.eq(tenant.get()))
        .filter(key_values::key.eq(key.as_str()))
        .select((key_values::version, key_values::revision, key_values::created_at, key_values::expires_at))
        .get_result(&mut batch.connection)
        .optional()?;
    let row = row.filter(|(_, _, _, end)| end.is_none_or(|end| now < end));
    let Some((version, revision, created_at, _)) = row else { return Ok(None) };
    Ok(Some(Standing {
        version: version.unsigned_abs(),
        revision: stored_revision(revision)?,
        created_at: Timestamp::from_micros(created_at),
    }))
}

static_query! {
    /// Stores an entry, whatever stands under its key. A look before it costs less than a RETURNING would,
    /// for which SQLite makes a table of its own each time.
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

/// What is to stand under a key, and what stands.
struct Write<'a> {
    key: &'a Key,
    content_type: ContentType,
    expires_at: Option<Timestamp>,
    value: Bytes,
    standing: Option<Standing>,
}

fn store(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    counters: Counters,
    write: Write<'_>,
) -> Result<PutOutcome, SqliteError> {
    let Write { key, content_type, expires_at, value, standing } = write;
    let now = batch.now();
    let created = standing.is_none();
    let revision = next_revision(counters)?;
    let meta = EntryMeta {
        key: key.clone(),
        content_type,
        size: value.len() as u64,
        version: standing.as_ref().map_or(0, |standing| standing.version) + 1,
        revision,
        created_at: standing.map_or(now, |standing| standing.created_at),
        updated_at: now,
        expires_at,
    };
    let put = PutEntry {
        tenant: tenant.get(),
        key: key.as_str(),
        content_type: meta.content_type.as_str(),
        version: meta.version.cast_signed(),
        revision: revision.get().cast_signed(),
        created_at: meta.created_at.as_micros(),
        updated_at: now.as_micros(),
        expires_at: expires_at.map(Timestamp::as_micros),
        value: &value,
    };
    put.execute(&mut batch.connection)?;
    let entry = Arc::new(Entry { meta, value });
    note(batch, tenant, counters, key.clone(), revision, Some(Arc::clone(&entry)));
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
    note(batch, tenant, counters, key, revision, None);
    Ok(revision)
}

fn next_revision(counters: Counters) -> Result<Revision, SqliteError> {
    stored_revision(counters.key_value_revision + 1)
}

/// Takes the revision, and has the listener told of the change.
fn note(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    counters: Counters,
    key: Key,
    revision: Revision,
    entry: Option<Arc<Entry>>,
) {
    let key_value_revision = revision.get().cast_signed();
    batch.set_counters(tenant, Counters { key_value_revision, ..counters });
    batch.tell(Change::KeyValue { tenant, key, revision, entry });
}
