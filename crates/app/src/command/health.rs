//! `tenantry health`: asks a running server whether it is ready. For the health checks of containers, in which
//! there is no other HTTP client.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::{CommandError, print_line};

/// How long connecting may take, and each wait for the answer: it comes within 2 seconds, or not.
const PATIENCE: Duration = Duration::from_secs(4);
/// More is no answer of `/readyz`.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// Asks the server at `http://host:port`.
pub(super) fn of_url(url: &str) -> Result<(), CommandError> {
    let wrong = || CommandError::failed(format_args!("{url} is not of the form http://HOST:PORT"));
    let authority = url.strip_prefix("http://").map(|rest| rest.trim_end_matches('/')).ok_or_else(wrong)?;
    let failed = |error: io::Error| CommandError::failed(format_args!("{url} cannot be asked: {error}"));
    let mut addresses = authority.to_socket_addrs().map_err(failed)?;
    let address = addresses.next().ok_or_else(wrong)?;
    say(url, address, authority)
}

/// Asks the server that listens on this address, on this computer.
pub(super) fn of_address(listen: SocketAddr) -> Result<(), CommandError> {
    let address = reachable(listen);
    say(&format!("http://{address}"), address, &address.to_string())
}

/// Where whoever is on this computer reaches the server that listens on this address.
pub(super) fn reachable(listen: SocketAddr) -> SocketAddr {
    let mut address = listen;
    if listen.ip().is_unspecified() {
        address.set_ip(match listen {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    }
    address
}

fn say(url: &str, address: SocketAddr, host: &str) -> Result<(), CommandError> {
    let answer = ask(address, host)
        .map_err(|error| CommandError::failed(format_args!("{url} does not answer: {error}")))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    match head.split(' ').nth(1) {
        Some("200") => print_line(&format!("{url} is ready")),
        Some("503") => Err(CommandError::failed(format_args!("{url} is not ready: {body}"))),
        _ => Err(CommandError::failed(format_args!("{url} does not answer as Tenantry does"))),
    }
}

fn ask(address: SocketAddr, host: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER_BYTES).read_to_string(&mut answer)?;
    Ok(answer)
}
