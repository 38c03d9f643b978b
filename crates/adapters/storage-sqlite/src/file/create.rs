//! A new database.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{QueryResult, SqliteConnection};

use crate::connection::{self, Access};

use super::place::{beside, cannot_make, directory_of};
use super::{APPLICATION_ID, LOCK_WAIT, OpenError, migrations};

/// Makes a database with all its tables, and answers with the names of the migrations.
///
/// It is made under another name and renamed when it is whole: a crash leaves nothing half-made at `path`.
pub(super) fn create(path: &Path) -> Result<Vec<String>, OpenError> {
    refuse_orphaned_log(path)?;
    let unfinished = beside(path, ".new");
    remove(path, &unfinished)?;
    let made = make(&unfinished).map_err(|error| OpenError::failed(path, &error));
    let names = match made {
        Ok(names) => names,
        Err(error) => {
            remove(path, &unfinished)?;
            return Err(error);
        }
    };
    fs::rename(&unfinished, path).map_err(|error| cannot_make(path, &error))?;
    // The name is part of the directory: it lasts once that is synced.
    let synced = File::open(directory_of(path)).and_then(|directory| directory.sync_all());
    synced.map_err(|error| cannot_make(path, &error))?;
    Ok(names)
}

/// A log without its database is what is left when somebody moves the one and not the other: it may hold
/// the newest writes, and must not be taken for the log of a new database.
fn refuse_orphaned_log(path: &Path) -> Result<(), OpenError> {
    if fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0) {
        let detail = "its -wal file is there, but the database itself is not".to_owned();
        return Err(OpenError::Damaged { path: path.to_owned(), detail });
    }
    Ok(())
}

/// Marks an empty database as ours.
pub(super) fn mark(connection: &mut SqliteConnection) -> QueryResult<()> {
    connection.batch_execute(&format!("PRAGMA application_id = {APPLICATION_ID}"))
}

fn make(unfinished: &Path) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
    let mut connection = connection::open(unfinished, Access::Create, LOCK_WAIT)?;
    // Nobody relies on the file before it has its name: it is synced once, when it is whole.
    connection.batch_execute("PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF;")?;
    mark(&mut connection)?;
    let names = migrations::run(&mut connection)?;
    connection.batch_execute("PRAGMA journal_mode = WAL;")?;
    drop(connection);
    File::open(unfinished)?.sync_all()?;
    Ok(names)
}

/// Removes what a crash may have left.
fn remove(path: &Path, unfinished: &Path) -> Result<(), OpenError> {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        match fs::remove_file(beside(unfinished, suffix)) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(cannot_make(path, &error)),
            _ => {}
        }
    }
    Ok(())
}
