//! Reading the whole schema, to carry it to another storage.
//!
//! Tenants' data is read as the application, tenant by tenant, as Row-Level Security has it; the numbers that were
//! given, as the owner of the tables.

use std::marker::PhantomData;

use async_trait::async_trait;
use bytes::Bytes;
use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tenantry_domain::{AccessKey, Entry, Event, Key, KeyOwner, PageLimit, Sequence, TenantNumber};
use tenantry_ports::{
    CatalogPosition, CatalogRow, ExportBound, ExportRepository, KeyPosition, MOVE_MARKER, StorageError,
    StoredTenant, TenantCounters,
};
use tenantry_storage_support::catalog_export::{ENDED, catalog};
use tenantry_storage_support::feed_run_publish::revision;

use crate::access_key::{self, KeyRow};
use crate::batch::set;
use crate::engine::Postgres;
use crate::error::PostgresError;
use crate::event::{EventRow, stored_sequence};
use crate::key_value::{MetaRow, stored_revision};
use crate::moment::from_moment;
use crate::schema::{admin_keys, settings, tenant_counters, tenants};
use crate::static_query::static_query;
use crate::storage::PostgresStorage;
use crate::tenant::{TenantRow, tenant_number};

#[async_trait]
impl ExportRepository for PostgresStorage {
    async fn settings(&self) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        let all = settings::table.filter(settings::name.ne(MOVE_MARKER)).order(settings::name.asc());
        self.read(move |connection| Ok(all.load(connection)?)).await
    }

    async fn admin_keys(&self) -> Result<Vec<AccessKey>, StorageError> {
        self.read(admin_keys).await
    }

    async fn last_tenant_number(&self) -> Result<Option<TenantNumber>, StorageError> {
        self.read_for_registry(last_tenant_number).await
    }

    async fn tenants(
        &self,
        after: Option<TenantNumber>,
        bound: ExportBound,
    ) -> Result<Vec<StoredTenant>, StorageError> {
        self.read_for_registry(move |connection| tenants(connection, after, bound)).await
    }

    async fn count_rows(&self, tenant: TenantNumber) -> Result<u64, StorageError> {
        self.read_for(tenant, move |connection| count_rows(connection, tenant)).await
    }

    async fn access_keys(
        &self,
        tenant: TenantNumber,
        after: Option<KeyPosition>,
        bound: ExportBound,
    ) -> Result<Vec<AccessKey>, StorageError> {
        let limit = PageLimit::new(u64::from(bound.rows)).unwrap_or(PageLimit::MAX);
        let list = move |connection: &mut PgConnection| {
            Ok(access_key::list(connection, tenant, after, limit)?.items)
        };
        self.read_for(tenant, list).await
    }

    async fn events(
        &self,
        tenant: TenantNumber,
        after: Option<Sequence>,
        bound: ExportBound,
    ) -> Result<Vec<Event>, StorageError> {
        self.read_for(tenant, move |connection| events(connection, tenant, after, bound)).await
    }

    async fn key_values(
        &self,
        tenant: TenantNumber,
        after: Option<Key>,
        bound: ExportBound,
    ) -> Result<Vec<Entry>, StorageError> {
        self.read_for(tenant, move |connection| key_values(connection, tenant, after.as_ref(), bound)).await
    }

    async fn catalog(
        &self,
        tenant: TenantNumber,
        after: Option<CatalogPosition>,
        bound: ExportBound,
    ) -> Result<Vec<CatalogRow>, StorageError> {
        self.read_for(tenant, move |connection| catalog::<Postgres>(connection, tenant, after, bound)).await
    }
}

fn admin_keys(connection: &mut PgConnection) -> Result<Vec<AccessKey>, PostgresError> {
    let columns = (
        admin_keys::key_id,
        admin_keys::hash,
        admin_keys::name,
        admin_keys::scopes,
        admin_keys::created_at,
        admin_keys::expires_at,
        admin_keys::last_used_at,
    );
    let rows: Vec<KeyRow> =
        admin_keys::table.order(admin_keys::key_id.asc()).select(columns).load(connection)?;
    rows.into_iter().map(|row| row.into_key(KeyOwner::Admin)).collect()
}

/// What the sequence gave last; only its owner may look.
pub(crate) fn last_tenant_number(
    connection: &mut PgConnection,
) -> Result<Option<TenantNumber>, PostgresError> {
    connection.batch_execute("SET LOCAL ROLE tenantry_owner")?;
    let last = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM tenants_tenant_number_seq";
    let last: i64 = sql::<BigInt>(last).get_result(connection)?;
    connection.batch_execute("SET LOCAL ROLE tenantry_application")?;
    match last {
        0 => Ok(None),
        last => tenant_number(last).map(Some),
    }
}

