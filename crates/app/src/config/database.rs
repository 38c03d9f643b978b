//! Which database the configuration means.

use std::path::{Path, PathBuf};

/// The database that `database_url` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// SQLite in the file `tenantry.db` in the data directory.
    InDataDir,
    /// SQLite in this file.
    SqliteFile(PathBuf),
}

impl Database {
    /// Reads a `database_url`. The answer to one that cannot be used never repeats it: there may be a
    /// password in it.
    ///
    /// # Errors
    /// What the URL must be.
    pub fn parse(url: &str) -> Result<Self, String> {
        if url.is_empty() {
            return Ok(Self::InDataDir);
        }
        match url.strip_prefix("sqlite:") {
            Some("") => Err("must name a file behind sqlite:".to_owned()),
            Some(memory) if memory.contains(":memory:") => {
                Err("must name a file behind sqlite:, since a database in memory keeps nothing".to_owned())
            }
            Some(path) => Ok(Self::SqliteFile(PathBuf::from(path))),
            None => Err("must be empty (SQLite in data_dir) or sqlite:PATH; \
                         this version supports no other database"
                .to_owned()),
        }
    }

    /// The file of the database.
    #[must_use]
    pub fn path(&self, data_dir: &Path) -> PathBuf {
        match self {
            Self::InDataDir => data_dir.join("tenantry.db"),
            Self::SqliteFile(path) => path.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_url_means_a_file_in_the_data_directory() {
        let database = Database::parse("").unwrap();
        assert_eq!(database.path(Path::new("/data")), Path::new("/data/tenantry.db"));
    }

    #[test]
    fn a_sqlite_url_names_its_file() {
        let database = Database::parse("sqlite:/srv/a.db").unwrap();
        assert_eq!(database.path(Path::new("/data")), Path::new("/srv/a.db"));
    }

    #[test]
    fn any_other_url_is_refused_without_being_repeated() {
        for url in ["postgres://user:hunter2@host/db", "sqlite:", "sqlite::memory:", "/a/hunter2.db"] {
            let refusal = Database::parse(url).unwrap_err();
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }
}
