//! Bodies over the limit, however they are sent.

use super::super::answer::Answer;
use super::super::harness::Actor;
use super::super::openapi::Operation;
use super::super::raw::{Raw, request};
use super::super::snapshot::unchanged;
use super::super::world::{World, good_body};
use super::caller;

const LIMIT: usize = 1024;

async fn world() -> World {
    let limit = LIMIT.to_string();
    let keys = ["limits.max_json_body_bytes", "limits.max_batch_body_bytes", "limits.max_value_bytes"];
    World::make_with(&keys.map(|key| (key, limit.as_str()))).await
}

fn with_bodies() -> Vec<Operation> {
    let operations: Vec<_> =
        Operation::all().into_iter().filter(|operation| good_body(operation).is_some()).collect();
    assert_eq!(operations.len(), 9);
    operations
}

/// The good body, filled up with white space to so many bytes.
fn filled(operation: &Operation, bytes: usize) -> (&'static str, Vec<u8>) {
    let (kind, good) = good_body(operation).unwrap();
    let mut body = good.as_bytes().to_vec();
    body.resize(bytes, b' ');
    (kind, body)
}

async fn send_in_chunks(world: &World, operation: &Operation, actor: &Actor, body: &[u8]) -> Answer {
    let kind = format!("Content-Type: {}", good_body(operation).unwrap().0);
    let headers = [kind.as_str(), "Transfer-Encoding: chunked"];
    let mut connection = Raw::open(&world.api).await;
    connection.send(&request(operation.method, &world.path(operation), actor.key(), &headers, b"")).await;
    for chunk in body.chunks(100) {
        let framed = [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat();
        connection.send_what_is_taken(&framed).await;
    }
    connection.send_what_is_taken(b"0\r\n\r\n").await;
    connection.answer().await
}

#[tokio::test]
async fn a_body_of_the_limit_is_taken_and_one_byte_more_is_not() {
    let world = world().await;
    for operation in with_bodies() {
        let call = |bytes: usize| {
            let (kind, body) = filled(&operation, bytes);
            caller(&world, &operation).call(operation.method, &world.path(&operation)).body(kind, body)
        };
        let problem = unchanged(&world.api, call(LIMIT + 1).send()).await.problem(413, "body-too-large");
        assert!(problem["detail"].as_str().unwrap().contains("1024"), "{problem}");
        let answer = call(LIMIT).send().await;
        assert!((200..300).contains(&answer.status), "{answer:?}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_say_its_length_is_bounded_too() {
    let world = world().await;
    for operation in with_bodies() {
        let actor = caller(&world, &operation);
        let (_, body) = filled(&operation, LIMIT + 1);
        let answer = unchanged(&world.api, send_in_chunks(&world, &operation, &actor, &body)).await;
        answer.problem(413, "body-too-large");
        let (_, body) = filled(&operation, LIMIT);
        let answer = send_in_chunks(&world, &operation, &actor, &body).await;
        assert!((200..300).contains(&answer.status), "{answer:?}");
    }
}

#[tokio::test]
async fn a_body_that_says_to_be_too_large_is_refused_before_it_comes() {
    let world = world().await;
    for operation in with_bodies() {
        let actor = caller(&world, &operation);
        let kind = format!("Content-Type: {}", good_body(&operation).unwrap().0);
        for length in ["1025", "18446744073709551615"] {
            let length = format!("Content-Length: {length}");
            let head =
                request(operation.method, &world.path(&operation), actor.key(), &[&kind, &length], b"");
            let mut connection = Raw::open(&world.api).await;
            connection.send(&head).await;
            let answer = connection.answer().await;
            answer.problem(413, "body-too-large");
        }
    }
}

#[tokio::test]
async fn who_sends_far_too_much_hears_of_it() {
    let world = world().await;
    let actor = &world.acme.actor;
    let body = vec![b'x'; 4 * 1024 * 1024];
    let bytes = request("PUT", "/api/v1/kv/greeting", actor.key(), &["Content-Type: text/plain"], &body);
    let mut connection = Raw::open(&world.api).await;
    unchanged(&world.api, async {
        connection.send_what_is_taken(&bytes).await;
        connection.answer().await.problem(413, "body-too-large");
    })
    .await;
}
