//! The configuration's values, one field a key. The types here hold what the rules let through.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;
use tenantry_cache_memcached::MemcachedUrl;
use tenantry_cache_redis::{RedisCa, RedisUrl};
use tenantry_queue_rabbitmq::RabbitMqUrl;
use tenantry_storage_postgres::PostgresUrl;

use super::compat::CompatSettings;
use super::database::Database;
use super::problem::Problem;
use super::{jobs, shared_cache};

/// Every key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the HTTP API is served.
    pub listen: SocketAddr,
    /// Where Tenantry keeps what is its own.
    pub data_dir: PathBuf,
    // A database_url that is not understood may hold a password, but never gets here.
    #[serde(rename = "database_url", deserialize_with = "database")]
    database: Database,
    /// A replica of the database, for lists.
    #[serde(deserialize_with = "postgres_url")]
    pub database_read_url: Option<PostgresUrl>,
    /// Whether to fill an installation with sample data, once.
    pub demo: bool,
    /// What is logged.
    pub log: LogSettings,
    /// How HTTP is served.
    pub http: HttpSettings,
    /// What a request may hold.
    pub limits: LimitSettings,
    /// Which old contracts are spoken.
    pub compat: CompatSettings,
    /// What is kept in memory.
    pub cache: CacheSettings,
    /// How feeds are fetched.
    pub feeds: FeedSettings,
    /// What becomes of what they bring.
    pub catalog: CatalogSettings,
    /// Who carries out their runs.
    pub jobs: JobSettings,
    /// How SQLite is used.
    pub sqlite: SqliteSettings,
    /// How PostgreSQL is used.
    pub postgres: PostgresSettings,
    /// What is done in the background.
    pub maintenance: MaintenanceSettings,
}

/// The section `log`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    /// What is logged, in the syntax of tracing's `EnvFilter`.
    pub level: String,
    /// For whom.
    pub format: LogFormat,
    /// Whether each request is logged.
    pub requests: bool,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// The section `http`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    /// Threads that serve requests; 0 is one a core.
    pub workers: usize,
    /// Connections at once.
    pub max_connections: usize,
    /// How long a connection without a request is kept.
    pub keep_alive_seconds: u64,
    /// How long the headers of a request may take.
    pub header_timeout_seconds: u64,
    /// How long the body of a request may take.
    pub body_timeout_seconds: u64,
    /// How long requests under way may take when Tenantry stops.
    pub shutdown_timeout_seconds: u64,
    /// The origins whose pages may use the API.
    pub cors_origins: Vec<String>,
}

/// The section `limits`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// The largest body with one JSON object.
    pub max_json_body_bytes: usize,
    /// The largest body with many.
    pub max_batch_body_bytes: usize,
    /// The most items of a batch.
    pub max_batch_items: usize,
    /// The largest value of a key.
    pub max_value_bytes: usize,
    /// How deep JSON may be nested.
    pub max_json_depth: usize,
    /// Where a page of key-values ends early.
    pub max_page_value_bytes: u64,
    /// The most feeds of a tenant.
    pub max_feeds: u32,
}

/// The section `cache`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheSettings {
    /// Memory for access keys.
    pub access_max_bytes: u64,
    /// Memory for tenants.
    pub tenants_max_bytes: u64,
    /// Memory for key-values.
    pub key_values_max_bytes: u64,
    /// Memory for the search.
    pub search_max_bytes: u64,
    /// A Redis that all nodes share.
    #[serde(deserialize_with = "shared_cache::redis_url")]
    pub redis_url: Option<RedisUrl>,
    /// By whom it is trusted over TLS.
    #[serde(deserialize_with = "shared_cache::redis_ca")]
    pub redis_ca_file: Option<RedisCa>,
    /// Memcached servers that all nodes share.
    #[serde(deserialize_with = "shared_cache::memcached_url")]
    pub memcached_url: Option<MemcachedUrl>,
    /// What all names there begin with.
    pub namespace: String,
    /// How long one of several nodes holds something in memory.
    pub near_max_age_ms: u64,
    /// How long the shared cache holds something.
    pub shared_ttl_seconds: u64,
    /// How long the shared cache may take to answer.
    pub timeout_ms: u64,
}

/// The section `feeds`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeedSettings {
    /// Whether to fetch from addresses that are not public.
    pub allow_private_addresses: bool,
    /// How long connecting may take.
    pub connect_timeout_seconds: u64,
    /// How long the beginning of an answer may take.
    pub answer_timeout_seconds: u64,
    /// How long a provider may send nothing.
    pub idle_timeout_seconds: u64,
    /// How long one attempt may take.
    pub attempt_timeout_seconds: u64,
    /// How long all attempts of a fetch may take.
    pub fetch_timeout_seconds: u64,
    /// How often a provider is asked.
    pub max_attempts: u32,
    /// The longest wait between two attempts.
    pub max_backoff_seconds: u64,
    /// After how many failures a provider is left alone.
    pub breaker_failures: u32,
    /// For how long.
    pub breaker_pause_seconds: u64,
    /// The most bytes of a feed.
    pub max_feed_bytes: u64,
}

