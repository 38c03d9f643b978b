//! Words, strings and signs of the SQL in a dump.

use std::io::Read;

use super::source::{Line, Source};
use crate::MAX_ROW_BYTES;
use crate::file_error::FileError;

/// A piece of SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Token {
    /// A keyword, a name or a number, as it is written. A name in double quotes is [`Name`](Self::Name).
    Word(String),
    /// A name in double quotes, without them.
    Name(String),
    /// What stands between single quotes, its escapes resolved.
    Text(Vec<u8>),
    /// A literal that is longer than [`MAX_ROW_BYTES`].
    TooLong,
    /// Any other character.
    Sign(u8),
}

impl Token {
    /// Whether it is that keyword, which is given in lower case.
    pub(super) fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }
}

/// Names and keywords are no longer than this; what is, is cut.
const MAX_WORD_BYTES: usize = 1024;

/// Takes SQL apart.
pub(super) struct Lexer<R> {
    source: Source<R>,
    /// Whether a backslash escapes in every string, and not only in `E'…'`.
    pub(super) backslash_escapes: bool,
    /// A comment has said that this is a dump.
    pub(super) has_header: bool,
    /// A comment has said that the dump is complete.
    pub(super) has_footer: bool,
}

impl<R: Read> Lexer<R> {
    pub(super) fn new(input: R) -> Self {
        let source = Source::new(input);
        Self { source, backslash_escapes: false, has_header: false, has_footer: false }
    }

    pub(super) fn line(&self) -> u64 {
        self.source.line()
    }

    pub(super) fn bytes(&self) -> u64 {
        self.source.bytes()
    }

    /// See [`Source::read_line`].
    pub(super) fn read_line(&mut self, line: &mut Vec<u8>) -> Result<Line, FileError> {
        Ok(self.source.read_line(line, MAX_ROW_BYTES)?)
    }

    /// The next token; nothing at the end.
    pub(super) fn token(&mut self) -> Result<Option<Token>, FileError> {
        self.skip_space()?;
        let Some(byte) = self.source.next()? else { return Ok(None) };
        Ok(Some(match byte {
            b'\'' => self.string(self.backslash_escapes)?,
            b'"' => self.name()?,
            b'$' => self.dollar()?,
            byte if is_of_word(byte) => self.word(byte)?,
            byte => Token::Sign(byte),
        }))
    }

    /// At the start of a statement: passes over commands of psql (`\restrict …`, `\connect …`).
    pub(super) fn skip_commands(&mut self) -> Result<(), FileError> {
        loop {
            self.skip_space()?;
            if self.source.peek()? != Some(b'\\') {
                return Ok(());
            }
            self.source.read_line(&mut Vec::new(), MAX_WORD_BYTES)?;
        }
    }

