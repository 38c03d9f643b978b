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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::search_path;
    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;
    use diesel::sql_types::{Nullable, Text};

    /// All that stands in the schema: tables with their columns, indexes, policies, functions, rights, comments.
    const CONTENT: &str = "\
        SELECT format('%s %s %s %s', c.relkind, c.relname, c.relacl, obj_description(c.oid)) FROM pg_class AS c \
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relname NOT LIKE '\\_\\_diesel%' UNION ALL \
        SELECT format('%s.%s %s %s', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), \
        col_description(a.attrelid, a.attnum)) FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid \
        WHERE c.relnamespace = current_schema()::regnamespace AND c.relname NOT LIKE '\\_\\_diesel%' UNION ALL \
        SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() AND indexname NOT LIKE '\\_\\_%' \
        UNION ALL SELECT format('%s %s %s %s', tablename, policyname, roles, qual) FROM pg_policies \
        WHERE schemaname = current_schema() UNION ALL \
        SELECT pg_get_functiondef(p.oid) || p.proacl::text || obj_description(p.oid) FROM pg_proc AS p \
        WHERE p.pronamespace = current_schema()::regnamespace ORDER BY 1";

    fn content(connection: &mut PgConnection) -> Vec<Option<String>> {
        diesel::dsl::sql::<Nullable<Text>>(CONTENT).load(connection).unwrap()
    }

    #[test]
    fn every_migration_can_be_undone_and_run_again() {
        let Ok(url) = std::env::var("TENANTRY_TEST_POSTGRES_URL") else {
            panic!("run `cargo xtask test`, which starts a PostgreSQL, or set TENANTRY_TEST_POSTGRES_URL")
        };
        let mut connection = PgConnection::establish(&url).unwrap();
        connection.batch_execute(include_str!("roles.sql")).unwrap();
        let schema = format!("test_{}_redo", uuid::Uuid::now_v7().simple());
        let path = search_path(&schema);
        let begin = format!(
            "CREATE SCHEMA \"{schema}\" AUTHORIZATION tenantry_owner; SET search_path = {path}; \
             SET ROLE tenantry_owner"
        );
        connection.batch_execute(&begin).unwrap();
        assert_eq!(run(&mut connection).unwrap(), pending_names(&[]));
        let made = content(&mut connection);
        assert!(made.len() > 100, "{}", made.len());
        connection.revert_all_migrations(MIGRATIONS).unwrap();
        assert_eq!(content(&mut connection), []);
        assert_eq!(run(&mut connection).unwrap(), pending_names(&[]));
        assert_eq!(content(&mut connection), made);
        let end = format!("SET client_min_messages = warning; DROP SCHEMA \"{schema}\" CASCADE");
        connection.batch_execute(&end).unwrap();
    }

    #[test]
    fn a_step_that_was_left_out_is_found() {
        let versions: Vec<_> = known().into_iter().map(|(version, _)| version).collect();
        assert_eq!(gap(&[]), None);
        assert_eq!(gap(&versions), None);
        assert_eq!(gap(&versions[..3]), None);
        let without_the_second: Vec<_> = [&versions[..1], &versions[2..]].concat();
        assert!(gap(&without_the_second).unwrap().ends_with("create_tenants"));
    }

    #[test]
    fn the_steps_have_the_names_of_sqlites() {
        let of = |engine: &str| {
            let place = format!("{}/../../../migrations/{engine}", env!("CARGO_MANIFEST_DIR"));
            let mut names: Vec<_> =
                std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        assert_eq!(of("postgres"), of("sqlite"));
    }
}