/// The section `catalog`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogSettings {
    /// How much of a feed may leave it at once.
    pub max_leaving_percent: u16,
    /// How many rejects are kept of a feed.
    pub max_rejects: u32,
    /// How many runs are kept of a feed.
    pub kept_runs: u32,
}

/// The section `jobs`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JobSettings {
    /// A broker of jobs.
    #[serde(deserialize_with = "jobs::rabbitmq_url")]
    pub rabbitmq_url: Option<RabbitMqUrl>,
    /// What the names of its queues begin with.
    pub namespace: String,
    /// How long it may take to answer.
    pub timeout_ms: u64,
    /// Whether a process that serves does jobs too.
    pub run_in_serve: bool,
    /// How many jobs a process does at the same time.
    pub workers: u16,
    /// How long after the death of a worker another takes over.
    pub takeover_seconds: u64,
}

/// The section `sqlite`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SqliteSettings {
    /// Connections that read at the same time.
    pub readers: u32,
    /// How long a read waits for one.
    pub read_wait_ms: u64,
    /// Writes that may wait.
    pub max_queued_writes: usize,
    /// The same by their bytes.
    pub max_queued_bytes: usize,
}

/// The section `postgres`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostgresSettings {
    /// The schema in which everything stands.
    pub schema: String,
    /// The role that makes the tables, where it is another one than serves.
    #[serde(deserialize_with = "postgres_url")]
    pub owner_url: Option<PostgresUrl>,
    /// Whether to serve as a role that Row-Level Security does not hold.
    pub allow_bypassing_role: bool,
    /// Whether nodes tell each other of changes by the database, where they have no Redis.
    pub announce_changes: bool,
    /// Connections that write.
    pub writers: u32,
    /// Connections that read at the same time.
    pub readers: u32,
    /// How long a read waits for one.
    pub read_wait_ms: u64,
    /// How long to wait for a database that says nothing.
    pub answer_wait_ms: u64,
    /// How long one statement may take; 0: for ever.
    pub statement_timeout_ms: u32,
    /// Writes that may wait, for each connection.
    pub max_queued_writes: usize,
    /// The same by their bytes.
    pub max_queued_bytes: usize,
    /// How long the start waits for the database.
    pub start_wait_seconds: u64,
}

/// The section `maintenance`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MaintenanceSettings {
    /// How often to look for tenants that are to be erased.
    pub erasure_interval_ms: u64,
    /// The most rows that one step of an erasure removes.
    pub erasure_step_rows: u32,
    /// How often to remove key-values whose time is over.
    pub expiry_interval_ms: u64,
    /// The most key-values that one step of that removes.
    pub expiry_step_entries: u32,
    /// How often to write down when access keys were last used.
    pub key_use_interval_ms: u64,
}

impl Settings {
    /// Which database is meant.
    #[must_use]
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Where two keys contradict each other.
    pub(super) fn conflicts(&self) -> Vec<Problem> {
        let limits = &self.limits;
        let (queue, room) = match &self.database {
            Database::Postgres(_) => ("postgres.max_queued_bytes", self.postgres.max_queued_bytes),
            _ => ("sqlite.max_queued_bytes", self.sqlite.max_queued_bytes),
        };
        let at_most_the_queue = [
            ("limits.max_json_body_bytes", limits.max_json_body_bytes),
            ("limits.max_batch_body_bytes", limits.max_batch_body_bytes),
            ("limits.max_value_bytes", limits.max_value_bytes),
        ];
        let mut problems = shared_cache::conflicts(&self.cache, &self.database);
        if self.database_read_url.is_some() && !matches!(self.database, Database::Postgres(_)) {
            problems.push(Problem::new(
                "database_read_url is set, but the database is SQLite, which has no replica. Leave it empty, or set \
                 database_url to PostgreSQL"
                    .to_owned(),
            ));
        }
        let too_large = at_most_the_queue.into_iter().filter(|(_, bytes)| *bytes > room);
        problems.extend(too_large.map(|(key, bytes)| {
            Problem::new(format!(
                "{key} is {bytes}, but must be at most {queue}, which is {room}: \
                     a larger write could never be queued"
            ))
        }));
        problems
    }
}

fn database<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Database, D::Error> {
    let url = String::deserialize(deserializer)?;
    Database::parse(&url).map_err(serde::de::Error::custom)
}

fn postgres_url<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<PostgresUrl>, D::Error> {
    let url = String::deserialize(deserializer)?;
    let parsed = (!url.is_empty()).then(|| PostgresUrl::parse(&url)).transpose();
    parsed.map_err(serde::de::Error::custom)
}
