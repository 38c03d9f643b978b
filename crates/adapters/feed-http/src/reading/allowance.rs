//! A bound for what is read at once.

use std::io::{self, BufRead, Read};

use super::error::FeedFault;

/// Hands on so many bytes as it was allowed to, and then fails, until it is allowed more: quick-xml gathers a whole
/// tag or text before it returns, however long it is.
pub(crate) struct Allowance<R> {
    source: R,
    left: usize,
    allowed: usize,
    ended: bool,
}

impl<R: BufRead> Allowance<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, left: 0, allowed: 0, ended: false }
    }

    /// Allows that many bytes from here.
    pub(crate) fn renew(&mut self, bytes: usize) {
        self.left = bytes;
        self.allowed = bytes;
    }

    /// Whether the source has come to its end.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }
}

impl<R: BufRead> BufRead for Allowance<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        let available = self.source.fill_buf()?;
        self.ended = available.is_empty();
        if self.left == 0 && !self.ended {
            let text = format!("a tag, a text or a comment is longer than {} bytes", self.allowed);
            return Err(FeedFault::io(text));
        }
        Ok(&available[..available.len().min(self.left)])
    }

    fn consume(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
        self.source.consume(bytes);
    }
}

impl<R: BufRead> Read for Allowance<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let bytes = available.len().min(to.len());
        to[..bytes].copy_from_slice(&available[..bytes]);
        self.consume(bytes);
        Ok(bytes)
    }
}
