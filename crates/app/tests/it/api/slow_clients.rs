//! Clients that stop in the middle: each is answered or hung up on in time, and hinders nobody else.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use super::harness::Api;
use super::openapi::Operation;
use super::raw::{Raw, request};
use super::snapshot::{snapshot, unchanged};
use super::world::{World, good_body};
use crate::support::DEADLINE;

const SHORT: [(&str, &str); 2] = [("http.body_timeout_seconds", "1"), ("http.header_timeout_seconds", "1")];

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up_and_changes_nothing() {
    let world = World::make_with(&SHORT).await;
    let operations = Operation::all().into_iter().filter(|operation| good_body(operation).is_some());
    let half = async |operation: Operation| {
        let (kind, body) = good_body(&operation).unwrap();
        let admin = world.api.admin();
        let actor = if operation.path.starts_with("/api/v1/tenants") { &admin } else { &world.acme.actor };
        let headers = [&format!("Content-Type: {kind}")[..], &format!("Content-Length: {}", body.len())];
        let mut connection = Raw::open(&world.api).await;
        connection
            .send(&request(operation.method, &world.path(&operation), actor.key(), &headers, b""))
            .await;
        connection.send(&body.as_bytes()[..body.len() - 1]).await;
        connection.answer().await.problem(408, "request-timeout");
        // Where one request ends and the next begins cannot be known any more.
        let rest = connection.rest().await;
        assert!(rest.is_empty(), "{:?}", String::from_utf8_lossy(&rest));
    };
    unchanged(&world.api, join_all(operations.map(half))).await;
}

#[tokio::test]
async fn a_chunk_that_does_not_come_is_given_up() {
    let world = World::make_with(&SHORT).await;
    let headers = ["Content-Type: text/plain", "Transfer-Encoding: chunked"];
    unchanged(&world.api, async {
        let mut connection = Raw::open(&world.api).await;
        connection.send(&request("PUT", "/api/v1/kv/greeting", world.acme.key(), &headers, b"")).await;
        connection.send(b"5\r\nhel").await;
        connection.answer().await.problem(408, "request-timeout");
        assert!(connection.rest().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_body_that_is_refused_before_it_has_ended_ends_the_connection() {
    let world = World::make().await;
    let headers = ["Content-Type: text/plain", "Transfer-Encoding: chunked"];
    for (key, method, target, status) in [
        ("nonsense", "PUT", "/api/v1/kv/greeting", 401),
        (world.acme.key(), "POST", "/api/v1/events", 415),
        (world.acme.key(), "GET", "/api/v1/kv/greeting", 200),
        (world.acme.key(), "POST", "/nowhere", 404),
        (world.acme.key(), "HEAD", "/nowhere", 404),
    ] {
        let mut connection = Raw::open(&world.api).await;
        connection.send(&request(method, target, key, &headers, b"")).await;
        connection.send(b"5\r\nhel").await;
        let answer = if method == "HEAD" { connection.head().await } else { connection.answer().await };
        assert_eq!((answer.status, answer.header("connection")), (status, Some("close")), "{answer:?}");
        assert!(connection.rest().await.is_empty(), "{target}");
    }
}

#[tokio::test]
async fn a_body_that_trickles_is_given_up_in_the_same_time() {
    let world = World::make_with(&SHORT).await;
    let length = ["Content-Type: text/plain", "Content-Length: 1000000"];
    let mut connection = Raw::open(&world.api).await;
    let before = snapshot(&world.api).await;
    connection.send(&request("PUT", "/api/v1/kv/greeting", world.acme.key(), &length, b"")).await;
    let start = Instant::now();
    while !connection.answers_within(Duration::from_millis(20)).await {
        connection.send_what_is_taken(b"x").await;
        assert!(start.elapsed() < DEADLINE, "each byte buys more time");
    }
    connection.answer().await.problem(408, "request-timeout");
    assert_eq!(snapshot(&world.api).await, before);
}

#[tokio::test]
async fn a_head_that_does_not_come_is_given_up() {
    let api = Api::start_with(&SHORT);
    for begin in ["G", "GET /api/v1/ping HT", "GET /api/v1/ping HTTP/1.1\r\nHost: x\r\nX-Half"] {
        let mut connection = Raw::open(&api).await;
        connection.send(begin.as_bytes()).await;
        let rest = String::from_utf8(connection.rest().await).unwrap();
        assert!(rest.is_empty() || rest.starts_with("HTTP/1.1 408 "), "{rest}");
    }
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_after_a_while() {
    let api = Api::start_with(&[("http.keep_alive_seconds", "1")]);
    let mut connection = Raw::open(&api).await;
    connection.send(&request("GET", "/api/v1/ping", "", &[], b"")).await;
    connection.answer().await.expect(200);
    assert!(connection.rest().await.is_empty());
}

#[tokio::test]
async fn many_who_stop_in_the_middle_hinder_nobody() {
    let world = World::make().await;
    let length = ["Content-Type: text/plain", "Content-Length: 100"];
    let head = request("PUT", "/api/v1/kv/greeting", world.acme.key(), &length, b"");
    let mut stuck = Vec::new();
    for _ in 0..200 {
        let mut connection = Raw::open(&world.api).await;
        connection.send(&head).await;
        stuck.push(connection);
    }
    for round in 0..10 {
        world.other.set("greeting", &round.to_string()).await;
        assert_eq!(world.other.value("greeting").await, round.to_string());
    }
    assert_eq!(world.acme.value("greeting").await, "hello from acme");
    drop(stuck);
    assert_eq!(world.acme.value("greeting").await, "hello from acme", "half a value was not stored");
}

#[tokio::test]
async fn who_hangs_up_without_reading_hinders_nobody() {
    let world = World::make().await;
    let bytes = request("GET", "/openapi.json", world.acme.key(), &[], b"");
    for _ in 0..50 {
        let mut connection = Raw::open(&world.api).await;
        connection.send(&bytes.repeat(4)).await;
    }
    assert_eq!(world.acme.value("greeting").await, "hello from acme");
}
