//! What can be chosen about the storage.

use std::time::Duration;

use crate::url::PostgresUrl;

/// How the storage is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresOptions {
    /// The database, and the role by which it is served.
    pub url: PostgresUrl,
    /// A replica of the database, for lists.
    pub read_url: Option<PostgresUrl>,
    /// The role that makes the tables and owns them, where it is another one.
    pub owner_url: Option<PostgresUrl>,
    /// The schema in which everything stands.
    pub schema: String,
    /// Serve also as a role that Row-Level Security does not hold. For databases to develop with.
    pub allow_bypassing_role: bool,
    /// How many connections write, each in transactions of its own. A tenant always writes through the same.
    pub writers: u32,
    /// How many reads run at once, each on a connection of its own.
    pub readers: u32,
    /// How long a read waits for its turn before it is answered that storage is not available.
    pub read_wait: Duration,
    /// How long to wait for a database that says nothing, before whoever waits is answered that storage is not
    /// available. What then becomes of a write is not known.
    pub answer_wait: Duration,
    /// How long PostgreSQL may work on one statement. In milliseconds; 0: for ever.
    pub statement_timeout_ms: u32,
    /// How many writes may be accepted and not yet answered, by each writer; more are refused at once.
    pub max_queued_writes: usize,
    /// How many bytes such writes may hold together, by each writer.
    pub max_queued_bytes: usize,
    /// How long to wait at the start for a database that is not there yet.
    pub start_wait: Duration,
}

impl PostgresOptions {
    /// The defaults for the database at `url`: no replica, the schema `tenantry`, 2 writers, 4 readers, 2 seconds for a
    /// turn, 1.5 seconds for a database that is silent, so that whoever waits has an answer within 2, 10 seconds a
    /// statement, 10,000 writes, 64 MiB, 30 seconds for the start.
    #[must_use]
    pub fn new(url: PostgresUrl) -> Self {
        Self {
            url,
            read_url: None,
            owner_url: None,
            schema: "tenantry".to_owned(),
            allow_bypassing_role: false,
            writers: 2,
            readers: 4,
            read_wait: Duration::from_secs(2),
            answer_wait: Duration::from_millis(1500),
            statement_timeout_ms: 10_000,
            max_queued_writes: 10_000,
            max_queued_bytes: 64 * 1024 * 1024,
            start_wait: Duration::from_secs(30),
        }
    }

    /// The same for moving a whole installation: one connection each way, and patience.
    pub(crate) fn for_moving(self) -> Self {
        let patience = Duration::from_secs(600);
        Self {
            owner_url: None,
            writers: 1,
            readers: 1,
            read_wait: patience,
            answer_wait: patience,
            statement_timeout_ms: 0,
            ..self
        }
    }

    /// The role that makes the tables: that of `owner_url`, else that of `url`.
    pub(crate) fn owner(&self) -> &PostgresUrl {
        self.owner_url.as_ref().unwrap_or(&self.url)
    }
}
