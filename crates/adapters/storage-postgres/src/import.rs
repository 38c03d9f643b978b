//! Writing a whole installation that was read from another storage.
//!
//! Tenants' data is written as the application, tenant by tenant, as Row-Level Security has it; what only the owner
//! of the tables may do, as the owner, for one statement.

use std::marker::PhantomData;

use async_trait::async_trait;
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use diesel::data_types::PgTimestamp;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tenantry_domain::{AccessKey, Email, Entry, Event, TenantNumber};
use tenantry_ports::{ImportRepository, ImportRows, ImportStart, MOVE_MARKER, StorageError, StoredTenant};
use tenantry_storage_support::catalog_import::{self, store_revision};
use uuid::Uuid;

use crate::batch::WriteBatch;
use crate::claim::Claim;
use crate::engine::Postgres;
use crate::error::PostgresError;
use crate::event_data::index_document;
use crate::export::last_tenant_number;
use crate::moment::to_moment;
use crate::schema::{admin_keys, settings, tenant_counters, tenant_keys, tenants};
use crate::static_query::static_query;
use crate::storage::PostgresStorage;

/// What a write without rows holds while it waits, about.
const WEIGHT: usize = 1024;

#[async_trait]
impl ImportRepository for PostgresStorage {
    async fn begin(&self, marker: Vec<u8>) -> Result<ImportStart, StorageError> {
        let write = self.write(Claim::Installation, WEIGHT, marker, |marker, batch| begin(batch, marker));
        Ok(write.await?.1)
    }

    async fn import(&self, rows: Vec<ImportRows>, marker: Vec<u8>) -> Result<(), StorageError> {
        let write = self.write(Claim::Installation, WEIGHT, (rows, marker), |(rows, marker), batch| {
            import(batch, rows, marker)
        });
        write.await?.1
    }

    async fn finish(&self) -> Result<(), StorageError> {
        let write = self.write(Claim::Installation, WEIGHT, (), |(), batch| {
            batch.run(|connection| {
                as_owner(connection, |connection| {
                    // This commit is on disk when it is answered, and with it all before it.
                    connection.batch_execute("SET LOCAL synchronous_commit = on")?;
                    Ok(diesel::delete(settings::table.find(MOVE_MARKER)).execute(connection)?)
                })
            })
        });
        write.await.map(drop)
    }
}

/// Does something as the owner of the tables.
fn as_owner<T>(
    connection: &mut PgConnection,
    work: impl FnOnce(&mut PgConnection) -> Result<T, PostgresError>,
) -> Result<T, PostgresError> {
    connection.batch_execute("SET LOCAL ROLE tenantry_owner")?;
    let done = work(connection)?;
    connection.batch_execute("SET LOCAL ROLE tenantry_application")?;
    Ok(done)
}

fn begin(batch: &mut WriteBatch, marker: &[u8]) -> Result<ImportStart, PostgresError> {
    let held: Option<Vec<u8>> = batch.run(|connection| {
        let held = settings::table.find(MOVE_MARKER).select(settings::value);
        Ok(held.get_result(connection).optional()?)
    })?;
    if let Some(held) = held {
        return Ok(ImportStart::Unfinished(held));
    }
    if let Some(found) = batch.run_for_registry(what_is_held)? {
        return Ok(ImportStart::NotEmpty(found));
    }
    batch.run(|connection| {
        diesel::insert_into(settings::table)
            .values((settings::name.eq(MOVE_MARKER), settings::value.eq(marker)))
            .execute(connection)?;
        Ok(ImportStart::Begun)
    })
}

/// What keeps the storage from being empty.
fn what_is_held(connection: &mut PgConnection) -> Result<Option<String>, PostgresError> {
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
) -> Result<Result<(), StorageError>, PostgresError> {
    let noted = batch.run(|connection| {
        as_owner(connection, |connection| {
            // What a crash of the server takes of these commits is brought again; the last one waits for all.
            connection.batch_execute("SET LOCAL synchronous_commit = off")?;
            let noted = diesel::update(settings::table.find(MOVE_MARKER)).set(settings::value.eq(marker));
            Ok(noted.execute(connection)?)
        })
    })?;
    if noted == 0 {
        return Ok(Err(StorageError::Failed("no move into this storage has begun".to_owned())));
    }
    for rows in rows {
        store(batch, rows)?;
    }
    Ok(Ok(()))
}

