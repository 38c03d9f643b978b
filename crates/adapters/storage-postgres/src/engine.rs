//! PostgreSQL, as the code that both SQL adapters share asks of it.

use std::fmt::Display;
use std::time::Duration;

use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::pg::PgRowByRowLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tenantry_domain::{CatalogRevision, PlanContent, PlanId, RejectId, TenantNumber, Timestamp};
use tenantry_storage_support::bind::Bind;
use tenantry_storage_support::engine::{CatalogBatch, CatalogEngine, Damaged, Engine, Load};
use tenantry_storage_support::feed_run_row::StoredRun;
use uuid::Uuid;

use crate::batch::{Change, WriteBatch};
use crate::error::PostgresError;
use crate::feed_run_stage::{insert_contents, insert_texts};
use crate::literal::{self, storable};
use crate::moment::{from_moment, to_moment};

/// The longest that a claim lasts: a year is as good as for ever.
const LONGEST_CLAIM: Duration = Duration::from_secs(366 * 24 * 60 * 60);

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

    fn placeholder(number: usize) -> String {
        format!("${number}")
    }

    fn time_literal(_: Timestamp) -> Option<String> {
        None
    }

    fn execute_with(
        connection: &mut PgConnection,
        statement: &str,
        values: &[Bind<'_>],
    ) -> Result<usize, PostgresError> {
        let mut query = diesel::sql_query(statement).into_boxed::<diesel::pg::Pg>();
        for value in values {
            query = match *value {
                Bind::Text(text) => query.bind::<Nullable<Text>, _>(text),
                Bind::Foreign(text) => query.bind::<Nullable<Text>, _>(text.map(storable)),
                Bind::Number(number) => query.bind::<Nullable<BigInt>, _>(number),
                Bind::Flag(flag) => query.bind::<Bool, _>(flag),
                Bind::Time(time) => query.bind::<Nullable<Timestamptz>, _>(time.map(to_moment)),
                Bind::Bytes(bytes) => query.bind::<Binary, _>(bytes),
            };
        }
        Ok(query.execute(connection)?)
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
    const IN_FEED: &str = "in_feed";
    const COUNT_WERE_IN_FEED: &str = "count(*) FILTER (WHERE was_in_feed)";
    const BEHIND: &str = "OFFSET";

    fn later(column: &str, time: &str) -> String {
        format!("greatest({column}, {time})")
    }

    fn next_of_catalog(column: &str, tenant: TenantNumber) -> String {
        format!("UPDATE catalogs SET {column} = {column} + 1 WHERE tenant_number = {tenant}")
    }

    /// Claims end by the server's clock, as leases of jobs do, and no node's clock is asked: one that is wrong would take
    /// a run from a worker that lives. It is the clock as it is (`clock_timestamp()`), and not as it was when the
    /// transaction began: that may have waited for its locks.
    fn claim_until(_: Timestamp, lasts: Duration) -> String {
        format!("clock_timestamp() + {} * interval '1 microsecond'", lasts.min(LONGEST_CLAIM).as_micros())
    }

    fn claim_remaining(
        connection: &mut PgConnection,
        _: &StoredRun,
        is_run: &str,
        _: Timestamp,
    ) -> Result<Duration, PostgresError> {
        let micros = format!(
            "(SELECT coalesce(ceil(extract(epoch FROM claimed_until - clock_timestamp()) * 1000000), 0)::bigint \
             FROM feed_runs WHERE {is_run})"
        );
        Ok(u64::try_from(Self::number(connection, &micros)?).map(Duration::from_micros).unwrap_or_default())
    }

    fn store_content(
        connection: &mut PgConnection,
        tenant: TenantNumber,
        staging: i64,
        plan: PlanId,
        content: &PlanContent,
    ) -> Result<(), PostgresError> {
        insert_contents(connection, tenant, &[(staging, plan, content)])
    }

    fn store_text(
        connection: &mut PgConnection,
        tenant: TenantNumber,
        staging: i64,
        reject: RejectId,
        raw: &str,
    ) -> Result<(), PostgresError> {
        insert_texts(connection, tenant, &[(staging, reject, raw)])
    }
}

impl CatalogBatch for WriteBatch {
    type Engine = Postgres;

    fn now(&self) -> Timestamp {
        self.now()
    }

    fn is_catalog_open(&mut self, tenant: TenantNumber) -> Result<bool, PostgresError> {
        Ok(Self::is_catalog_open(self, tenant))
    }

    fn connection_for(&mut self, tenant: TenantNumber) -> Result<&mut PgConnection, PostgresError> {
        self.connection_for(tenant)
    }

    fn tell_revision(&mut self, tenant: TenantNumber, revision: CatalogRevision) {
        self.tell(Change::Catalog(tenant, revision));
    }
}
