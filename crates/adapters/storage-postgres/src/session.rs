//! Connections, as they are used for serving.

use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;

use crate::database::refuse_bypassing_connection;
use crate::error::PostgresError;
use crate::options::PostgresOptions;
use crate::pulse::Pulse;
use crate::url::PostgresUrl;

/// How long a connection that reads is kept while it is used, and while it is not: r2d2's defaults.
const MAX_LIFETIME: Duration = Duration::from_secs(30 * 60);
const IDLE_TIMEOUT: Duration = Duration::from_secs(10 * 60);

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading: it can't write.
    Read,
    /// Writing.
    Write,
    /// Hearing and announcing changes.
    Bus,
}

/// Makes connections as the application's role, whoever logs in.
#[derive(Debug)]
pub(crate) struct Connector {
    pub(crate) url: PostgresUrl,
    pub(crate) schema: String,
    pub(crate) statement_timeout_ms: u32,
    pub(crate) purpose: Purpose,
}

/// What the schema is opened for. Who serves it and who moves it keep each other out by a lock that each connection
/// holds while it lives (`tenantry.serve.` and the schema's name): those who serve share it, whoever moves has it
/// alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Serving.
    Serve,
    /// Reading all of it, to move it elsewhere.
    Export,
    /// Taking what is moved into it.
    Import,
}

impl Purpose {
    /// The function that takes the lock, and answers whether it did; nothing where another connection of the same
    /// program has it.
    fn lock(self, access: Access) -> Option<&'static str> {
        match (self, access) {
            (Self::Serve, _) => Some("pg_try_advisory_lock_shared"),
            (Self::Export, Access::Read) | (Self::Import, Access::Write) => Some("pg_try_advisory_lock"),
            _ => None,
        }
    }
}

/// The lock's number.
pub(crate) fn serving_lock(schema: &str) -> String {
    format!("hashtextextended('tenantry.serve.' || {}, 0)", literal(schema))
}

/// What whoever is kept out is told by the server.
pub(crate) const KEPT_OUT: &str = "the schema is being moved or served by another Tenantry";

impl Connector {
    pub(crate) fn new(options: &PostgresOptions, purpose: Purpose) -> Self {
        Self {
            url: options.url.clone(),
            schema: options.schema.clone(),
            statement_timeout_ms: options.statement_timeout_ms,
            purpose,
        }
    }

    /// A new connection.
    pub(crate) fn connect(&self, access: Access) -> Result<PgConnection, PostgresError> {
        let mut connection = establish(&self.url)?;
        let prepared = connection.batch_execute(&self.settings(access));
        prepared.map_err(|error| {
            PostgresError::Unreachable(format!(
                "the connection to {} cannot be used: {}",
                self.url,
                self.url.scrub(&PostgresError::from(error).to_string())
            ))
        })?;
        Ok(connection)
    }

    /// What each connection is told first, in one round trip.
    fn settings(&self, access: Access) -> String {
        let search_path = search_path(&self.schema);
        let statement_timeout_ms = self.statement_timeout_ms;
        let of_access = match access {
            Access::Read => "SET default_transaction_read_only = on;",
            // What is stored at once is many rows or one: a plan for any number of them will do, and one that was
            // made for a few must not stay when there are millions. An acknowledged write is on disk.
            Access::Write => {
                "SET plan_cache_mode = force_generic_plan;
                 SELECT set_config('synchronous_commit', 'on', false)
                 WHERE current_setting('synchronous_commit') = 'off';"
            }
            // What is announced is on disk already, and the announcement itself need not be.
            Access::Bus => "SET synchronous_commit = off;",
        };
        let lock = self.purpose.lock(access).map_or_else(String::new, |function| {
            let number = serving_lock(&self.schema);
            format!(
                "DO $$ BEGIN IF NOT {function}({number}) THEN RAISE EXCEPTION '{KEPT_OUT}'; END IF; END $$;"
            )
        });
        // Messages in English, where the role may say so: error.rs reads them.
        // Every query finds its rows by an index, so plans don't wait for statistics to learn of it.
        // The server notices by itself when this program is gone, so that no lock outlives it for long.
        format!(
            "DO $$ BEGIN SET lc_messages = 'C'; EXCEPTION WHEN insufficient_privilege THEN NULL; END $$;
             SET search_path = {search_path};
             SET statement_timeout = {statement_timeout_ms};
             SET idle_in_transaction_session_timeout = '10s';
             SET tcp_keepalives_idle = 5;
             SET tcp_keepalives_interval = 1;
             SET tcp_keepalives_count = 5;
             SET enable_seqscan = off;
             SET jit = off;
             {of_access}
             {lock}
             SET ROLE tenantry_application;"
        )
    }
}

