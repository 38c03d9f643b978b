//! memcached's meta commands over one connection, on which the requests of many wait for their answers at the
//! same time.

mod reply;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncWriteExt as _, BufReader, BufWriter};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::url::Login;
pub(crate) use reply::Reply;

/// Requests that wait to be written.
const MAX_WAITING: usize = 1_024;

/// Why a request was not answered as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClientError {
    /// The connection is of no use any more, or was not to be had.
    Lost(String),
    /// memcached could not do it, and can do others. Its reason.
    Refused(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost(reason) | Self::Refused(reason) => f.write_str(reason),
        }
    }
}

/// On which condition to store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    /// That nothing is held.
    Absent,
    /// That what is held has this CAS value.
    Cas(u64),
}

/// A connection. Its clones are the same connection, which ends with the last of them.
#[derive(Clone)]
pub(crate) struct Client(mpsc::Sender<Request>);

struct Request {
    head: String,
    /// The data block of an `ms`.
    data: Option<Bytes>,
    reply: oneshot::Sender<Result<Reply, ClientError>>,
}

impl Client {
    /// Connects to `HOST:PORT`, and logs in. To be called in a tokio runtime.
    pub(crate) async fn connect(
        server: &str,
        login: Option<&Login>,
        within: Duration,
    ) -> Result<Self, ClientError> {
        let lost = |reason: String| ClientError::Lost(reason);
        let connected = timeout(within, TcpStream::connect(server)).await;
        let stream = connected
            .map_err(|_| lost("it does not take the connection in time".to_owned()))?
            .map_err(|error| lost(error.to_string()))?;
        // Requests are small and wait for their answers.
        stream.set_nodelay(true).map_err(|error| lost(error.to_string()))?;
        let (reader, writer) = stream.into_split();
        let (requests, waiting) = mpsc::channel(MAX_WAITING);
        let (sent, answering) = mpsc::unbounded_channel();
        tokio::spawn(write(writer, waiting, sent));
        tokio::spawn(read(reader, answering));
        let client = Self(requests);
        if let Some(Login { user, password }) = login {
            client.log_in(user, password).await?;
        }
        Ok(client)
    }

    /// The first command where memcached was started with `-Y`; elsewhere it stores something for a second.
    async fn log_in(&self, user: &str, password: &str) -> Result<(), ClientError> {
        let data = Bytes::from(format!("{user} {password}"));
        let reply = self.ask(format!("set tenantry_login 0 1 {}\r\n", data.len()), Some(data)).await?;
        if reply == Reply::Done { Ok(()) } else { Err(ClientError::Lost("the login is refused".to_owned())) }
    }

    /// What is held, with its CAS value.
    pub(crate) async fn get(&self, name: &str) -> Result<Option<(Bytes, u64)>, ClientError> {
        match self.ask(format!("mg {name} v c\r\n"), None).await? {
            Reply::Value { data, cas } => Ok(Some((data, cas))),
            Reply::Missing => Ok(None),
            other => Err(unexpected(&other)),
        }
    }

    /// Stores, for so many seconds (0: for good), on a condition; whether it held.
    pub(crate) async fn set(
        &self,
        name: &str,
        data: Bytes,
        seconds: u64,
        condition: Condition,
    ) -> Result<bool, ClientError> {
        let condition = match condition {
            Condition::Absent => "ME".to_owned(),
            Condition::Cas(cas) => format!("C{cas}"),
        };
        let head = format!("ms {name} {} T{seconds} {condition}\r\n", data.len());
        match self.ask(head, Some(data)).await? {
            Reply::Done => Ok(true),
            Reply::NotStored | Reply::Exists | Reply::NotFound => Ok(false),
            other => Err(unexpected(&other)),
        }
    }

    /// Removes what is held, if anything is.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), ClientError> {
        match self.ask(format!("md {name}\r\n"), None).await? {
            Reply::Done | Reply::NotFound => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    async fn ask(&self, head: String, data: Option<Bytes>) -> Result<Reply, ClientError> {
        let lost = || ClientError::Lost("the connection was lost".to_owned());
        let (reply, answer) = oneshot::channel();
        self.0.send(Request { head, data, reply }).await.map_err(|_| lost())?;
        answer.await.map_err(|_| lost())?
    }
}

fn unexpected(reply: &Reply) -> ClientError {
    ClientError::Lost(format!("an answer that does not belong there: {}", reply.word()))
}

/// Writes what waits, all of it before it flushes, and says in which order answers will come.
async fn write(
    writer: OwnedWriteHalf,
    mut waiting: mpsc::Receiver<Request>,
    sent: mpsc::UnboundedSender<oneshot::Sender<Result<Reply, ClientError>>>,
) {
    let mut writer = BufWriter::new(writer);
    while let Some(first) = waiting.recv().await {
        let mut next = Some(first);
        while let Some(Request { head, data, reply }) = next {
            // Nobody reads answers any more: the connection was lost.
            let Ok(()) = sent.send(reply) else { return };
            let mut written = writer.write_all(head.as_bytes()).await;
            if let (Ok(()), Some(data)) = (&written, data) {
                written = writer.write_all(&data).await;
                if written.is_ok() {
                    written = writer.write_all(b"\r\n").await;
                }
            }
            let Ok(()) = written else { return };
            next = waiting.try_recv().ok();
        }
        let Ok(()) = writer.flush().await else { return };
    }
}

/// Reads answers, and hands each to who waits for it. After one that is not understood nothing is.
async fn read(
    reader: OwnedReadHalf,
    mut answering: mpsc::UnboundedReceiver<oneshot::Sender<Result<Reply, ClientError>>>,
) {
    let mut reader = BufReader::new(reader);
    while let Some(reply) = answering.recv().await {
        let answer = reply::read(&mut reader).await;
        let is_lost = matches!(answer, Err(ClientError::Lost(_)));
        // Who has stopped waiting needs no answer.
        let _ = reply.send(answer);
        if is_lost {
            return;
        }
    }
}
