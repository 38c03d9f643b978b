//! PostgreSQL, as the code that both SQL adapters share asks of it.

use std::fmt::Display;

use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{Timestamptz, Uuid as SqlUuid};
use tenantry_domain::Timestamp;
use tenantry_storage_support::engine::{CatalogEngine, Damaged, Engine, Load};
use uuid::Uuid;

use crate::error::PostgresError;
use crate::literal;
use crate::moment::from_moment;

/// PostgreSQL: ids and times have types of their own.
#[derive(Debug)]
pub(crate) struct Postgres;

impl Engine for Postgres {
    type Connection = PgConnection;
    type Error = PostgresError;
    type UuidType = SqlUuid;
    type Uuid = Uuid;
    type TimeType = Timestamptz;
    type Time = PgTimestamp;

    fn uuid(stored: Uuid, _: &str) -> Result<Uuid, Damaged> {
        Ok(stored)
    }

    fn time(stored: PgTimestamp) -> Timestamp {
        from_moment(stored)
    }

    fn uuid_literal(id: Uuid) -> String {
        format!("'{id}'::uuid")
    }

    fn bytes_literal(digits: impl Display) -> String {
        format!("decode('{digits}', 'hex')")
    }

    fn number(connection: &mut PgConnection, expression: &str) -> Result<i64, PostgresError> {
        literal::number(connection, expression)
    }

    fn execute(connection: &mut PgConnection, statement: &str) -> Result<usize, PostgresError> {
        literal::execute(connection, statement)
    }
}

impl<R: QueryableByName<diesel::pg::Pg> + 'static> Load<R> for Postgres {
    fn load(connection: &mut PgConnection, select: String) -> Result<Vec<R>, PostgresError> {
        Ok(diesel::sql_query(select).load(connection)?)
    }

    fn first(connection: &mut PgConnection, select: String) -> Result<Option<R>, PostgresError> {
        Ok(diesel::sql_query(select).get_result(connection).optional()?)
    }

    fn each(
        connection: &mut PgConnection,
        select: String,
    ) -> Result<impl Iterator<Item = Result<R, PostgresError>>, PostgresError> {
        let rows = diesel::sql_query(select).load_iter::<R, PgRowByRowLoadingMode>(connection)?;
        Ok(rows.map(|row| Ok(row?)))
    }
}

impl CatalogEngine for Postgres {
    const PLAN_SEEN_AT: &str =
        "CASE WHEN p.in_feed THEN greatest(p.seen_at, f.last_success_at) ELSE p.seen_at END";
}
