//! What holds on every route.

use serde_json::{Value, json};

use super::harness::{Api, Call};
use super::openapi::Operation;
use super::raw::{Raw, exchange, request};
use super::snapshot::unchanged;
use super::world::{World, good_body};

#[tokio::test]
async fn a_sane_request_id_is_taken() {
    let api = Api::start();
    for id in ["a", "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d", "A.b_c-d:e/f+g=", &"x".repeat(128)] {
        for path in ["/api/v1/ping", "/api/v1/kv", "/nowhere", "/docs/"] {
            let answer = api.anyone().get(path).header("x-request-id", id).send().await;
            assert_eq!(answer.the("x-request-id"), id);
        }
    }
}

#[tokio::test]
async fn any_other_request_id_is_replaced_by_one_that_is_made() {
    let api = Api::start();
    let mut made = std::collections::HashSet::new();
    for id in ["", "a b", "<script>", "a,b", "\"a\"", &"x".repeat(129), "a\tb"] {
        let answer = api.anyone().get("/api/v1/kv").header("x-request-id", id).send().await;
        let found = answer.the("x-request-id").to_owned();
        assert_eq!((found.len(), &found[14..15]), (36, "7"), "a UUID of version 7: {found}");
        assert_eq!(answer.problem(401, "key-missing")["instance"], found);
        made.insert(found);
    }
    assert_eq!(made.len(), 7, "each request has its own");
}

