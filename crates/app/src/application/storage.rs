//! The storage that the configuration names, as its ports.

use std::sync::Arc;

use tenantry_ports::{
    AccessKeyRepository, Clock, CommitListener, EventRepository, FeedRepository, FeedRunRepository,
    HealthProbe, JobQueue, KeyValueRepository, PlanRepository, SettingRepository, TenantRepository,
};
use tenantry_storage_postgres::{PostgresBus, PostgresStorage};
use tenantry_storage_sqlite::SqliteStorage;

use super::caches::{Bus, run};
use crate::config::{Config, StorageOptions};

/// Storage that is open. Clones share it.
#[derive(Clone)]
pub(crate) struct Storage {
    pub(crate) tenants: Arc<dyn TenantRepository>,
    pub(crate) access_keys: Arc<dyn AccessKeyRepository>,
    pub(crate) events: Arc<dyn EventRepository>,
    pub(crate) key_values: Arc<dyn KeyValueRepository>,
    pub(crate) feeds: Arc<dyn FeedRepository>,
    pub(crate) feed_runs: Arc<dyn FeedRunRepository>,
    pub(crate) plans: Arc<dyn PlanRepository>,
    pub(crate) jobs: Arc<dyn JobQueue>,
    pub(crate) settings: Arc<dyn SettingRepository>,
    pub(crate) health: Arc<dyn HealthProbe>,
    pub(crate) replica_health: Option<Arc<dyn HealthProbe>>,
    close: Arc<dyn Fn() + Send + Sync>,
}

/// Why the database was not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// SQLite.
    #[error(transparent)]
    Sqlite(#[from] tenantry_storage_sqlite::OpenError),
    /// PostgreSQL.
    #[error(transparent)]
    Postgres(#[from] tenantry_storage_postgres::OpenError),
}

impl Storage {
    /// Opens the database, and brings its schema up to date. Blocks.
    pub(crate) fn open(
        config: &Config,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, OpenError> {
        match config.storage_options() {
            StorageOptions::Sqlite(options) => {
                let storage = SqliteStorage::open(options, clock, listener)?;
                let (closing, jobs) = (storage.clone(), Arc::new(storage.job_queue(config.takeover())));
                Ok(Self::of(&Arc::new(storage), jobs, move || closing.close()))
            }
            StorageOptions::Postgres(options) => {
                let storage = PostgresStorage::open(*options, clock, listener)?;
                let (closing, replica_health) = (storage.clone(), storage.replica_health());
                let jobs = Arc::new(storage.job_queue(config.takeover()));
                Ok(Self { replica_health, ..Self::of(&Arc::new(storage), jobs, move || closing.close()) })
            }
        }
    }

    /// Whether the database that the configuration names may have other nodes.
    pub(crate) fn is_shared(config: &Config) -> bool {
        matches!(config.storage_options(), StorageOptions::Postgres(_))
    }

    /// The bus of the database that the configuration names, if it has one that is wanted. Nothing is connected
    /// before it runs, which it can once the database was opened.
    pub(crate) fn bus(config: &Config) -> Option<Bus> {
        let StorageOptions::Postgres(options) = config.storage_options() else { return None };
        let bus =
            config.settings().postgres.announce_changes.then(|| Arc::new(PostgresBus::new(&options)))?;
        Some(Bus { bus: bus.clone(), run: run(bus, |bus, listener| async move { bus.run(listener).await }) })
    }

    fn of<S>(storage: &Arc<S>, jobs: Arc<dyn JobQueue>, close: impl Fn() + Send + Sync + 'static) -> Self
    where
        S: TenantRepository
            + AccessKeyRepository
            + EventRepository
            + KeyValueRepository
            + FeedRepository
            + FeedRunRepository
            + PlanRepository
            + SettingRepository
            + HealthProbe
            + 'static,
    {
        Self {
            tenants: storage.clone(),
            access_keys: storage.clone(),
            events: storage.clone(),
            key_values: storage.clone(),
            feeds: storage.clone(),
            feed_runs: storage.clone(),
            plans: storage.clone(),
            jobs,
            settings: storage.clone(),
            health: storage.clone(),
            replica_health: None,
            close: Arc::new(close),
        }
    }

    /// Waits, without blocking the thread, until storage has written what it accepted and let go of its file.
    pub(crate) async fn close(self) {
        if let Err(error) = tokio::task::spawn_blocking(move || (self.close)()).await {
            tracing::error!(%error, "closing storage broke down");
        }
    }
}
