//! Bad events.

use serde_json::{Value, json};

use super::super::answer::faults_of;
use super::super::harness::Api;
use super::super::snapshot::unchanged;
use super::no_texts;

/// An event that is good but for this member.
fn with(name: &str, value: Value) -> Value {
    let mut event = json!({"component": "a", "environment": "b", "message": "c"});
    event[name] = value;
    event
}

/// Events with all that is wrong with each.
fn events() -> Vec<(Value, Vec<String>)> {
    let deep = (0..32).fold(json!({}), |inner, _| json!({ "a": inner }));
    let mut events: Vec<(Value, Vec<String>)> = Vec::new();
    let mut add = |event: Value, faults: &[&str]| {
        events.push((event, faults.iter().map(|fault| (*fault).to_owned()).collect()));
    };
    add(json!({}), &["/component required", "/environment required", "/message required"]);
    for (name, most) in [("component", 255), ("environment", 255), ("message", 8192)] {
        let fault = |code: &str| format!("/{name} {code}");
        add(with(name, json!(null)), &[&fault("required")]);
        add(with(name, json!("")), &[&fault("length")]);
        add(with(name, json!("é".repeat(most + 1))), &[&fault("length")]);
        add(with(name, json!("a\u{0}b")), &[&fault("nul")]);
        for value in no_texts() {
            add(with(name, value), &[&fault("type")]);
        }
    }
    let long = format!("{}@example.com", "x".repeat(300));
    for email in [
        "",
        " ",
        "ada",
        "ada@",
        "@example.com",
        "ada@exa mple.com",
        "a@b@c.d",
        "ada@example..com",
        "Ada <ada@example.com>",
        "a\u{0}@example.com",
        &long,
    ] {
        add(with("email", json!(email)), &["/email email"]);
    }
    add(with("email", json!(5)), &["/email type"]);
    for data in [json!([]), json!("{}"), json!(5), json!(true)] {
        add(with("data", data), &["/data object"]);
    }
    add(with("data", json!({"a": "x".repeat(64 * 1024 - 7)})), &["/data length"]);
    add(with("data", json!({"a": "\u{0}"})), &["/data nul"]);
    add(with("data", json!({"\u{0}": 1})), &["/data nul"]);
    add(with("data", deep), &["/data depth"]);
    for id in [json!("x"), json!(""), json!("6ba7b810-9dad-11d1-80b4-00c04fd430cg"), json!(5), json!({})] {
        add(with("id", id), &["/id type"]);
    }
    add(with("sequence", json!(1)), &["/sequence unknown_field"]);
    add(with("created_at", json!("2026-01-01T00:00:00Z")), &["/created_at unknown_field"]);
    add(with("Component", json!("a")), &["/Component unknown_field"]);
    add(
        json!({"component": "", "email": "x", "data": 5}),
        &["/component length", "/data object", "/email email", "/environment required", "/message required"],
    );
    events
}

#[tokio::test]
async fn a_bad_event_is_not_stored() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for (event, faults) in events() {
        let answer = unchanged(&api, acme.post("/api/v1/events").json(&event).send()).await;
        let faults: Vec<&str> = faults.iter().map(String::as_str).collect();
        answer.faults(&faults);
    }
}

#[tokio::test]
async fn a_bad_item_of_a_batch_is_refused_for_the_same_reasons() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let (items, expected): (Vec<Value>, Vec<Vec<String>>) = events().into_iter().unzip();
    let answer = unchanged(&api, acme.post("/api/v1/events").json(&json!(items)).send()).await;
    let outcome = answer.expect(207).json();
    assert_eq!(outcome["rejected"], items.len());
    for (index, faults) in expected.iter().enumerate() {
        let result = &outcome["results"][index];
        assert_eq!(result["status"], 422, "{result}");
        assert_eq!(&faults_of(&result["problem"]), faults, "{}", items[index]);
    }
}

#[tokio::test]
async fn half_a_surrogate_pair_is_no_text() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let body = r#"{"component":"a","environment":"b","message":"c","data":{"a":"\ud83d"}}"#;
    let call = acme.post("/api/v1/events").body("application/json", body);
    unchanged(&api, call.send()).await.faults(&["/data surrogate"]);
}

#[tokio::test]
async fn the_longest_address_is_taken() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for email in ["a@b.co", "a.b+c_d@sub.example.com", &format!("{}@example.com", "x".repeat(64))] {
        let event = with("email", json!(email));
        let stored = acme.post("/api/v1/events").json(&event).send().await.expect(201).json();
        assert_eq!(stored["email"], email);
    }
}
