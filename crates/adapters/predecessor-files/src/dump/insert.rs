//! The rows of `INSERT INTO … VALUES (…), (…);`.

use std::borrow::Cow;
use std::io::Read;

use super::Listener;
use super::lexer::{Lexer, Token};
use crate::MAX_ROW_BYTES;
use crate::fault::Place;
use crate::file_error::FileError;
use crate::value::Value;

/// Reads the rows behind `VALUES`, to the end of the statement. They have so many columns.
pub(super) fn read_rows<R: Read>(
    lexer: &mut Lexer<R>,
    listener: &mut dyn Listener,
    columns: usize,
) -> Result<(), FileError> {
    loop {
        let place = Place::Line(lexer.line());
        match next(lexer)? {
            Token::Sign(b'(') => {}
            Token::Sign(b';') => return Ok(()),
            // `ON CONFLICT DO NOTHING` and the like.
            _ => return super::statement::skip(lexer),
        }
        let row = read_row(lexer)?;
        listener.progress(lexer.bytes());
        match row {
            Ok(values) if values.len() != columns => {
                let why = format!("it has {} values, and the table {columns} columns", values.len());
                listener.row(place, Err(why))?;
            }
            Ok(values) => {
                let values: Vec<_> = values.iter().map(Literal::value).collect();
                listener.row(place, Ok(&values))?;
            }
            Err(why) => listener.row(place, Err(why))?,
        }
        match next(lexer)? {
            Token::Sign(b',') => {}
            Token::Sign(b';') => return Ok(()),
            _ => return super::statement::skip(lexer),
        }
    }
}

/// A value as it is written.
enum Literal {
    Null,
    Text(Vec<u8>),
    Word(String),
}

impl Literal {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Text(bytes) => Value::of_bytes(bytes),
            Self::Word(word) => Value::Text(Cow::Borrowed(word)),
        }
    }
}

/// Reads up to the closing parenthesis.
fn read_row<R: Read>(lexer: &mut Lexer<R>) -> Result<Result<Vec<Literal>, String>, FileError> {
    let mut row = Ok(Vec::new());
    let mut bytes = 0;
    let mut tokens = Vec::new();
    let mut depth = 0_u32;
    loop {
        let token = next(lexer)?;
        let ends_value = depth == 0 && matches!(token, Token::Sign(b',' | b')'));
        if ends_value {
            let value = literal(std::mem::take(&mut tokens));
            row = row.and_then(|mut values: Vec<Literal>| {
                values.push(value?);
                Ok(values)
            });
            if token == Token::Sign(b')') {
                return Ok(row);
            }
            continue;
        }
        match &token {
            Token::Sign(b'(') => depth += 1,
            Token::Sign(b')') => depth = depth.saturating_sub(1),
            Token::Text(text) => bytes += text.len(),
            _ => {}
        }
        if bytes > MAX_ROW_BYTES {
            row = Err(too_long());
        }
        // An expression of many tokens is none that is understood, however it goes on.
        if tokens.len() < 16 && row.is_ok() {
            tokens.push(token);
        }
    }
}

/// A literal, perhaps cast to a type.
fn literal(mut tokens: Vec<Token>) -> Result<Literal, String> {
    if let Some(cast) = tokens.windows(2).position(|pair| pair == [Token::Sign(b':'), Token::Sign(b':')]) {
        tokens.truncate(cast);
    }
    match &mut tokens[..] {
        [Token::Text(text)] => Ok(Literal::Text(std::mem::take(text))),
        [word] if word.is("null") => Ok(Literal::Null),
        [Token::Word(word)] => Ok(Literal::Word(std::mem::take(word))),
        [Token::Word(whole), Token::Sign(b'.'), Token::Word(fraction)] => {
            Ok(Literal::Word(format!("{whole}.{fraction}")))
        }
        [Token::Sign(b'-'), Token::Word(word)] => Ok(Literal::Word(format!("-{word}"))),
        [Token::Sign(b'-'), Token::Word(whole), Token::Sign(b'.'), Token::Word(fraction)] => {
            Ok(Literal::Word(format!("-{whole}.{fraction}")))
        }
        [Token::TooLong] => Err(too_long()),
        _ => Err("a value is an expression and no literal".to_owned()),
    }
}

fn too_long() -> String {
    format!("it is longer than {MAX_ROW_BYTES} bytes")
}

fn next<R: Read>(lexer: &mut Lexer<R>) -> Result<Token, FileError> {
    lexer.token()?.ok_or_else(|| lexer.truncated("in an INSERT"))
}
