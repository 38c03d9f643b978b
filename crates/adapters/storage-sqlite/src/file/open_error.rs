//! Why a database was not opened.

use std::fmt::Display;
use std::path::{Path, PathBuf};

/// Why a database was not opened, and what to do about it. Its file is byte for byte as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The directory is not there.
    #[error("{} cannot be opened: the directory {} does not exist; create it, or configure another data directory", path.display(), directory.display())]
    DirectoryMissing {
        /// The database's file.
        path: PathBuf,
        /// The directory that it would be in.
        directory: PathBuf,
    },
    /// The directory cannot be written to.
    #[error("{} cannot be opened: the directory {} cannot be written to ({reason}); give this user the right to, or configure another data directory", path.display(), directory.display())]
    DirectoryNotWritable {
        /// The database's file.
        path: PathBuf,
        /// The directory that it is in.
        directory: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// The path leads to a directory or a device.
    #[error("{} is not a file; configure the path of a database's file, or of one that is yet to be made", path.display())]
    NotAFile {
        /// What was to be the database's file.
        path: PathBuf,
    },
    /// The file, or the file system, is read-only.
    #[error("{} cannot be written to ({reason}); give this user the right to, or remount the file system for writing", path.display())]
    ReadOnly {
        /// The database's file.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// The file is no SQLite database.
    #[error("{} is not a SQLite database; move it away to start with a new one, or configure another path", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// The file is a SQLite database, but parts of it are lost.
    #[error("{} is damaged ({detail}); restore it from a backup, together with its -wal file if it has one", path.display())]
    Damaged {
        /// The database's file.
        path: PathBuf,
        /// What SQLite found.
        detail: String,
    },
    /// The file is a SQLite database of another program.
    #[error("{} is another program's SQLite database; configure another path", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A newer Tenantry has changed the database's tables.
    #[error("{} was used by a newer Tenantry, which ran migrations that this one does not know: {}; start that version or a later one", path.display(), migrations.join(", "))]
    Newer {
        /// The database's file.
        path: PathBuf,
        /// The versions of those migrations.
        migrations: Vec<String>,
    },
    /// There is no database.
    #[error("{} is not there, or empty; name the file of an installation", path.display())]
    Missing {
        /// What was to be the database's file.
        path: PathBuf,
    },
    /// It was used by an older Tenantry only, and is not to be changed now.
    #[error("{} lacks migrations ({}); run `tenantry migrate` on it first", path.display(), migrations.join(", "))]
    Outdated {
        /// The database's file.
        path: PathBuf,
        /// The names of the migrations.
        migrations: Vec<String>,
    },
    /// A move into the database has begun and is not finished.
    #[error("{} holds a move of data that is not finished; run the same `tenantry migrate-data` again, which goes on where it stopped, or remove the file", path.display())]
    UnfinishedMove {
        /// The database's file.
        path: PathBuf,
    },
    /// Another Tenantry has the file open.
    #[error("{} is in use by another Tenantry; stop that one first, or configure another path", path.display())]
    InUse {
        /// The database's file.
        path: PathBuf,
    },
    /// Another program has locked the database.
    #[error("{} is locked by another program; end what it does with the file, and try again", path.display())]
    Locked {
        /// The database's file.
        path: PathBuf,
    },
    /// No space is left for it.
    #[error("{} cannot be opened: the disk is full; make room, and try again", path.display())]
    Full {
        /// The database's file.
        path: PathBuf,
    },
    /// Something else.
    #[error("{} could not be opened: {detail}; see that the file and its directory can be read and written", path.display())]
    Failed {
        /// The database's file.
        path: PathBuf,
        /// What SQLite or the operating system says.
        detail: String,
    },
}

impl OpenError {
    /// What SQLite's message means for the file. Diesel keeps the message and drops the code.
    pub(crate) fn failed(path: &Path, error: &(impl Display + ?Sized)) -> Self {
        let (path, detail) = (path.to_owned(), error.to_string());
        let says = |text: &str| detail.contains(text);
        if says("file is not a database") {
            Self::NotADatabase { path }
        } else if says("malformed") {
            Self::Damaged { path, detail }
        } else if says("database is locked") || says("table is locked") {
            Self::Locked { path }
        } else if says("disk is full") {
            Self::Full { path }
        } else if says("readonly database") {
            Self::ReadOnly { path, reason: detail }
        } else {
            Self::Failed { path, detail }
        }
    }
}