fn tenants(
    connection: &mut PgConnection,
    after: Option<TenantNumber>,
    bound: ExportBound,
) -> Result<Vec<StoredTenant>, PostgresError> {
    // With 64 KiB of tenant_info each, a thousand are bounded enough.
    let rows: Vec<TenantRow> = tenants::table
        .filter(tenants::tenant_number.gt(after.map_or(0, TenantNumber::get)))
        .order(tenants::tenant_number.asc())
        .limit(i64::from(bound.rows.min(1000)))
        .select(TenantRow::as_select())
        .load(connection)?;
    let tenants = rows.into_iter().map(|row| {
        let tenant = row.into_tenant()?;
        let counters = counters(connection, tenant.number)?;
        Ok(StoredTenant { tenant, counters })
    });
    tenants.collect()
}

/// Counters are shown for the tenant that the transaction is about, and no other.
fn counters(connection: &mut PgConnection, tenant: TenantNumber) -> Result<TenantCounters, PostgresError> {
    set(connection, "tenantry.tenant", &tenant.to_string())?;
    let (event_sequence, last_event_at, key_value_revision) = tenant_counters::table
        .find(tenant.get())
        .select((
            tenant_counters::event_sequence,
            tenant_counters::last_event_at,
            tenant_counters::key_value_revision,
        ))
        .get_result::<(i64, Option<_>, i64)>(connection)?;
    Ok(TenantCounters {
        event_sequence: stored_sequence(event_sequence)?,
        last_event_at: last_event_at.map(from_moment),
        key_value_revision: stored_revision(key_value_revision)?,
        catalog_revision: revision::<Postgres>(connection, tenant)?,
    })
}

fn count_rows(connection: &mut PgConnection, tenant: TenantNumber) -> Result<u64, PostgresError> {
    let count = |table: &str| format!("(SELECT count(*) FROM {table} WHERE tenant_number = {tenant})");
    let tables = ["tenant_keys", "events", "key_values", "feeds", "feed_rejects", "plan_versions", "plans"];
    let runs = format!("(SELECT count(*) FROM feed_runs WHERE tenant_number = {tenant} AND {ENDED})");
    let all = format!("SELECT {runs} + {}", tables.map(count).join(" + "));
    Ok(sql::<BigInt>(&all).get_result::<i64>(connection)?.unsigned_abs())
}

static_query! {
    /// A page of a tenant's events. The lengths are known without reading long texts.
    EventPage<'a> {
        "SELECT sequence, id, component, environment, message, email, data, created_at FROM ( \
         SELECT *, sum(octet_length(message) + octet_length(data)) OVER (ORDER BY sequence \
         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before FROM ( \
         SELECT sequence, id, component, environment, message, email, data, created_at FROM events \
         WHERE tenant_number = " tenant: i64 as BigInt,
        " AND sequence > " after: i64 as BigInt,
        " ORDER BY sequence LIMIT " rows: i64 as BigInt,
        ") AS rows) AS page WHERE COALESCE(bytes_before, 0) < " bytes: i64 as BigInt;
        " ORDER BY sequence"
    } -> (BigInt, SqlUuid, Text, Text, Text, Nullable<Text>, Text, Timestamptz)
}

fn events(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    after: Option<Sequence>,
    bound: ExportBound,
) -> Result<Vec<Event>, PostgresError> {
    let page = EventPage {
        tenant: tenant.get(),
        after: after.unwrap_or_default().get().cast_signed(),
        rows: i64::from(bound.rows),
        bytes: bytes(bound),
        life: PhantomData,
    };
    let rows: Vec<EventRow> = page.load(connection)?;
    rows.into_iter().map(EventRow::into_event).collect()
}

static_query! {
    /// A page of a tenant's key-values. The lengths are known without reading long values.
    KeyValuePage<'a> {
        "SELECT key, content_type, version, revision, created_at, updated_at, expires_at, value FROM ( \
         SELECT *, sum(octet_length(value)) OVER (ORDER BY key \
         ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before FROM ( \
         SELECT key, content_type, version, revision, created_at, updated_at, expires_at, value FROM key_values \
         WHERE tenant_number = " tenant: i64 as BigInt,
        " AND key > " after: &'a str as Text,
        " COLLATE \"C\" ORDER BY key LIMIT " rows: i64 as BigInt,
        ") AS rows) AS page WHERE COALESCE(bytes_before, 0) < " bytes: i64 as BigInt;
        " ORDER BY key"
    } -> (Text, (Text, BigInt, BigInt, Timestamptz, Timestamptz, Nullable<Timestamptz>), Binary)
}

fn key_values(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    after: Option<&Key>,
    bound: ExportBound,
) -> Result<Vec<Entry>, PostgresError> {
    let page = KeyValuePage {
        tenant: tenant.get(),
        after: after.map_or("", Key::as_str),
        rows: i64::from(bound.rows),
        bytes: bytes(bound),
        life: PhantomData,
    };
    let rows: Vec<(String, MetaRow, Vec<u8>)> = page.load(connection)?;
    let entries = rows.into_iter().map(|(key, meta, value)| {
        let meta = meta.into_meta(Key::from_stored(&key), value.len() as u64)?;
        Ok(Entry { meta, value: Bytes::from(value) })
    });
    entries.collect()
}

/// At least 1: the first row is always shown.
fn bytes(bound: ExportBound) -> i64 {
    i64::try_from(bound.bytes.max(1)).unwrap_or(i64::MAX)
}
