//! The statements of a dump, one after another.

mod foreign_key;

use std::collections::HashMap;
use std::io::Read;

use super::copy::Fields;
use super::lexer::{Lexer, Token};
use super::source::Line;
use super::{Listener, insert};
use crate::MAX_ROW_BYTES;
use crate::fault::Place;
use crate::file_error::FileError;

/// So many tables' columns are remembered.
const MAX_TABLES: usize = 10_000;
/// A table has no more columns than this (PostgreSQL's own limit).
const MAX_COLUMNS: usize = 1600;

/// The statements of a dump.
pub(super) struct Statements<R> {
    lexer: Lexer<R>,
    /// The columns of tables, as `CREATE TABLE` has them.
    created: HashMap<String, Vec<String>>,
}

impl<R: Read> Statements<R> {
    pub(super) fn new(lexer: Lexer<R>) -> Self {
        Self { lexer, created: HashMap::new() }
    }

    /// Reads to the end.
    pub(super) fn read(mut self, listener: &mut dyn Listener) -> Result<(), FileError> {
        loop {
            self.lexer.skip_commands()?;
            listener.progress(self.lexer.bytes());
            let Some(first) = self.lexer.token()? else { break };
            match &first {
                Token::Sign(b';') => {}
                word if word.is("copy") => self.copy(listener)?,
                word if word.is("insert") => self.insert(listener)?,
                word if word.is("create") => self.create(listener)?,
                word if word.is("alter") => self.alter(listener)?,
                word if word.is("set") => self.set()?,
                _ => skip(&mut self.lexer)?,
            }
        }
        if self.lexer.has_header && !self.lexer.has_footer {
            return Err(self.lexer.truncated("before the dump says that it is complete"));
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Token, FileError> {
        self.lexer.token()?.ok_or_else(|| self.lexer.truncated("in a statement"))
    }

    fn misunderstood(&self, what: impl Into<String>) -> FileError {
        FileError::Statement { line: self.lexer.line(), what: what.into() }
    }

    /// `SET name = value`: what it means for what follows.
    fn set(&mut self) -> Result<(), FileError> {
        let Token::Word(name) = self.next()? else { return skip(&mut self.lexer) };
        let sign = self.next()?;
        if !(sign == Token::Sign(b'=') || sign.is("to")) {
            return if sign == Token::Sign(b';') { Ok(()) } else { skip(&mut self.lexer) };
        }
        let value = match self.next()? {
            Token::Text(text) => String::from_utf8_lossy(&text).into_owned(),
            Token::Word(word) | Token::Name(word) => word,
            Token::Sign(b';') => return Ok(()),
            _ => String::new(),
        };
        if name.eq_ignore_ascii_case("client_encoding") {
            let plain = value.to_uppercase().replace(['-', '_'], "");
            // SQL_ASCII says nothing: each row shows whether it is UTF-8.
            if !matches!(plain.as_str(), "UTF8" | "UNICODE" | "SQLASCII") {
                return Err(FileError::Encoding(value));
            }
        } else if name.eq_ignore_ascii_case("standard_conforming_strings") {
            self.lexer.backslash_escapes = value.eq_ignore_ascii_case("off");
        }
        skip(&mut self.lexer)
    }

    /// A table's name, with its schema, and the token behind it. Nothing where no name stands.
    fn name(&mut self, first: Token) -> Result<(Option<String>, Token), FileError> {
        let mut name = String::new();
        let mut token = first;
        loop {
            match token {
                Token::Word(word) => name.push_str(&word.to_lowercase()),
                Token::Name(word) => name.push_str(&word),
                other => return Ok((None, other)),
            }
            token = self.next()?;
            if token != Token::Sign(b'.') {
                return Ok((Some(name), token));
            }
            name.push('.');
            token = self.next()?;
        }
    }

    /// The names up to the closing parenthesis.
    fn columns(&mut self) -> Result<Vec<String>, FileError> {
        let mut columns = Vec::new();
        loop {
            match self.next()? {
                Token::Word(word) => columns.push(word.to_lowercase()),
                Token::Name(word) => columns.push(word),
                Token::Sign(b',') => {}
                Token::Sign(b')') => return Ok(columns),
                _ => return Err(self.misunderstood("a list of columns that is none")),
            }
            if columns.len() > MAX_COLUMNS {
                return Err(self.misunderstood("a list of too many columns"));
            }
        }
    }

    /// `CREATE … TABLE name (column type …, …)`.
    fn create(&mut self, listener: &mut dyn Listener) -> Result<(), FileError> {
        let mut token = self.next()?;
        while ["unlogged", "global", "local", "temp", "temporary"].iter().any(|word| token.is(word)) {
            token = self.next()?;
        }
        if !token.is("table") {
            return if token == Token::Sign(b';') { Ok(()) } else { skip(&mut self.lexer) };
        }
        token = self.next()?;
        if token.is("if") {
            // NOT EXISTS
            self.next()?;
            self.next()?;
            token = self.next()?;
        }
        let (name, behind) = self.name(token)?;
        match (name, behind) {
            (Some(name), Token::Sign(b'(')) => {
                let columns = self.column_definitions()?;
                listener.table(&name, &columns)?;
                if self.created.len() < MAX_TABLES {
                    self.created.insert(name, columns);
                }
                skip(&mut self.lexer)
            }
            (_, Token::Sign(b';')) => Ok(()),
            _ => skip(&mut self.lexer),
        }
    }

    /// The columns' names, up to the closing parenthesis.
    fn column_definitions(&mut self) -> Result<Vec<String>, FileError> {
        const OTHERS: [&str; 7] = ["constraint", "primary", "unique", "check", "foreign", "exclude", "like"];
        let (mut columns, mut depth, mut is_first) = (Vec::new(), 0_u32, true);
        loop {
            let token = self.next()?;
            match &token {
                Token::Sign(b'(') => depth += 1,
                Token::Sign(b')') if depth == 0 => return Ok(columns),
                Token::Sign(b')') => depth -= 1,
                Token::Sign(b',') if depth == 0 => {
                    is_first = true;
                    continue;
                }
                Token::Word(word) if is_first && !OTHERS.iter().any(|other| token.is(other)) => {
                    columns.push(word.to_lowercase());
                }
                Token::Name(word) if is_first => columns.push(word.clone()),
                _ => {}
            }
            is_first = false;
            if columns.len() > MAX_COLUMNS {
                return Err(self.misunderstood("a table of too many columns"));
            }
        }
    }

    /// `COPY name (columns) FROM stdin;` and the rows behind it.
    fn copy(&mut self, listener: &mut dyn Listener) -> Result<(), FileError> {
        let first = self.next()?;
        let (Some(name), behind) = self.name(first)? else { return skip(&mut self.lexer) };
        let (columns, behind) = match behind {
            Token::Sign(b'(') => (self.columns()?, self.next()?),
            other => (self.created.get(&name).cloned().unwrap_or_default(), other),
        };
        if !(behind.is("from") && self.next()?.is("stdin")) {
            return Err(self.misunderstood("a COPY that is not FROM stdin"));
        }
        if self.next()? != Token::Sign(b';') {
            return Err(self.misunderstood("a COPY with options"));
        }
        let is_wanted = listener.table(&name, &columns)?;
        let mut line = Vec::new();
        self.lexer.read_line(&mut line)?;
        self.copied_rows(listener, is_wanted.then_some(columns.len()))
    }

    fn copied_rows(
        &mut self,
        listener: &mut dyn Listener,
        wanted_columns: Option<usize>,
    ) -> Result<(), FileError> {
        let (mut line, mut fields) = (Vec::new(), Fields::default());
        loop {
            let place = Place::Line(self.lexer.line());
            let read = self.lexer.read_line(&mut line)?;
            listener.progress(self.lexer.bytes());
            if read != Line::TooLong && line == b"\\." {
                return Ok(());
            }
            if read == Line::Unfinished {
                return Err(self.lexer.truncated("in the rows of a COPY"));
            }
            let Some(columns) = wanted_columns else { continue };
            if read == Line::TooLong {
                listener.row(place, Err(format!("it is longer than {MAX_ROW_BYTES} bytes")))?;
                continue;
            }
            fields.read(&line);
            let values = fields.values();
            if values.len() == columns {
                listener.row(place, Ok(&values))?;
            } else {
                let why = format!("it has {} fields, and the table {columns} columns", values.len());
                listener.row(place, Err(why))?;
            }
        }
    }

    /// `INSERT INTO name (columns) VALUES …;`.
    fn insert(&mut self, listener: &mut dyn Listener) -> Result<(), FileError> {
        if !self.next()?.is("into") {
            return skip(&mut self.lexer);
        }
        let first = self.next()?;
        let (Some(name), mut token) = self.name(first)? else { return skip(&mut self.lexer) };
        let mut columns = self.created.get(&name).cloned();
        if token == Token::Sign(b'(') {
            columns = Some(self.columns()?);
            token = self.next()?;
        }
        if token.is("overriding") {
            // SYSTEM VALUE or USER VALUE
            self.next()?;
            self.next()?;
            token = self.next()?;
        }
        if !token.is("values") {
            return if token == Token::Sign(b';') { Ok(()) } else { skip(&mut self.lexer) };
        }
        let columns = columns.unwrap_or_default();
        if listener.table(&name, &columns)? {
            return insert::read_rows(&mut self.lexer, listener, columns.len());
        }
        skip(&mut self.lexer)
    }
}

/// Passes over the rest of a statement.
pub(super) fn skip<R: Read>(lexer: &mut Lexer<R>) -> Result<(), FileError> {
    loop {
        match lexer.token()? {
            Some(Token::Sign(b';')) => return Ok(()),
            Some(_) => {}
            None => return Err(lexer.truncated("in a statement")),
        }
    }
}
