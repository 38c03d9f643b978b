//! SQLite, as the code that both SQL adapters share asks of it.

use std::fmt::Display;
use std::time::Duration;

use diesel::connection::DefaultLoadingMode;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text};
use tenantry_domain::{CatalogRevision, PlanContent, PlanId, RejectId, TenantNumber, Timestamp};
use tenantry_storage_support::bind::Bind;
use tenantry_storage_support::engine::{CatalogBatch, CatalogEngine, Damaged, Engine, Load};
use tenantry_storage_support::feed_run_row::StoredRun;
use uuid::Uuid;

use crate::batch::{Change, WriteBatch};
use crate::counters::Which;
use crate::error::SqliteError;
use crate::feed_run_stage::{insert_content, insert_text};
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

    fn placeholder(_: usize) -> String {
        "?".to_owned()
    }

    fn time_literal(time: Timestamp) -> Option<String> {
        Some(time.as_micros().to_string())
    }

    fn execute_with(
        connection: &mut SqliteConnection,
        statement: &str,
        values: &[Bind<'_>],
    ) -> Result<usize, SqliteError> {
        let mut query = diesel::sql_query(statement).into_boxed::<diesel::sqlite::Sqlite>();
        for value in values {
            query = match *value {
                Bind::Text(text) | Bind::Foreign(text) => query.bind::<Nullable<Text>, _>(text),
                Bind::Number(number) => query.bind::<Nullable<BigInt>, _>(number),
                Bind::Flag(flag) => query.bind::<Bool, _>(flag),
                Bind::Time(time) => query.bind::<Nullable<BigInt>, _>(time.map(Timestamp::as_micros)),
                Bind::Bytes(bytes) => query.bind::<Binary, _>(bytes),
            };
        }
        Ok(query.execute(connection)?)
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
    const IN_FEED: &str = "in_feed = 1";
    const COUNT_WERE_IN_FEED: &str = "sum(was_in_feed)";
    const BEHIND: &str = "LIMIT -1 OFFSET";

    fn later(column: &str, time: &str) -> String {
        format!("max(coalesce({column}, {time}), {time})")
    }

    fn next_of_catalog(column: &str, tenant: TenantNumber) -> String {
        format!(
            "INSERT INTO catalogs (tenant_number, {column}) VALUES ({tenant}, 1) \
             ON CONFLICT (tenant_number) DO UPDATE SET {column} = {column} + 1"
        )
    }

    /// A file is one process's, so claims end by that process's clock. If it is set forward a living worker may lose its
    /// run to another: the claim's number sees to it that only the run begins anew.
    fn claim_until(now: Timestamp, lasts: Duration) -> String {
        now.plus(lasts).as_micros().to_string()
    }

    fn claim_remaining(
        _: &mut SqliteConnection,
        run: &StoredRun,
        _: &str,
        now: Timestamp,
    ) -> Result<Duration, SqliteError> {
        Ok(run.claimed_until.map(|until| until.since(now)).unwrap_or_default())
    }

    fn store_content(
        connection: &mut SqliteConnection,
        tenant: TenantNumber,
        staging: i64,
        plan: PlanId,
        content: &PlanContent,
    ) -> Result<(), SqliteError> {
        insert_content(connection, tenant, staging, plan, content)
    }

    fn store_text(
        connection: &mut SqliteConnection,
        tenant: TenantNumber,
        staging: i64,
        reject: RejectId,
        raw: &str,
    ) -> Result<(), SqliteError> {
        insert_text(connection, tenant.get(), staging, reject, raw)
    }
}

impl CatalogBatch for WriteBatch {
    type Engine = Sqlite;

    fn now(&self) -> Timestamp {
        self.now()
    }

    fn is_catalog_open(&mut self, tenant: TenantNumber) -> Result<bool, SqliteError> {
        Ok(self.counters(tenant, Which::Open)?.is_some())
    }

    fn connection_for(&mut self, _: TenantNumber) -> Result<&mut SqliteConnection, SqliteError> {
        Ok(&mut self.connection)
    }

    fn tell_revision(&mut self, tenant: TenantNumber, revision: CatalogRevision) {
        self.tell(Change::Catalog(tenant, revision));
    }
}
