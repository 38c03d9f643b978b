//! Where the file is to be: what the file system says of it.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::OpenError;

/// Checks the path, and says how many bytes are there; nothing where no database is yet.
pub(super) fn check(path: &Path) -> Result<Option<u64>, OpenError> {
    let directory = directory_of(path);
    if !directory.is_dir() {
        return Err(OpenError::DirectoryMissing { path: path.to_owned(), directory });
    }
    match fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(OpenError::NotAFile { path: path.to_owned() }),
        Ok(found) => Ok(Some(found.len()).filter(|bytes| *bytes > 0)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(OpenError::failed(path, &error)),
    }
}

/// Checks that the file, which is there, may be written to. Nothing may have it open in this process:
/// POSIX ends a process's locks on a file when any of its descriptors is closed.
pub(super) fn check_writable(path: &Path) -> Result<(), OpenError> {
    OpenOptions::new().write(true).open(path).map(drop).map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            OpenError::ReadOnly { path: path.to_owned(), reason: error.to_string() }
        }
        _ => OpenError::failed(path, &error),
    })
}

/// What it means that a file could not be made beside the database.
pub(super) fn cannot_make(path: &Path, error: &io::Error) -> OpenError {
    let (path, reason) = (path.to_owned(), error.to_string());
    match error.kind() {
        ErrorKind::ReadOnlyFilesystem => OpenError::ReadOnly { path, reason },
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => OpenError::Full { path },
        _ => OpenError::DirectoryNotWritable { directory: directory_of(&path), path, reason },
    }
}

/// The path with something behind its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The directory that the file is in.
pub(super) fn directory_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_operating_system_refuses_is_told_by_its_kind() {
        let path = Path::new("data/tenantry.db");
        let made = |kind: ErrorKind| cannot_make(path, &io::Error::from(kind));
        assert!(matches!(made(ErrorKind::ReadOnlyFilesystem), OpenError::ReadOnly { .. }));
        assert!(matches!(made(ErrorKind::StorageFull), OpenError::Full { .. }));
        let OpenError::DirectoryNotWritable { directory, .. } = made(ErrorKind::PermissionDenied) else {
            panic!("another error");
        };
        assert_eq!(directory, Path::new("data"));
    }

    #[test]
    fn a_bare_name_lies_in_the_working_directory() {
        assert_eq!(directory_of(Path::new("tenantry.db")), Path::new("."));
        assert_eq!(beside(Path::new("a/b.db"), ".lock"), Path::new("a/b.db.lock"));
    }
}
