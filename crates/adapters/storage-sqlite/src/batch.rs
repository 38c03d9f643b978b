//! The writer's side: one transaction after another, and what is kept in memory for them.

use std::convert::Infallible;
use std::sync::Arc;

use diesel::SqliteConnection;
use diesel::connection::SimpleConnection;
use tenantry_domain::{CatalogRevision, Entry, Key, KeyId, Revision, TenantNumber, Timestamp};
use tenantry_ports::{Clock, CommitListener, StorageError};
use tenantry_storage_support::Batch;

use crate::counters::{CounterCache, Counters, Which};
use crate::error::{SqliteError, storage_error};

/// What the listener is to hear after the commit.
#[derive(Debug)]
pub(crate) enum Change {
    /// See [`CommitListener::key_value_changed`].
    KeyValue { tenant: TenantNumber, key: Key, revision: Revision, entry: Option<Arc<Entry>> },
    /// See [`CommitListener::access_key_changed`].
    AccessKey(KeyId),
    /// See [`CommitListener::tenant_changed`].
    Tenant(TenantNumber),
    /// See [`CommitListener::catalog_changed`].
    Catalog(TenantNumber, CatalogRevision),
}

/// The connection that writes, and the transaction that is open on it.
pub(crate) struct WriteBatch {
    pub(crate) connection: SqliteConnection,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn CommitListener>,
    now: Timestamp,
    counters: CounterCache,
    changes: Vec<Change>,
}

impl WriteBatch {
    pub(crate) fn new(
        connection: SqliteConnection,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> Self {
        let now = clock.now();
        Self { connection, clock, listener, now, counters: CounterCache::default(), changes: Vec::new() }
    }

    /// The time of the transaction.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The tenant's counters; nothing where there is no such tenant, or it is not among `which`.
    pub(crate) fn counters(
        &mut self,
        tenant: TenantNumber,
        which: Which,
    ) -> Result<Option<Counters>, SqliteError> {
        self.counters.get(&mut self.connection, tenant, which)
    }

    /// Notes what the tenant's counters are from now on.
    pub(crate) fn set_counters(&mut self, tenant: TenantNumber, counters: Counters) {
        self.counters.set(tenant, counters);
    }

    /// Writes the tenant's counters and forgets them, because its row or its status is about to change.
    pub(crate) fn flush_counters_of(&mut self, tenant: TenantNumber) -> Result<(), SqliteError> {
        self.counters.flush_one(&mut self.connection, tenant)
    }

    /// Has the listener told, once it is committed.
    pub(crate) fn tell(&mut self, change: Change) {
        self.changes.push(change);
    }
}

impl Batch for WriteBatch {
    /// SQLite has one writer.
    type Claim = Infallible;

    fn begin(&mut self, _: &[Infallible]) -> Result<(), StorageError> {
        if let Err(error) = self.connection.batch_execute("BEGIN IMMEDIATE") {
            // Should one ever be left open, the next batch finds it gone.
            self.rollback();
            return Err(storage_error(error));
        }
        if let Err(error) = self.counters.begin(&mut self.connection) {
            self.rollback();
            return Err(error.into());
        }
        self.now = self.clock.now();
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        self.counters.flush(&mut self.connection)?;
        self.connection.batch_execute("COMMIT").map_err(storage_error)
    }

    fn rollback(&mut self) {
        self.counters.clear();
        self.changes.clear();
        if let Err(error) = self.connection.batch_execute("ROLLBACK") {
            // After some errors SQLite has rolled back by itself, and says that there is no transaction.
            tracing::debug!(%error, "nothing was left to roll back");
        }
    }

    fn announce(&mut self) {
        for change in self.changes.drain(..) {
            match change {
                Change::KeyValue { tenant, key, revision, entry } => {
                    self.listener.key_value_changed(tenant, &key, revision, entry);
                }
                Change::AccessKey(id) => self.listener.access_key_changed(id),
                Change::Tenant(tenant) => self.listener.tenant_changed(tenant),
                Change::Catalog(tenant, revision) => self.listener.catalog_changed(tenant, revision),
            }
        }
    }

    fn close(&mut self) {
        // So that the next start has no log to read, and whoever copies the file has all of it.
        if let Err(error) = self.connection.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)") {
            tracing::warn!(%error, "the write-ahead log was not folded into the database: the next start does it");
        }
    }
}
