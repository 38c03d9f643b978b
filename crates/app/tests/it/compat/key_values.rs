//! tenantbase.

use serde_json::{Value, json};

use super::world::{KEY_VALUES, refusal, speaking};
use crate::api::answer::Answer;
use crate::api::harness::{Actor, Call};
use crate::api::snapshot::unchanged;

fn path(route: &str) -> String {
    format!("{KEY_VALUES}/{route}")
}

async fn set(actor: &Actor, key: &str, value: &Value) -> Answer {
    actor.post(&path("set-value")).json(&json!({"key": key, "value": value})).send().await.expect(200)
}

/// What a `GET` with a JSON body answers.
async fn get(actor: &Actor, key: &str) -> String {
    let answer = actor.get(&path("get-value")).json(&json!({"key": key})).send().await.expect(200);
    assert_eq!(answer.the("content-type"), "application/json");
    answer.text()
}

async fn rows(actor: &Actor) -> Vec<Value> {
    let all = actor.get(&path("get-values")).send().await.expect(200).json();
    assert_eq!(all.as_object().unwrap().len(), 1);
    all["value"].as_array().unwrap().clone()
}

#[tokio::test]
async fn the_health_check_answers_text_and_asks_for_no_key() {
    let api = speaking(&[]);
    let answer = api.anyone().get(&path("health-check")).send().await.expect(200);
    assert_eq!((answer.the("content-type"), answer.text().as_str()), ("text/plain; charset=utf-8", "OK"));
}

#[tokio::test]
async fn a_value_that_was_set_is_got() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    set(&acme, "code", &json!("test")).await;
    assert_eq!(get(&acme, "code").await, r#"{"value":"test"}"#);
}