#[tokio::test]
async fn every_answer_says_that_its_type_is_not_to_be_guessed() {
    let world = World::make().await;
    for path in ["/api/v1/ping", "/api/v1/kv/greeting", "/nowhere", "/docs/", "/problems", "/openapi.json"] {
        let answer = world.acme.get(path).send().await;
        assert_eq!(answer.the("x-content-type-options"), "nosniff", "{path}");
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let world = World::make().await;
    let admin = world.api.admin();
    for operation in Operation::all().iter().filter(|operation| operation.method == "GET") {
        let path = world.path(operation);
        let ask = |method: &str| admin.call(method, &path).of_tenant(&world.acme.number).send();
        let (got, told) = (ask("GET").await.expect(200), ask("HEAD").await.expect(200));
        assert!(told.body.is_empty(), "{path}");
        for name in ["content-type", "content-length", "etag", "link", "last-modified", "vary"] {
            assert_eq!(told.header(name), got.header(name), "{name} of {path}");
        }
        assert!(got.header("content-length").is_some(), "{path}");
    }
}

#[tokio::test]
async fn the_connection_goes_on_after_the_answer_to_a_head() {
    let world = World::make().await;
    let mut connection = Raw::open(&world.api).await;
    let key = world.acme.key();
    for target in ["/api/v1/kv/greeting", "/api/v1/events", "/nowhere", "/openapi.json"] {
        connection.send(&request("HEAD", target, key, &[], b"")).await;
        let head = connection.head().await;
        assert_ne!(head.the("content-length"), "0", "{target}");
        connection.send(&request("GET", "/api/v1/ping", key, &[], b"")).await;
        assert_eq!(connection.answer().await.expect(200).json()["message"], "pong");
    }
}

#[tokio::test]
async fn a_method_that_a_path_does_not_know_is_answered_with_those_it_knows() {
    let world = World::make().await;
    let mut methods: std::collections::BTreeMap<&str, Vec<&str>> = std::collections::BTreeMap::new();
    let operations = Operation::all();
    for operation in &operations {
        let known = methods.entry(operation.path).or_default();
        known.push(operation.method);
        if operation.method == "GET" {
            known.push("HEAD");
        }
    }
    for (path, mut known) in methods {
        let operation = operations.iter().find(|operation| operation.path == path).unwrap();
        known.sort_unstable();
        for method in
            ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "X"]
        {
            if known.contains(&method) {
                continue;
            }
            let answer = world.api.anyone().call(method, &world.path(operation)).send().await.expect(405);
            if method != "HEAD" {
                answer.problem(405, "method-not-allowed");
            }
            let mut allowed: Vec<&str> = answer.the("allow").split(", ").collect();
            allowed.sort_unstable();
            assert_eq!(allowed, known, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn a_path_that_is_none_is_told_as_one() {
    let api = Api::start();
    for path in [
        "/api",
        "/api/v1",
        "/api/v1/",
        "/api/v2/ping",
        "/api/v1/ping/",
        "/api/v1//ping",
        "/API/V1/PING",
        "/api/v1/tenants/",
        "/api/v1/tenants/1/",
        "/api/v1/tenants/1/keys/",
        "/api/v1/tenants/1/rename",
        "/api/v1/events/",
        "/api/v1/events/a/b",
        "/api/v1/kvs/a",
        "/api%2Fv1/ping",
        "/problems/a/b",
        "/livez/",
        "/.env",
        "/%00",
        "/%ff",
        "//",
    ] {
        for method in ["GET", "POST", "DELETE", "OPTIONS", "X"] {
            let answer = exchange(&api, &request(method, path, "", &[], b"")).await;
            answer.problem(404, "route-not-found");
        }
    }
}

/// Every keyed operation that answers JSON, as it would succeed.
fn json_calls(world: &World) -> Vec<(Operation, Call)> {
    let answers_json = |operation: &Operation| operation.problems().iter().any(|(status, _)| *status == 406);
    let operations = Operation::all().into_iter().filter(answers_json);
    let calls = operations.map(|operation| {
        let call = world.api.admin().call(operation.method, &world.path(&operation));
        let call = call.of_tenant(&world.acme.number);
        let call = match good_body(&operation) {
            Some((kind, body)) => call.body(kind, body),
            None => call,
        };
        (operation, call)
    });
    calls.collect()
}

#[tokio::test]
async fn who_does_not_take_json_is_told_and_nothing_is_done() {
    let world = World::make().await;
    assert!(json_calls(&world).len() >= 14);
    for accept in [
        "text/html",
        "application/xml, text/*",
        "application/json;q=0",
        "*/*;q=0.0",
        "application/jsonx",
        "x",
    ] {
        unchanged(&world.api, async {
            for (_, call) in json_calls(&world) {
                call.header("accept", accept).send().await.problem(406, "not-acceptable");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_type_that_is_named_and_refused_is_refused_although_all_others_are_taken() {
    let world = World::make().await;
    // RFC 9110, section 12.5.1: the most specific range counts.
    for accept in ["application/json;q=0, */*", "*/*, application/json;q=0", "application/*;q=0, */*;q=0.5"] {
        let answer = world.acme.get("/api/v1/kv").header("accept", accept).send().await;
        answer.problem(406, "not-acceptable");
    }
    for accept in
        ["application/json, */*;q=0", "text/html, application/*;q=0.1", "*/*;q=0, application/json;q=0.001"]
    {
        world.acme.get("/api/v1/kv").header("accept", accept).send().await.expect(200);
    }
}

#[tokio::test]
async fn who_takes_json_in_any_words_is_answered() {
    let world = World::make().await;
    for accept in [
        "application/json",
        "APPLICATION/JSON",
        "*/*",
        "application/*",
        "text/html;q=0.9, */*;q=0.1",
        "application/json; charset=utf-8",
        "",
    ] {
        world.acme.get("/api/v1/kv").header("accept", accept).send().await.expect(200);
    }
}

#[tokio::test]
async fn bytes_are_answered_whatever_is_accepted() {
    let world = World::make().await;
    for accept in ["image/png", "text/html"] {
        let answer = world.acme.get("/api/v1/kv/greeting").header("accept", accept).send().await.expect(200);
        assert_eq!(answer.text(), "hello from acme");
        world.acme.put("/api/v1/kv/new").header("accept", accept).untyped_body("x").send().await;
    }
}

#[tokio::test]
async fn times_are_rfc_3339_in_utc_with_microseconds() {
    let world = World::make().await;
    let admin = world.api.admin();
    let tenant = admin.get(&format!("/api/v1/tenants/{}", world.acme.number)).send().await.json();
    let keys = admin.get(&format!("/api/v1/tenants/{}/keys", world.acme.number)).send().await.json();
    let event = world.acme.get(&format!("/api/v1/events/{}", world.event)).send().await.json();
    let entries = world.acme.get("/api/v1/kv").send().await.json();
    let times = [
        &tenant["created_at"],
        &tenant["updated_at"],
        &keys["keys"][0]["created_at"],
        &event["created_at"],
        &entries["entries"][0]["created_at"],
        &entries["entries"][0]["updated_at"],
    ];
    for time in times.map(|time| time.as_str().unwrap()) {
        let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00T00:00:00.000000Z", "{time}");
    }
}

#[tokio::test]
async fn no_answer_but_that_to_its_making_shows_a_key() {
    let world = World::make().await;
    let secrets = [world.acme.key(), world.other.key(), world.revoked.key(), world.api.admin().key()]
        .map(|key| key[17..].to_owned());
    for (operation, call) in json_calls(&world) {
        if (operation.method, operation.path) == ("DELETE", "/api/v1/tenants/{tenant}") {
            continue;
        }
        let answer = call.send().await;
        for secret in &secrets {
            assert!(!answer.text().contains(secret), "{operation:?} {answer:?}");
        }
        let shows_one = answer.text().contains("\"key\":\"tnt_");
        assert_eq!(shows_one, operation.method == "POST" && operation.path.ends_with("/keys"), "{answer:?}");
    }
    // A key that stands where it does not belong is not repeated.
    let key = world.acme.key();
    let body = json!({"name": key, "scopes": [key], key: 1});
    let answer = world.api.admin().post("/api/v1/tenants").json(&body).send().await;
    answer.problem(422, "validation-failed");
}

#[tokio::test]
async fn an_empty_list_of_faults_is_left_out() {
    let api = Api::start();
    let problem = api.anyone().get("/api/v1/kv").send().await.problem(401, "key-missing");
    assert_eq!(problem.get("errors"), None);
    assert_ne!(problem["detail"], Value::Null);
}
