//! What SQLite's errors mean to whoever asked. The one place that maps them.

use diesel::result::Error as DieselError;
use tenantry_ports::StorageError;
use tenantry_storage_support::engine::Damaged;

/// What may go wrong inside a query or behind it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SqliteError {
    /// SQLite or diesel says so.
    #[error(transparent)]
    Query(#[from] DieselError),
    /// What is stored cannot be what was stored: other hands changed it.
    #[error("the database holds {0}")]
    Damaged(String),
}

impl From<Damaged> for SqliteError {
    fn from(Damaged(what): Damaged) -> Self {
        Self::Damaged(what)
    }
}

impl From<SqliteError> for StorageError {
    fn from(error: SqliteError) -> Self {
        let text = error.to_string();
        // Diesel keeps SQLite's message and drops its code; the messages are fixed (`sqlite3ErrStr`).
        if text.contains("database or disk is full") {
            Self::Full(text)
        } else if text.contains("database is locked") || text.contains("table is locked") {
            Self::Unavailable(text)
        } else {
            Self::Failed(text)
        }
    }
}

/// As [`StorageError::from`], for diesel's own errors.
pub(crate) fn storage_error(error: DieselError) -> StorageError {
    SqliteError::from(error).into()
}
