//! The migrations that this binary knows.

use diesel::PgConnection;
use diesel::migration::MigrationSource;
use diesel::pg::Pg;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../../migrations/postgres");

/// Each migration's version and name, oldest first.
fn known() -> Vec<(String, String)> {
    let migrations = MigrationSource::<Pg>::migrations(&MIGRATIONS).unwrap_or_default();
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

/// The names of those that are not among `applied`, oldest first.
pub(super) fn pending_names(applied: &[String]) -> Vec<String> {
    known().into_iter().filter(|(version, _)| !applied.contains(version)).map(|(_, name)| name).collect()
}

/// Those of `applied` that this binary does not know.
pub(super) fn unknown(applied: &[String]) -> Vec<String> {
    let known = known();
    applied.iter().filter(|version| known.iter().all(|(known, _)| known != *version)).cloned().collect()
}

/// The name of the first that was not run although a later one was.
pub(super) fn gap(applied: &[String]) -> Option<String> {
    let last = applied.iter().max()?;
    let known = known().into_iter();
    known.filter(|(version, _)| version < last && !applied.contains(version)).map(|(_, name)| name).next()
}

/// Runs those that were not run yet, each in a transaction, and answers with their names.
pub(super) fn run(
    connection: &mut PgConnection,
) -> Result<Vec<String>, Box<dyn std::error::Error + Send + Sync>> {
    let ran = connection.run_pending_migrations(MIGRATIONS)?;
    Ok(ran.iter().map(|version| name_of(&version.to_string())).collect())
}
