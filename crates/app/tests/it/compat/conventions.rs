//! What holds for every answer, in the predecessors' shapes too.

use super::world::{
    ACTIVITY, ALL_PLANS, KEY_VALUES, SEARCH, TENANTS, call, good_body, path, refusal, speaking,
};
use crate::api::harness::{Actor, Api, Tenant};
use crate::api::openapi::Operation;
use crate::api::raw::{Raw, request};
use crate::api::snapshot::unchanged;

/// Whoever may call the operation.
fn caller(api: &Api, tenant: &Tenant, operation: &Operation) -> Actor {
    if operation.path.starts_with(TENANTS) { api.admin() } else { tenant.actor.clone() }
}

/// The operations that read a body.
fn reading() -> Vec<Operation> {
    let operations: Vec<_> =
        Operation::of_predecessors().into_iter().filter(|operation| good_body(operation).is_some()).collect();
    assert_eq!(operations.len(), 6);
    operations
}

#[tokio::test]
async fn every_success_that_is_documented_is_seen() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    let mut operations = Operation::of_predecessors();
    // Deletions come last.
    operations.sort_by_key(|operation| operation.method == "DELETE");
    for operation in operations {
        let answer = call(&caller(&api, &acme, &operation), &operation).await;
        let documented: Vec<&String> = operation.description["responses"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|status| status.starts_with('2'))
            .collect();
        assert_eq!(documented, [&answer.status.to_string()], "{operation:?} {answer:?}");
    }
}

#[tokio::test]
async fn head_answers_as_get_does_without_the_body() {
    let api = speaking(&[("limits.max_page_value_bytes", "1024")]);
    let acme = api.tenant("acme").await;
    for number in 0..150 {
        acme.tell(&format!("event {number}")).await;
        acme.set(&format!("key-{number}"), &"x".repeat(500)).await;
    }
    for operation in Operation::of_predecessors().iter().filter(|operation| operation.method == "GET") {
        let actor = caller(&api, &acme, operation);
        let target = match operation.path.ends_with("get-value") {
            true => format!("{}?key=key-0", path(operation)),
            false => path(operation),
        };
        let (get, head) =
            (actor.get(&target).send().await.expect(200), actor.head(&target).send().await.expect(200));
        assert!(head.body.is_empty() && !get.body.is_empty());
        for name in ["content-type", "content-length", "transfer-encoding"] {
            assert_eq!(head.header(name), get.header(name), "{target} {name}");
        }
    }
}

#[tokio::test]
async fn a_request_has_its_id_and_a_refusal_too() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    for operation in Operation::of_predecessors() {
        for actor in [caller(&api, &acme, &operation), api.bearer("nonsense")] {
            let call = actor.call(operation.method, &path(&operation)).header("x-request-id", "mine-1");
            let answer =
                call.body("application/json", good_body(&operation).unwrap_or_default()).send().await;
            assert_eq!(answer.the("x-request-id"), "mine-1");
            assert_eq!(answer.the("x-content-type-options"), "nosniff");
        }
    }
}

#[tokio::test]
async fn what_is_accepted_is_not_looked_at() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    for (path, route) in [(KEY_VALUES, "get-values"), (ACTIVITY, "events"), (SEARCH, ALL_PLANS)] {
        acme.get(&format!("{path}/{route}")).header("accept", "text/html").send().await.expect(200);
    }
    api.admin().get(&format!("{TENANTS}/tenants")).header("accept", "text/html").send().await.expect(200);
}

#[tokio::test]
async fn a_path_that_is_not_there_is_404_in_the_old_shape() {
    let api = speaking(&[]);
    for path in [TENANTS, KEY_VALUES, ACTIVITY, SEARCH] {
        for route in ["", "/", "/nowhere", "/%6eowhere"] {
            refusal(path, &api.anyone().get(&format!("{path}{route}")).send().await, 404);
        }
    }
    let words = refusal(TENANTS, &api.anyone().get("/compat/tenants").send().await, 404);
    assert_eq!(words, "Not Found");
    for path in ["/compat", "/compat/", "/compat/nobody/x", "/compatible"] {
        api.anyone().get(path).send().await.problem(404, "route-not-found");
    }
}

