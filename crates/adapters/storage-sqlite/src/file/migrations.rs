//! The migrations that this binary knows.

use diesel::SqliteConnection;
use diesel::migration::MigrationSource;
use diesel::sqlite::Sqlite;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../../migrations/sqlite");

/// Each migration's version and name, oldest first.
fn known() -> Vec<(String, String)> {
    let migrations = MigrationSource::<Sqlite>::migrations(&MIGRATIONS).unwrap_or_default();
    let mut known: Vec<_> = migrations
        .iter()
        .map(|migration| (migration.name().version().to_string(), migration.name().to_string()))
        .collect();
    known.sort();
    known
}

/// The name of the migration of that version; the version itself where it is not known.
pub(super) fn name_of(version: &str) -> String {
    let known = known().into_iter().find(|(known, _)| known == version);
    known.map_or_else(|| version.to_owned(), |(_, name)| name)
}

/// All names, oldest first.
pub(super) fn all_names() -> Vec<String> {
    pending_names(&[])
}

/// The names of those that are not among `applied`, oldest first.
pub(super) fn pending_names(applied: &[String]) -> Vec<String> {
    known().into_iter().filter(|(version, _)| !applied.contains(version)).map(|(_, name)| name).collect()
}

/// Those of `applied` that this binary does not know.
pub(super) fn unknown(applied: &[String]) -> Vec<String> {
    let known = known();
    applied.iter().filter(|version| known.iter().all(|(known, _)| known != *version)).cloned().collect()
}

/// Runs those that were not run yet, each in a transaction, and answers with their names.
pub(super) fn run(
    connection: &mut SqliteConnection,
) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
    let ran = connection.run_pending_migrations(MIGRATIONS)?;
    Ok(ran.iter().map(|version| name_of(&version.to_string())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;
    use diesel::sql_types::Text;

    fn schema(connection: &mut SqliteConnection) -> Vec<String> {
        let all =
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY sql";
        diesel::dsl::sql::<Text>(all).load(connection).unwrap()
    }

    #[test]
    fn every_migration_can_be_undone_and_run_again() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        connection.batch_execute("PRAGMA foreign_keys = ON").unwrap();
        assert_eq!(run(&mut connection).unwrap(), all_names());
        let made = schema(&mut connection);
        connection.revert_all_migrations(MIGRATIONS).unwrap();
        assert_eq!(schema(&mut connection).len(), 1, "only diesel's own table is left");
        assert_eq!(run(&mut connection).unwrap(), all_names());
        assert_eq!(schema(&mut connection), made);
    }

    #[test]
    fn every_table_is_strict() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        run(&mut connection).unwrap();
        for table in schema(&mut connection).iter().filter(|sql| sql.starts_with("CREATE TABLE")) {
            assert!(table.contains("STRICT") || table.contains("__diesel"), "{table}");
        }
    }
}
