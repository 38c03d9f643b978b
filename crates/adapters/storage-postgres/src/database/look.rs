//! A look at a database that changes nothing.

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use crate::error::PostgresError;
use crate::session::quoted;
use crate::url::PostgresUrl;

use super::{OpenError, migrations};

/// The oldest PostgreSQL that will do: 14.
const OLDEST: i64 = 140_000;

/// The tables of the newest version.
const TABLES: [&str; 19] = [
    "settings",
    "tenants",
    "tenant_counters",
    "admin_keys",
    "tenant_keys",
    "events",
    "key_values",
    "catalogs",
    "feeds",
    "feed_runs",
    "plan_contents",
    "plan_versions",
    "plans",
    "staged_plans",
    "staged_rejects",
    "feed_rejects",
    "reject_texts",
    "discards",
    "jobs",
];

/// What was found.
#[derive(Debug)]
pub(super) struct Look {
    /// The server's version, as it says it.
    pub(super) server_version: String,
    /// Who has logged in.
    pub(super) role: String,
    /// Why Row-Level Security does not hold the role, as in "a role that …"; nothing where it does.
    pub(super) bypasses: Option<String>,
    /// The schema is there.
    pub(super) has_schema: bool,
    /// What its tables and indexes take.
    pub(super) bytes: u64,
    /// The versions of the migrations that were run, oldest first.
    pub(super) applied: Vec<String>,
}

#[derive(Debug, QueryableByName)]
struct Role {
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Bool)]
    is_superuser: bool,
    #[diesel(sql_type = Bool)]
    bypasses: bool,
    #[diesel(sql_type = Bool)]
    is_owner: bool,
}

impl Role {
    fn bypasses(&self) -> Option<String> {
        match self {
            Self { is_superuser: true, .. } => Some("is a superuser".to_owned()),
            Self { bypasses: true, .. } => Some("has BYPASSRLS".to_owned()),
            Self { is_owner: true, .. } => {
                Some("owns the tables (it is a member of tenantry_owner)".to_owned())
            }
            _ => None,
        }
    }
}

/// Why Row-Level Security does not hold whoever has logged in; nothing where it does.
pub(super) fn bypasses(connection: &mut PgConnection) -> Result<Option<String>, PostgresError> {
    Ok(role(connection)?.bypasses())
}

/// Looks at the schema, and refuses what is not a whole one of ours.
pub(super) fn at(connection: &mut PgConnection, url: &PostgresUrl, schema: &str) -> Result<Look, OpenError> {
    let failed = |error: PostgresError| OpenError::failed(url, &error);
    let number = setting(connection, "server_version_num").map_err(failed)?;
    let server_version = setting(connection, "server_version").map_err(failed)?;
    refuse_too_old(&number, &server_version, url)?;
    let role = role(connection).map_err(failed)?;
    let bypasses = role.bypasses();
    let has_schema =
        has(connection, "SELECT FROM pg_namespace WHERE nspname = $1", schema).map_err(failed)?;
    let applied = match has_schema {
        true => applied(connection, schema).map_err(|error| OpenError::not_read(url, &error))?,
        false => Vec::new(),
    };
    let unknown = migrations::unknown(&applied);
    if !unknown.is_empty() {
        return Err(OpenError::Newer { place: url.place().to_owned(), migrations: unknown });
    }
    refuse_incomplete(connection, url, schema, &applied)?;
    let bytes = if has_schema { bytes(connection, schema).map_err(failed)? } else { 0 };
    Ok(Look { server_version, role: role.role, bypasses, has_schema, bytes, applied })
}

fn refuse_too_old(number: &str, version: &str, url: &PostgresUrl) -> Result<(), OpenError> {
    match number.parse::<i64>() {
        Ok(number) if number >= OLDEST => Ok(()),
        _ => Err(OpenError::TooOld { place: url.place().to_owned(), version: version.to_owned() }),
    }
}

