//! A client that sends bytes as they are: reqwest mends paths, lengths and much else.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::answer::Answer;
use super::harness::Api;
use crate::support::DEADLINE;

/// A connection.
pub(crate) struct Raw {
    stream: BufReader<TcpStream>,
    /// The beginning of what was sent, for whoever reads of a failure.
    sent: String,
}

/// The bytes of a request of HTTP/1.1, with `Host`, and with `Content-Length` where there is a body.
pub(crate) fn request(method: &str, target: &str, key: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut text =
        format!("{method} {target} HTTP/1.1\r\nHost: tenantry.test\r\nAuthorization: Bearer {key}\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    if !body.is_empty() {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    [text.as_bytes(), body].concat()
}

/// Sends these bytes on a new connection, and reads one answer (not to `HEAD`).
pub(crate) async fn exchange(api: &Api, bytes: &[u8]) -> Answer {
    let mut connection = Raw::open(api).await;
    connection.send(bytes).await;
    connection.answer().await
}

impl Raw {
    pub(crate) async fn open(api: &Api) -> Self {
        let stream = TcpStream::connect(api.address()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream), sent: String::new() }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        let beginning = &bytes[..bytes.len().min(400_usize.saturating_sub(self.sent.len()))];
        self.sent.push_str(&String::from_utf8_lossy(beginning));
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Sends as much as the other side takes: it may answer and hang up before it has read everything.
    pub(crate) async fn send_what_is_taken(&mut self, bytes: &[u8]) {
        let _ = timeout(DEADLINE, self.stream.write_all(bytes)).await.expect("the server reads or hangs up");
    }

    /// Says that nothing more will be sent.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// Whether an answer begins, or the connection ends, in this time.
    pub(crate) async fn answers_within(&mut self, time: Duration) -> bool {
        timeout(time, self.stream.fill_buf()).await.is_ok()
    }

    /// The next answer, whole.
    pub(crate) async fn answer(&mut self) -> Answer {
        let mut answer = self.head().await;
        answer.body = if let Some(length) = answer.header("content-length") {
            self.exactly(length.parse().unwrap()).await
        } else if answer.header("transfer-encoding") == Some("chunked") {
            self.chunks().await
        } else {
            Vec::new()
        };
        answer
    }

    /// The head of the next answer; the body is left unread.
    pub(crate) async fn head(&mut self) -> Answer {
        let status_line = self.line().await;
        let status = status_line.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.unwrap_or_else(|| panic!("no status line: {status_line:?}"));
        let mut headers = HeaderMap::new();
        loop {
            let line = self.line().await;
            if line.is_empty() {
                return Answer { status, headers, body: Vec::new() };
            }
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line:?}"));
            headers.append(
                HeaderName::from_bytes(name.as_bytes()).unwrap(),
                HeaderValue::from_str(value).unwrap(),
            );
        }
    }

    /// Everything that comes until the server hangs up, which it must.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A connection that is reset has ended too.
        let _ = timeout(DEADLINE, self.stream.read_to_end(&mut rest)).await.expect("the server hangs up");
        rest
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        timeout(DEADLINE, self.stream.read_line(&mut line)).await.expect("the server answers").unwrap();
        line.strip_suffix("\r\n")
            .unwrap_or_else(|| panic!("the connection ended in {line:?} after {:?}", self.sent))
            .to_owned()
    }

    async fn exactly(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        timeout(DEADLINE, self.stream.read_exact(&mut bytes)).await.expect("the body comes").unwrap();
        bytes
    }

    async fn chunks(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let length = usize::from_str_radix(&self.line().await, 16).unwrap();
            body.extend(self.exactly(length).await);
            assert_eq!(self.line().await, "", "a chunk ends with a line");
            if length == 0 {
                return body;
            }
        }
    }
}
