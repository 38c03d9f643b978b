//! One keep-alive connection: what is still to be written, and what was read of an answer.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpStream;

use crate::Result;

/// A connection that never blocks.
pub(crate) struct Connection {
    pub(super) stream: TcpStream,
    request: Vec<u8>,
    written: usize,
    partial: Vec<u8>,
}

/// What became of reading.
pub(super) enum Arrived<'a> {
    /// There is nothing new, for now.
    Nothing,
    /// These bytes came, with those that [`Connection::keep`] kept before them.
    Bytes(&'a [u8]),
    /// The other side has closed the connection.
    End,
}

impl Connection {
    /// Connects.
    pub(super) fn open(address: SocketAddr) -> Result<Self> {
        let stream = std::net::TcpStream::connect_timeout(&address, Duration::from_secs(10))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let stream = TcpStream::from_std(stream);
        Ok(Self { stream, request: Vec::new(), written: 0, partial: Vec::new() })
    }

    /// The empty place for the next request.
    pub(super) fn next_request(&mut self) -> &mut Vec<u8> {
        self.request.clear();
        self.written = 0;
        &mut self.request
    }

    /// Writes as much of the request as the socket takes.
    pub(super) fn write(&mut self) -> Result<()> {
        while let Some(rest) = self.request.get(self.written..).filter(|rest| !rest.is_empty()) {
            match self.stream.write(rest) {
                Ok(0) => return Err(std::io::Error::from(ErrorKind::WriteZero).into()),
                Ok(length) => self.written += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Reads once, into `buffer` if nothing was kept. Reading less than `buffer` holds means that the socket
    /// is empty, so the next event comes with the next bytes.
    pub(super) fn read<'a>(&'a mut self, buffer: &'a mut [u8]) -> Result<Arrived<'a>> {
        let length = loop {
            match self.stream.read(buffer) {
                Ok(0) => return Ok(Arrived::End),
                Ok(length) => break length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Arrived::Nothing),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        };
        if length == buffer.len() {
            return Err("an answer is longer than the load generator expects".into());
        }
        let bytes = &buffer[..length];
        if self.partial.is_empty() {
            return Ok(Arrived::Bytes(bytes));
        }
        self.partial.extend_from_slice(bytes);
        Ok(Arrived::Bytes(&self.partial))
    }

    /// Keeps what came of an answer that is not whole yet.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        self.partial.clear();
        self.partial.extend_from_slice(bytes);
    }

    /// An answer was whole: nothing is kept.
    pub(super) fn keep_nothing(&mut self) {
        self.partial.clear();
    }
}
