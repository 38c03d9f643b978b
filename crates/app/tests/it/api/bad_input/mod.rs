//! What is wrong with a request is told by the documented problem with its place, and changes nothing.

mod bodies;
mod cursors;
mod events;
mod keys;
mod sizes;
mod tenants;

use serde_json::json;

use super::answer::Answer;
use super::harness::Actor;
use super::openapi::Operation;
use super::world::{World, good_body};

/// Every operation that reads a JSON body.
fn json_operations() -> Vec<Operation> {
    let reads_json =
        |operation: &Operation| good_body(operation).is_some_and(|(kind, _)| kind == "application/json");
    let operations: Vec<_> = Operation::all().into_iter().filter(reads_json).collect();
    assert_eq!(operations.len(), 8, "{operations:?}");
    operations
}

/// Whoever may call the operation about what is acme's.
fn caller(world: &World, operation: &Operation) -> Actor {
    if operation.path.starts_with("/api/v1/tenants") { world.api.admin() } else { world.acme.actor.clone() }
}

/// Sends this body to the operation.
async fn send(world: &World, operation: &Operation, kind: &str, body: &[u8]) -> Answer {
    caller(world, operation).call(operation.method, &world.path(operation)).body(kind, body).send().await
}

/// Values that are no text.
fn no_texts() -> Vec<serde_json::Value> {
    vec![json!(5), json!(true), json!([]), json!({}), json!(["a"])]
}