fn store(batch: &mut WriteBatch, rows: &ImportRows) -> Result<(), PostgresError> {
    match rows {
        ImportRows::Settings(rows) => batch.run(|connection| {
            for (name, value) in rows {
                diesel::insert_into(settings::table)
                    .values((settings::name.eq(name), settings::value.eq(value)))
                    .on_conflict_do_nothing()
                    .execute(connection)?;
            }
            Ok(())
        }),
        ImportRows::AdminKeys(keys) => {
            batch.run(|connection| keys.iter().try_for_each(|key| store_admin_key(connection, key)))
        }
        ImportRows::Tenants(tenants) => store_tenants(batch, tenants),
        ImportRows::LastTenantNumber(last) => {
            batch.run(|connection| as_owner(connection, |connection| remember_number(connection, *last)))
        }
        ImportRows::AccessKeys(tenant, keys) => batch.run_for(*tenant, |connection| {
            keys.iter().try_for_each(|key| store_access_key(connection, *tenant, key))
        }),
        ImportRows::Events(tenant, events) => {
            batch.run_for(*tenant, |connection| store_events(connection, *tenant, events))
        }
        ImportRows::KeyValues(tenant, entries) => {
            batch.run_for(*tenant, |connection| store_key_values(connection, *tenant, entries))
        }
        ImportRows::Catalog(tenant, rows) => batch.run_for(*tenant, |connection| {
            rows.iter().try_for_each(|row| catalog_import::store::<Postgres>(connection, *tenant, row))
        }),
    }
}

fn store_admin_key(connection: &mut PgConnection, key: &AccessKey) -> Result<(), PostgresError> {
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
        .on_conflict_do_nothing()
        .execute(connection)?;
    Ok(())
}

fn store_access_key(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    key: &AccessKey,
) -> Result<(), PostgresError> {
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
        .on_conflict_do_nothing()
        .execute(connection)?;
    Ok(())
}

static_query! {
    /// Stores tenants under the numbers that they have, unless they are there.
    ImportTenants<'a> {
        "INSERT INTO tenants (tenant_number, name, status, tenant_info, version, created_at, updated_at, \
         erasure_started_at, erased_rows) OVERRIDING SYSTEM VALUE SELECT * FROM unnest(" numbers: Vec<i64> as Array<BigInt>,
        ", " names: Vec<&'a str> as Array<Text>,
        ", " statuses: Vec<&'a str> as Array<Text>,
        ", " infos: Vec<&'a str> as Array<Text>,
        ", " versions: Vec<i64> as Array<BigInt>,
        ", " created_ats: Vec<PgTimestamp> as Array<Timestamptz>,
        ", " updated_ats: Vec<PgTimestamp> as Array<Timestamptz>,
        ", " erasure_started_ats: Vec<Option<PgTimestamp>> as Array<Nullable<Timestamptz>>,
        ", " erased_rows: Vec<i64> as Array<BigInt>;
        ") ON CONFLICT DO NOTHING"
    } -> Text
}

fn store_tenants(batch: &mut WriteBatch, stored: &[StoredTenant]) -> Result<(), PostgresError> {
    let tenants = || stored.iter().map(|stored| &stored.tenant);
    let import = ImportTenants {
        numbers: tenants().map(|tenant| tenant.number.get()).collect(),
        names: tenants().map(|tenant| tenant.name.as_str()).collect(),
        statuses: tenants().map(|tenant| tenant.status.as_str()).collect(),
        infos: tenants().map(|tenant| tenant.info.as_str()).collect(),
        versions: tenants().map(|tenant| tenant.version.cast_signed()).collect(),
        created_ats: tenants().map(|tenant| to_moment(tenant.created_at)).collect(),
        updated_ats: tenants().map(|tenant| to_moment(tenant.updated_at)).collect(),
        erasure_started_ats: tenants()
            .map(|tenant| tenant.erasure.map(|erasure| to_moment(erasure.started_at)))
            .collect(),
        erased_rows: tenants()
            .map(|tenant| tenant.erasure.map_or(0, |erasure| erasure.erased_rows.cast_signed()))
            .collect(),
        life: PhantomData,
    };
    batch.run_for_registry(|connection| Ok(import.execute(connection)?))?;
    stored.iter().try_for_each(|stored| store_counters(batch, stored))
}

fn store_counters(batch: &mut WriteBatch, stored: &StoredTenant) -> Result<(), PostgresError> {
    let StoredTenant { tenant, counters } = stored;
    batch.run_for(tenant.number, |connection| {
        diesel::insert_into(tenant_counters::table)
            .values((
                tenant_counters::tenant_number.eq(tenant.number.get()),
                tenant_counters::event_sequence.eq(counters.event_sequence.get().cast_signed()),
                tenant_counters::last_event_at.eq(counters.last_event_at.map(to_moment)),
                tenant_counters::key_value_revision.eq(counters.key_value_revision.get().cast_signed()),
            ))
            .on_conflict_do_nothing()
            .execute(connection)?;
        store_revision::<Postgres>(connection, tenant.number, counters.catalog_revision)
    })
}

