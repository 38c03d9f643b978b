//! Each crate's own options, made from the configuration.

use std::path::PathBuf;
use std::time::Duration;

use tenantry_cache_memcached::MemcachedOptions;
use tenantry_cache_redis::RedisOptions;
use tenantry_feed_http::FeedHttpOptions;
use tenantry_http::{CompatOptions, HttpOptions, Limits};
use tenantry_queue_rabbitmq::RabbitMqOptions;
use tenantry_services::{FeedLimits, ImportOptions};
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

impl Config {
    /// How feeds are to be fetched.
    #[must_use]
    pub fn feed_http_options(&self) -> FeedHttpOptions {
        let settings = &self.settings().feeds;
        let defaults = FeedHttpOptions::default();
        FeedHttpOptions {
            allow_private_addresses: settings.allow_private_addresses,
            connect_timeout: Duration::from_secs(settings.connect_timeout_seconds),
            answer_timeout: Duration::from_secs(settings.answer_timeout_seconds),
            idle_timeout: Duration::from_secs(settings.idle_timeout_seconds),
            attempt_timeout: Duration::from_secs(settings.attempt_timeout_seconds),
            fetch_timeout: Duration::from_secs(settings.fetch_timeout_seconds),
            max_attempts: settings.max_attempts,
            max_backoff: Duration::from_secs(settings.max_backoff_seconds),
            breaker_failures: settings.breaker_failures,
            breaker_pause: Duration::from_secs(settings.breaker_pause_seconds),
            limits: self.feed_file_limits(),
            ..defaults
        }
    }

    /// What a feed may be, wherever it comes from.
    #[must_use]
    pub fn feed_file_limits(&self) -> tenantry_feed_http::FeedLimits {
        let max_feed_bytes = self.settings().feeds.max_feed_bytes;
        tenantry_feed_http::FeedLimits { max_feed_bytes, ..tenantry_feed_http::FeedLimits::default() }
    }

    /// What feeds may take.
    #[must_use]
    pub fn feed_limits(&self) -> FeedLimits {
        let settings = self.settings();
        FeedLimits {
            max_feeds: settings.limits.max_feeds,
            max_rejects: settings.catalog.max_rejects,
            max_page_bytes: settings.limits.max_page_value_bytes,
        }
    }

    /// How runs of feeds are carried out.
    #[must_use]
    pub fn import_options(&self) -> ImportOptions {
        let settings = &self.settings().catalog;
        ImportOptions {
            claim: self.takeover(),
            max_leaving_permille: settings.max_leaving_percent.saturating_mul(10),
            max_rejects: settings.max_rejects,
            kept_runs: settings.kept_runs,
        }
    }

    /// How long a job stays with a worker that says nothing of itself.
    #[must_use]
    pub fn takeover(&self) -> Duration {
        Duration::from_secs(self.settings().jobs.takeover_seconds)
    }

    /// How RabbitMQ is to be used, if it is, by a process that does so many jobs at the same time.
    #[must_use]
    pub fn rabbitmq_options(&self, workers: u16) -> Option<RabbitMqOptions> {
        let settings = &self.settings().jobs;
        Some(RabbitMqOptions {
            url: settings.rabbitmq_url.clone()?,
            namespace: settings.namespace.clone(),
            prefetch: workers,
            timeout: Duration::from_millis(settings.timeout_ms),
        })
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
