//! One connection that waits for each answer: for setting up, and for looking afterwards.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::{MAX_HEADERS, Parsed, Response, parse};
use crate::Result;

/// No answer takes longer than this, or it is a failure.
const PATIENCE: Duration = Duration::from_secs(30);

/// A keep-alive connection.
pub(crate) struct Client {
    stream: TcpStream,
    authorization: String,
    buffer: Vec<u8>,
}

/// An answer of its own.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: Vec<u8>,
    headers: Vec<(String, String)>,
}

impl Client {
    /// Connects; `key` is sent with each request.
    pub(crate) fn connect(address: SocketAddr, key: Option<&str>) -> Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let authorization = key.map(|key| format!("Authorization: Bearer {key}\r\n")).unwrap_or_default();
        Ok(Self { stream, authorization, buffer: Vec::new() })
    }

    /// GETs a path with its query.
    pub(crate) fn get(&mut self, path: &str) -> Result<Answer> {
        self.send("GET", path, b"")
    }

    /// POSTs JSON.
    pub(crate) fn post(&mut self, path: &str, json: &str) -> Result<Answer> {
        self.send("POST", path, json.as_bytes())
    }

    /// PATCHes with JSON.
    pub(crate) fn patch(&mut self, path: &str, json: &str) -> Result<Answer> {
        self.send("PATCH", path, json.as_bytes())
    }

    /// PUTs a value.
    pub(crate) fn put(&mut self, path: &str, value: &[u8]) -> Result<Answer> {
        self.send("PUT", path, value)
    }

    fn send(&mut self, method: &str, path: &str, body: &[u8]) -> Result<Answer> {
        let (authorization, length) = (&self.authorization, body.len());
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}Content-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n"
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.write_all(&request)?;
        self.buffer.clear();
        self.receive().map_err(|failure| format!("{method} {path}: {failure}").into())
    }

    fn receive(&mut self) -> Result<Answer> {
        loop {
            self.read_more()?;
            let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
            let (mut answer, body_start) = match parse(&self.buffer, &mut headers)? {
                Parsed::Partial => continue,
                Parsed::Whole { response, .. } => return Ok(Answer::of(&response)),
                Parsed::Chunked { response, head_length } => (Answer::of(&response), head_length),
            };
            answer.body = self.receive_chunks(body_start)?;
            return Ok(answer);
        }
    }

    /// Reads a body in chunks (RFC 9112, section 7.1) that begins there; trailers are not expected.
    fn receive_chunks(&mut self, mut start: usize) -> Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let rest = self.buffer.get(start..).unwrap_or_default();
            let size = httparse::parse_chunk_size(rest).map_err(|_| "a chunk has no size")?;
            let httparse::Status::Complete((size_length, size)) = size else {
                self.read_more()?;
                continue;
            };
            let size = usize::try_from(size)?;
            let Some(chunk) = rest.get(size_length..size_length + size + 2) else {
                self.read_more()?;
                continue;
            };
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&chunk[..size]);
            start += size_length + size + 2;
        }
    }

    fn read_more(&mut self) -> Result<()> {
        let mut bytes = [0; 16 * 1024];
        match self.stream.read(&mut bytes)? {
            0 => Err("the connection was closed within an answer".into()),
            length => {
                self.buffer.extend_from_slice(&bytes[..length]);
                Ok(())
            }
        }
    }
}

impl Answer {
    fn of(response: &Response<'_, '_>) -> Self {
        let headers = response.headers().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()));
        Self { status: response.status, body: response.body.to_vec(), headers: headers.collect() }
    }

    /// The value of the header of that name, in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The revision in the entity tag.
    pub(crate) fn entity_tag(&self) -> Option<u64> {
        self.header("etag")?.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
    }

    /// The body as JSON, if the status is the expected one.
    pub(crate) fn json<T: DeserializeOwned>(&self, expected_status: u16) -> Result<T> {
        if self.status != expected_status {
            let body = String::from_utf8_lossy(&self.body);
            return Err(format!("status {} instead of {expected_status}: {body}", self.status).into());
        }
        Ok(serde_json::from_slice(&self.body)?)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// What the client makes of these pieces, each written by itself.
    fn answer_of(pieces: &'static [&str]) -> Result<Answer> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_nodelay(true).unwrap();
            let mut request = [0; 1024];
            let length = stream.read(&mut request).unwrap();
            for piece in pieces {
                stream.write_all(piece.as_bytes()).unwrap();
            }
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        let answer = Client::connect(address, Some("secret"))?.get("/path");
        let request = server.join().unwrap();
        assert!(request.starts_with("GET /path HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("Authorization: Bearer secret\r\n"), "{request}");
        answer
    }

    #[test]
    fn a_body_of_known_length_is_read_over_several_pieces() {
        let answer = answer_of(&["HTTP/1.1 200 OK\r\nContent-Le", "ngth: 4\r\n\r\n[1", "2]"]).unwrap();
        assert_eq!(answer.json::<Vec<u8>>(200).unwrap(), [12]);
        assert!(answer.json::<Vec<u8>>(201).is_err());
        assert_eq!(answer.entity_tag(), None);
    }

    #[test]
    fn a_body_in_chunks_is_put_together() {
        const HEAD: &str = "HTTP/1.1 200 OK\r\nETag: \"7\"\r\nTransfer-Encoding: chunked\r\n\r\n";
        let answer = answer_of(&[HEAD, "2\r\n[1\r", "\n00000001\r\n2\r\n1\r\n]\r\n0\r\n", "\r\n"]).unwrap();
        assert_eq!(answer.json::<Vec<u8>>(200).unwrap(), [12]);
        assert_eq!(answer.entity_tag(), Some(7));
    }

    #[test]
    fn an_answer_that_ends_early_is_a_failure() {
        assert!(answer_of(&["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n[12]"]).is_err());
        assert!(answer_of(&["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[1\r\n"]).is_err());
    }
}