/// Refuses a schema with some of the steps only: one that was restored in part, or changed by other hands.
fn refuse_incomplete(
    connection: &mut PgConnection,
    url: &PostgresUrl,
    schema: &str,
    applied: &[String],
) -> Result<(), OpenError> {
    let incomplete = |detail: String| OpenError::Incomplete {
        place: url.place().to_owned(),
        schema: schema.to_owned(),
        detail,
    };
    if let Some(gap) = migrations::gap(applied) {
        return Err(incomplete(format!("the step {gap} was not run, and later ones were")));
    }
    if applied.is_empty() || !migrations::pending_names(applied).is_empty() {
        return Ok(());
    }
    for table in TABLES {
        let there = "SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
                     WHERE n.nspname || '.' || c.relname = $1";
        let name = format!("{schema}.{table}");
        let is_there = has(connection, there, &name).map_err(|error| OpenError::failed(url, &error))?;
        if !is_there {
            return Err(incomplete(format!("the table {table} is missing")));
        }
    }
    let open = "SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
                WHERE n.nspname = $1 AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity) \
                AND (c.relname = 'tenants' OR EXISTS (SELECT FROM pg_attribute AS a \
                WHERE a.attrelid = c.oid AND a.attname = 'tenant_number' AND NOT a.attisdropped))";
    if has(connection, open, schema).map_err(|error| OpenError::failed(url, &error))? {
        let detail =
            "a table of the tenants' rows is not under Row-Level Security, or not its owner".to_owned();
        return Err(incomplete(detail));
    }
    Ok(())
}

fn role(connection: &mut PgConnection) -> Result<Role, PostgresError> {
    let query = "SELECT session_user::text AS role, rolsuper AS is_superuser, rolbypassrls AS bypasses, \
                 COALESCE((SELECT pg_has_role(session_user, o.oid, 'MEMBER') FROM pg_roles AS o \
                           WHERE o.rolname = 'tenantry_owner'), false) AS is_owner \
                 FROM pg_roles WHERE rolname = session_user";
    Ok(diesel::sql_query(query).get_result(connection)?)
}

/// The versions of the migrations that were run, oldest first.
fn applied(connection: &mut PgConnection, schema: &str) -> Result<Vec<String>, PostgresError> {
    let table = "SELECT FROM pg_tables WHERE tablename = '__diesel_schema_migrations' AND schemaname = $1";
    if !has(connection, table, schema)? {
        return Ok(Vec::new());
    }
    let schema = quoted(schema);
    let versions = format!("SELECT version FROM {schema}.__diesel_schema_migrations ORDER BY version");
    Ok(diesel::dsl::sql::<Text>(&versions).load(connection)?)
}

fn bytes(connection: &mut PgConnection, schema: &str) -> Result<u64, PostgresError> {
    #[derive(QueryableByName)]
    struct Size {
        #[diesel(sql_type = BigInt)]
        bytes: i64,
    }
    let query = "SELECT COALESCE(sum(pg_total_relation_size(c.oid)), 0)::bigint AS bytes FROM pg_class AS c \
                 JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relkind = 'r'";
    let size: Size = diesel::sql_query(query).bind::<Text, _>(schema).get_result(connection)?;
    Ok(size.bytes.unsigned_abs())
}

fn setting(connection: &mut PgConnection, name: &str) -> Result<String, PostgresError> {
    Ok(diesel::dsl::sql::<Text>(&format!("SELECT current_setting('{name}')")).get_result(connection)?)
}

/// Whether a query answers with any row.
fn has(connection: &mut PgConnection, query: &str, parameter: &str) -> Result<bool, PostgresError> {
    #[derive(QueryableByName)]
    struct Answer {
        #[diesel(sql_type = Bool)]
        answer: bool,
    }
    let query = diesel::sql_query(format!("SELECT EXISTS ({query}) AS answer")).bind::<Text, _>(parameter);
    Ok(query.get_result::<Answer>(connection)?.answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_older_than_14_is_refused() {
        let url = PostgresUrl::parse("postgres://host/db").unwrap();
        for (number, version) in [("130012", "13.12"), ("90624", "9.6.24"), ("", "?")] {
            let refused = refuse_too_old(number, version, &url).unwrap_err();
            assert!(
                matches!(&refused, OpenError::TooOld { version: said, .. } if said == version),
                "{refused}"
            );
        }
        for number in ["140000", "150020", "180000"] {
            assert_eq!(refuse_too_old(number, "", &url), Ok(()));
        }
    }
}
