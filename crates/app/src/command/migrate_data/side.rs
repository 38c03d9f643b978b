//! The two databases of a move, opened for it.

use std::sync::Arc;

use tenantry_domain::{CatalogRevision, Entry, Key, KeyId, Revision, TenantNumber};
use tenantry_ports::{CommitListener, ExportRepository, ImportRepository, SystemClock};
use tenantry_storage_postgres::PostgresStorage;
use tenantry_storage_sqlite::{SqliteExport, SqliteStorage};

use crate::application::OpenError;
use crate::config::{Config, Database, StorageOptions};

/// A database that is read whole. Nobody else serves it for as long as this lives.
pub(super) struct Source(Arc<dyn ExportRepository>);

impl Source {
    pub(super) fn open(config: &Config, database: &Database) -> Result<Self, OpenError> {
        Ok(match config.storage_options_of(database) {
            StorageOptions::Sqlite(options) => Self(Arc::new(SqliteExport::open(&options.path)?)),
            StorageOptions::Postgres(options) => {
                let storage =
                    PostgresStorage::open_for_export(*options, Arc::new(SystemClock), Arc::new(Nobody))?;
                Self(Arc::new(storage))
            }
        })
    }

    pub(super) fn export(&self) -> Arc<dyn ExportRepository> {
        Arc::clone(&self.0)
    }
}

/// A database that is written to. Nobody else serves it for as long as this lives.
pub(super) struct Target {
    export: Arc<dyn ExportRepository>,
    import: Arc<dyn ImportRepository>,
    close: Box<dyn Fn()>,
}

impl Target {
    pub(super) fn open(config: &Config, database: &Database) -> Result<Self, OpenError> {
        Ok(match config.storage_options_of(database) {
            StorageOptions::Sqlite(options) => {
                let storage =
                    SqliteStorage::open_for_import(options, Arc::new(SystemClock), Arc::new(Nobody))?;
                let closing = storage.clone();
                Self {
                    export: Arc::new(storage.export()),
                    import: Arc::new(storage),
                    close: Box::new(move || closing.close()),
                }
            }
            StorageOptions::Postgres(options) => {
                let storage =
                    PostgresStorage::open_for_import(*options, Arc::new(SystemClock), Arc::new(Nobody))?;
                let closing = storage.clone();
                let storage = Arc::new(storage);
                Self { export: storage.clone(), import: storage, close: Box::new(move || closing.close()) }
            }
        })
    }

    pub(super) fn export(&self) -> Arc<dyn ExportRepository> {
        Arc::clone(&self.export)
    }

    pub(super) fn import(&self) -> Arc<dyn ImportRepository> {
        Arc::clone(&self.import)
    }

    /// Writes what was accepted, and lets go of the database. Blocks.
    pub(super) fn close(&self) {
        (self.close)();
    }
}

/// There are no caches to be told.
struct Nobody;

impl CommitListener for Nobody {
    fn key_value_changed(&self, _: TenantNumber, _: &Key, _: Revision, _: Option<Arc<Entry>>) {}
    fn key_value_in_doubt(&self, _: TenantNumber, _: &Key) {}
    fn access_key_changed(&self, _: KeyId) {}
    fn tenant_changed(&self, _: TenantNumber) {}
    fn catalog_changed(&self, _: TenantNumber, _: CatalogRevision) {}
}
