//! The database: what may be wrong with it, and bringing it up to date.
//!
//! Everything that can be refused is looked at before anything is changed: a database that is refused stays as
//! it was.

mod look;
mod migrations;
mod open_error;
mod wait;

use std::thread;
use std::time::{Duration, Instant};

use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use tenantry_ports::MOVE_MARKER;

use crate::error::PostgresError;
use crate::options::PostgresOptions;
use crate::schema::settings;
use crate::session::{quoted, search_path, serving_lock};
use crate::url::PostgresUrl;
use look::Look;

pub use open_error::OpenError;

/// How long to wait for the lock of a program that has just ended: the server may still be at its last statement.
const SHUT_OUT_WAIT: Duration = Duration::from_secs(5);

/// What is found in a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The server, the database and the user, without the password.
    pub place: String,
    /// The schema in which everything stands.
    pub schema: String,
    /// The server's version, as it says it.
    pub server_version: String,
    /// How many bytes the schema's tables and indexes take; nothing where there is no schema yet.
    pub bytes: Option<u64>,
    /// The newest migration that was run on it, by name; nothing where none was.
    pub version: Option<String>,
    /// The migrations that the next start will run, by name, in order.
    pub pending_migrations: Vec<String>,
    /// Whether the role by which it is served is one that Row-Level Security does not hold.
    pub is_served_by_bypassing_role: bool,
}

/// Brings the schema up to date, or makes it, as its owner, and answers with the names of the migrations that this
/// took. Blocks.
///
/// # Errors
/// As [`PostgresStorage::open`](crate::PostgresStorage::open).
pub fn migrate(options: &PostgresOptions) -> Result<Vec<String>, OpenError> {
    let url = options.owner();
    let mut connection = wait::connect(url, options.start_wait)?;
    bring_up_to_date(&mut connection, url, &options.schema)
}

/// Looks at the schema without changing anything. Blocks.
///
/// # Errors
/// As [`PostgresStorage::open`](crate::PostgresStorage::open).
pub fn inspect(options: &PostgresOptions) -> Result<Inspection, OpenError> {
    let mut connection = wait::connect(&options.url, Duration::ZERO)?;
    let served = look::at(&mut connection, &options.url, &options.schema)?;
    if !options.allow_bypassing_role {
        refuse_bypassing(&served, options)?;
    }
    if !served.applied.is_empty() && check_serving(&mut connection, &options.url, &options.schema).is_ok() {
        refuse_unfinished_move(&mut connection, &options.url, &options.schema)?;
    }
    let is_served_by_bypassing_role = served.bypasses.is_some();
    let look = match &options.owner_url {
        Some(owner) => look::at(&mut wait::connect(owner, Duration::ZERO)?, owner, &options.schema)?,
        None => served,
    };
    Ok(Inspection {
        place: options.url.place().to_owned(),
        schema: options.schema.clone(),
        bytes: look.has_schema.then_some(look.bytes),
        version: look.applied.last().map(|version| migrations::name_of(version)),
        pending_migrations: migrations::pending_names(&look.applied),
        server_version: look.server_version,
        is_served_by_bypassing_role,
    })
}

/// Waits for the database, refuses what can't be served, and brings the schema up to date where the role may.
pub(crate) fn prepare(options: &PostgresOptions) -> Result<(), OpenError> {
    let url = &options.url;
    let mut connection = wait::connect(url, options.start_wait)?;
    let look = look::at(&mut connection, url, &options.schema)?;
    match look.bypasses.as_deref() {
        Some(why) if options.allow_bypassing_role => {
            tracing::warn!(
                database.role = %look.role, "the database is served as a role that {why}, which Row-Level Security \
                 does not hold: good for developing only (postgres.allow_bypassing_role)"
            );
        }
        _ => refuse_bypassing(&look, options)?,
    }
    if let Some(owner) = &options.owner_url {
        let mut connection = wait::connect(owner, options.start_wait)?;
        let ran = bring_up_to_date(&mut connection, owner, &options.schema)?;
        log(&ran, &options.schema);
    } else if !migrations::pending_names(&look.applied).is_empty() {
        if look.bypasses.is_none() {
            let migrations = migrations::pending_names(&look.applied);
            return Err(OpenError::Behind { place: url.place().to_owned(), migrations });
        }
        let ran = bring_up_to_date(&mut connection, url, &options.schema)?;
        log(&ran, &options.schema);
    }
    // Once as it will be served: whatever keeps the role from it is said now.
    check_serving(&mut connection, url, &options.schema)?;
    refuse_unfinished_move(&mut connection, url, &options.schema)?;
    refuse_shut_out(&mut connection, url, &options.schema, "pg_try_advisory_lock_shared")
}

