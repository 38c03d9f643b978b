//! SQLite, as the code that both SQL adapters share asks of it.

use std::fmt::Display;

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary};
use tenantry_domain::Timestamp;
use tenantry_storage_support::engine::{CatalogEngine, Damaged, Engine, Load};
use uuid::Uuid;

use crate::error::SqliteError;
use crate::literal;

/// SQLite: ids are their bytes, and times microseconds since 1970.
#[derive(Debug)]
pub(crate) struct Sqlite;

impl Engine for Sqlite {
    type Connection = SqliteConnection;
    type Error = SqliteError;
    type UuidType = Binary;
    type Uuid = Vec<u8>;
    type TimeType = BigInt;
    type Time = i64;

    fn uuid(stored: Vec<u8>, what: &str) -> Result<Uuid, Damaged> {
        Uuid::from_slice(&stored).map_err(|_| Damaged(format!("{what} that is no UUID")))
    }

    fn time(stored: i64) -> Timestamp {
        Timestamp::from_micros(stored)
    }

    fn uuid_literal(id: Uuid) -> String {
        format!("x'{}'", id.simple())
    }

    fn bytes_literal(digits: impl Display) -> String {
        format!("x'{digits}'")
    }

    fn number(connection: &mut SqliteConnection, expression: &str) -> Result<i64, SqliteError> {
        literal::number(connection, expression)
    }

    fn execute(connection: &mut SqliteConnection, statement: &str) -> Result<usize, SqliteError> {
        literal::execute(connection, statement)
    }
}

impl<R: QueryableByName<diesel::sqlite::Sqlite> + 'static> Load<R> for Sqlite {
    fn load(connection: &mut SqliteConnection, select: String) -> Result<Vec<R>, SqliteError> {
        Ok(diesel::sql_query(select).load(connection)?)
    }

    fn first(connection: &mut SqliteConnection, select: String) -> Result<Option<R>, SqliteError> {
        Ok(diesel::sql_query(select).get_result(connection).optional()?)
    }

    fn each(
        connection: &mut SqliteConnection,
        select: String,
    ) -> Result<impl Iterator<Item = Result<R, SqliteError>>, SqliteError> {
        let rows = diesel::sql_query(select).load_iter::<R, DefaultLoadingMode>(connection)?;
        Ok(rows.map(|row| Ok(row?)))
    }
}

impl CatalogEngine for Sqlite {
    const PLAN_SEEN_AT: &str = "CASE p.in_feed WHEN 1 THEN max(p.seen_at, coalesce(f.last_success_at, p.seen_at)) ELSE p.seen_at END";
}
