//! Which database the configuration means.

use std::path::{Path, PathBuf};

use tenantry_storage_postgres::PostgresUrl;

/// The database that `database_url` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// SQLite in the file `tenantry.db` in the data directory.
    InDataDir,
    /// SQLite in this file.
    SqliteFile(PathBuf),
    /// PostgreSQL.
    Postgres(PostgresUrl),
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
            None if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                PostgresUrl::parse(url).map(Self::Postgres).map_err(|error| error.to_string())
            }
            None => Err("must be empty (SQLite in data_dir), sqlite:PATH or postgres://…; \
                         this version supports no other database"
                .to_owned()),
        }
    }

    /// The file of the database, if it is one.
    #[must_use]
    pub fn path(&self, data_dir: &Path) -> Option<PathBuf> {
        match self {
            Self::InDataDir => Some(data_dir.join("tenantry.db")),
            Self::SqliteFile(path) => Some(path.clone()),
            Self::Postgres(_) => None,
        }
    }
}

/// A URL without the password that may be in it.
pub(super) fn without_password(url: &str) -> String {
    match PostgresUrl::parse(url) {
        Ok(parsed) => parsed.without_password(),
        Err(_) => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_url_means_a_file_in_the_data_directory() {
        let database = Database::parse("").unwrap();
        assert_eq!(database.path(Path::new("/data")), Some(PathBuf::from("/data/tenantry.db")));
    }

    #[test]
    fn a_sqlite_url_names_its_file() {
        let database = Database::parse("sqlite:/srv/a.db").unwrap();
        assert_eq!(database.path(Path::new("/data")), Some(PathBuf::from("/srv/a.db")));
    }

    #[test]
    fn a_postgres_url_is_shown_without_its_password() {
        let url = "postgres://ada:hunter2@host/db?sslmode=require";
        let Database::Postgres(parsed) = Database::parse(url).unwrap() else { panic!("another database") };
        assert!(!format!("{parsed} {parsed:?}").contains("hunter2"));
        assert_eq!(without_password(url), "postgres://ada:•••@host/db?sslmode=require");
        assert_eq!(without_password("sqlite:/srv/a.db"), "sqlite:/srv/a.db");
    }

    #[test]
    fn any_other_url_is_refused_without_being_repeated() {
        for url in [
            "mysql://user:hunter2@host/db",
            "postgres://user:hunter2@x@host/db",
            "sqlite:",
            "sqlite::memory:",
            "/a/hunter2.db",
        ] {
            let refusal = Database::parse(url).unwrap_err();
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }
}