/// A plain connection.
pub(crate) fn establish(url: &PostgresUrl) -> Result<PgConnection, PostgresError> {
    PgConnection::establish(&url.for_libpq()).map_err(|error| {
        PostgresError::Unreachable(format!("cannot connect to {url}: {}", url.scrub(&error.to_string())))
    })
}

/// The value of `search_path` with which names mean what is in the schema, and never what is temporary.
pub(crate) fn search_path(schema: &str) -> String {
    format!("{}, pg_temp", quoted(schema))
}

/// A name as SQL has it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL has it.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A connection that reads.
pub(crate) struct Session {
    pub(crate) connection: PgConnection,
    pub(crate) pulse: Arc<Pulse>,
    is_broken: bool,
}

impl Session {
    /// Reads, and notes if that leaves the connection in doubt.
    pub(crate) fn run<T>(
        &mut self,
        work: impl FnOnce(&mut PgConnection) -> Result<T, PostgresError>,
    ) -> Result<T, PostgresError> {
        // Should `work` panic, it stays so.
        self.is_broken = true;
        let done = work(&mut self.connection);
        self.pulse.beat();
        self.is_broken = done.as_ref().is_err_and(PostgresError::breaks_connection);
        done
    }
}

/// Makes and looks at connections for the pool of readers.
#[derive(Debug)]
pub(crate) struct Readers {
    pub(crate) connector: Arc<Connector>,
    pub(crate) pulse: Arc<Pulse>,
    /// Whether the role was not looked at before, and must be one that Row-Level Security holds.
    pub(crate) refuses_bypassing: bool,
}

impl r2d2::ManageConnection for Readers {
    type Connection = Session;
    type Error = PostgresError;

    fn connect(&self) -> Result<Session, PostgresError> {
        let mut connection = self.connector.connect(Access::Read)?;
        if self.refuses_bypassing {
            refuse_bypassing_connection(&mut connection)?;
        }
        Ok(Session { connection, pulse: Arc::clone(&self.pulse), is_broken: false })
    }

    fn is_valid(&self, session: &mut Session) -> Result<(), PostgresError> {
        session.run(|connection| Ok(connection.batch_execute("SELECT 1")?))
    }

    fn has_broken(&self, session: &mut Session) -> bool {
        session.is_broken
    }
}

/// Connections for reading, as many as `size`, each made within `wait`.
pub(crate) fn pool(manager: Readers, size: u32, wait: Duration) -> r2d2::Pool<Readers> {
    // Whoever moves holds the schema by a connection: that stays.
    let may_end = manager.connector.purpose == Purpose::Serve;
    r2d2::Pool::builder()
        .max_size(size.max(1))
        .min_idle(Some(0))
        .connection_timeout(wait)
        .max_lifetime(may_end.then_some(MAX_LIFETIME))
        .idle_timeout(may_end.then_some(IDLE_TIMEOUT))
        // A connection that was cut is noticed by whoever reads next, and replaced.
        .test_on_check_out(false)
        .error_handler(Box::new(Quiet))
        .build_unchecked(manager)
}

/// Failed attempts to connect are told to whoever waits for a connection.
#[derive(Debug)]
struct Quiet;

impl r2d2::HandleError<PostgresError> for Quiet {
    fn handle_error(&self, error: PostgresError) {
        tracing::debug!(%error, "a connection for reading cannot be had");
    }
}
