//! SQLite files.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use tempfile::TempDir;

use crate::MAX_ROW_BYTES;
use crate::dump::Listener;
use crate::fault::Place;
use crate::file_error::FileError;
use crate::search::references::ForeignKey;
use crate::table::Tables;
use crate::value::Value;

/// A database that is open to be read. Its file is not written to.
pub(crate) struct Database {
    connection: SqliteConnection,
    size: u64,
    /// The copy that is read, where the file alone does not say all.
    _copy: Option<TempDir>,
}

impl Database {
    /// Opens the file. Where a journal or a write-ahead log belongs to it, SQLite must carry that out to read it:
    /// then a copy is read, so that the file and its journal stay as they are.
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        let size = fs::metadata(path)?.len();
        let copy = if has_journal(path)? { Some(copy(path)?) } else { None };
        let address = match &copy {
            Some((_, path)) => address(path, "rw"),
            None => address(path, "ro"),
        };
        let mut connection =
            SqliteConnection::establish(&address).map_err(|error| FileError::Sqlite(error.to_string()))?;
        connection
            .batch_execute("PRAGMA busy_timeout = 5000; PRAGMA trusted_schema = OFF; BEGIN;")
            .map_err(sqlite_error)?;
        let encoding: String =
            diesel::dsl::sql::<Text>("PRAGMA encoding").get_result(&mut connection).map_err(sqlite_error)?;
        if encoding != "UTF-8" {
            return Err(FileError::Sqlite(format!("it is in {encoding}, not in UTF-8")));
        }
        Ok(Self { connection, size, _copy: copy.map(|(folder, _)| folder) })
    }

    /// Tells of all tables, and then of the rows of the one that is wanted.
    pub(crate) fn read(&mut self, tables: &mut Tables, listener: &mut dyn Listener) -> Result<(), FileError> {
        let names =
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
        let names: Vec<String> =
            diesel::dsl::sql::<Text>(names).load(&mut self.connection).map_err(sqlite_error)?;
        for name in &names {
            let columns = diesel::sql_query("SELECT name FROM pragma_table_info(?)").bind::<Text, _>(name);
            let columns: Vec<ColumnRow> = columns.load(&mut self.connection).map_err(sqlite_error)?;
            let columns: Vec<String> = columns.into_iter().map(|column| column.name).collect();
            tables.offer(name, &columns)?;
        }
        for (table, read) in tables.to_read() {
            self.references(&table, tables)?;
            listener.table(&table, &read)?;
            self.rows(&table, &read, listener)?;
        }
        Ok(())
    }

    /// Tells of the foreign keys of a table.
    fn references(&mut self, table: &str, tables: &mut Tables) -> Result<(), FileError> {
        let keys = "SELECT id, \"table\" AS parent, \"from\" AS own_column, \"to\" AS parent_column \
                    FROM pragma_foreign_key_list(?) ORDER BY id, seq";
        let rows: Vec<ReferenceRow> = diesel::sql_query(keys)
            .bind::<Text, _>(table)
            .load(&mut self.connection)
            .map_err(sqlite_error)?;
        for pairs in rows.chunk_by(|one, other| one.id == other.id) {
            let key = ForeignKey {
                table: table.to_owned(),
                columns: pairs.iter().map(|pair| pair.own_column.to_lowercase()).collect(),
                parent: pairs.first().map(|pair| pair.parent.clone()).unwrap_or_default(),
                // Without a column it is the other table's key, which has one name or another.
                parent_columns: pairs
                    .iter()
                    .map(|pair| pair.parent_column.as_deref().unwrap_or("id").to_lowercase())
                    .collect(),
            };
            tables.refer(key);
        }
        Ok(())
    }

    fn rows(
        &mut self,
        table: &str,
        columns: &[String],
        listener: &mut dyn Listener,
    ) -> Result<(), FileError> {
        let total = format!("SELECT count(*) FROM {}", quoted(table));
        let total: i64 =
            diesel::dsl::sql::<BigInt>(&total).get_result(&mut self.connection).map_err(sqlite_error)?;
        let query = diesel::sql_query(query(table, columns));
        let rows =
            query.load_iter::<RawRow, DefaultLoadingMode>(&mut self.connection).map_err(sqlite_error)?;
        for (number, row) in (1_u64..).zip(rows) {
            let row = row.map_err(sqlite_error)?;
            let place = Place::Row(number);
            listener.row(place, Ok(&row.values(columns.len())))?;
            let share = number as f64 / total.max(1) as f64;
            listener.progress((self.size as f64 * share.min(1.0)) as u64);
        }
        Ok(())
    }
}

