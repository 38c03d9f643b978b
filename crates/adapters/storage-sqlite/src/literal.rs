//! How numbers and ids stand in the text of a statement.
//!
//! Statements over many rows at once are run seldom and differ in their conditions. What is no text of anybody's, but a
//! number or the digits of an id, stands in them as it is; texts are always parameters.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tenantry_storage_support::engine::StoredId;

use crate::engine::Sqlite;
use crate::error::SqliteError;

/// An id as SQLite's literal of it.
pub(crate) trait Literal {
    fn literal(&self) -> String;
}

impl<T: StoredId> Literal for T {
    fn literal(&self) -> String {
        self.in_text::<Sqlite>()
    }
}

/// The number that an expression comes to, such as a query in parentheses.
pub(crate) fn number(connection: &mut SqliteConnection, expression: &str) -> Result<i64, SqliteError> {
    Ok(sql::<BigInt>(&format!("SELECT {expression}")).get_result(connection)?)
}

/// Runs a statement, and says how many rows it has changed.
pub(crate) fn execute(connection: &mut SqliteConnection, statement: &str) -> Result<usize, SqliteError> {
    Ok(diesel::sql_query(statement).execute(connection)?)
}
