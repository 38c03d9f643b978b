//! How a body is sent: in chunks (RFC 9112, section 7.1), compressed or not.

use std::io::{self, Write};

use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::GzEncoder;

/// So many bytes make a chunk.
const CHUNK_BYTES: usize = 16 * 1024;

/// A body in chunks. It has no end until it is finished.
pub(super) struct Chunked<W: Write> {
    to: W,
    chunk: Vec<u8>,
}

impl<W: Write> Chunked<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, chunk: Vec::with_capacity(CHUNK_BYTES) }
    }

    /// Sends the last chunk, and that it was the last.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.flush()?;
        self.to.write_all(b"0\r\n\r\n")?;
        self.to.flush()
    }
}

impl<W: Write> Write for Chunked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fitting = bytes.len().min(CHUNK_BYTES - self.chunk.len());
        self.chunk.extend_from_slice(&bytes[..fitting]);
        if self.chunk.len() == CHUNK_BYTES {
            self.flush()?;
        }
        Ok(fitting)
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.chunk.is_empty() {
            write!(self.to, "{:x}\r\n", self.chunk.len())?;
            self.to.write_all(&self.chunk)?;
            self.to.write_all(b"\r\n")?;
            self.chunk.clear();
        }
        self.to.flush()
    }
}

/// A body, compressed as was asked.
pub(super) enum Body<W: Write> {
    Plain(Chunked<W>),
    Gzip(GzEncoder<Chunked<W>>),
    Brotli(Box<CompressorWriter<Chunked<W>>>),
}

impl<W: Write> Body<W> {
    pub(super) fn new(coding: &str, to: W) -> Self {
        let chunked = Chunked::new(to);
        match coding {
            "gzip" => Self::Gzip(GzEncoder::new(chunked, Compression::fast())),
            "br" => Self::Brotli(Box::new(CompressorWriter::new(chunked, 4096, 1, 20))),
            _ => Self::Plain(chunked),
        }
    }

    /// Ends it.
    pub(super) fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(chunked) => chunked.finish(),
            Self::Gzip(encoder) => encoder.finish()?.finish(),
            Self::Brotli(encoder) => encoder.into_inner().finish(),
        }
    }
}

impl<W: Write> Write for Body<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(chunked) => chunked.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Brotli(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(chunked) => chunked.flush(),
            Self::Gzip(encoder) => encoder.flush(),
            Self::Brotli(encoder) => encoder.flush(),
        }
    }
}
