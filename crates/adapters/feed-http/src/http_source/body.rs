//! The body of an answer, on its way from the network to the thread that reads it.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use reqwest::Response;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::time::timeout;

use crate::turns::Reader;

/// So many pieces of a body may wait to be read.
const PIECES: usize = 4;

enum Piece {
    Bytes(Bytes),
    /// The body is whole.
    End,
}

/// The side that reads. It fails where the other has gone before the end.
pub(crate) struct BodyBytes {
    pieces: Receiver<Piece>,
    current: Bytes,
    has_ended: bool,
    reader: Arc<Reader>,
}

/// The side that receives.
pub(crate) struct BodyPump {
    response: Response,
    pieces: Sender<Piece>,
    idle_timeout: Duration,
}

/// Both sides of a body.
pub(crate) fn body(response: Response, idle_timeout: Duration, reader: Arc<Reader>) -> (BodyPump, BodyBytes) {
    let (sender, receiver) = channel(PIECES);
    let bytes = BodyBytes { pieces: receiver, current: Bytes::new(), has_ended: false, reader };
    (BodyPump { response, pieces: sender, idle_timeout }, bytes)
}

impl BodyPump {
    /// Receives the body to its end, as fast as it is read. What went wrong is told as a text.
    pub(crate) async fn run(mut self) -> Result<(), String> {
        let mut received = 0_u64;
        loop {
            let piece = timeout(self.idle_timeout, self.response.chunk()).await.map_err(|_| {
                format!("it sent nothing for {:?}, after {received} bytes", self.idle_timeout)
            })?;
            let piece = piece.map_err(|_| format!("the connection broke off after {received} bytes"))?;
            let is_last = piece.is_none();
            received += piece.as_ref().map_or(0, |bytes| bytes.len() as u64);
            let piece = piece.map_or(Piece::End, Piece::Bytes);
            // Whoever reads has found that enough was read.
            if self.pieces.send(piece).await.is_err() || is_last {
                return Ok(());
            }
        }
    }
}

impl BodyBytes {
    /// Others read while there is none.
    fn next_piece(&mut self) -> Option<Piece> {
        match self.pieces.try_recv() {
            Ok(piece) => Some(piece),
            Err(TryRecvError::Empty) => self.reader.while_waiting(|| self.pieces.blocking_recv()),
            Err(TryRecvError::Disconnected) => None,
        }
    }
}

impl Read for BodyBytes {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() && !self.has_ended {
            match self.next_piece() {
                Some(Piece::Bytes(bytes)) => self.current = bytes,
                Some(Piece::End) => self.has_ended = true,
                None => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
        let read = self.current.len().min(to.len());
        self.current.copy_to_slice(&mut to[..read]);
        Ok(read)
    }
}
