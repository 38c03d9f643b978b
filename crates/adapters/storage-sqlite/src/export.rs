//! Reading the whole file, to carry it to another storage.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tenantry_domain::{
    AccessKey, CatalogRevision, Entry, Event, Key, KeyOwner, PageLimit, Sequence, TenantNumber, Timestamp,
};
use tenantry_ports::{
    CatalogPosition, CatalogRow, ExportBound, ExportRepository, KeyPosition, MOVE_MARKER, StorageError,
    StoredTenant, TenantCounters,
};
use tenantry_storage_support::catalog_export::{ENDED, catalog};
use tenantry_storage_support::feed_run_publish::revision;
use tenantry_storage_support::{ReadLimits, ReadPool};

use crate::access_key::{self, KeyRow};
use crate::connection::{self, Readers};
use crate::engine::Sqlite;
use crate::error::SqliteError;
use crate::event::{EventRow, sequence};
use crate::file::{self, OpenError};
use crate::key_value::{MetaRow, stored_revision};
use crate::schema::{admin_keys, events, key_values, settings, tenant_counters, tenants};
use crate::tenant::{TenantRow, tenant_number};

/// Pages may wait so long for the one connection that reads.
const READ_WAIT: Duration = Duration::from_secs(60);

/// A SQLite file that is read whole and never written to.
pub struct SqliteExport {
    readers: Arc<ReadPool<Readers>>,
    /// Keeps the file from being served meanwhile.
    _lock: Option<File>,
}

impl SqliteExport {
    /// Opens the file, which must be there and up to date, and keeps other Tenantrys from it. Blocks.
    ///
    /// # Errors
    /// Each case says what to do. The file is then byte for byte as it was.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let lock = file::prepare_export(path)?;
        let failed = |error: &dyn std::fmt::Display| OpenError::failed(path, error);
        let readers = connection::open_readers(path, 1).map_err(|error| failed(&error))?;
        let limits = ReadLimits { waiting: 16, wait: READ_WAIT };
        let readers = ReadPool::start("sqlite-export", &readers, limits).map_err(|error| failed(&error))?;
        Ok(Self { readers: Arc::new(readers), _lock: Some(lock) })
    }

    /// Over the readers of a storage that is open.
    pub(crate) fn over(readers: Arc<ReadPool<Readers>>) -> Self {
        Self { readers, _lock: None }
    }

    async fn read<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, SqliteError> + Send + 'static,
    {
        self.readers.read(move |connection, _| Ok(work(connection)?)).await
    }
}

#[async_trait]
impl ExportRepository for SqliteExport {
    async fn settings(&self) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        let all = settings::table.filter(settings::name.ne(MOVE_MARKER)).order(settings::name.asc());
        self.read(move |connection| Ok(all.load(connection)?)).await
    }

    async fn admin_keys(&self) -> Result<Vec<AccessKey>, StorageError> {
        self.read(admin_keys).await
    }

    async fn last_tenant_number(&self) -> Result<Option<TenantNumber>, StorageError> {
        self.read(last_tenant_number).await
    }

    async fn tenants(
        &self,
        after: Option<TenantNumber>,
        bound: ExportBound,
    ) -> Result<Vec<StoredTenant>, StorageError> {
        self.read(move |connection| tenants(connection, after, bound)).await
    }

    async fn count_rows(&self, tenant: TenantNumber) -> Result<u64, StorageError> {
        self.read(move |connection| count_rows(connection, tenant)).await
    }

    async fn access_keys(
        &self,
        tenant: TenantNumber,
        after: Option<KeyPosition>,
        bound: ExportBound,
    ) -> Result<Vec<AccessKey>, StorageError> {
        let limit = PageLimit::new(u64::from(bound.rows)).unwrap_or(PageLimit::MAX);
        self.read(move |connection| Ok(access_key::list(connection, tenant, after, limit)?.items)).await
    }

    async fn events(
        &self,
        tenant: TenantNumber,
        after: Option<Sequence>,
        bound: ExportBound,
    ) -> Result<Vec<Event>, StorageError> {
        self.read(move |connection| events(connection, tenant, after, bound)).await
    }

    async fn key_values(
        &self,
        tenant: TenantNumber,
        after: Option<Key>,
        bound: ExportBound,
    ) -> Result<Vec<Entry>, StorageError> {
        self.read(move |connection| key_values(connection, tenant, after.as_ref(), bound)).await
    }

    async fn catalog(
        &self,
        tenant: TenantNumber,
        after: Option<CatalogPosition>,
        bound: ExportBound,
    ) -> Result<Vec<CatalogRow>, StorageError> {
        self.read(move |connection| catalog::<Sqlite>(connection, tenant, after, bound)).await
    }
}

