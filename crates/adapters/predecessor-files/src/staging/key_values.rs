//! Key-values, by key: of the rows of one key, the last counts.

use bytes::Bytes;
use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::prelude::*;
use tenantry_domain::{ContentType, Key};

use crate::file_error::FileError;
use crate::staging::At;
use crate::value::{Row, Value, too_long};

diesel::table! {
    staged_key_values (place) {
        place -> BigInt,
        line -> BigInt,
        key -> Text,
        id -> BigInt,
        value -> Nullable<Binary>,
        is_text -> Bool,
        fault -> Nullable<Text>,
    }
}

const CREATE: &str = "CREATE TABLE staged_key_values (place INTEGER PRIMARY KEY, line INTEGER NOT NULL, key TEXT NOT NULL, \
     id INTEGER NOT NULL, value BLOB, is_text INTEGER NOT NULL, fault TEXT)";

/// A key-value of the predecessor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastKeyValue {
    /// Its key.
    pub key: Key,
    /// Its bytes.
    pub value: Bytes,
    /// Plain text, or octets where it was a BLOB.
    pub content_type: ContentType,
}

/// A row as it waits. What is wrong with its value counts only if it is the key's last.
pub(crate) struct StagedKeyValue<'a> {
    key: Key,
    id: Option<i64>,
    value: Result<&'a Value<'a>, String>,
}

/// What a row is here; an error where it has no key.
pub(crate) fn parse<'a>(row: &Row<'a>) -> Result<StagedKeyValue<'a>, String> {
    let bytes = match row.value("key") {
        Value::Null => return Err("key is NULL".to_owned()),
        Value::Text(text) => text.as_bytes(),
        Value::Bytes(bytes) => bytes,
        Value::TooLong => return Err(too_long("key")),
    };
    let key = Key::new(bytes).map_err(|error| error.to_string())?;
    let id = row.text("id").ok().flatten().and_then(|id| id.trim().parse().ok());
    let value = match row.value("value") {
        Value::Null => Err("value is NULL".to_owned()),
        Value::TooLong => Err(too_long("value")),
        value => Ok(value),
    };
    Ok(StagedKeyValue { key, id, value })
}

pub(crate) fn create(connection: &mut SqliteConnection) -> Result<(), FileError> {
    Ok(connection.batch_execute(CREATE)?)
}

pub(crate) fn stage(
    connection: &mut SqliteConnection,
    at: At,
    row: &StagedKeyValue<'_>,
) -> Result<(), FileError> {
    let (value, is_text, fault) = match &row.value {
        Ok(Value::Text(text)) => (Some(text.as_bytes()), true, None),
        Ok(Value::Bytes(bytes)) => (Some(&bytes[..]), false, None),
        Ok(Value::Null | Value::TooLong) => (None, false, None),
        Err(fault) => (None, false, Some(fault.as_str())),
    };
    diesel::insert_into(staged_key_values::table)
        .values((
            staged_key_values::place.eq(at.place),
            staged_key_values::line.eq(at.line),
            staged_key_values::key.eq(row.key.as_str()),
            // Without an id, the place in the file is the order in which rows were added.
            staged_key_values::id.eq(row.id.unwrap_or(at.place)),
            staged_key_values::value.eq(value),
            staged_key_values::is_text.eq(is_text),
            staged_key_values::fault.eq(fault),
        ))
        .execute(connection)?;
    Ok(())
}

/// What is told of a key.
pub(crate) enum Told {
    /// Its last row.
    Last(i64, Result<PastKeyValue, String>),
    /// A row that another has superseded.
    Superseded,
}

type KeyValueRow = (i64, String, Option<Vec<u8>>, bool, Option<String>);

/// Each in turn, by key, until `each` wants no more.
pub(crate) fn deliver(
    connection: &mut SqliteConnection,
    mut each: impl FnMut(Told) -> bool,
) -> Result<(), FileError> {
    let sorted = staged_key_values::table
        .select((
            staged_key_values::line,
            staged_key_values::key,
            staged_key_values::value,
            staged_key_values::is_text,
            staged_key_values::fault,
        ))
        .order((staged_key_values::key.asc(), staged_key_values::id.desc(), staged_key_values::place.desc()));
    let mut last_key: Option<String> = None;
    for row in sorted.load_iter::<KeyValueRow, DefaultLoadingMode>(connection)? {
        let (line, key, value, is_text, fault) = row?;
        let told = if last_key.as_ref() == Some(&key) {
            Told::Superseded
        } else {
            let content_type = if is_text { ContentType::plain_text() } else { ContentType::octet_stream() };
            let value = match (fault, value) {
                (Some(fault), _) => Err(fault),
                (None, value) => Ok(PastKeyValue {
                    key: Key::from_stored(&key),
                    value: Bytes::from(value.unwrap_or_default()),
                    content_type,
                }),
            };
            last_key = Some(key);
            Told::Last(line, value)
        };
        if !each(told) {
            break;
        }
    }
    Ok(())
}