/// Refuses what can't be moved elsewhere. Changes nothing.
pub(crate) fn prepare_export(options: &PostgresOptions) -> Result<(), OpenError> {
    let (url, schema) = (&options.url, options.schema.as_str());
    let mut connection = wait::connect(url, options.start_wait)?;
    let look = look::at(&mut connection, url, schema)?;
    if look.applied.is_empty() {
        return Err(OpenError::Missing { place: url.place().to_owned(), schema: schema.to_owned() });
    }
    refuse_outdated(&look, url)?;
    check_owner(&mut connection, url)?;
    check_serving(&mut connection, url, schema)?;
    refuse_unfinished_move(&mut connection, url, schema)?;
    refuse_shut_out(&mut connection, url, schema, "pg_try_advisory_lock")
}

/// Refuses what nothing can be moved into, and makes the schema if it is not there.
pub(crate) fn prepare_import(options: &PostgresOptions) -> Result<(), OpenError> {
    let (url, schema) = (&options.url, options.schema.as_str());
    let mut connection = wait::connect(url, options.start_wait)?;
    let look = look::at(&mut connection, url, schema)?;
    if !look.applied.is_empty() {
        // What is refused later, because it is not empty, must not have been changed here.
        refuse_outdated(&look, url)?;
    }
    log(&bring_up_to_date(&mut connection, url, schema)?, schema);
    check_owner(&mut connection, url)?;
    check_serving(&mut connection, url, schema)?;
    refuse_shut_out(&mut connection, url, schema, "pg_try_advisory_lock")
}

fn refuse_outdated(look: &Look, url: &PostgresUrl) -> Result<(), OpenError> {
    let migrations = migrations::pending_names(&look.applied);
    match migrations.is_empty() {
        true => Ok(()),
        false => Err(OpenError::Outdated { place: url.place().to_owned(), migrations }),
    }
}

/// Whether the role may act as the owner of the tables.
fn check_owner(connection: &mut PgConnection, url: &PostgresUrl) -> Result<(), OpenError> {
    let become_owner = "RESET ROLE; SET ROLE tenantry_owner; RESET ROLE";
    run_sql(connection, become_owner).map_err(|error| OpenError::no_owner(url, &error))
}

/// Refuses a schema into which something is being moved. The connection can see it already.
fn refuse_unfinished_move(
    connection: &mut PgConnection,
    url: &PostgresUrl,
    schema: &str,
) -> Result<(), OpenError> {
    let has_marker = diesel::select(exists(settings::table.find(MOVE_MARKER))).get_result(connection);
    match has_marker.map_err(|error| OpenError::failed(url, &PostgresError::from(error)))? {
        true => Err(OpenError::UnfinishedMove { place: url.place().to_owned(), schema: schema.to_owned() }),
        false => Ok(()),
    }
}

/// Tries the lock that those who serve and those who move keep each other out by. The connections that follow take
/// it anew; here it is only said early, and well.
fn refuse_shut_out(
    connection: &mut PgConnection,
    url: &PostgresUrl,
    schema: &str,
    function: &str,
) -> Result<(), OpenError> {
    let take = format!("SELECT {function}({})", serving_lock(schema));
    let begun = Instant::now();
    loop {
        let taken = diesel::dsl::sql::<Bool>(&take).get_result(connection);
        if taken.map_err(|error| OpenError::failed(url, &PostgresError::from(error)))? {
            break;
        }
        if begun.elapsed() > SHUT_OUT_WAIT {
            return Err(OpenError::InUse { place: url.place().to_owned(), schema: schema.to_owned() });
        }
        thread::sleep(Duration::from_millis(100));
    }
    run_sql(connection, "SELECT pg_advisory_unlock_all()").map_err(|error| OpenError::failed(url, &error))
}

