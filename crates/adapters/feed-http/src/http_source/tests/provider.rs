//! A provider that answers each request with the bytes that a test tells it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

pub(super) struct Provider {
    pub(super) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    /// Answers request number 0, 1, … over a connection of its own with what the function writes to it.
    pub(super) fn new(answer: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static) -> Self {
        Self::at(Ipv4Addr::LOCALHOST.into(), answer)
    }

    pub(super) fn at(ip: IpAddr, answer: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (heard, answer) = (Arc::clone(&requests), Arc::new(answer));
        // It ends with the process of the tests.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (heard, answer, mut stream) = (Arc::clone(&heard), Arc::clone(&answer), stream.unwrap());
                thread::spawn(move || {
                    let head = read_head(&stream);
                    let number = {
                        let mut heard = heard.lock().unwrap();
                        heard.push(head);
                        heard.len() - 1
                    };
                    answer(number, &mut stream);
                });
            }
        });
        Self { address, requests }
    }

    /// Answers every request with these bytes.
    pub(super) fn saying(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::new(move |_, stream| write(stream, &answer))
    }

    /// Answers each request with the next of these; the last one holds.
    pub(super) fn saying_each(answers: Vec<Vec<u8>>) -> Self {
        Self::new(move |number, stream| write(stream, &answers[number.min(answers.len() - 1)]))
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/feed?token=secret", self.address)
    }

    /// The heads of the requests so far, in lower case.
    pub(super) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn read_head(stream: &TcpStream) -> String {
    let mut head = String::new();
    let mut lines = BufReader::new(stream);
    while !head.ends_with("\r\n\r\n") && lines.read_line(&mut head).is_ok_and(|read| read > 0) {}
    head.to_lowercase()
}

/// Writes as far as the other side will have it.
pub(super) fn write(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes);
}

/// A whole answer.
pub(super) fn ok(headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// An answer without a body.
pub(super) fn status(status: &str, headers: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n{headers}\r\n").into_bytes()
}
