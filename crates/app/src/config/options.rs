//! Each crate's own options, made from the configuration.

use std::time::Duration;

use tenantry_http::{HttpOptions, Limits};
use tenantry_storage_sqlite::SqliteOptions;

use super::loader::Config;

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