#[tokio::test]
async fn any_json_comes_back_as_it_was_also_when_it_was_read_before() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    for value in [
        r#""test""#,
        r#""""#,
        r#""ü \"😀\"\n""#,
        r#""5""#,
        r#""null""#,
        "5",
        "-1.50",
        "12345678901234567890123",
        "true",
        "false",
        "null",
        "[]",
        r#"{"a": [1, {"b": null}]}"#,
    ] {
        let body = format!(r#"{{"key":"code","value":{value}}}"#);
        acme.post(&path("set-value")).body("application/json", body).send().await.expect(200);
        for _ in 0..3 {
            assert_eq!(get(&acme, "code").await, format!(r#"{{"value":{value}}}"#));
        }
        assert_eq!(
            acme.get(&path("get-values"))
                .send()
                .await
                .expect(200)
                .text()
                .split_once(r#""value":"#)
                .unwrap()
                .1
                .split_once(r#""value":"#)
                .unwrap()
                .1,
            format!("{value}}}]}}")
        );
    }
}

#[tokio::test]
async fn the_canonical_api_sees_a_string_as_text_and_other_values_as_json() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    for (value, kind, bytes) in [
        (json!("test"), "text/plain; charset=utf-8", "test"),
        (json!({"a": 1}), "application/json", r#"{"a":1}"#),
        (json!(5), "application/json", "5"),
    ] {
        set(&acme, "code", &value).await;
        let answer = acme.get("/api/v1/kv/code").send().await.expect(200);
        assert_eq!((answer.the("content-type"), answer.text().as_str()), (kind, bytes));
    }
    // A number is one that can be counted up.
    acme.post("/api/v1/kv/code").json(&json!({"increment": 2})).send().await.expect(200);
    assert_eq!(get(&acme, "code").await, r#"{"value":7}"#);
}

#[tokio::test]
async fn what_the_canonical_api_has_stored_is_shown() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    for (kind, bytes, shown) in [
        ("text/plain", &b"hello"[..], r#"{"value":"hello"}"#),
        ("text/plain", b"5", r#"{"value":"5"}"#),
        ("application/json; charset=utf-8", b"[1]", r#"{"value":[1]}"#),
        ("application/json", b"[1", r#"{"value":"[1"}"#),
        ("application/octet-stream", b"\xff\x00", r#"{"value":"/wA="}"#),
    ] {
        let answer = acme.put("/api/v1/kv/code").body(kind, bytes).send().await;
        answer.expect_one_of(&[200, 201]);
        assert_eq!(get(&acme, "code").await, shown);
    }
}

#[tokio::test]
async fn a_second_set_replaces_the_first() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    for value in ["one", "two"] {
        set(&acme, "code", &json!(value)).await;
        assert_eq!(get(&acme, "code").await, format!(r#"{{"value":"{value}"}}"#));
    }
    assert_eq!(rows(&acme).await, [json!({"id": 2, "key": "code", "value": "two"})]);
}

#[tokio::test]
async fn the_key_may_stand_in_the_body_as_key_or_as_value_or_in_the_query() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    set(&acme, "a b", &json!(1)).await;
    set(&acme, "other", &json!(2)).await;
    let value = async |call: Call| call.send().await.expect(200).text();
    let route = path("get-value");
    let with = |body| acme.get(&route).untyped_body(body);
    assert_eq!(value(with(r#"{"key":"a b"}"#)).await, r#"{"value":1}"#);
    assert_eq!(value(with(r#"{"value":"a b"}"#)).await, r#"{"value":1}"#);
    assert_eq!(value(with(r#"{"value":"other","key":"a b","more":1}"#)).await, r#"{"value":1}"#);
    for query in ["key=a%20b", "key=a+b", "more=1&key=a+b&key=other"] {
        assert_eq!(value(acme.get(&format!("{route}?{query}"))).await, r#"{"value":1}"#, "{query}");
    }
    assert_eq!(
        value(acme.get(&format!("{route}?key=a+b")).untyped_body(r#"{"key":"other"}"#)).await,
        r#"{"value":1}"#
    );
    for call in [
        acme.delete(&path("delete-value")).untyped_body(r#"{"value":"a b"}"#),
        acme.delete(&format!("{}?key=other", path("delete-value"))),
    ] {
        call.send().await.expect(204);
    }
    assert!(rows(&acme).await.is_empty());
}

#[tokio::test]
async fn a_key_that_is_not_there_has_the_value_null_and_is_deleted_without_complaint() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    assert_eq!(get(&acme, "code").await, r#"{"value":null}"#);
    for _ in 0..2 {
        let answer =
            acme.delete(&path("delete-value")).json(&json!({"key": "code"})).send().await.expect(204);
        assert!(answer.body.is_empty());
    }
}

#[tokio::test]
async fn what_is_deleted_is_gone_from_everywhere() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    set(&acme, "code", &json!("test")).await;
    get(&acme, "code").await;
    acme.delete(&path("delete-value")).json(&json!({"key": "code"})).send().await.expect(204);
    assert_eq!(get(&acme, "code").await, r#"{"value":null}"#);
    assert!(rows(&acme).await.is_empty());
    acme.get("/api/v1/kv/code").send().await.problem(404, "key-value-not-found");
}

#[tokio::test]
async fn everything_is_listed_with_an_id_by_key_over_any_number_of_pages() {
    // A page ends with the entry that reaches as many bytes.
    let api = speaking(&[("limits.max_page_value_bytes", "1024")]);
    let (acme, other) = (api.tenant("acme").await, api.tenant("other").await);
    assert_eq!(acme.get(&path("get-values")).send().await.expect(200).text(), r#"{"value":[]}"#);
    set(&other, "secret", &json!("of other")).await;
    let mut expected = Vec::new();
    for number in 1..=20 {
        let (key, value) = (format!("key-{number:02}"), json!("x".repeat(400)));
        set(&acme, &key, &value).await;
        expected.push(json!({"id": number, "key": key, "value": value}));
    }
    assert_eq!(rows(&acme).await, expected);
}

#[tokio::test]
async fn a_bad_body_is_400_and_the_text_says_what_is_missing() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    let long = format!(r#"{{"key":"{}","value":1}}"#, "x".repeat(513));
    for (method, route, body, words) in [
        ("POST", "set-value", "", &["key: is missing", "value: is missing"][..]),
        ("POST", "set-value", "{}", &["key: is missing", "value: is missing"]),
        ("POST", "set-value", r#"{"key":"code"}"#, &["value: is missing"]),
        ("POST", "set-value", r#"{"value":"test"}"#, &["key: is missing"]),
        ("POST", "set-value", r#"{"key":null,"value":"test"}"#, &["key: is missing"]),
        ("POST", "set-value", r#"{"key":5,"value":"test"}"#, &["key: ", "string"]),
        ("POST", "set-value", r#"{"key":"","value":"test"}"#, &["key: ", "empty"]),
        ("POST", "set-value", r#"{"key":"a\u0000","value":"test"}"#, &["key: ", "U+0000"]),
        ("POST", "set-value", &long, &["key: ", "512 bytes"]),
        ("POST", "set-value", r#"{"key":"code","value":tset}"#, &["the body is not JSON"]),
        ("POST", "set-value", r#"{"key":"code","value":"\ud800"}"#, &["value: "]),
        ("POST", "set-value", "{", &["the body is not JSON"]),
        ("POST", "set-value", "[\"code\",\"test\"]", &["the body: must be a JSON object"]),
        ("GET", "get-value", "", &["key: is missing"]),
        ("GET", "get-value", "{}", &["key: is missing"]),
        ("GET", "get-value", r#"{"key":5}"#, &["key: ", "string"]),
        ("GET", "get-value", r#"{"key":""}"#, &["key: ", "empty"]),
        ("GET", "get-value", "key=code", &["the body is not JSON"]),
        ("GET", "get-value?key=", "", &["key: ", "empty"]),
        ("GET", "get-value?key=%ff", "", &["UTF-8"]),
        ("DELETE", "delete-value", "", &["key: is missing"]),
        ("DELETE", "delete-value", "[]", &["the body: must be a JSON object"]),
    ] {
        let call = acme.call(method, &path(route)).body("application/json", body);
        let answer = unchanged(&api, call.send()).await;
        let text = refusal(KEY_VALUES, &answer, 400);
        assert!(words.iter().all(|word| text.contains(word)), "{method} {route} {body}: {text}");
    }
}