#[tokio::test]
async fn a_method_that_is_not_there_is_405_with_those_that_are() {
    let api = speaking(&[]);
    for (path, route, allow) in [
        (TENANTS, "ping", "GET, HEAD"),
        (TENANTS, "tenants", "GET, HEAD, POST"),
        (TENANTS, "tenants/1", "GET, HEAD, PUT, DELETE"),
        (KEY_VALUES, "set-value", "POST"),
        (KEY_VALUES, "delete-value", "DELETE"),
        (ACTIVITY, "events", "POST, GET, HEAD"),
        (ACTIVITY, "events/", "GET, HEAD"),
        (SEARCH, "search", "GET, HEAD"),
    ] {
        let answer = api.admin().patch(&format!("{path}/{route}")).send().await;
        refusal(path, &answer, 405);
        assert_eq!(answer.the("allow"), allow, "{path}/{route}");
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_or_packed_is_refused_in_the_old_shape() {
    let api = speaking(&[("limits.max_json_body_bytes", "1024"), ("limits.max_value_bytes", "64")]);
    let acme = api.tenant("acme").await;
    for operation in reading() {
        let actor = caller(&api, &acme, &operation);
        let body =
            |body: String| actor.call(operation.method, &path(&operation)).body("application/json", body);
        let padded = format!("{:1025}", good_body(&operation).unwrap());
        refusal(operation.path, &unchanged(&api, body(padded).send()).await, 413);
        let packed = body(good_body(&operation).unwrap().to_owned()).header("content-encoding", "gzip");
        refusal(operation.path, &unchanged(&api, packed.send()).await, 415);
    }
    let large = format!(r#"{{"key":"a","value":"{}"}}"#, "x".repeat(65));
    let call = acme.post(&format!("{KEY_VALUES}/set-value")).untyped_body(large);
    assert!(refusal(KEY_VALUES, &unchanged(&api, call.send()).await, 413).contains("64 bytes"));
}

#[tokio::test]
async fn a_body_that_does_not_come_is_given_up_in_the_old_shape() {
    let api = speaking(&[("http.body_timeout_seconds", "1")]);
    let acme = api.tenant("acme").await;
    let half = async |operation: Operation| {
        let body = good_body(&operation).unwrap();
        let length = format!("Content-Length: {}", body.len());
        let mut connection = Raw::open(&api).await;
        let key = caller(&api, &acme, &operation).key().to_owned();
        connection.send(&request(operation.method, &path(&operation), &key, &[&length], b"")).await;
        connection.send(&body.as_bytes()[..body.len() - 1]).await;
        refusal(operation.path, &connection.answer().await, 408);
        assert!(connection.rest().await.is_empty());
    };
    unchanged(&api, futures_util::future::join_all(reading().into_iter().map(half))).await;
}

#[tokio::test]
async fn a_long_list_is_packed_where_that_is_wanted() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    for number in 0..120 {
        acme.tell(&format!("event {number}")).await;
    }
    let answer =
        acme.get(&format!("{ACTIVITY}/events")).header("accept-encoding", "gzip").send().await.expect(200);
    assert_eq!(answer.the("content-encoding"), "gzip");
}

#[tokio::test]
async fn the_examples_of_bodies_are_taken() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    for operation in reading() {
        let schema = &operation.description["requestBody"]["content"]["application/json"]["schema"];
        let body = crate::api::openapi::example(schema);
        let call = caller(&api, &acme, &operation).call(operation.method, &path(&operation));
        let answer = call.body("application/json", body.to_string()).send().await;
        assert!((200..300).contains(&answer.status), "{body} {answer:?}");
    }
}

#[tokio::test]
async fn a_page_of_a_configured_origin_may_call_the_old_routes() {
    let origin = "https://app.example.com";
    let api = speaking(&[("http.cors_origins", origin)]);
    for operation in Operation::of_predecessors() {
        let preflight = api.anyone().call("OPTIONS", &path(&operation)).header("origin", origin);
        let answer =
            preflight.header("access-control-request-method", operation.method).send().await.expect(200);
        assert_eq!(answer.the("access-control-allow-origin"), origin, "{operation:?}");
    }
    for other in ["https://other.example.com", "null"] {
        let call = api.anyone().get(&format!("{KEY_VALUES}/health-check")).header("origin", other);
        assert_eq!(call.send().await.header("access-control-allow-origin"), None);
    }
}
