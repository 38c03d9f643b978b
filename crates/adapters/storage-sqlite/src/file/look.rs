//! A look at a file that is there, through a connection that cannot write.

use std::fs;
use std::path::Path;

use diesel::dsl::{exists, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Text};
use tenantry_ports::MOVE_MARKER;

use crate::connection::{self, Access};
use crate::schema::settings;

use super::{APPLICATION_ID, LOCK_WAIT, OpenError, migrations, place};

/// Up to this size a file is checked page by page at each start: it takes tens of milliseconds.
pub(super) const QUICK_CHECK_BYTES: u64 = 32 * 1024 * 1024;

const SMALLEST_PAGE: u64 = 512;

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// The header and the schema.
    Schema,
    /// Each page, too.
    Quick,
    /// And that indexes and tables agree.
    Full,
}

/// What was found: a database of ours, or one that nobody has used yet.
#[derive(Debug)]
pub(super) struct Look {
    /// There are no tables yet.
    pub(super) is_empty: bool,
    /// The versions of the migrations that were run, oldest first.
    pub(super) applied: Vec<String>,
    /// A move into it has begun and is not finished.
    pub(super) has_unfinished_move: bool,
}

/// Looks at the file, which has so many bytes, and refuses what is not a whole database of ours.
pub(super) fn at(path: &Path, bytes: u64, depth: Depth) -> Result<Look, OpenError> {
    if bytes < SMALLEST_PAGE {
        return Err(OpenError::NotADatabase { path: path.to_owned() });
    }
    let mut connection = connection::open(path, Access::ReadOnly, LOCK_WAIT)
        .map_err(|error| OpenError::failed(path, &error))?;
    let found = look(&mut connection).map_err(|error| OpenError::failed(path, &error))?;
    let Found { tables, application_id, applied, has_unfinished_move } = found;
    let is_empty = tables == 0;
    if application_id != APPLICATION_ID && !(is_empty && application_id == 0) {
        return Err(OpenError::Foreign { path: path.to_owned() });
    }
    let unknown = migrations::unknown(&applied);
    if !unknown.is_empty() {
        return Err(OpenError::Newer { path: path.to_owned(), migrations: unknown });
    }
    if is_cut_off(path, bytes) {
        let detail = "its last page is not complete".to_owned();
        return Err(OpenError::Damaged { path: path.to_owned(), detail });
    }
    check(&mut connection, path, depth)?;
    Ok(Look { is_empty, applied, has_unfinished_move })
}

/// SQLite reads a page that is cut off as if zeros followed. The smallest page has 512 bytes and all others
/// are multiples of it, so a whole database has no other size; but with a log, which may complete it.
fn is_cut_off(path: &Path, bytes: u64) -> bool {
    let has_log = fs::metadata(place::beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    !has_log && !bytes.is_multiple_of(SMALLEST_PAGE)
}

struct Found {
    tables: i64,
    application_id: i32,
    applied: Vec<String>,
    has_unfinished_move: bool,
}

fn look(connection: &mut SqliteConnection) -> QueryResult<Found> {
    let tables = sql::<BigInt>("SELECT count(*) FROM sqlite_schema").get_result(connection)?;
    let application_id = sql::<Integer>("PRAGMA application_id").get_result(connection)?;
    let has_versions = "SELECT count(*) FROM sqlite_schema WHERE name = '__diesel_schema_migrations'";
    let applied = if sql::<BigInt>(has_versions).get_result::<i64>(connection)? == 0 {
        Vec::new()
    } else {
        sql::<Text>("SELECT version FROM __diesel_schema_migrations ORDER BY version").load(connection)?
    };
    let has_settings = "SELECT count(*) FROM sqlite_schema WHERE name = 'settings'";
    // Another program's settings may look otherwise.
    let has_settings =
        application_id == APPLICATION_ID && sql::<BigInt>(has_settings).get_result::<i64>(connection)? > 0;
    let has_unfinished_move =
        has_settings && diesel::select(exists(settings::table.find(MOVE_MARKER))).get_result(connection)?;
    Ok(Found { tables, application_id, applied, has_unfinished_move })
}

fn check(connection: &mut SqliteConnection, path: &Path, depth: Depth) -> Result<(), OpenError> {
    let pragma = match depth {
        Depth::Schema => return Ok(()),
        Depth::Quick => "PRAGMA quick_check(1)",
        Depth::Full => "PRAGMA integrity_check(1)",
    };
    let said: String =
        sql::<Text>(pragma).get_result(connection).map_err(|error| OpenError::failed(path, &error))?;
    if said == "ok" { Ok(()) } else { Err(OpenError::Damaged { path: path.to_owned(), detail: said }) }
}
