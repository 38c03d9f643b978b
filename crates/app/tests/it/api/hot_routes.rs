//! The routes that are answered before the router: they answer as the router would.

use serde_json::{Value, json};

use super::answer::Answer;
use super::harness::{Actor, Api, Call};

/// Two that differ in one thing: the second logs requests, for which it needs the router.
fn both_ways() -> [Api; 2] {
    [Api::start(), Api::start_with(&[("log.requests", "true")])]
}

/// What does not depend on the moment: status, headers and body, without times, ids and secrets.
fn shape(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    const OF_THE_MOMENT: [&str; 5] = ["date", "x-request-id", "last-modified", "expires", "content-length"];
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .map(|(name, value)| {
            let is_of_the_moment = OF_THE_MOMENT.contains(&name.as_str()) || name == "location";
            let value = if is_of_the_moment { "" } else { value.to_str().unwrap() };
            (name.to_string(), value.to_owned())
        })
        .collect();
    headers.sort();
    let body = match serde_json::from_slice::<Value>(&answer.body) {
        Ok(mut json) => {
            blank(&mut json);
            json.to_string()
        }
        Err(_) => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    (answer.status, headers, body)
}

/// Takes out of an answer, and of the items in it, what is of the moment.
fn blank(json: &mut Value) {
    match json {
        Value::Object(fields) => {
            for (name, value) in fields {
                match name.as_str() {
                    "id" | "created_at" | "instance" => *value = Value::Null,
                    _ => blank(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(blank),
        _ => {}
    }
}

/// Every kind of request for a hot route, in an order in which each finds what it needs.
fn calls(tenant: &Actor, reader: &Actor, anyone: &Actor) -> Vec<Call> {
    let event = json!({"component": "billing", "environment": "production", "message": "paid"});
    let kv = "/api/v1/kv/a%20b//c";
    let long = "x".repeat(3000);
    vec![
        tenant.put(kv).body("text/plain", "one"),
        tenant.put(kv).body("application/json", "{}").header("if-match", "\"1\""),
        tenant.put(kv).body("text/plain", "two").header("if-match", "\"1\""),
        tenant.put(kv).body("text/plain", "two").header("if-none-match", "*"),
        tenant.put(&format!("{kv}?ttl=1000")).untyped_body("three"),
        tenant.put(&format!("{kv}?ttl=soon")).untyped_body("four"),
        tenant.put("/api/v1/kv/").untyped_body("nothing's"),
        tenant.put("/api/v1/kv/%zz").untyped_body("nothing's"),
        tenant.put("/api/v1/kv/long").body("text/plain", long),
        tenant.get("/api/v1/kv/long").header("accept-encoding", "br, gzip"),
        tenant.get(kv),
        tenant.get(kv).header("if-none-match", "\"3\""),
        tenant.get(kv).header("if-none-match", "?"),
        tenant.get(kv).header("x-request-id", "mine"),
        tenant.get(&format!("{kv}?unknown=1")),
        tenant.get("/api/v1/kv/absent"),
        tenant.head(kv),
        reader.get(kv),
        reader.put(kv).untyped_body("refused"),
        anyone.get(kv),
        anyone.put(kv).untyped_body("refused"),
        tenant.get(kv).of_tenant("1"),
        tenant.get(kv).of_tenant("2"),
        tenant.post("/api/v1/events").json(&event),
        tenant.post("/api/v1/events").json(&json!([event, {}])),
        tenant.post("/api/v1/events").json(&json!({"component": ""})),
        tenant.post("/api/v1/events").body("application/json", "{"),
        tenant.post("/api/v1/events").body("text/plain", "x"),
        tenant.post("/api/v1/events").json(&event).header("accept", "text/html"),
        reader.post("/api/v1/events").json(&event),
        anyone.post("/api/v1/events").json(&event),
    ]
}

#[tokio::test]
async fn a_hot_route_answers_as_the_router_does() {
    let mut answers = Vec::new();
    for api in both_ways() {
        let tenant = api.tenant("acme").await;
        let (_, reader) = api.key_of(tenant.number, &["kv:read"]).await;
        let mut of_one = Vec::new();
        for call in calls(&tenant, &reader, &api.anyone()) {
            of_one.push(shape(&call.send().await));
        }
        answers.push(of_one);
    }
    let [hot, routed] = answers.try_into().unwrap();
    for (number, (hot, routed)) in hot.iter().zip(&routed).enumerate() {
        assert_eq!(hot, routed, "request {number}");
    }
    assert_eq!(hot.len(), routed.len());
}
