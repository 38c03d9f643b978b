//! What the code that both SQL adapters share asks of an engine.

use std::time::Duration;

use tenantry_domain::{
    CatalogRevision, FeedId, PlanContent, PlanId, RejectId, RunId, TenantNumber, Timestamp,
};
use uuid::Uuid;

use crate::bind::Bind;
use crate::catalog_export::{FeedRejectRow, MovedPlanRow, PlanVersionRow};
use crate::feed::FeedRow;
use crate::feed_reject::RejectRow;
use crate::feed_run_publish::CountRow;
use crate::feed_run_row::{RunRow, StoredRun};
use crate::plan::{PlanRow, VersionRow};

/// What is stored cannot be what was stored: other hands changed it. Says what the database holds.
#[derive(Debug)]
pub struct Damaged(pub String);

/// An engine: how its columns hold ids and times, and how it is asked.
pub trait Engine: Sized + 'static {
    /// A connection to it.
    type Connection: 'static;
    /// What may go wrong with a query or behind it.
    type Error: From<Damaged>;
    /// The type of columns that hold UUIDs.
    type UuidType: 'static;
    /// What is read from them.
    type Uuid: 'static;
    /// The type of columns that hold times.
    type TimeType: diesel::sql_types::SqlType<IsNull = diesel::sql_types::is_nullable::NotNull> + 'static;
    /// What is read from them.
    type Time: 'static;

    /// The UUID that a column holds, which is `what`.
    ///
    /// # Errors
    /// It is none.
    fn uuid(stored: Self::Uuid, what: &str) -> Result<Uuid, Damaged>;

    /// The time that a column holds.
    fn time(stored: Self::Time) -> Timestamp;

    /// A UUID as it stands in the text of a statement.
    fn uuid_literal(id: Uuid) -> String;

    /// Bytes as they stand in the text of a statement, from their hexadecimal digits.
    fn bytes_literal(digits: impl std::fmt::Display) -> String;

    /// The number that an expression comes to, such as a query in parentheses.
    fn number(connection: &mut Self::Connection, expression: &str) -> Result<i64, Self::Error>;

    /// What stands in the text for its value of that number, the first of which is 1.
    fn placeholder(number: usize) -> String;

    /// A time as it stands in the text of a statement; nothing where it is a value beside it always.
    fn time_literal(time: Timestamp) -> Option<String>;

    /// Runs a statement with these values, and says how many rows it has changed.
    fn execute_with(
        connection: &mut Self::Connection,
        statement: &str,
        values: &[Bind<'_>],
    ) -> Result<usize, Self::Error>;

    /// As [`execute_with`](Self::execute_with), without values.
    fn execute(connection: &mut Self::Connection, statement: &str) -> Result<usize, Self::Error> {
        Self::execute_with(connection, statement, &[])
    }
}

/// How an engine reads rows of a kind.
pub trait Load<R>: Engine {
    /// All rows.
    fn load(connection: &mut Self::Connection, select: String) -> Result<Vec<R>, Self::Error>;

    /// The first row.
    fn first(connection: &mut Self::Connection, select: String) -> Result<Option<R>, Self::Error>;

    /// The rows one by one: those that are not asked for are never held in memory.
    fn each(
        connection: &mut Self::Connection,
        select: String,
    ) -> Result<impl Iterator<Item = Result<R, Self::Error>>, Self::Error>;
}

/// An engine that reads all rows of the catalog.
pub trait CatalogEngine:
    Load<FeedRow<Self>>
    + Load<RunRow<Self>>
    + Load<RejectRow<Self>>
    + Load<PlanRow<Self>>
    + Load<VersionRow<Self>>
    + Load<FeedRejectRow<Self>>
    + Load<PlanVersionRow<Self>>
    + Load<MovedPlanRow<Self>>
    + Load<CountRow>
{
    /// When a plan `p` of the feed `f` was seen last, as an expression.
    const PLAN_SEEN_AT: &str;
    /// That a plan is in its feed, as a condition.
    const IN_FEED: &str;
    /// How many staged plans were in their feed, as an expression over a group.
    const COUNT_WERE_IN_FEED: &str;
    /// What a number of rows follows on which are passed over, to come to all behind them.
    const BEHIND: &str;

    /// The later one of a column of times, which may hold none, and a time, as an expression.
    fn later(column: &str, time: &str) -> String;

    /// A statement that counts on in this column of the tenant's row in `catalogs`.
    fn next_of_catalog(column: &str, tenant: TenantNumber) -> String;

    /// When a claim ends that lasts so long from `now`, as an expression. An engine with a clock asks that one.
    fn claim_until(now: Timestamp, lasts: Duration) -> String;

    /// How long the claim to the run still lasts at `now`, by the clock that [`claim_until`](Self::claim_until) goes by.
    fn claim_remaining(
        connection: &mut Self::Connection,
        run: &StoredRun,
        is_run: &str,
        now: Timestamp,
    ) -> Result<Duration, Self::Error>;

    /// Stores what was told of a plan, under the staging that brought it, unless it is there.
    fn store_content(
        connection: &mut Self::Connection,
        tenant: TenantNumber,
        staging: i64,
        plan: PlanId,
        content: &PlanContent,
    ) -> Result<(), Self::Error>;

    /// Stores the text of a reject, under the staging that brought it, unless it is there.
    fn store_text(
        connection: &mut Self::Connection,
        tenant: TenantNumber,
        staging: i64,
        reject: RejectId,
        raw: &str,
    ) -> Result<(), Self::Error>;
}

/// A transaction that writes to tenants' catalogs, each of which it was given to write to.
pub trait CatalogBatch {
    /// Its engine.
    type Engine: CatalogEngine;

    /// The time of the transaction.
    fn now(&self) -> Timestamp;

    /// Whether the tenant's catalog may be written: the tenant is there, and is not being deleted.
    fn is_catalog_open(&mut self, tenant: TenantNumber) -> Result<bool, ErrorOf<Self>>;

    /// The connection, to be asked of this tenant's data.
    fn connection_for(&mut self, tenant: TenantNumber) -> Result<&mut ConnectionOf<Self>, ErrorOf<Self>>;

    /// Has the listener told of the catalog's revision, once it is committed.
    fn tell_revision(&mut self, tenant: TenantNumber, revision: CatalogRevision);
}

/// The connection of a batch's engine.
pub type ConnectionOf<B> = <<B as CatalogBatch>::Engine as Engine>::Connection;

/// What may go wrong in a batch.
pub type ErrorOf<B> = <<B as CatalogBatch>::Engine as Engine>::Error;

/// An id that stands in the text of a statement.
///
/// Statements over many rows at once are run seldom and differ in their conditions. What is no text of anybody's, but a
/// number or the digits of an id, stands in them as it is.
pub trait StoredId {
    /// Its literal.
    fn in_text<E: Engine>(&self) -> String;
}

impl StoredId for FeedId {
    fn in_text<E: Engine>(&self) -> String {
        E::uuid_literal(self.get())
    }
}

impl StoredId for PlanId {
    fn in_text<E: Engine>(&self) -> String {
        E::uuid_literal(self.get())
    }
}

impl StoredId for RunId {
    fn in_text<E: Engine>(&self) -> String {
        E::uuid_literal(self.get())
    }
}

impl StoredId for RejectId {
    fn in_text<E: Engine>(&self) -> String {
        E::bytes_literal(self)
    }
}
