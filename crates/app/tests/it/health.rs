//! `tenantry health`.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::process::{Serving, command, finish, tenantry};

#[test]
fn a_server_that_is_ready_is_said_to_be() {
    let dir = tempfile::tempdir().unwrap();
    let serving = Serving::start(dir.path(), &[]);
    let by_url = tenantry(["health", "--url", &serving.url]);
    assert_eq!((by_url.code, by_url.stdout), (Some(0), format!("{} is ready\n", serving.url)));

    let (_, port) = serving.url.rsplit_once(':').unwrap();
    for listen in [format!("127.0.0.1:{port}"), format!("0.0.0.0:{port}")] {
        let configured = finish(command(["health"]).env("TENANTRY_LISTEN", listen));
        assert_eq!((configured.code, configured.stdout), (Some(0), format!("{} is ready\n", serving.url)));
    }
}

#[test]
fn where_nobody_listens_nobody_is_ready() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}");
    let ended = tenantry(["health", "--url", &url]);
    let line = ended.one_line_of_failure(1);
    assert!(line.starts_with(&format!("tenantry: {url} does not answer: ")), "{line}");
}

#[test]
fn a_server_that_is_not_ready_is_told_with_what_is_down() {
    let body = r#"{"status":"not-ready","dependencies":{"database":{"status":"down"}}}"#;
    let answer = format!("HTTP/1.1 503 Service Unavailable\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let ended = tenantry(["health", "--url", &answering(answer)]);
    assert!(ended.one_line_of_failure(1).ends_with(&format!(" is not ready: {body}")), "{ended:?}");
}

#[test]
fn a_server_of_another_kind_is_not_taken_for_ready() {
    for answer in ["HTTP/1.1 404 Not Found\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", ""] {
        let ended = tenantry(["health", "--url", &answering(answer.to_owned())]);
        ended.one_line_of_failure(1);
    }
}

#[test]
fn what_is_no_url_of_a_server_is_refused() {
    for url in ["127.0.0.1:8080", "https://127.0.0.1:8080", "http://", "http://127.0.0.1:8080/api"] {
        tenantry(["health", "--url", url]).one_line_of_failure(1);
    }
}

/// A server that answers the first request so; its URL.
fn answering(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 1024];
        let read = stream.read(&mut request).unwrap();
        assert!(request[..read].starts_with(b"GET /readyz HTTP/1.1\r\n"));
        stream.write_all(answer.as_bytes()).unwrap();
    });
    url
}
