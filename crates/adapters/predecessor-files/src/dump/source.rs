//! The bytes of a dump, with the line that one stands in.

use std::io::{self, Read};

/// How many bytes are read at once.
const CHUNK: usize = 64 * 1024;

/// Bytes, one by one or by lines.
pub(super) struct Source<R> {
    input: R,
    chunk: Box<[u8]>,
    at: usize,
    end: usize,
    line: u64,
    bytes: u64,
}

/// A line that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// It is whole, without its end.
    Whole,
    /// It is longer than the limit: it was passed over.
    TooLong,
    /// The input ends in it, before a line feed.
    Unfinished,
}

impl<R: Read> Source<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, chunk: vec![0; CHUNK].into_boxed_slice(), at: 0, end: 0, line: 1, bytes: 0 }
    }

    /// The line of the next byte, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// How many bytes were read of the input.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next byte, which stays.
    pub(super) fn peek(&mut self) -> io::Result<Option<u8>> {
        if self.at == self.end && !self.fill()? {
            return Ok(None);
        }
        Ok(Some(self.chunk[self.at]))
    }

    /// The byte behind the next one, which both stay.
    pub(super) fn peek_second(&mut self) -> io::Result<Option<u8>> {
        if self.peek()?.is_none() {
            return Ok(None);
        }
        if self.at + 1 == self.end {
            // The last byte of the chunk moves to its front, and the next chunk comes behind it.
            self.chunk[0] = self.chunk[self.at];
            (self.at, self.end) = (0, 1);
            self.end += self.read_at(1)?;
        }
        Ok((self.at + 1 < self.end).then(|| self.chunk[self.at + 1]))
    }

    /// Takes the next byte.
    pub(super) fn next(&mut self) -> io::Result<Option<u8>> {
        let byte = self.peek()?;
        if let Some(byte) = byte {
            self.at += 1;
            self.line += u64::from(byte == b'\n');
        }
        Ok(byte)
    }

    /// Reads up to the end of the line into `line`, which holds at most `limit` bytes then. A carriage return before
    /// the line feed is cut off: `COPY` writes one that is data as `\r`.
    pub(super) fn read_line(&mut self, line: &mut Vec<u8>, limit: usize) -> io::Result<Line> {
        line.clear();
        let mut is_too_long = false;
        loop {
            if self.at == self.end && !self.fill()? {
                return Ok(Line::Unfinished);
            }
            let rest = &self.chunk[self.at..self.end];
            let found = rest.iter().position(|byte| *byte == b'\n');
            let taken = found.unwrap_or(rest.len());
            if is_too_long || line.len() + taken > limit {
                is_too_long = true;
                line.clear();
            } else {
                line.extend_from_slice(&rest[..taken]);
            }
            self.at += taken;
            if found.is_some() {
                self.at += 1;
                self.line += 1;
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(if is_too_long { Line::TooLong } else { Line::Whole });
            }
        }
    }

    fn fill(&mut self) -> io::Result<bool> {
        (self.at, self.end) = (0, 0);
        self.end = self.read_at(0)?;
        Ok(self.end > 0)
    }

    fn read_at(&mut self, place: usize) -> io::Result<usize> {
        loop {
            match self.input.read(&mut self.chunk[place..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => {
                    let read = read?;
                    self.bytes += read as u64;
                    return Ok(read);
                }
            }
        }
    }
}
