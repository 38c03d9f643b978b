//! Writing a whole installation that was read from another storage.

use async_trait::async_trait;
use diesel::connection::SimpleConnection;
use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use tenantry_domain::{AccessKey, Email, Entry, Event, TenantNumber, Timestamp};
use tenantry_ports::{ImportRepository, ImportRows, ImportStart, MOVE_MARKER, StorageError, StoredTenant};
use tenantry_storage_support::catalog_import::{self, store_revision};

use crate::batch::WriteBatch;
use crate::engine::Sqlite;
use crate::error::SqliteError;
use crate::export::last_tenant_number;
use crate::schema::{admin_keys, settings, tenant_counters, tenant_keys, tenants};
use crate::static_query::static_query;
use crate::storage::SqliteStorage;

/// What a write without rows holds while it waits, about.
const WEIGHT: usize = 1024;

#[async_trait]
impl ImportRepository for SqliteStorage {
    async fn begin(&self, marker: Vec<u8>) -> Result<ImportStart, StorageError> {
        let write = self.write(WEIGHT, marker, |marker, batch| begin(&mut batch.connection, marker));
        Ok(write.await?.1)
    }

    async fn import(&self, rows: Vec<ImportRows>, marker: Vec<u8>) -> Result<(), StorageError> {
        let write = self.write(WEIGHT, (rows, marker), |(rows, marker), batch| import(batch, rows, marker));
        write.await?.1
    }

    async fn finish(&self) -> Result<(), StorageError> {
        let write = self.write(WEIGHT, (), |(), batch| {
            let marker = settings::table.find(MOVE_MARKER);
            diesel::delete(marker).execute(&mut batch.connection)?;
            Ok(())
        });
        write.await.map(drop)
    }
}

fn begin(connection: &mut SqliteConnection, marker: &[u8]) -> Result<ImportStart, SqliteError> {
    let held: Option<Vec<u8>> =
        settings::table.find(MOVE_MARKER).select(settings::value).get_result(connection).optional()?;
    if let Some(held) = held {
        return Ok(ImportStart::Unfinished(held));
    }
    if let Some(found) = what_is_held(connection)? {
        return Ok(ImportStart::NotEmpty(found));
    }
    diesel::insert_into(settings::table)
        .values((settings::name.eq(MOVE_MARKER), settings::value.eq(marker)))
        .execute(connection)?;
    Ok(ImportStart::Begun)
}

/// What keeps the storage from being empty.
fn what_is_held(connection: &mut SqliteConnection) -> Result<Option<String>, SqliteError> {
    let tenants: i64 = tenants::table.count().get_result(connection)?;
    if tenants > 0 {
        return Ok(Some(format!("{tenants} tenants")));
    }
    if diesel::select(exists(admin_keys::table.select(admin_keys::key_id))).get_result(connection)? {
        return Ok(Some("an administrator's key".to_owned()));
    }
    if let Some(last) = last_tenant_number(connection)? {
        return Ok(Some(format!("the memory of tenants up to number {last}")));
    }
    let any: bool = diesel::select(exists(settings::table.select(settings::name))).get_result(connection)?;
    Ok(any.then(|| "settings of an installation".to_owned()))
}

fn import(
    batch: &mut WriteBatch,
    rows: &[ImportRows],
    marker: &[u8],
) -> Result<Result<(), StorageError>, SqliteError> {
    let noted = diesel::update(settings::table.find(MOVE_MARKER))
        .set(settings::value.eq(marker))
        .execute(&mut batch.connection)?;
    if noted == 0 {
        return Ok(Err(StorageError::Failed("no move into this storage has begun".to_owned())));
    }
    for rows in rows {
        store(batch, rows)?;
    }
    Ok(Ok(()))
}

fn store(batch: &mut WriteBatch, rows: &ImportRows) -> Result<(), SqliteError> {
    let connection = &mut batch.connection;
    match rows {
        ImportRows::Settings(rows) => {
            for (name, value) in rows {
                diesel::insert_or_ignore_into(settings::table)
                    .values((settings::name.eq(name), settings::value.eq(value)))
                    .execute(connection)?;
            }
        }
        ImportRows::AdminKeys(keys) => {
            for key in keys {
                store_admin_key(connection, key)?;
            }
        }
        ImportRows::Tenants(tenants) => {
            for tenant in tenants {
                batch.flush_counters_of(tenant.tenant.number)?;
                store_tenant(&mut batch.connection, tenant)?;
            }
        }
        ImportRows::LastTenantNumber(last) => remember_number(connection, *last)?,
        ImportRows::AccessKeys(tenant, keys) => {
            for key in keys {
                store_access_key(connection, *tenant, key)?;
            }
        }
        ImportRows::Events(tenant, events) => {
            for event in events {
                store_event(connection, *tenant, event)?;
            }
        }
        ImportRows::KeyValues(tenant, entries) => {
            for entry in entries {
                store_key_value(connection, *tenant, entry)?;
            }
        }
        ImportRows::Catalog(tenant, rows) => {
            for row in rows {
                catalog_import::store::<Sqlite>(connection, *tenant, row)?;
            }
        }
    }
    Ok(())
}

