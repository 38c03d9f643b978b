//! The database's file: what may be wrong with it, and bringing it up to date.
//!
//! Everything that can be refused is looked at before anything is changed, through a connection that
//! cannot write: a file that is refused stays byte for byte as it was.

mod create;
mod lock;
mod look;
mod migrations;
mod open_error;
mod place;

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;

use crate::connection::{self, Access};
use look::{Depth, Look};

pub use open_error::OpenError;

/// What is written into the file's header (`PRAGMA application_id`), so that it is known for ours: "Tnty".
pub(crate) const APPLICATION_ID: i32 = 0x546E_7479;

/// How long to wait for another program that holds SQLite's lock.
const LOCK_WAIT: Duration = Duration::from_secs(2);

/// What a database is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// To be served.
    Serving,
    /// To take what is moved into it.
    Import,
}

/// What is found in a database's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// How many bytes it has; nothing where there is no database yet.
    pub bytes: Option<u64>,
    /// The newest migration that was run on it, by name; nothing where none was.
    pub version: Option<String>,
    /// The migrations that the next start will run, by name, in order.
    pub pending_migrations: Vec<String>,
}

/// Brings the database at `path` up to date, or makes it, and answers with the names of the migrations
/// that this took. Blocks.
///
/// # Errors
/// As [`SqliteStorage::open`](crate::SqliteStorage::open).
pub fn migrate(path: &Path) -> Result<Vec<String>, OpenError> {
    prepare(path, Use::Serving).map(|(_lock, migrations)| migrations)
}

/// Looks at the database at `path` without changing anything, and checks all of it, which takes a while if
/// it is large. It may be in use. Blocks.
///
/// # Errors
/// As [`SqliteStorage::open`](crate::SqliteStorage::open).
pub fn inspect(path: &Path) -> Result<Inspection, OpenError> {
    let Some(bytes) = place::check(path)? else {
        let pending_migrations = migrations::all_names();
        return Ok(Inspection { bytes: None, version: None, pending_migrations });
    };
    let look = look::at(path, bytes, Depth::Full)?;
    refuse_unfinished_move(path, &look)?;
    Ok(Inspection {
        bytes: Some(bytes),
        version: look.applied.last().map(|version| migrations::name_of(version)),
        pending_migrations: migrations::pending_names(&look.applied),
    })
}

/// Locks the file against other Tenantrys, looks at it, and brings it up to date. The lock holds as long as
/// what is returned lives; the names are those of the migrations that were run.
pub(crate) fn prepare(path: &Path, purpose: Use) -> Result<(File, Vec<String>), OpenError> {
    place::check(path)?;
    let lock = lock::take(path)?;
    // Only now: whoever had the lock may have made the file in the meantime.
    let Some(bytes) = place::check(path)? else {
        return Ok((lock, create::create(path)?));
    };
    place::check_writable(path)?;
    let depth = if bytes <= look::QUICK_CHECK_BYTES { Depth::Quick } else { Depth::Schema };
    let look = look::at(path, bytes, depth)?;
    match purpose {
        Use::Serving => refuse_unfinished_move(path, &look)?,
        // What is refused later, because it is not empty, must not have been changed here.
        Use::Import if !look.applied.is_empty() => refuse_outdated(path, &look)?,
        Use::Import => {}
    }
    Ok((lock, bring_up_to_date(path, &look)?))
}

/// Locks the file against other Tenantrys, and looks at it: it must be there, whole and up to date. The lock holds
/// as long as what is returned lives.
pub(crate) fn prepare_export(path: &Path) -> Result<File, OpenError> {
    let missing = || OpenError::Missing { path: path.to_owned() };
    place::check(path)?.ok_or_else(missing)?;
    let lock = lock::take(path)?;
    let bytes = place::check(path)?.ok_or_else(missing)?;
    let look = look::at(path, bytes, Depth::Quick)?;
    refuse_unfinished_move(path, &look)?;
    refuse_outdated(path, &look)?;
    Ok(lock)
}

fn refuse_unfinished_move(path: &Path, look: &Look) -> Result<(), OpenError> {
    match look.has_unfinished_move {
        true => Err(OpenError::UnfinishedMove { path: path.to_owned() }),
        false => Ok(()),
    }
}

fn refuse_outdated(path: &Path, look: &Look) -> Result<(), OpenError> {
    let migrations = migrations::pending_names(&look.applied);
    match migrations.is_empty() {
        true => Ok(()),
        false => Err(OpenError::Outdated { path: path.to_owned(), migrations }),
    }
}

fn bring_up_to_date(path: &Path, look: &Look) -> Result<Vec<String>, OpenError> {
    let failed = |error: &dyn std::fmt::Display| OpenError::failed(path, error);
    let mut connection =
        connection::open(path, Access::ReadWrite, LOCK_WAIT).map_err(|error| failed(&error))?;
    // Another program that has SQLite's lock would make every write fail: better it is said now.
    connection.batch_execute("BEGIN IMMEDIATE; ROLLBACK;").map_err(|error| failed(&error))?;
    if look.is_empty {
        create::mark(&mut connection).map_err(|error| failed(&error))?;
    }
    if migrations::pending_names(&look.applied).is_empty() {
        return Ok(Vec::new());
    }
    migrations::run(&mut connection).map_err(|error| failed(&error))
}
