//! activity_service: its own test plan, and what its documentation says beside it.

use serde_json::{Value, json};

use super::world::{ACTIVITY, refusal, speaking};
use crate::api::answer::Answer;
use crate::api::harness::Actor;
use crate::api::snapshot::unchanged;

fn path(route: &str) -> String {
    format!("{ACTIVITY}/{route}")
}

fn valid() -> Value {
    json!({
        "component": "orders", "environment": "production", "message": "order failed",
        "email": "ada@example.com", "data": {"order": 4711},
    })
}

/// The valid event with one member changed.
fn valid_but(member: &str, value: Value) -> Value {
    let mut event = valid();
    event[member] = value;
    event
}

async fn post(actor: &Actor, event: &Value) -> Answer {
    actor.post(&path("events")).json(event).send().await
}

async fn events(actor: &Actor, query: &str) -> Vec<Value> {
    let answer = actor.get(&path(&format!("events{query}"))).send().await.expect(200).json();
    assert_eq!(answer.as_object().unwrap().len(), 1);
    answer["events"].as_array().unwrap().clone()
}

async fn messages(actor: &Actor, query: &str) -> Vec<String> {
    let events = events(actor, query).await;
    events.iter().map(|event| event["message"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_service_is_healthy_and_asks_for_no_key() {
    let api = speaking(&[]);
    let answer = api.anyone().get(&path("health")).send().await.expect(200);
    assert_eq!(answer.text(), r#"{"status":"healthy"}"#);
}

#[tokio::test]
async fn a_valid_event_is_stored_and_answered_as_it_is_stored() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    let stored = post(&acme, &valid()).await.expect(201).json();
    for (member, value) in valid().as_object().unwrap() {
        assert_eq!(stored[member], *value);
    }
    assert_eq!(stored.as_object().unwrap().len(), 7);
    assert_eq!(events(&acme, "").await, std::slice::from_ref(&stored));
    let id = stored["id"].as_str().unwrap();
    let canonical = acme.get(&format!("/api/v1/events/{id}")).send().await.expect(200).json();
    assert_eq!((&canonical["message"], &canonical["sequence"]), (&json!("order failed"), &json!(1)));
}

#[tokio::test]
async fn an_id_is_random_and_never_the_clients() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    let own = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    for _ in 0..2 {
        let stored = post(&acme, &valid_but("id", json!(own))).await.expect(201).json();
        let id = stored["id"].as_str().unwrap();
        // The digit of the version, and that of the variant.
        assert!(id != own && id.len() == 36 && &id[14..15] == "4" && "89ab".contains(&id[19..20]), "{id}");
    }
    assert_eq!(events(&acme, "").await.len(), 2);
}

#[tokio::test]
async fn the_time_is_a_string_of_seconds_with_a_fraction() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    let stored = post(&acme, &valid()).await.expect(201).json();
    let text = stored["created_at"].as_str().unwrap();
    let (seconds, fraction) = text.split_once('.').unwrap();
    assert!(
        (1..=6).contains(&fraction.len()) && fraction.bytes().all(|digit| digit.is_ascii_digit()),
        "{text}"
    );
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let seconds: u64 = seconds.parse().unwrap();
    assert!(seconds.abs_diff(now) < 3600, "{text}");
}

#[tokio::test]
async fn email_and_data_may_be_left_out() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    for event in [
        json!({"component": "a", "environment": "b", "message": "c"}),
        json!({"component": "a", "environment": "b", "message": "c", "email": null, "data": null, "more": 1}),
    ] {
        // The content type was never looked at.
        let answer =
            acme.post(&path("events")).untyped_body(event.to_string()).send().await.expect(201).json();
        assert_eq!((&answer["email"], &answer["data"]), (&Value::Null, &json!({})));
    }
}

