//! What a row holds.

use std::borrow::Cow;

use crate::MAX_ROW_BYTES;
use crate::table::KnownTable;

/// A value as a file has it: of whatever type, as its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    /// NULL.
    Null,
    /// UTF-8.
    Text(Cow<'a, str>),
    /// Bytes that are a BLOB, or that are no UTF-8.
    Bytes(Cow<'a, [u8]>),
    /// More than [`MAX_ROW_BYTES`], which was not read.
    TooLong,
}

impl<'a> Value<'a> {
    /// Text, if the bytes are that.
    pub(crate) fn of_bytes(bytes: &'a [u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(Cow::Borrowed(text)),
            Err(_) => Self::Bytes(Cow::Borrowed(bytes)),
        }
    }
}

/// A row of a table that is known.
pub(crate) struct Row<'a> {
    pub(crate) table: &'a KnownTable,
    /// In the order of the file's columns.
    pub(crate) values: &'a [Value<'a>],
}

impl<'a> Row<'a> {
    /// The value in that column; NULL where the table has no such column.
    pub(crate) fn value(&self, column: &str) -> &'a Value<'a> {
        let value = self.table.place_of(column).and_then(|place| self.values.get(place));
        value.unwrap_or(&Value::Null)
    }

    /// The text in that column.
    pub(crate) fn text(&self, column: &str) -> Result<Option<&'a str>, String> {
        match self.value(column) {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            Value::Bytes(_) => Err(format!("{column} is not UTF-8")),
            Value::TooLong => Err(too_long(column)),
        }
    }

    /// The text in that column, which must be there.
    pub(crate) fn required(&self, column: &str) -> Result<&'a str, String> {
        self.text(column)?.ok_or_else(|| format!("{column} is NULL"))
    }

    /// The text in that column, nothing where it is NULL as SQL or JSON has it.
    pub(crate) fn json(&self, column: &str) -> Result<Option<&'a str>, String> {
        Ok(self.text(column)?.filter(|text| text.trim() != "null"))
    }
}

/// What is said of a value that was too long to be read.
pub(crate) fn too_long(column: &str) -> String {
    format!("{column} is longer than {MAX_ROW_BYTES} bytes")
}