    /// Passes over spaces and comments.
    fn skip_space(&mut self) -> Result<(), FileError> {
        while let Some(byte) = self.source.peek()? {
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' | 0x0c => {
                    self.source.next()?;
                }
                b'-' if self.source.peek_second()? == Some(b'-') => self.line_comment()?,
                b'/' if self.source.peek_second()? == Some(b'*') => self.block_comment()?,
                _ => return Ok(()),
            }
        }
        Ok(())
    }

    fn line_comment(&mut self) -> Result<(), FileError> {
        let mut comment = Vec::new();
        self.source.read_line(&mut comment, MAX_WORD_BYTES)?;
        self.has_header |= comment == b"-- PostgreSQL database dump";
        self.has_footer |= comment == b"-- PostgreSQL database dump complete";
        Ok(())
    }

    fn block_comment(&mut self) -> Result<(), FileError> {
        let mut depth = 0_u32;
        loop {
            let pair = (self.source.next()?, self.source.peek()?);
            match pair {
                (Some(b'/'), Some(b'*')) => depth += 1,
                (Some(b'*'), Some(b'/')) => depth -= 1,
                (None, _) => return Err(self.truncated("in a comment")),
                _ => continue,
            }
            self.source.next()?;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    fn word(&mut self, first: u8) -> Result<Token, FileError> {
        let mut word = vec![first];
        while let Some(byte) = self.source.peek()?.filter(|byte| is_of_word(*byte) || *byte == b'$') {
            self.source.next()?;
            if word.len() < MAX_WORD_BYTES {
                word.push(byte);
            }
        }
        if self.source.peek()? == Some(b'\'') {
            match &word[..] {
                b"E" | b"e" => {
                    self.source.next()?;
                    return self.string(true);
                }
                b"X" | b"x" => {
                    self.source.next()?;
                    return self.hexadecimal();
                }
                _ => {}
            }
        }
        Ok(Token::Word(String::from_utf8_lossy(&word).into_owned()))
    }

    fn name(&mut self) -> Result<Token, FileError> {
        let mut name = Vec::new();
        loop {
            match self.source.next()? {
                None => return Err(self.truncated("in a name")),
                Some(b'"') if self.source.peek()? == Some(b'"') => {
                    self.source.next()?;
                    push(&mut name, b'"', MAX_WORD_BYTES);
                }
                Some(b'"') => return Ok(Token::Name(String::from_utf8_lossy(&name).into_owned())),
                Some(byte) => {
                    push(&mut name, byte, MAX_WORD_BYTES);
                }
            }
        }
    }

    fn string(&mut self, has_escapes: bool) -> Result<Token, FileError> {
        let (mut text, mut fits) = (Vec::new(), true);
        loop {
            let byte = match self.source.next()? {
                None => return Err(self.truncated("in a string")),
                Some(b'\'') if self.source.peek()? == Some(b'\'') => {
                    self.source.next()?;
                    b'\''
                }
                Some(b'\'') => return Ok(if fits { Token::Text(text) } else { Token::TooLong }),
                Some(b'\\') if has_escapes => {
                    let Some(escaped) = self.source.next()? else {
                        return Err(self.truncated("in a string"));
                    };
                    match escaped {
                        b'b' => 0x08,
                        b'f' => 0x0c,
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        other => other,
                    }
                }
                Some(byte) => byte,
            };
            fits &= push(&mut text, byte, MAX_ROW_BYTES);
        }
    }

    /// `X'0a1f'`: as bytes, as SQLite has it.
    fn hexadecimal(&mut self) -> Result<Token, FileError> {
        let Token::Text(digits) = self.string(false)? else { return Ok(Token::TooLong) };
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let byte = |pair: &[u8]| Some(digit(*pair.first()?)? * 16 + digit(*pair.get(1)?)?);
        match digits.chunks(2).map(byte).collect() {
            Some(bytes) => Ok(Token::Text(bytes)),
            None => Ok(Token::Sign(b'X')),
        }
    }

    /// `$tag$ … $tag$`, or else a parameter.
    fn dollar(&mut self) -> Result<Token, FileError> {
        let mut tag = vec![b'$'];
        while let Some(byte) = self.source.peek()?.filter(|byte| is_of_word(*byte)) {
            self.source.next()?;
            if tag.len() == MAX_WORD_BYTES {
                return Ok(Token::Sign(b'$'));
            }
            tag.push(byte);
        }
        if self.source.peek()? != Some(b'$') {
            return Ok(Token::Sign(b'$'));
        }
        self.source.next()?;
        tag.push(b'$');
        let (mut text, mut fits) = (Vec::new(), true);
        // The last bytes, as many as the tag has.
        let mut end = std::collections::VecDeque::with_capacity(tag.len());
        loop {
            let Some(byte) = self.source.next()? else { return Err(self.truncated("in a string")) };
            if end.len() == tag.len() {
                let first = end.pop_front().unwrap_or_default();
                fits &= push(&mut text, first, MAX_ROW_BYTES);
            }
            end.push_back(byte);
            if end.len() == tag.len() && end.iter().eq(&tag) {
                return Ok(if fits { Token::Text(text) } else { Token::TooLong });
            }
        }
    }

    /// The dump ends where it must not.
    pub(super) fn truncated(&self, within: &'static str) -> FileError {
        FileError::Truncated { line: self.line(), within }
    }
}

fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

/// Adds a byte if there is room for it.
fn push(bytes: &mut Vec<u8>, byte: u8, limit: usize) -> bool {
    let has_room = bytes.len() < limit;
    if has_room {
        bytes.push(byte);
    }
    has_room
}
