//! Stopping: SIGTERM under load.

use std::sync::Arc;

use crate::ledger::{Caller, Ledger};
use crate::process::Serving;
use crate::support::TestApp;

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

#[tokio::test]
async fn a_request_that_is_under_way_is_finished() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let app = TestApp::start();
    let tenant = app.create_tenant("slow").await;
    let mut connection = tokio::net::TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "PUT /api/v1/kv/slow HTTP/1.1\r\nhost: t\r\nauthorization: Bearer {}\r\ncontent-length: 4\r\n\r\nha",
        tenant.key
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    // The request is under way when another one on the same server has been answered after it.
    app.client.get(app.url("/livez")).send().await.unwrap();
    let stopping = tokio::task::spawn_blocking(move || app.stop());
    connection.write_all(b"lf").await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");

    let again = TestApp::start_in(stopping.await.unwrap(), &[]);
    let value = again.tenant(&tenant, reqwest::Method::GET, "/kv/slow").send().await.unwrap();
    assert_eq!(value.text().await.unwrap(), "half");
}
