//! Each crate's own options, made from the configuration.

use std::path::PathBuf;
use std::time::Duration;

use tenantry_cache_memcached::MemcachedOptions;
use tenantry_cache_redis::RedisOptions;
use tenantry_http::{CompatOptions, HttpOptions, Limits};
use tenantry_storage_postgres::{PostgresOptions, PostgresUrl};
use tenantry_storage_sqlite::SqliteOptions;

use super::database::Database;
use super::loader::Config;
use super::settings::CacheSettings;

/// How long connecting to a shared cache may take; nobody waits for it.
const CACHE_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How the database that the configuration names is to be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorageOptions {
    /// SQLite.
    Sqlite(SqliteOptions),
    /// PostgreSQL.
    Postgres(Box<PostgresOptions>),
}

impl Config {
    /// How HTTP is to be served.
    #[must_use]
    pub fn http_options(&self) -> HttpOptions {
        let settings = self.settings();
        let (http, limits) = (&settings.http, &settings.limits);
        HttpOptions {
            listen: settings.listen,
            workers: http.workers,
            max_connections: http.max_connections,
            keep_alive: Duration::from_secs(http.keep_alive_seconds),
            header_timeout: Duration::from_secs(http.header_timeout_seconds),
            body_timeout: Duration::from_secs(http.body_timeout_seconds),
            shutdown_timeout: Duration::from_secs(http.shutdown_timeout_seconds),
            limits: Limits {
                max_json_body_bytes: limits.max_json_body_bytes,
                max_batch_body_bytes: limits.max_batch_body_bytes,
                max_batch_items: limits.max_batch_items,
                max_value_bytes: limits.max_value_bytes,
                max_json_depth: limits.max_json_depth,
                max_page_value_bytes: limits.max_page_value_bytes,
            },
            cors_origins: http.cors_origins.clone(),
            log_requests: settings.log.requests,
            compat: self.compat_options(),
        }
    }

    /// Which old contracts are spoken, and to whom: with sample data all of them.
    fn compat_options(&self) -> CompatOptions {
        let settings = self.settings();
        CompatOptions {
            enabled: settings.compat.enabled || settings.demo,
            key_values: settings.compat.key_values.opening(),
            activity: settings.compat.activity.opening(),
            search: settings.compat.search.opening(),
        }
    }

    /// Which database is to be used, and how.
    #[must_use]
    pub fn storage_options(&self) -> StorageOptions {
        self.storage_options_of(self.settings().database())
    }

    /// How another database is to be used.
    #[must_use]
    pub fn storage_options_of(&self, database: &Database) -> StorageOptions {
        let settings = self.settings();
        match database {
            Database::Postgres(url) => StorageOptions::Postgres(Box::new(self.postgres_options(url.clone()))),
            Database::InDataDir | Database::SqliteFile(_) => {
                let path = database.path(&settings.data_dir).unwrap_or_default();
                StorageOptions::Sqlite(self.sqlite_options(path))
            }
        }
    }

    /// How SQLite is to be used, on that file.
    fn sqlite_options(&self, path: PathBuf) -> SqliteOptions {
        let settings = &self.settings().sqlite;
        let mut options = SqliteOptions::new(path);
        options.readers = settings.readers;
        options.read_wait = Duration::from_millis(settings.read_wait_ms);
        options.max_queued_writes = settings.max_queued_writes;
        options.max_queued_bytes = settings.max_queued_bytes;
        options
    }

    /// How PostgreSQL is to be used, at that URL.
    fn postgres_options(&self, url: PostgresUrl) -> PostgresOptions {
        let settings = &self.settings().postgres;
        PostgresOptions {
            url,
            read_url: self.settings().database_read_url.clone(),
            owner_url: settings.owner_url.clone(),
            schema: settings.schema.clone(),
            allow_bypassing_role: settings.allow_bypassing_role,
            writers: settings.writers,
            readers: settings.readers,
            read_wait: Duration::from_millis(settings.read_wait_ms),
            answer_wait: Duration::from_millis(settings.answer_wait_ms),
            statement_timeout_ms: settings.statement_timeout_ms,
            max_queued_writes: settings.max_queued_writes,
            max_queued_bytes: settings.max_queued_bytes,
            start_wait: Duration::from_secs(settings.start_wait_seconds),
        }
    }
}

impl CacheSettings {
    /// How Redis is to be used, if it is.
    #[must_use]
    pub fn redis_options(&self) -> Option<RedisOptions> {
        Some(RedisOptions {
            url: self.redis_url.clone()?,
            ca: self.redis_ca_file.clone(),
            namespace: self.namespace.clone(),
            timeout: Duration::from_millis(self.timeout_ms),
            connect_timeout: CACHE_CONNECT_TIMEOUT,
        })
    }

    /// How memcached is to be used, if it is.
    #[must_use]
    pub fn memcached_options(&self) -> Option<MemcachedOptions> {
        Some(MemcachedOptions {
            url: self.memcached_url.clone()?,
            namespace: self.namespace.clone(),
            timeout: Duration::from_millis(self.timeout_ms),
            connect_timeout: CACHE_CONNECT_TIMEOUT,
        })
    }
}
