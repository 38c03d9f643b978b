//! Connections to the file: how each kind is set up.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, CustomizeConnection};
use diesel::{Connection, ConnectionResult, QueryResult, SqliteConnection};

/// How long the writer waits for another program's lock. Everyone who writes waits with it.
const WRITER_BUSY: Duration = Duration::from_millis(500);
/// Readers meet no lock in WAL mode, but for moments while the log is recovered.
const READER_BUSY: Duration = Duration::from_secs(1);

/// What a connection may do with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Read it.
    ReadOnly,
    /// Read and write it; it must be there.
    ReadWrite,
    /// Read and write it, and make it if it is not there.
    Create,
}

/// The address of the file for SQLite: a URI, so that no character of a path means anything else.
pub(crate) fn address(path: &Path, access: Access) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri.push_str(match access {
        Access::ReadOnly => "?mode=ro",
        Access::ReadWrite => "?mode=rw",
        Access::Create => "?mode=rwc",
    });
    uri
}

/// Opens the file as it is, with `busy` as the longest wait for somebody's lock.
pub(crate) fn open(path: &Path, access: Access, busy: Duration) -> ConnectionResult<SqliteConnection> {
    let mut connection = SqliteConnection::establish(&address(path, access))?;
    let wait = format!("PRAGMA busy_timeout = {}; PRAGMA trusted_schema = OFF;", busy.as_millis());
    connection.batch_execute(&wait).map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Makes a connection the one that writes.
///
/// `synchronous = FULL` in WAL mode: the log is synced in each commit, before it is acknowledged.
pub(crate) fn prepare_writer(connection: &mut SqliteConnection) -> QueryResult<()> {
    connection.batch_execute(&format!(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -8192;
         PRAGMA wal_autocheckpoint = 4000;
         PRAGMA journal_size_limit = 33554432;
         PRAGMA busy_timeout = {};",
        WRITER_BUSY.as_millis()
    ))
}

/// Makes the connection that writes one that imports.
///
/// `synchronous = NORMAL`: the log is synced when it is folded into the file, not in each commit. A crash of the
/// machine may take the last commits, never a part of one, and leaves the file whole.
pub(crate) fn prepare_import(connection: &mut SqliteConnection) -> QueryResult<()> {
    connection.batch_execute("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;")
}

/// What r2d2 does to each connection for reading.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PrepareReader;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for PrepareReader {
    fn on_acquire(&self, connection: &mut SqliteConnection) -> Result<(), diesel::r2d2::Error> {
        let settings = format!(
            "PRAGMA busy_timeout = {};
             PRAGMA query_only = ON;
             PRAGMA trusted_schema = OFF;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -2048;",
            READER_BUSY.as_millis()
        );
        connection.batch_execute(&settings).map_err(diesel::r2d2::Error::QueryError)
    }
}

/// The connections for reading.
pub(crate) type Readers = ConnectionManager<SqliteConnection>;

/// Opens `count` connections for reading, one now and the others when they are needed. They stay open:
/// each keeps the statements that it has prepared.
pub(crate) fn open_readers(path: &Path, count: u32) -> Result<r2d2::Pool<Readers>, r2d2::Error> {
    r2d2::Pool::builder()
        .max_size(count.max(1))
        .min_idle(Some(1))
        .idle_timeout(None)
        .max_lifetime(None)
        .test_on_check_out(false)
        .connection_timeout(Duration::from_secs(2))
        .connection_customizer(Box::new(PrepareReader))
        .build(ConnectionManager::new(address(path, Access::ReadOnly)))
}