fn admin_keys(connection: &mut SqliteConnection) -> Result<Vec<AccessKey>, SqliteError> {
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

/// AUTOINCREMENT remembers it in a table of SQLite's own, from the first tenant on.
pub(crate) fn last_tenant_number(
    connection: &mut SqliteConnection,
) -> Result<Option<TenantNumber>, SqliteError> {
    let last = "SELECT COALESCE(max(seq), 0) FROM sqlite_sequence WHERE name = 'tenants'";
    match sql::<BigInt>(last).get_result(connection)? {
        0 => Ok(None),
        last => tenant_number(last).map(Some),
    }
}

fn tenants(
    connection: &mut SqliteConnection,
    after: Option<TenantNumber>,
    bound: ExportBound,
) -> Result<Vec<StoredTenant>, SqliteError> {
    let behind = tenants::table
        .inner_join(tenant_counters::table)
        .filter(tenants::tenant_number.gt(after.map_or(0, TenantNumber::get)))
        .order(tenants::tenant_number.asc())
        .select((
            TenantRow::as_select(),
            tenant_counters::event_sequence,
            tenant_counters::last_event_at,
            tenant_counters::key_value_revision,
        ));
    let mut page = Page::new(bound);
    for row in behind.load_iter::<(TenantRow, i64, Option<i64>, i64), _>(connection)? {
        let (row, event_sequence, last_event_at, key_value_revision) = row?;
        let tenant = row.into_tenant()?;
        let counters = TenantCounters {
            event_sequence: sequence(event_sequence)?,
            last_event_at: last_event_at.map(Timestamp::from_micros),
            key_value_revision: stored_revision(key_value_revision)?,
            catalog_revision: CatalogRevision::default(),
        };
        let bytes = tenant.info.as_str().len();
        if page.push(StoredTenant { tenant, counters }, bytes) {
            break;
        }
    }
    for stored in &mut page.rows {
        stored.counters.catalog_revision = revision::<Sqlite>(connection, stored.tenant.number)?;
    }
    Ok(page.rows)
}

fn count_rows(connection: &mut SqliteConnection, tenant: TenantNumber) -> Result<u64, SqliteError> {
    let count = |table: &str| format!("(SELECT count(*) FROM {table} WHERE tenant_number = {tenant})");
    let tables = ["tenant_keys", "events", "key_values", "feeds", "feed_rejects", "plan_versions", "plans"];
    let runs = format!("(SELECT count(*) FROM feed_runs WHERE tenant_number = {tenant} AND {ENDED})");
    let all = format!("SELECT {runs} + {}", tables.map(count).join(" + "));
    Ok(sql::<BigInt>(&all).get_result::<i64>(connection)?.unsigned_abs())
}

fn events(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    after: Option<Sequence>,
    bound: ExportBound,
) -> Result<Vec<Event>, SqliteError> {
    let behind = events::table
        .filter(events::tenant_number.eq(tenant.get()))
        .filter(events::sequence.gt(after.unwrap_or_default().get().cast_signed()))
        .order(events::sequence.asc())
        .select(EventRow::as_select());
    let mut page = Page::new(bound);
    for row in behind.load_iter(connection)? {
        let event = row?.into_event()?;
        let bytes = event.message.as_str().len() + event.data.as_str().len();
        if page.push(event, bytes) {
            break;
        }
    }
    Ok(page.rows)
}

fn key_values(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    after: Option<&Key>,
    bound: ExportBound,
) -> Result<Vec<Entry>, SqliteError> {
    let behind = key_values::table
        .filter(key_values::tenant_number.eq(tenant.get()))
        .filter(key_values::key.gt(after.map_or("", Key::as_str)))
        .order(key_values::key.asc())
        .select((key_values::key, MetaRow::as_select(), key_values::value));
    let mut page = Page::new(bound);
    for row in behind.load_iter::<(String, MetaRow, Vec<u8>), _>(connection)? {
        let (key, meta, value) = row?;
        let bytes = value.len();
        let meta = meta.into_meta(Key::from_stored(&key), bytes as u64)?;
        if page.push(Entry { meta, value: Bytes::from(value) }, bytes) {
            break;
        }
    }
    Ok(page.rows)
}

/// A page that is being filled.
struct Page<T> {
    rows: Vec<T>,
    bytes: u64,
    bound: ExportBound,
}

impl<T> Page<T> {
    fn new(bound: ExportBound) -> Self {
        Self { rows: Vec::new(), bytes: 0, bound }
    }

    /// Adds a row, and says whether the page is full.
    fn push(&mut self, row: T, bytes: usize) -> bool {
        self.rows.push(row);
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.rows.len() >= self.bound.rows as usize || self.bytes >= self.bound.bytes
    }
}