#[derive(QueryableByName)]
struct ReferenceRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    parent: String,
    #[diesel(sql_type = Text)]
    own_column: String,
    #[diesel(sql_type = Nullable<Text>)]
    parent_column: Option<String>,
}

#[derive(QueryableByName)]
struct ColumnRow {
    #[diesel(sql_type = Text)]
    name: String,
}

macro_rules! raw_row {
    ($($value:ident)+) => {
        /// Each value as bytes, and what types they are.
        #[derive(QueryableByName)]
        struct RawRow {
            #[diesel(sql_type = Text)]
            types: String,
            $(#[diesel(sql_type = Nullable<Binary>)]
            $value: Option<Vec<u8>>,)+
        }

        /// The most columns that any predecessor's table is read of.
        const MAX_COLUMNS: usize = [$(stringify!($value)),+].len();

        impl RawRow {
            fn all(&self) -> [&Option<Vec<u8>>; MAX_COLUMNS] {
                [$(&self.$value),+]
            }
        }
    };
}
raw_row! { v0 v1 v2 v3 v4 v5 v6 v7 v8 v9 v10 v11 v12 v13 v14 v15 v16 v17 v18 v19 v20 v21 v22 v23 }

/// What stands for the type of a value that is too long to be read.
const LONG: &str = "long";

/// The rows in the table's order. Values are cast to bytes: so each comes as it is stored, of whatever type.
fn query(table: &str, columns: &[String]) -> String {
    let mut query = String::from("SELECT ''");
    // Writing to a string cannot fail.
    for column in columns {
        let column = quoted(column);
        let _ = write!(
            query,
            " || CASE WHEN length({column}) > {MAX_ROW_BYTES} THEN '{LONG}' ELSE typeof({column}) END || ' '"
        );
    }
    query.push_str(" AS types");
    for place in 0..MAX_COLUMNS {
        match columns.get(place) {
            Some(column) => {
                let column = quoted(column);
                let _ = write!(
                    query,
                    ", CASE WHEN length({column}) <= {MAX_ROW_BYTES} THEN CAST({column} AS BLOB) END AS v{place}"
                );
            }
            None => {
                let _ = write!(query, ", NULL AS v{place}");
            }
        }
    }
    let _ = write!(query, " FROM {}", quoted(table));
    query
}

impl RawRow {
    fn values(&self, columns: usize) -> Vec<Value<'_>> {
        let typed = self.all().into_iter().take(columns).zip(self.types.split(' '));
        typed
            .map(|(bytes, kind)| match (kind, bytes) {
                (LONG, _) => Value::TooLong,
                (_, None) => Value::Null,
                ("blob", Some(bytes)) => Value::Bytes(Cow::Borrowed(bytes)),
                (_, Some(bytes)) => Value::of_bytes(bytes),
            })
            .collect()
    }
}

/// A name as SQL has it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` hands the error over")]
fn sqlite_error(error: diesel::result::Error) -> FileError {
    FileError::Sqlite(error.to_string())
}

const SIDES: [&str; 2] = ["-journal", "-wal"];

fn beside(path: &Path, side: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(side);
    PathBuf::from(name)
}

/// Whether it has a journal or a log, or is one that always has a log (bytes 18 and 19 of the file say so).
fn has_journal(path: &Path) -> Result<bool, FileError> {
    use std::io::Read as _;
    let mut head = Vec::with_capacity(20);
    fs::File::open(path)?.take(20).read_to_end(&mut head)?;
    let is_in_wal_mode = head.get(18) == Some(&2) || head.get(19) == Some(&2);
    Ok(is_in_wal_mode || SIDES.iter().any(|side| beside(path, side).exists()))
}

fn copy(path: &Path) -> Result<(TempDir, PathBuf), FileError> {
    let folder = tempfile::tempdir()?;
    let copied = folder.path().join("copy.db");
    fs::copy(path, &copied)?;
    for side in SIDES {
        match fs::copy(beside(path, side), beside(&copied, side)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok((folder, copied))
}

/// The file's address for SQLite: a URI, so that no character of a path means anything else.
fn address(path: &Path, mode: &str) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let mut uri = String::from("file:");
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    let _ = write!(uri, "?mode={mode}");
    uri
}
