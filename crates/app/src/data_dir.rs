//! The directory in which Tenantry keeps what is its own.

use std::fs::{self, DirBuilder};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A data directory that exists and can be written to.
#[derive(Debug, Clone)]
pub struct DataDir {
    path: PathBuf,
}

/// Why a data directory cannot be used, as one readable line.
#[derive(Debug, thiserror::Error)]
pub enum DataDirError {
    /// It is not there and cannot be made.
    #[error("the data directory {} cannot be made: {error}", path.display())]
    Make {
        /// The directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is there, and nothing can be written to it.
    #[error("the data directory {} cannot be written to: {error}", path.display())]
    Write {
        /// The directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The file of the first admin key cannot be read or written.
    #[error("the admin key file {} cannot be {verb}: {error}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// `read` or `written`.
        verb: &'static str,
        /// Why.
        error: io::Error,
    },
}

impl DataDir {
    /// Makes the directory where it is missing, for its owner alone, and tries whether it can be written to.
    ///
    /// # Errors
    /// When it cannot be made or written to.
    pub fn prepare(path: &Path) -> Result<Self, DataDirError> {
        let make = |error| DataDirError::Make { path: path.to_owned(), error };
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(make)?;
        let path = fs::canonicalize(path).map_err(make)?;
        match NamedTempFile::new_in(&path) {
            Ok(_) => Ok(Self { path }),
            Err(error) => Err(DataDirError::Write { error: error_itself(&error), path }),
        }
    }

    /// Its path, absolute.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file in which the first admin key stands, absolute.
    #[must_use]
    pub fn admin_key_file(&self) -> PathBuf {
        self.path.join("admin.key")
    }

    /// What stands in the file of the admin key, without the white space around it; nothing where there is
    /// no such file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_admin_key(&self) -> Result<Option<String>, DataDirError> {
        match fs::read_to_string(self.admin_key_file()) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.key_file_error("read", error)),
        }
    }

    /// Writes the file of the admin key, for its owner alone. When this has answered, the file is on disk,
    /// whole; if it fails, there is none.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_admin_key(&self, key: &str) -> Result<(), DataDirError> {
        self.try_to_write(key).map_err(|error| self.key_file_error("written", error))
    }

    fn try_to_write(&self, key: &str) -> io::Result<()> {
        let owner_only = fs::Permissions::from_mode(0o600);
        let mut builder = tempfile::Builder::new();
        let mut file = builder
            .prefix(".admin.key.")
            .permissions(owner_only)
            .tempfile_in(&self.path)
            .map_err(|error| error_itself(&error))?;
        writeln!(file, "{key}")?;
        file.as_file().sync_all()?;
        file.persist(self.admin_key_file()).map_err(|failed| failed.error)?;
        fs::File::open(&self.path)?.sync_all()
    }

    fn key_file_error(&self, verb: &'static str, error: io::Error) -> DataDirError {
        DataDirError::KeyFile { path: self.admin_key_file(), verb, error }
    }
}

/// The error without the path of the temporary file, which would only puzzle.
fn error_itself(error: &io::Error) -> io::Error {
    error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_directory_and_the_key_are_for_their_owner_alone() {
        let parent = tempfile::tempdir().unwrap();
        let dir = DataDir::prepare(&parent.path().join("a/b")).unwrap();
        assert_eq!(mode(dir.path()), 0o700);
        assert_eq!(dir.read_admin_key().unwrap(), None);
        dir.write_admin_key("tna_x").unwrap();
        assert_eq!(mode(&dir.admin_key_file()), 0o600);
        assert_eq!(dir.read_admin_key().unwrap().as_deref(), Some("tna_x"));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "no temporary file is left");
    }

    #[test]
    fn a_file_in_its_place_is_an_error_that_names_it() {
        let file = NamedTempFile::new().unwrap();
        let error = DataDir::prepare(file.path()).unwrap_err().to_string();
        assert!(error.contains(file.path().to_str().unwrap()), "{error}");
    }
}
