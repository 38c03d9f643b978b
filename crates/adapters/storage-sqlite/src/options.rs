//! What can be chosen about the storage.

use std::path::PathBuf;
use std::time::Duration;

/// How the storage is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqliteOptions {
    /// The database's file. Its directory must exist; the file need not.
    pub path: PathBuf,
    /// How many reads run at once, each on a connection of its own.
    pub readers: u32,
    /// How long a read waits for others to end before it is answered that storage is not available.
    pub read_wait: Duration,
    /// How many writes may be accepted and not yet answered; more are refused at once.
    pub max_queued_writes: usize,
    /// How many bytes such writes may hold together.
    pub max_queued_bytes: usize,
}

impl SqliteOptions {
    /// The defaults for the database at `path`: 4 readers, 2 seconds, 10,000 writes, 64 MiB.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            readers: 4,
            read_wait: Duration::from_secs(2),
            max_queued_writes: 10_000,
            max_queued_bytes: 64 * 1024 * 1024,
        }
    }
}
