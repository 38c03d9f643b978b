//! Storing one event, and reading it.

use serde_json::{Value, json};

use super::harness::Api;

const EVENTS: &str = "/api/v1/events";

#[tokio::test]
async fn an_event_is_stored_and_shown() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let draft = json!({
        "component": "billing", "environment": "production", "message": "order 4711 failed",
        "email": "ada@example.com", "data": {"order": 4711, "tags": ["a", null]},
    });
    let answer = acme.post(EVENTS).json(&draft).send().await.expect(201);
    let event = answer.json();
    for (name, value) in draft.as_object().unwrap() {
        assert_eq!(&event[name], value, "{name}");
    }
    assert_eq!(event["sequence"], 1);
    let id = event["id"].as_str().unwrap();
    assert_eq!(&id[14..15], "7", "a UUID of version 7: {id}");
    assert_eq!(answer.the("location"), format!("{EVENTS}/{id}"));
    let shown = acme.get(answer.the("location")).send().await.expect(200);
    assert_eq!(shown.text(), answer.text());
}

#[tokio::test]
async fn sequences_grow_by_one_and_times_do_not_fall() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let mut last = String::new();
    for sequence in 1..=10 {
        let event = acme.tell("x").await;
        assert_eq!(event["sequence"], sequence);
        let time = event["created_at"].as_str().unwrap().to_owned();
        assert!(time >= last, "{time} comes after {last}");
        last = time;
    }
}

#[tokio::test]
async fn what_is_optional_may_be_absent_or_null() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let bare = json!({"component": "a", "environment": "b", "message": "c"});
    let mut with_nulls = bare.clone();
    for name in ["id", "email", "data"] {
        with_nulls[name] = Value::Null;
    }
    for draft in [bare, with_nulls] {
        let event = acme.post(EVENTS).json(&draft).send().await.expect(201).json();
        assert_eq!((&event["email"], &event["data"]), (&Value::Null, &json!({})), "{draft}");
        assert!(event["id"].is_string());
    }
}

#[tokio::test]
async fn texts_of_the_largest_size_are_taken_and_counted_in_characters() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let of = |count: usize| "é".repeat(count);
    let data = json!({"a": "x".repeat(64 * 1024 - 8)});
    let draft = json!({"component": of(255), "environment": of(255), "message": of(8192), "data": data});
    let event = acme.post(EVENTS).json(&draft).send().await.expect(201).json();
    for (name, value) in draft.as_object().unwrap() {
        assert_eq!(&event[name], value, "{name}");
    }
}

#[tokio::test]
async fn data_is_kept_to_the_letter() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let data = r#"{ "z": 12345678901234567890123.10, "a": 1E+2, "é": "\u00e9\ud83e\udd80" }"#;
    let draft = format!(r#"{{"component":"a","environment":"b","message":"c","data":{data}}}"#);
    let answer = acme.post(EVENTS).body("application/json; charset=utf-8", draft).send().await.expect(201);
    let shown = acme.get(answer.the("location")).send().await.expect(200);
    let listed = acme.get(EVENTS).send().await.expect(200);
    for answer in [answer, shown, listed] {
        assert!(answer.text().contains(data), "{answer:?}");
    }
}

#[tokio::test]
async fn an_id_of_the_callers_own_is_kept_and_stored_once() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for id in ["00000000-0000-0000-0000-000000000000", "6ba7b810-9dad-11d1-80b4-00c04fd430c8"] {
        let draft = json!({"id": id, "component": "a", "environment": "b", "message": "first"});
        let first = acme.post(EVENTS).json(&draft).send().await.expect(201);
        assert_eq!(first.json()["id"], id);
        let again = acme.post(EVENTS).json(&draft).send().await.expect(200);
        assert_eq!(again.text(), first.text(), "what is stored is answered");
        assert_eq!(again.header("location"), None);
        let other =
            json!({"id": id.to_uppercase(), "component": "x", "environment": "y", "message": "second"});
        let other = acme.post(EVENTS).json(&other).send().await.expect(200);
        assert_eq!(other.text(), first.text(), "the first stands, whatever comes later");
    }
    let page = acme.get("/api/v1/events?order=asc").send().await.expect(200).json();
    let sequences: Vec<_> =
        page["events"].as_array().unwrap().iter().map(|event| event["sequence"].clone()).collect();
    assert_eq!(sequences, [1, 2], "repeats take no sequence");
}

#[tokio::test]
async fn an_event_is_found_by_its_id_in_either_case() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let event = acme.tell("x").await;
    let id = event["id"].as_str().unwrap();
    for id in [id.to_owned(), id.to_uppercase()] {
        assert_eq!(acme.get(&format!("{EVENTS}/{id}")).send().await.expect(200).json(), event);
    }
}

#[tokio::test]
async fn what_is_the_id_of_no_event_is_not_found() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let event = acme.tell("x").await;
    let simple = event["id"].as_str().unwrap().replace('-', "");
    for id in ["0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d", "1", "x", &simple, "%00", "%ff", "0192f3a4%2F"] {
        acme.get(&format!("{EVENTS}/{id}")).send().await.problem(404, "event-not-found");
    }
}

#[tokio::test]
async fn an_administrator_names_the_tenant_by_number_or_id() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let draft = json!({"component": "a", "environment": "b", "message": "c"});
    for name in [acme.number.to_string(), acme.id.clone()] {
        let made = api.admin().post(EVENTS).of_tenant(&name).json(&draft).send().await.expect(201).json();
        let path = format!("{EVENTS}/{}", made["id"].as_str().unwrap());
        assert_eq!(acme.get(&path).send().await.expect(200).json(), made);
        assert_eq!(api.admin().get(&path).of_tenant(&name).send().await.expect(200).json(), made);
    }
}

#[tokio::test]
async fn a_tenants_key_may_name_its_own_tenant() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for name in [acme.number.to_string(), acme.id.clone()] {
        acme.get(EVENTS).of_tenant(&name).send().await.expect(200);
    }
}
