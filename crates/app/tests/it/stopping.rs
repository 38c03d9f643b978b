//! Stopping: SIGTERM under load.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Instant;

use reqwest::Method;

use crate::ledger::{Caller, Ledger};
use crate::process::Serving;
use crate::support::{DEADLINE, TestApp};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_stop_under_load_loses_nothing_acknowledged_and_ends_with_0() {
    let dir = tempfile::tempdir().unwrap();
    let ledger = Arc::new(Ledger::default());
    for _ in 0..3 {
        let serving = Serving::start(dir.path(), &[]);
        let caller = Caller::new(&serving, dir.path()).await;
        let writers = ledger.load(&caller);
        ledger.acknowledged(300).await;
        serving.terminate();
        writers.join_all().await;
        let status = tokio::task::spawn_blocking(|| serving.wait()).await.unwrap();
        assert!(status.success(), "{status:?}");

        let again = Serving::start(dir.path(), &[]);
        ledger.compare(&Caller::new(&again, dir.path()).await).await;
        again.terminate();
        assert!(again.wait().success());
    }
}

#[tokio::test]
async fn a_stop_does_not_wait_for_connections_that_are_idle() {
    let app = TestApp::start_with(&[("http.shutdown_timeout_seconds", "3600")]);
    // The client keeps the connection open.
    app.client.get(app.url("/livez")).send().await.unwrap().bytes().await.unwrap();
    let client = app.client.clone();
    app.stop();
    drop(client);
}

/// Begins to put `half` as the value of the key `slow`: the server has the request's head when this answers,
/// and waits for the body.
fn begin_to_put(address: &str, key: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(DEADLINE)).unwrap();
    let head = format!(
        "PUT /api/v1/kv/slow HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {key}\r\ntenantry-tenant: 1\r\n\
         content-length: 4\r\nexpect: 100-continue\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).unwrap();
    let mut begun = [0; 25];
    connection.read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"HTTP/1.1 100 Continue\r\n\r\n");
    connection
}

/// Waits until connections are refused: the server is stopping.
fn wait_until_it_stops(address: &str) {
    let end = Instant::now() + DEADLINE;
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < end, "it does not stop");
    }
}

#[tokio::test]
async fn a_request_that_is_under_way_is_finished() {
    let app = TestApp::start();
    let tenant = app.create_tenant("slow").await;
    let address = app.address.to_string();
    let mut connection = begin_to_put(&address, &tenant.key);
    let stopping = std::thread::spawn(move || app.stop());
    wait_until_it_stops(&address);
    connection.write_all(b"half").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");

    let again = TestApp::start_in(stopping.join().unwrap(), &[]);
    let value = again.tenant(&tenant, Method::GET, "/kv/slow").send().await.unwrap();
    assert_eq!(value.text().await.unwrap(), "half");
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let serving = Serving::start(dir.path(), &[]);
    Caller::new(&serving, dir.path()).await;
    let key = std::fs::read_to_string(dir.path().join("admin.key")).unwrap();
    let address = serving.url.strip_prefix("http://").unwrap();
    // A graceful stop waits for this one.
    let slow = begin_to_put(address, key.trim());
    serving.terminate();
    wait_until_it_stops(address);
    serving.terminate();
    assert_eq!(serving.wait().code(), Some(1));
    drop(slow);
}
