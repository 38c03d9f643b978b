//! How numbers and ids stand in the text of a statement.
//!
//! Statements over many rows at once are run seldom and differ in their conditions. What is no text of anybody's, but a
//! number or the digits of an id, stands in them as it is; texts are always parameters.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tenantry_domain::{FeedId, PlanId, RejectId, RunId};

use crate::error::SqliteError;

/// An id as SQLite's literal of its bytes.
pub(crate) trait Literal {
    fn literal(&self) -> String;
}

macro_rules! uuid_literals {
    ($($id:ty),+) => {
        $(impl Literal for $id {
            fn literal(&self) -> String {
                format!("x'{}'", self.get().simple())
            }
        })+
    };
}
uuid_literals!(FeedId, PlanId, RunId);

impl Literal for RejectId {
    fn literal(&self) -> String {
        format!("x'{self}'")
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