#[tokio::test]
async fn an_invalid_event_is_400_and_each_field_at_fault_is_named() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    let all_empty = json!({"component": "", "environment": "", "message": "", "email": "", "data": ""});
    for (event, fields) in [
        (all_empty, &["component", "environment", "message", "email", "data"][..]),
        (json!({}), &["component", "environment", "message"]),
        (valid_but("email", json!("nobody")), &["email"]),
        (valid_but("email", json!("")), &["email"]),
        (valid_but("data", json!("{\"order\": ")), &["data"]),
        (valid_but("data", json!("no object")), &["data"]),
        (valid_but("data", json!([1])), &["data"]),
        (valid_but("component", json!("")), &["component"]),
        (valid_but("message", json!("")), &["message"]),
        (valid_but("environment", json!("")), &["environment"]),
        (valid_but("component", json!(5)), &["component"]),
        (valid_but("message", json!("x".repeat(8193))), &["message"]),
    ] {
        let answer = unchanged(&api, post(&acme, &event)).await;
        let text = refusal(ACTIVITY, &answer, 400);
        let named: Vec<&str> = text.split("; ").map(|fault| fault.split(": ").next().unwrap()).collect();
        let mut expected = fields.to_vec();
        expected.sort_unstable();
        assert_eq!(named, expected, "{text}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_object_is_400() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    for (body, words) in [
        ("", "component: is required"),
        ("{\"data\": {\"order\": }}", "the body is not JSON"),
        ("component=a&environment=b", "the body is not JSON"),
        ("[\"a\",\"b\",\"c\"]", "the body: must be a JSON object"),
        ("null", "the body: "),
    ] {
        let answer = unchanged(&api, acme.post(&path("events")).body("application/json", body).send()).await;
        assert!(refusal(ACTIVITY, &answer, 400).contains(words), "{body}: {answer:?}");
    }
}

#[tokio::test]
async fn without_a_parameter_every_event_is_listed_newest_first() {
    let api = speaking(&[]);
    let (acme, other) = (api.tenant("acme").await, api.tenant("other").await);
    assert_eq!(acme.get(&path("events")).send().await.expect(200).text(), r#"{"events":[]}"#);
    other.tell("of other").await;
    let mut expected = Vec::new();
    for number in 1..=205 {
        acme.tell(&format!("event {number}")).await;
        expected.insert(0, format!("event {number}"));
        if [1, 100, 101, 205].contains(&number) {
            for route in ["", "/"] {
                assert_eq!(messages(&acme, route).await, expected);
            }
        }
    }
}

#[tokio::test]
async fn each_filter_shows_what_it_means() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    for (component, environment, email, message) in [
        ("orders", "production", "ada@example.com", "order failed"),
        ("orders", "staging", "bob@example.com", "Order FAILED again"),
        ("mailer", "production", "ada@example.com", "receipt sent"),
    ] {
        let event =
            json!({"component": component, "environment": environment, "email": email, "message": message});
        post(&acme, &event).await.expect(201);
    }
    let (first, second, third) = ("order failed", "Order FAILED again", "receipt sent");
    for (query, expected) in [
        ("message=failed", &[second, first][..]),
        ("message=FAILED%20a", &[second]),
        ("message=order+failed", &[second, first]),
        ("message=100%25", &[]),
        ("component=orders", &[second, first]),
        ("component=order", &[]),
        ("component=ORDERS", &[]),
        ("environment=production", &[third, first]),
        ("environment=prod", &[]),
        ("email=ada%40example.com", &[third, first]),
        ("email=ada", &[]),
        ("from_date=04-16-2021", &[third, second, first]),
        ("from_date=12-31-9998", &[]),
        (
            "email=ada%40example.com&environment=production&component=orders&message=FAIL&from_date=04-16-2021",
            &[first],
        ),
        // What it did not know it passed over; of what was repeated it read the first.
        ("page=2&limit=1&cursor=x", &[third, second, first]),
        ("component=mailer&component=orders", &[third]),
        ("component=&email=&environment=&message=", &[third, second, first]),
    ] {
        for route in ["", "/"] {
            assert_eq!(messages(&acme, &format!("{route}?{query}")).await, expected, "{query}");
        }
    }
}

#[tokio::test]
async fn a_date_of_another_form_is_400_and_the_form_is_told() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    for date in [
        "",
        "yesterday",
        "2021-04-16",
        "16-04-2021",
        "02-30-2021",
        "4-16-2021",
        "04-16-21",
        "04%2F16%2F2021",
        "2021-04-16T00:00:00Z",
    ] {
        for route in ["events", "events/"] {
            let answer = acme.get(&path(&format!("{route}?from_date={date}"))).send().await;
            let text = refusal(ACTIVITY, &answer, 400);
            assert!(text.contains("from_date") && text.contains("MM-DD-YYYY"), "{date}: {text}");
        }
    }
}
