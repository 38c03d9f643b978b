//! One of the server's processes, and whether it is gone.

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer};

use crate::error::PostgresError;

/// The server's process that serves a connection. Its number is given again to others: soon where the server is
/// restarted in a container, whose processes are numbered anew. So it is told from them by when it was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ServerProcess {
    pub(super) id: i32,
    /// When the server was started, by its own clock.
    pub(super) server_started_us: i64,
    /// A time at which the process was there, by the same clock.
    pub(super) seen_us: i64,
}

impl ServerProcess {
    /// The one that serves this connection.
    pub(crate) fn of(connection: &mut PgConnection) -> Result<Self, PostgresError> {
        let query = format!(
            "SELECT pg_backend_pid(), {}, {}",
            micros("pg_postmaster_start_time()"),
            micros("clock_timestamp()")
        );
        let seen = diesel::dsl::sql::<(Integer, BigInt, BigInt)>(&query);
        let (id, server_started_us, seen_us) = seen.get_result(connection)?;
        Ok(Self { id, server_started_us, seen_us })
    }

    /// Whether it is gone for certain. `connection` is that of the same login, and may be to a server that has taken
    /// the other's place; one that is still in recovery cannot say.
    pub(super) fn is_gone(&self, connection: &mut PgConnection) -> Result<bool, PostgresError> {
        let Self { id, server_started_us, seen_us } = self;
        let (started, begun) = (micros("pg_postmaster_start_time()"), micros("backend_start"));
        // Of a process that is another login's it is not shown when it began; but whose it is.
        let is_gone = format!(
            "NOT pg_is_in_recovery() AND ({started} <> {server_started_us} OR NOT EXISTS (
                SELECT FROM pg_stat_activity
                WHERE pid = {id} AND coalesce({begun} <= {seen_us}, true)
                    AND usesysid = (SELECT usesysid FROM pg_stat_activity WHERE pid = pg_backend_pid())
            ))"
        );
        Ok(diesel::select(diesel::dsl::sql::<Bool>(&is_gone)).get_result(connection)?)
    }
}

/// A time, as microseconds since 1970 began: the same whatever the session's time zone.
fn micros(time: &str) -> String {
    format!("(extract(epoch FROM {time}) * 1000000)::bigint")
}
