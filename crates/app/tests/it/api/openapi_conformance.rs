//! What the OpenAPI document promises is what is answered. (What is answered is held against the document
//! with every call of every test: `openapi::check`.)

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::answer::Answer;
use super::harness::Actor;
use super::openapi::{DOCUMENT, Operation, example, faults};
use super::world::{World, good_body, with_parameter};

fn operation(method: &str, path: &str) -> Operation {
    Operation::all()
        .into_iter()
        .find(|operation| (operation.method, operation.path) == (method, path))
        .unwrap()
}

/// Every success that the document promises, as `<method> <path> <status>`.
fn promised() -> BTreeSet<String> {
    let mut promised = BTreeSet::new();
    for operation in Operation::all() {
        for status in operation.description["responses"].as_object().unwrap().keys() {
            if !status.starts_with(['4', '5']) {
                promised.insert(format!("{} {} {status}", operation.method, operation.path));
            }
        }
    }
    promised
}

/// One call after another that together see every success, in an order in which each can succeed.
async fn successes(world: &World) -> Vec<(Operation, Answer)> {
    let mut seen = Vec::new();
    let (admin, acme) = (world.api.admin(), world.acme.actor.clone());
    let mut operations = Operation::all();
    operations.sort_by_key(|operation| match (operation.method, operation.path) {
        ("POST", "/api/v1/tenants/{tenant}/suspend") => 0,
        ("POST", "/api/v1/tenants/{tenant}/activate") => 1,
        ("DELETE", "/api/v1/tenants/{tenant}") => 4,
        ("DELETE", _) => 3,
        _ => 2,
    });
    for operation in operations {
        let actor = if operation.path.starts_with("/api/v1/tenants") { &admin } else { &acme };
        seen.push((operation, succeed(world, actor, &operation).await));
        for (kind, headers, body) in variants(&operation) {
            let mut call = actor.call(operation.method, &world.path(&operation).replace("greeting", kind));
            for (name, value) in headers {
                call = call.header(name, value);
            }
            let call = if body.is_null() { call } else { call.json(&body) };
            seen.push((operation, call.send().await));
        }
    }
    seen
}

async fn succeed(world: &World, actor: &Actor, operation: &Operation) -> Answer {
    let call = actor.call(operation.method, &world.path(operation));
    match good_body(operation) {
        Some((kind, body)) => call.body(kind, body).send().await,
        None => call.send().await,
    }
}

