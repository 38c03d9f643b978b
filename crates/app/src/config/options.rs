//! Each crate's own options, made from the configuration.

use std::time::Duration;

use tenantry_cache_memcached::MemcachedOptions;
use tenantry_cache_redis::RedisOptions;
use tenantry_http::{HttpOptions, Limits};
use tenantry_storage_sqlite::SqliteOptions;

use super::loader::Config;
use super::settings::CacheSettings;

/// How long connecting to a shared cache may take; nobody waits for it.
const CACHE_CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

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
        }
    }

    /// How SQLite is to be used.
    #[must_use]
    pub fn sqlite_options(&self) -> SqliteOptions {
        let settings = &self.settings().sqlite;
        let mut options = SqliteOptions::new(self.database_path());
        options.readers = settings.readers;
        options.read_wait = Duration::from_millis(settings.read_wait_ms);
        options.max_queued_writes = settings.max_queued_writes;
        options.max_queued_bytes = settings.max_queued_bytes;
        options
    }
}

impl CacheSettings {
    /// How Redis is to be used, if it is.
    #[must_use]
    pub fn redis_options(&self) -> Option<RedisOptions> {
        Some(RedisOptions {
            url: self.redis_url.clone()?,
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
