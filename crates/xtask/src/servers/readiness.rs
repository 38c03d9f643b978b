//! Whether a server answers: each is asked in its own protocol.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use super::Server;

/// A server that is ready answers at once.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether the server on this port of 127.0.0.1 can be worked with.
#[must_use]
pub fn is_ready(server: Server, port: u16) -> bool {
    let answer = match server {
        Server::Postgres => ask(port, &postgres_startup(), 1),
        Server::Redis => ask(port, b"PING\r\n", 5),
        Server::Memcached => ask(port, b"version\r\n", 8),
        Server::RabbitMq => ask(port, b"AMQP\0\0\x09\x01", 3),
    };
    let wanted: &[u8] = match server {
        // "Authentication": in `trust` it says that none is needed. A server that still starts answers 'E'.
        Server::Postgres => b"R",
        Server::Redis => b"+PONG",
        Server::Memcached => b"VERSION ",
        // A method frame on channel 0: AMQP's Connection.Start.
        Server::RabbitMq => b"\x01\0\0",
    };
    answer.is_ok_and(|answer| answer == wanted)
}

/// PostgreSQL's StartupMessage (protocol 3.0) for the database and role `postgres`.
fn postgres_startup() -> Vec<u8> {
    let mut body = 196_608_u32.to_be_bytes().to_vec();
    body.extend_from_slice(b"user\0postgres\0database\0postgres\0\0");
    let length = u32::try_from(body.len() + 4).unwrap_or_default();
    [&length.to_be_bytes()[..], &body].concat()
}

/// Sends `question`, and answers the first bytes of what comes back.
fn ask(port: u16, question: &[u8], bytes: usize) -> io::Result<Vec<u8>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(question)?;
    let mut answer = vec![0; bytes];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers the next connection so; the port.
    fn answering(answer: &'static [u8]) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(answer);
        });
        port
    }

    #[test]
    fn only_the_right_answer_counts() {
        assert!(is_ready(Server::Postgres, answering(b"R\0\0\0\x08\0\0\0\0")));
        assert!(!is_ready(Server::Postgres, answering(b"E\0\0\0\x08FATAL")), "it still starts");
        assert!(is_ready(Server::Redis, answering(b"+PONG\r\n")));
        assert!(!is_ready(Server::Redis, answering(b"-LOADING Redis is loading\r\n")));
        assert!(is_ready(Server::Memcached, answering(b"VERSION 1.6.18\r\n")));
        assert!(is_ready(Server::RabbitMq, answering(b"\x01\0\0\0\0\x01\xf1")));
        assert!(!is_ready(Server::RabbitMq, answering(b"AMQP\0\0\x09\x01")), "it speaks another version");
        assert!(!is_ready(Server::Memcached, answering(b"ERROR\r\n")));
        assert!(!is_ready(Server::Memcached, answering(b"")), "nothing is no answer");
    }
}