type Variant = (&'static str, Vec<(&'static str, &'static str)>, Value);

/// Other ways in which an operation succeeds: another key, headers, another body.
fn variants(operation: &Operation) -> Vec<Variant> {
    let unchanged = ("greeting", vec![("if-none-match", "*")], Value::Null);
    let event = |message: &str| {
        json!({
            "id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "component": "a", "environment": "b",
            "message": message, "email": "a@b.co", "data": {"a": 1},
        })
    };
    match (operation.method, operation.path) {
        (
            "GET",
            "/api/v1/tenants/{tenant}"
            | "/api/v1/kv/{key}"
            | "/api/v1/search"
            | "/api/v1/catalog/feeds/{feed}",
        ) => vec![unchanged],
        ("POST", "/api/v1/catalog/feeds/{feed}/runs" | "/api/v1/catalog/feeds/{feed}/rejects/replay") => {
            vec![("", vec![], Value::Null)]
        }
        ("PUT", "/api/v1/kv/{key}") => vec![("new", vec![], json!("x"))],
        ("POST", "/api/v1/events") => vec![
            ("", vec![], event("one")),
            ("", vec![], event("one")),
            ("", vec![], json!([event("one"), {"component": "a", "environment": "b", "message": "c"}])),
            ("", vec![], json!([event("one"), {}])),
        ],
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn every_success_that_is_promised_is_seen() {
    let world = World::make().await;
    let seen: BTreeSet<String> = successes(&world)
        .await
        .into_iter()
        .map(|(operation, answer)| format!("{} {} {}", operation.method, operation.path, answer.status))
        .collect();
    let mut expected = promised();
    // Nothing that the server needs is down.
    expected.remove("GET /readyz 503");
    assert_eq!(seen, expected);
}

/// Headers that are not on every answer of their status: the next page, the end of a value, a single event.
const SOMETIMES: [(&str, &str); 3] =
    [("Link", ""), ("Expires", "/api/v1/kv/{key}"), ("Location", "/api/v1/events")];

#[tokio::test]
async fn the_headers_that_are_promised_come() {
    let world = World::make().await;
    for (operation, answer) in successes(&world).await {
        let promised = &operation.description["responses"][answer.status.to_string()]["headers"];
        for (name, _) in promised.as_object().into_iter().flatten() {
            let sometimes = SOMETIMES
                .iter()
                .any(|(header, path)| header == name && (path.is_empty() || *path == operation.path));
            assert!(sometimes || answer.header(name).is_some(), "no {name}: {operation:?} {answer:?}");
        }
        for name in ["etag", "location", "tenantry-version", "expires", "link", "last-modified"] {
            let documented = promised
                .as_object()
                .is_some_and(|all| all.keys().any(|header| header.eq_ignore_ascii_case(name)));
            assert!(
                documented || answer.header(name).is_none(),
                "{name} is not documented: {operation:?} {answer:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_member_that_is_always_there_is_documented_as_required() {
    let sometimes = ["erasure", "value", "encoding", "errors", "instance", "id", "sequence", "problem"];
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        if name.ends_with("Draft") || name.ends_with("Patch") || name == "Increment" {
            continue;
        }
        let parts: Vec<&Value> =
            schema["allOf"].as_array().map_or_else(|| vec![schema], |parts| parts.iter().collect());
        for part in parts {
            let required = part["required"].as_array().cloned().unwrap_or_default();
            for (member, _) in part["properties"].as_object().into_iter().flatten() {
                let known = required.contains(&json!(member)) || sometimes.contains(&member.as_str());
                assert!(known, "{name} does not require {member}");
            }
        }
    }
}

#[tokio::test]
async fn the_examples_of_bodies_are_taken() {
    let world = World::make().await;
    let mut count = 0;
    for operation in Operation::all() {
        let contents = operation.description["requestBody"]["content"].as_object();
        for (kind, content) in contents.into_iter().flatten().filter(|(kind, _)| kind.ends_with("json")) {
            let body = example(&content["schema"]);
            assert_eq!(faults(&content["schema"], &body), None, "{operation:?} {body}");
            let actor = if operation.path.starts_with("/api/v1/tenants") {
                world.api.admin()
            } else {
                world.acme.actor.clone()
            };
            let call = actor.call(operation.method, &world.path(&operation)).body(kind, body.to_string());
            let answer = call.send().await;
            assert!((200..300).contains(&answer.status), "{body} {answer:?}");
            count += 1;
        }
    }
    assert_eq!(count, 10);
}

#[tokio::test]
async fn the_examples_of_parameters_are_taken() {
    let world = World::make().await;
    let mut count = 0;
    for operation in Operation::all() {
        let parameters = operation.description["parameters"].as_array();
        for parameter in parameters.into_iter().flatten().filter(|parameter| parameter["in"] == "query") {
            let example = match &parameter["example"] {
                Value::Array(values) => values[0].clone(),
                Value::Null => continue,
                other => other.clone(),
            };
            let text = example.as_str().map_or_else(|| example.to_string(), str::to_owned);
            let value: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let target = with_parameter(&world.path(&operation), parameter["name"].as_str().unwrap(), &value);
            let actor = if operation.path.starts_with("/api/v1/tenants") {
                world.api.admin()
            } else {
                world.acme.actor.clone()
            };
            let call = actor.call(operation.method, &target);
            let answer = match good_body(&operation) {
                Some((kind, body)) => call.body(kind, body).send().await,
                None => call.send().await,
            };
            assert!((200..300).contains(&answer.status), "{target} {answer:?}");
            count += 1;
        }
    }
    assert!(count >= 12, "{count}");
}

#[tokio::test]
async fn the_document_is_one_of_openapi_3_1_with_an_operation_id_each() {
    assert_eq!(DOCUMENT["openapi"], "3.1.0");
    let operations = [Operation::all(), Operation::of_predecessors()].concat();
    let ids: BTreeSet<&str> =
        operations.iter().map(|operation| operation.description["operationId"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), operations.len());
    for path in
        ["/api/v1/ping", "/api/v1/tenants", "/api/v1/events/{id}", "/api/v1/kv/{key}", "/problems/{code}"]
    {
        operation("GET", path);
    }
}
