//! Where rows wait until the whole file is read: a temporary SQLite database, which sorts them.
//!
//! It has no name, so nothing of it is left behind however the program ends. What does not fit into its cache goes
//! to a file in the folder for temporary files (`SQLITE_TMPDIR`, `TMPDIR`, or else `/var/tmp` or `/tmp`).

pub(crate) mod events;
pub(crate) mod key_values;
pub(crate) mod tenants;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

use crate::file_error::FileError;

/// Which row one is: in the order of the file, and where it is told to stand. Several may stand in one line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At {
    pub(crate) place: i64,
    pub(crate) line: i64,
}

/// An empty one, of which everything is in one transaction.
pub(crate) fn open() -> Result<SqliteConnection, FileError> {
    let failed = |error: &dyn std::fmt::Display| FileError::Staging(error.to_string());
    let mut connection = SqliteConnection::establish("").map_err(|error| failed(&error))?;
    connection
        .batch_execute(
            "PRAGMA journal_mode = OFF;
             PRAGMA synchronous = OFF;
             PRAGMA temp_store = FILE;
             PRAGMA cache_size = -16384;
             BEGIN;",
        )
        .map_err(|error| failed(&error))?;
    Ok(connection)
}

impl From<diesel::result::Error> for FileError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Staging(error.to_string())
    }
}
