//! `ALTER TABLE … ADD CONSTRAINT … FOREIGN KEY`, which is how a dump says what belongs together.

use std::io::Read;

use super::{Listener, Statements, skip};
use crate::dump::lexer::Token;
use crate::file_error::FileError;
use crate::search::references::ForeignKey;

impl<R: Read> Statements<R> {
    /// Tells of a foreign key. All that other `ALTER`s do is passed over.
    pub(super) fn alter(&mut self, listener: &mut dyn Listener) -> Result<(), FileError> {
        match self.foreign_key()? {
            Ok(key) => {
                listener.foreign_key(key);
                skip(&mut self.lexer)
            }
            Err(Token::Sign(b';')) => Ok(()),
            Err(_) => skip(&mut self.lexer),
        }
    }

    /// The foreign key, up to the parenthesis behind it; or the first token that belongs to something else.
    fn foreign_key(&mut self) -> Result<Result<ForeignKey, Token>, FileError> {
        if let Err(other) = self.words(&["table"])? {
            return Ok(Err(other));
        }
        let mut token = self.next()?;
        while ["only", "if", "exists"].iter().any(|word| token.is(word)) {
            token = self.next()?;
        }
        let (Some(table), behind) = self.name(token)? else { return Ok(Err(Token::Sign(b','))) };
        if !behind.is("add") {
            return Ok(Err(behind));
        }
        if let Err(other) = self.words(&["constraint"])? {
            return Ok(Err(other));
        }
        let token = self.next()?;
        if !matches!(token, Token::Word(_) | Token::Name(_)) {
            return Ok(Err(token));
        }
        if let Err(other) = self.words(&["foreign", "key"])? {
            return Ok(Err(other));
        }
        let columns = match self.next()? {
            Token::Sign(b'(') => self.columns()?,
            other => return Ok(Err(other)),
        };
        if let Err(other) = self.words(&["references"])? {
            return Ok(Err(other));
        }
        let token = self.next()?;
        match self.name(token)? {
            (Some(parent), Token::Sign(b'(')) => {
                let parent_columns = self.columns()?;
                Ok(Ok(ForeignKey { table, columns, parent, parent_columns }))
            }
            (_, other) => Ok(Err(other)),
        }
    }

    /// Reads these words, or answers the first token that is none of them.
    fn words(&mut self, words: &[&str]) -> Result<Result<(), Token>, FileError> {
        for word in words {
            let token = self.next()?;
            if !token.is(word) {
                return Ok(Err(token));
            }
        }
        Ok(Ok(()))
    }
}