fn store_admin_key(connection: &mut SqliteConnection, key: &AccessKey) -> Result<(), SqliteError> {
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
        .on_conflict_do_nothing()
        .execute(connection)?;
    Ok(())
}

fn store_access_key(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    key: &AccessKey,
) -> Result<(), SqliteError> {
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
        .on_conflict_do_nothing()
        .execute(connection)?;
    Ok(())
}

fn store_tenant(connection: &mut SqliteConnection, stored: &StoredTenant) -> Result<(), SqliteError> {
    let StoredTenant { tenant, counters } = stored;
    diesel::insert_into(tenants::table)
        .values((
            tenants::tenant_number.eq(tenant.number.get()),
            tenants::name.eq(tenant.name.as_str()),
            tenants::status.eq(tenant.status.as_str()),
            tenants::tenant_info.eq(tenant.info.as_str()),
            tenants::version.eq(tenant.version.cast_signed()),
            tenants::created_at.eq(tenant.created_at.as_micros()),
            tenants::updated_at.eq(tenant.updated_at.as_micros()),
            tenants::erasure_started_at.eq(tenant.erasure.map(|erasure| erasure.started_at.as_micros())),
            tenants::erased_rows.eq(tenant.erasure.map_or(0, |erasure| erasure.erased_rows.cast_signed())),
        ))
        .on_conflict_do_nothing()
        .execute(connection)?;
    diesel::insert_into(tenant_counters::table)
        .values((
            tenant_counters::tenant_number.eq(tenant.number.get()),
            tenant_counters::event_sequence.eq(counters.event_sequence.get().cast_signed()),
            tenant_counters::last_event_at.eq(counters.last_event_at.map(Timestamp::as_micros)),
            tenant_counters::key_value_revision.eq(counters.key_value_revision.get().cast_signed()),
        ))
        .on_conflict_do_nothing()
        .execute(connection)?;
    store_revision::<Sqlite>(connection, tenant.number, counters.catalog_revision)
}

/// AUTOINCREMENT goes on behind what stands in this table, which SQLite lets others write to for that.
fn remember_number(connection: &mut SqliteConnection, last: TenantNumber) -> Result<(), SqliteError> {
    let is_there = sql::<Bool>("SELECT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'tenants')");
    let remember = match is_there.get_result(connection)? {
        true => format!("UPDATE sqlite_sequence SET seq = max(seq, {last}) WHERE name = 'tenants'"),
        false => format!("INSERT INTO sqlite_sequence (name, seq) VALUES ('tenants', {last})"),
    };
    Ok(connection.batch_execute(&remember)?)
}

static_query! {
    /// Stores an event as it was, unless it is there.
    ImportEvent<'a> {
        "INSERT INTO events (tenant_number, sequence, id, component, environment, message, email, data, \
         created_at) VALUES (" tenant: i64 as BigInt,
        ", " sequence: i64 as BigInt,
        ", " id: &'a [u8] as Binary,
        ", " component: &'a str as Text,
        ", " environment: &'a str as Text,
        ", " message: &'a str as Text,
        ", " email: Option<&'a str> as Nullable<Text>,
        ", " data: &'a str as Text,
        ", " created_at: i64 as BigInt;
        ") ON CONFLICT DO NOTHING"
    }
}

fn store_event(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    event: &Event,
) -> Result<(), SqliteError> {
    let id = event.id.get();
    let insert = ImportEvent {
        tenant: tenant.get(),
        sequence: event.sequence.get().cast_signed(),
        id: id.as_bytes(),
        component: event.component.as_str(),
        environment: event.environment.as_str(),
        message: event.message.as_str(),
        email: event.email.as_ref().map(Email::as_str),
        data: event.data.as_str(),
        created_at: event.created_at.as_micros(),
    };
    insert.execute(connection)?;
    Ok(())
}

static_query! {
    /// Stores a key-value as it was, unless it is there.
    ImportKeyValue<'a> {
        "INSERT INTO key_values (tenant_number, key, content_type, version, revision, created_at, updated_at, \
         expires_at, value) VALUES (" tenant: i64 as BigInt,
        ", " key: &'a str as Text,
        ", " content_type: &'a str as Text,
        ", " version: i64 as BigInt,
        ", " revision: i64 as BigInt,
        ", " created_at: i64 as BigInt,
        ", " updated_at: i64 as BigInt,
        ", " expires_at: Option<i64> as Nullable<BigInt>,
        ", " value: &'a [u8] as Binary;
        ") ON CONFLICT DO NOTHING"
    }
}

fn store_key_value(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    entry: &Entry,
) -> Result<(), SqliteError> {
    let meta = &entry.meta;
    let insert = ImportKeyValue {
        tenant: tenant.get(),
        key: meta.key.as_str(),
        content_type: meta.content_type.as_str(),
        version: meta.version.cast_signed(),
        revision: meta.revision.get().cast_signed(),
        created_at: meta.created_at.as_micros(),
        updated_at: meta.updated_at.as_micros(),
        expires_at: meta.expires_at.map(Timestamp::as_micros),
        value: &entry.value,
    };
    insert.execute(connection)?;
    Ok(())
}
