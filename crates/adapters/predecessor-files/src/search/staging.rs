//! Rows of the search's tables, as they stood in the file: what belongs together is known only when it was read whole.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::sqlite::Sqlite;

use crate::file_error::FileError;
use crate::search::columns::{MAX_FIELDS, Role};
use crate::search::tables::{MAX_KEYS, SearchTable};
use crate::staging::At;
use crate::value::{Value, too_long};

const CREATE: &str = "CREATE TABLE staged_search_rows (place INTEGER PRIMARY KEY, line INTEGER NOT NULL, \
     role INTEGER NOT NULL, k0 TEXT, k1 TEXT, k2 TEXT, k3 TEXT, k4 TEXT, k5 TEXT, k6 TEXT, k7 TEXT, \
     f0 TEXT, f1 TEXT, f2 TEXT, f3 TEXT, f4 TEXT, f5 TEXT, f6 TEXT, f7 TEXT, f8 TEXT, f9 TEXT, f10 TEXT, f11 TEXT, \
     f12 TEXT, f13 TEXT); \
     CREATE TABLE taken_search_keys (base_plan_id TEXT, plan_id TEXT, line INTEGER NOT NULL, \
     PRIMARY KEY (base_plan_id, plan_id)) WITHOUT ROWID;";

/// A row as it waits.
#[derive(Debug, Default)]
pub(crate) struct StagedRow<'a> {
    keys: [Option<&'a str>; MAX_KEYS],
    fields: [Option<&'a str>; MAX_FIELDS],
}

/// What of a row is read.
pub(crate) fn parse<'a>(table: &SearchTable, values: &'a [Value<'a>]) -> Result<StagedRow<'a>, String> {
    let text = |place: usize| match values.get(place) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Text(text)) => Ok(Some(&**text)),
        Some(Value::Bytes(_)) => Err(format!("{} is not UTF-8", table.column_name(place))),
        Some(Value::TooLong) => Err(too_long(table.column_name(place))),
    };
    let mut row = StagedRow::default();
    for (key, place) in row.keys.iter_mut().zip(table.keys()) {
        *key = text(*place)?;
    }
    for (field, into) in row.fields.iter_mut().enumerate() {
        *into = table.field(field).map_or(Ok(None), text)?;
    }
    Ok(row)
}

pub(crate) fn create(connection: &mut SqliteConnection) -> Result<(), FileError> {
    Ok(connection.batch_execute(CREATE)?)
}

pub(crate) fn stage(
    connection: &mut SqliteConnection,
    role: Role,
    at: At,
    row: &StagedRow<'_>,
) -> Result<(), FileError> {
    Insert { role: role.number(), at, row }.execute(connection)?;
    Ok(())
}

/// The statement that stages a row. Its text never changes, so it is prepared once.
struct Insert<'a> {
    role: i32,
    at: At,
    row: &'a StagedRow<'a>,
}

impl QueryId for Insert<'_> {
    type QueryId = Insert<'static>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl QueryFragment<Sqlite> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("INSERT INTO staged_search_rows VALUES (");
        out.push_bind_param::<BigInt, _>(&self.at.place)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&self.at.line)?;
        out.push_sql(", ");
        out.push_bind_param::<Integer, _>(&self.role)?;
        for text in self.row.keys.iter().chain(&self.row.fields) {
            out.push_sql(", ");
            out.push_bind_param::<Nullable<Text>, _>(text)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

impl RunQueryDsl<SqliteConnection> for Insert<'_> {}

/// Whether that key of the plans' table holds UUIDs, by its first value.
pub(crate) fn has_uuids(connection: &mut SqliteConnection, key: usize) -> Result<bool, FileError> {
    let query = format!(
        "SELECT k{key} AS text FROM staged_search_rows WHERE role = {} AND k{key} IS NOT NULL ORDER BY place LIMIT 1",
        Role::Plans.number()
    );
    let first: Option<TextRow> = diesel::sql_query(query).get_result(connection).optional()?;
    Ok(first.and_then(|row| row.text).is_some_and(|text| uuid::Uuid::try_parse(text.trim()).is_ok()))
}

/// The different texts of that field in the table of that role, at most so many.
pub(crate) fn distinct(
    connection: &mut SqliteConnection,
    role: Role,
    field: usize,
    most: usize,
) -> Result<Vec<String>, FileError> {
    let query = format!(
        "SELECT DISTINCT f{field} AS text FROM staged_search_rows WHERE role = {} AND f{field} IS NOT NULL \
         ORDER BY 1 LIMIT {most}",
        role.number()
    );
    let rows: Vec<TextRow> = diesel::sql_query(query).load(connection)?;
    Ok(rows.into_iter().filter_map(|row| row.text).collect())
}

/// Has rows of that role found by these keys.
pub(crate) fn index(connection: &mut SqliteConnection, role: Role, keys: &[usize]) -> Result<(), FileError> {
    let columns: Vec<_> = keys.iter().map(|key| format!("k{key}")).collect();
    let number = role.number();
    let index = format!(
        "CREATE INDEX staged_search_rows_{number} ON staged_search_rows ({}) WHERE role = {number}",
        columns.join(", ")
    );
    Ok(connection.batch_execute(&index)?)
}

/// Notes that a row with these ids of the provider's is taken. The line of the row that was taken before, if one was.
pub(crate) fn take_key(
    connection: &mut SqliteConnection,
    base_plan_id: &str,
    plan_id: &str,
    line: i64,
) -> Result<Option<i64>, FileError> {
    let take =
        "INSERT INTO taken_search_keys (base_plan_id, plan_id, line) VALUES (?, ?, ?) ON CONFLICT DO NOTHING";
    let taken = diesel::sql_query(take)
        .bind::<Text, _>(base_plan_id)
        .bind::<Text, _>(plan_id)
        .bind::<BigInt, _>(line)
        .execute(connection)?;
    if taken > 0 {
        return Ok(None);
    }
    let before = "SELECT line AS number FROM taken_search_keys WHERE base_plan_id = ? AND plan_id = ?";
    let before: NumberRow = diesel::sql_query(before)
        .bind::<Text, _>(base_plan_id)
        .bind::<Text, _>(plan_id)
        .get_result(connection)?;
    Ok(Some(before.number))
}

/// Forgets which keys are taken.
pub(crate) fn forget_keys(connection: &mut SqliteConnection) -> Result<(), FileError> {
    Ok(connection.batch_execute("DELETE FROM taken_search_keys")?)
}

#[derive(QueryableByName)]
struct TextRow {
    #[diesel(sql_type = Nullable<Text>)]
    text: Option<String>,
}

#[derive(QueryableByName)]
struct NumberRow {
    #[diesel(sql_type = BigInt)]
    number: i64,
}