/// Moves the sequence behind tenants' numbers, never back.
fn remember_number(connection: &mut PgConnection, last: TenantNumber) -> Result<(), PostgresError> {
    connection.batch_execute(&format!(
        "SELECT setval('tenants_tenant_number_seq', {last}) FROM tenants_tenant_number_seq \
         WHERE NOT is_called OR last_value < {last}"
    ))?;
    Ok(())
}

static_query! {
    /// Stores events of one tenant as they were, unless they are there.
    ImportEvents<'a> {
        "INSERT INTO events (tenant_number, sequence, id, component, environment, message, email, data, \
         data_index, created_at) SELECT " tenant: i64 as BigInt,
        ", n.sequence, n.id, n.component, n.environment, n.message, n.email, n.data, n.data_index::jsonb, \
         n.created_at FROM unnest(" sequences: Vec<i64> as Array<BigInt>,
        ", " ids: Vec<Uuid> as Array<SqlUuid>,
        ", " components: Vec<&'a str> as Array<Text>,
        ", " environments: Vec<&'a str> as Array<Text>,
        ", " messages: Vec<&'a str> as Array<Text>,
        ", " emails: Vec<Option<&'a str>> as Array<Nullable<Text>>,
        ", " datas: Vec<&'a str> as Array<Text>,
        ", " data_indexes: Vec<Option<String>> as Array<Nullable<Text>>,
        ", " created_ats: Vec<PgTimestamp> as Array<Timestamptz>;
        ") AS n (sequence, id, component, environment, message, email, data, data_index, created_at) \
         ON CONFLICT DO NOTHING"
    } -> Text
}

pub(crate) fn store_events(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    events: &[Event],
) -> Result<(), PostgresError> {
    let import = ImportEvents {
        tenant: tenant.get(),
        sequences: events.iter().map(|event| event.sequence.get().cast_signed()).collect(),
        ids: events.iter().map(|event| event.id.get()).collect(),
        components: events.iter().map(|event| event.component.as_str()).collect(),
        environments: events.iter().map(|event| event.environment.as_str()).collect(),
        messages: events.iter().map(|event| event.message.as_str()).collect(),
        emails: events.iter().map(|event| event.email.as_ref().map(Email::as_str)).collect(),
        datas: events.iter().map(|event| event.data.as_str()).collect(),
        data_indexes: events.iter().map(|event| index_document(tenant, event.data.as_str())).collect(),
        created_ats: events.iter().map(|event| to_moment(event.created_at)).collect(),
        life: PhantomData,
    };
    import.execute(connection)?;
    Ok(())
}

static_query! {
    /// Stores key-values of one tenant as they were, unless they are there.
    ImportKeyValues<'a> {
        "INSERT INTO key_values (tenant_number, key, content_type, version, revision, created_at, updated_at, \
         expires_at, value) SELECT " tenant: i64 as BigInt,
        ", n.* FROM unnest(" keys: Vec<&'a str> as Array<Text>,
        ", " content_types: Vec<&'a str> as Array<Text>,
        ", " versions: Vec<i64> as Array<BigInt>,
        ", " revisions: Vec<i64> as Array<BigInt>,
        ", " created_ats: Vec<PgTimestamp> as Array<Timestamptz>,
        ", " updated_ats: Vec<PgTimestamp> as Array<Timestamptz>,
        ", " expires_ats: Vec<Option<PgTimestamp>> as Array<Nullable<Timestamptz>>,
        ", " values: Vec<&'a [u8]> as Array<Binary>;
        ") AS n ON CONFLICT DO NOTHING"
    } -> Text
}

fn store_key_values(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    entries: &[Entry],
) -> Result<(), PostgresError> {
    let metas = || entries.iter().map(|entry| &entry.meta);
    let import = ImportKeyValues {
        tenant: tenant.get(),
        keys: metas().map(|meta| meta.key.as_str()).collect(),
        content_types: metas().map(|meta| meta.content_type.as_str()).collect(),
        versions: metas().map(|meta| meta.version.cast_signed()).collect(),
        revisions: metas().map(|meta| meta.revision.get().cast_signed()).collect(),
        created_ats: metas().map(|meta| to_moment(meta.created_at)).collect(),
        updated_ats: metas().map(|meta| to_moment(meta.updated_at)).collect(),
        expires_ats: metas().map(|meta| meta.expires_at.map(to_moment)).collect(),
        values: entries.iter().map(|entry| &*entry.value).collect(),
        life: PhantomData,
    };
    import.execute(connection)?;
    Ok(())
}