/// Refuses a connection whose role Row-Level Security would not hold.
pub(crate) fn refuse_bypassing_connection(connection: &mut PgConnection) -> Result<(), PostgresError> {
    match look::bypasses(connection)? {
        Some(why) => Err(PostgresError::Unreachable(format!(
            "its role {why}, so Row-Level Security would not hold it"
        ))),
        None => Ok(()),
    }
}

fn log(ran: &[String], schema: &str) {
    for name in ran {
        tracing::info!(database.schema = schema, migration = %name, "the schema was brought up to date");
    }
}

fn refuse_bypassing(look: &Look, options: &PostgresOptions) -> Result<(), OpenError> {
    let Some(why) = look.bypasses.clone() else { return Ok(()) };
    Err(OpenError::BypassingRole { place: options.url.place().to_owned(), role: look.role.clone(), why })
}

/// Runs what was not run yet, as the owner's role, alone.
fn bring_up_to_date(
    connection: &mut PgConnection,
    url: &PostgresUrl,
    schema: &str,
) -> Result<Vec<String>, OpenError> {
    let look = look::at(connection, url, schema)?;
    if migrations::pending_names(&look.applied).is_empty() {
        return Ok(Vec::new());
    }
    let failed = |error: PostgresError| OpenError::failed(url, &error);
    run_sql(connection, include_str!("database/roles.sql"))
        .map_err(|error| OpenError::no_roles(url, &look.role, &error))?;
    lock(connection, schema).map_err(failed)?;
    // Whoever had the lock may have done it meanwhile.
    let look = look::at(connection, url, schema)?;
    make_schema(connection, schema, look.has_schema).map_err(failed)?;
    migrations::run(connection).map_err(|error| OpenError::HalfDone {
        place: url.place().to_owned(),
        schema: schema.to_owned(),
        detail: url.scrub(&error.to_string()),
    })
}

fn make_schema(connection: &mut PgConnection, schema: &str, is_there: bool) -> Result<(), PostgresError> {
    let name = quoted(schema);
    if is_there {
        run_sql(connection, &format!("GRANT USAGE, CREATE ON SCHEMA {name} TO tenantry_owner"))?;
    } else {
        run_sql(connection, &format!("CREATE SCHEMA {name} AUTHORIZATION tenantry_owner"))?;
    }
    let path = search_path(schema);
    run_sql(connection, &format!("SET search_path = {path}; SET ROLE tenantry_owner"))?;
    if !is_there {
        run_sql(connection, &format!("GRANT USAGE ON SCHEMA {name} TO tenantry_application"))?;
    }
    Ok(())
}

/// Keeps other programs from bringing the same schema up to date at the same time. The lock ends with the
/// connection.
fn lock(connection: &mut PgConnection, schema: &str) -> Result<(), PostgresError> {
    run_sql(connection, "SET lock_timeout = '60s'")?;
    diesel::sql_query("SELECT pg_advisory_lock(hashtextextended('tenantry.migrate.' || $1, 0))")
        .bind::<Text, _>(schema)
        .execute(connection)?;
    Ok(())
}

/// Whether the schema can be served by this role.
fn check_serving(connection: &mut PgConnection, url: &PostgresUrl, schema: &str) -> Result<(), OpenError> {
    let mut served = || -> Result<(), PostgresError> {
        run_sql(connection, &format!("SET search_path = {}", search_path(schema)))?;
        run_sql(connection, "RESET ROLE; SET ROLE tenantry_application")?;
        diesel::dsl::sql::<BigInt>("SELECT count(*) FROM settings").get_result::<i64>(connection)?;
        Ok(())
    };
    served().map_err(|error| OpenError::no_member(url, &error))
}

fn run_sql(connection: &mut PgConnection, sql: &str) -> Result<(), PostgresError> {
    Ok(connection.batch_execute(sql)?)
}
