//! How numbers and ids stand in the text of a statement.
//!
//! Statements over many rows at once are run seldom and differ in their conditions. What is no text of anybody's, but a
//! number or the digits of an id, stands in them as it is; texts and times are always parameters.

use std::borrow::Cow;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tenantry_storage_support::engine::StoredId;

use crate::engine::Postgres;
use crate::error::PostgresError;

/// An id as PostgreSQL's literal of it.
pub(crate) trait Literal {
    fn literal(&self) -> String;
}

impl<T: StoredId> Literal for T {
    fn literal(&self) -> String {
        self.in_text::<Postgres>()
    }
}

/// The number that an expression comes to, such as a query in parentheses.
pub(crate) fn number(connection: &mut PgConnection, expression: &str) -> Result<i64, PostgresError> {
    Ok(sql::<BigInt>(&format!("SELECT {expression}")).get_result(connection)?)
}

/// Runs a statement, and says how many rows it has changed.
pub(crate) fn execute(connection: &mut PgConnection, statement: &str) -> Result<usize, PostgresError> {
    Ok(diesel::sql_query(statement).execute(connection)?)
}

/// The text with U+FFFD for each U+0000, which PostgreSQL does not take.
pub(crate) fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}
