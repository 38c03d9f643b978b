//! Plain-text dumps of PostgreSQL: rows as `COPY … FROM stdin` has them, or as `INSERT`s (which SQLite's `.dump`
//! writes too).
//!
//! Not SQL as a whole: statements that carry no rows are passed over, whatever stands in them.

mod copy;
mod insert;
mod lexer;
mod source;
mod statement;

use std::io::Read;

use crate::fault::Place;
use crate::file_error::FileError;
use crate::search::references::ForeignKey;
use crate::value::Value;
use lexer::Lexer;
use statement::Statements;

/// Who hears what a dump holds.
pub(crate) trait Listener {
    /// A table, with the columns in the order in which rows follow: whether its rows are wanted.
    fn table(&mut self, name: &str, columns: &[String]) -> Result<bool, FileError>;

    /// That rows of a table name rows of another. Comes behind the rows of both.
    fn foreign_key(&mut self, key: ForeignKey);

    /// A row of the table that was wanted last, or why it can't be read.
    fn row(&mut self, place: Place, values: Result<&[Value<'_>], String>) -> Result<(), FileError>;

    /// So many bytes were read.
    fn progress(&mut self, bytes: u64);
}

/// Reads a dump to its end.
pub(crate) fn read(input: impl Read, listener: &mut dyn Listener) -> Result<(), FileError> {
    Statements::new(Lexer::new(input)).read(listener)
}

#[cfg(test)]
mod tests;
