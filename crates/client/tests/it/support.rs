//! A client of the tests' own server.

use std::time::Duration;

use serde_json::{Value, json};
use tenantry_client::{Client, ClientBuilder, RetryPolicy};
use wiremock::{MockServer, ResponseTemplate};

/// The key with which everything is asked.
pub(crate) const KEY: &str = "tna_k3y";

/// Tries often, and hardly waits.
pub(crate) fn hasty() -> RetryPolicy {
    RetryPolicy { max_attempts: 3, base_pause: Duration::from_millis(1), ..RetryPolicy::default() }
}

pub(crate) fn builder(server: &MockServer) -> ClientBuilder {
    Client::builder(server.uri()).key(KEY).retry(hasty())
}

pub(crate) fn client(server: &MockServer) -> Client {
    builder(server).build().unwrap()
}

pub(crate) fn tenant() -> Value {
    json!({"tenant_number": 1, "tenant_id": "1_acme", "name": "acme", "status": "active", "tenant_info": {},
        "created_at": "2026-11-21T10:00:00.000000Z", "updated_at": "2026-11-21T10:00:00.000000Z"})
}

pub(crate) fn event(id: &str, sequence: u64) -> Value {
    json!({"id": id, "component": "billing", "environment": "test", "message": "x", "email": null, "data": {},
        "created_at": "2026-11-21T10:00:00.000000Z", "sequence": sequence})
}

/// A refusal in the form of the server's.
pub(crate) fn problem(status: u16, code: &str) -> ResponseTemplate {
    let body = json!({"type": format!("/problems/{code}"), "title": "No", "status": status, "detail": "It is so",
        "instance": "request-7", "code": code});
    ResponseTemplate::new(status).set_body_raw(body.to_string(), "application/problem+json")
}

/// An answer with a key-value's head.
pub(crate) fn written(status: u16, revision: u64) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .insert_header("etag", format!("\"{revision}\""))
        .insert_header("tenantry-version", "1")
}
