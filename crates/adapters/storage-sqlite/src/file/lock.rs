//! The lock that keeps two Tenantrys from one file.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use super::OpenError;
use super::place::{beside, cannot_make};

/// Locks `<path>.lock` for as long as the answer lives. The operating system lets go of it when the process
/// ends, however it ends; the empty file stays.
pub(super) fn take(path: &Path) -> Result<File, OpenError> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(beside(path, ".lock"))
        .map_err(|error| cannot_make(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(OpenError::failed(path, &error)),
    }
}
