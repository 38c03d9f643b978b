//! Requests that differ in the end of their path and in their body alone.

use std::io::Write;
use std::net::SocketAddr;

/// What such requests have in common, ready to be copied.
#[derive(Debug, Clone)]
pub(crate) struct Template {
    start: Vec<u8>,
    headers: Vec<u8>,
}

impl Template {
    /// Requests whose path begins with `path`, sent with an access key.
    pub(crate) fn new(method: &str, path: &str, address: SocketAddr, key: &str) -> Self {
        let start = format!("{method} {path}").into_bytes();
        let headers = format!(" HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n").into_bytes();
        Self { start, headers }
    }

    /// The same with a body of this type.
    pub(crate) fn with_content_type(mut self, content_type: &str) -> Self {
        self.headers.extend_from_slice(format!("Content-Type: {content_type}\r\n").as_bytes());
        self
    }

    /// Writes a request without a body.
    pub(crate) fn write(&self, path_end: &[u8], out: &mut Vec<u8>) {
        for part in [&self.start, path_end, &self.headers, b"\r\n"] {
            out.extend_from_slice(part);
        }
    }

    /// Writes a request with a body.
    pub(crate) fn write_with_body(&self, path_end: &[u8], body: &[u8], out: &mut Vec<u8>) {
        for part in [&self.start, path_end, &self.headers] {
            out.extend_from_slice(part);
        }
        // Writing to memory does not fail.
        let _ = write!(out, "Content-Length: {}\r\n\r\n", body.len());
        out.extend_from_slice(body);
    }
}

#[test]
fn a_request_is_written_whole() {
    let template = Template::new("PUT", "/kv/", SocketAddr::from(([127, 0, 0, 1], 80)), "k");
    let mut out = Vec::new();
    template.with_content_type("text/plain").write_with_body(b"a", b"hello", &mut out);
    let expected = "PUT /kv/a HTTP/1.1\r\nHost: 127.0.0.1:80\r\nAuthorization: Bearer k\r\n\
                    Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(String::from_utf8_lossy(&out), expected);
}
