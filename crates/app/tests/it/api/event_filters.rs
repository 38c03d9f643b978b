//! The filters of the list of events.

use serde_json::{Value, json};

use super::answer::Answer;
use super::harness::{Api, Tenant};

/// Percent-encodes a value of a query.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn list(tenant: &Tenant, query: &[(&str, &str)]) -> Answer {
    let pairs: Vec<_> = query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    tenant.get(&format!("/api/v1/events?order=asc&{}", pairs.join("&"))).send().await
}

async fn shown(tenant: &Tenant, query: &[(&str, &str)]) -> Vec<u64> {
    let page = list(tenant, query).await.expect(200).json();
    page["events"].as_array().unwrap().iter().map(|event| event["sequence"].as_u64().unwrap()).collect()
}

async fn with(events: Value) -> (Api, Tenant) {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.post("/api/v1/events").json(&events).send().await.expect(201);
    (api, acme)
}

fn event(component: &str, environment: &str, message: &str) -> Value {
    json!({"component": component, "environment": environment, "message": message})
}

#[tokio::test]
async fn component_environment_and_email_are_compared_to_the_letter() {
    let mut one = event("billing", "production", "1");
    one["email"] = json!("ada@example.com");
    let mut two = event("billing", "staging", "2");
    two["email"] = json!("Ada@example.com");
    let (_api, acme) =
        with(json!([one, two, event("Billing", "production", "3"), event("ü", "a b+c", "4")])).await;
    for (query, expected) in [
        (vec![("component", "billing")], vec![1, 2]),
        (vec![("component", "Billing")], vec![3]),
        (vec![("component", "bill")], vec![]),
        (vec![("component", "billing"), ("component", "ü")], vec![1, 2, 4]),
        (vec![("component", "")], vec![]),
        (vec![("environment", "production")], vec![1, 3]),
        (vec![("environment", "a b+c")], vec![4]),
        (vec![("environment", "a b+c"), ("environment", "staging"), ("environment", "none")], vec![2, 4]),
        (vec![("email", "ada@example.com")], vec![1]),
        (vec![("email", "ada@example.com"), ("email", "Ada@example.com")], vec![1, 2]),
        (vec![("email", "nobody@example.com")], vec![]),
        (vec![("component", "billing"), ("environment", "production")], vec![1]),
        (vec![("component", "ü"), ("email", "ada@example.com")], vec![]),
    ] {
        assert_eq!(shown(&acme, &query).await, expected, "{query:?}");
    }
}

#[tokio::test]
async fn a_plus_is_a_space_in_a_query() {
    let (_api, acme) = with(json!([event("a b", "x", "1"), event("a+b", "x", "2")])).await;
    let page = acme.get("/api/v1/events?component=a+b").send().await.expect(200).json();
    assert_eq!(page["events"][0]["sequence"], 1);
}

#[tokio::test]
async fn a_message_is_found_by_any_part_whatever_its_case() {
    let texts =
        ["Order FAILED", "100% sure", "a_b", "ÜBERWEISUNG fehlt", "a*b?[c]", "back\\slash", "it's \"so\""];
    let events: Vec<_> = texts.iter().map(|text| event("a", "b", text)).collect();
    let (_api, acme) = with(json!(events)).await;
    for (part, expected) in [
        ("failed", vec![1]),
        ("ORDER f", vec![1]),
        ("%", vec![2]),
        ("0%", vec![2]),
        ("_", vec![3]),
        ("überweisung", vec![4]),
        ("FEHLT", vec![4]),
        ("*", vec![5]),
        ("?[C]", vec![5]),
        ("\\", vec![6]),
        ("'", vec![7]),
        ("\"SO\"", vec![7]),
        ("", vec![1, 2, 3, 4, 5, 6, 7]),
        ("orders", vec![]),
        ("a%b", vec![]),
    ] {
        assert_eq!(shown(&acme, &[("message", part)]).await, expected, "{part}");
    }
}

#[tokio::test]
async fn data_is_found_by_what_it_contains() {
    let data = [
        json!({"order": 4711, "tags": ["a", "b"], "who": {"name": "Ada", "age": 36}}),
        json!({"order": 4711.0, "tags": []}),
        json!({"order": "4711"}),
        json!({"list": [{"a": 1, "b": 2}, null]}),
        json!({}),
    ];
    let events = data.map(|data| json!({"component": "a", "environment": "b", "message": "c", "data": data}));
    let (_api, acme) = with(json!(events)).await;
    for (part, expected) in [
        (json!({}), vec![1, 2, 3, 4, 5]),
        (json!({"order": 4711}), vec![1, 2]),
        (json!({"order": "4711"}), vec![3]),
        (json!({"tags": ["b"]}), vec![1]),
        (json!({"tags": []}), vec![1, 2]),
        (json!({"who": {"name": "Ada"}}), vec![1]),
        (json!({"who": {"name": "ada"}}), vec![]),
        (json!({"list": [{"b": 2}]}), vec![4]),
        (json!({"list": [null]}), vec![4]),
        (json!({"list": null}), vec![]),
        (json!({"none": null}), vec![]),
    ] {
        assert_eq!(shown(&acme, &[("data", &part.to_string())]).await, expected, "{part}");
    }
}

#[tokio::test]
async fn a_range_of_time_includes_both_its_ends() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let mut times = Vec::new();
    for _ in 0..3 {
        times.push(acme.tell("x").await["created_at"].as_str().unwrap().to_owned());
    }
    for from in &times {
        for to in &times {
            let within = |time: &String| from <= time && time <= to;
            let expected: Vec<u64> =
                (1..=3).filter(|sequence| within(&times[*sequence as usize - 1])).collect();
            assert_eq!(shown(&acme, &[("from_date", from), ("to_date", to)]).await, expected);
        }
    }
    assert_eq!(shown(&acme, &[("from_date", &times[0])]).await, [1, 2, 3]);
    assert_eq!(shown(&acme, &[("to_date", &times[2])]).await, [1, 2, 3]);
}

#[tokio::test]
async fn a_day_may_be_written_in_two_ways_and_is_meant_whole() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let time = acme.tell("x").await["created_at"].as_str().unwrap().to_owned();
    let (year, month, day) = (&time[..4], &time[5..7], &time[8..10]);
    for today in [format!("{year}-{month}-{day}"), format!("{month}-{day}-{year}")] {
        assert_eq!(shown(&acme, &[("from_date", &today), ("to_date", &today)]).await, [1], "{today}");
        assert_eq!(shown(&acme, &[("from_date", &today)]).await, [1]);
        assert_eq!(shown(&acme, &[("to_date", &today)]).await, [1]);
    }
    for (query, expected) in [
        (("from_date", "12-31-9998"), vec![]),
        (("to_date", "01-31-2020"), vec![]),
        (("from_date", "2020-02-29"), vec![1]),
        (("to_date", "9999-12-31"), vec![1]),
        (("from_date", "0001-01-01T00:00:00+14:00"), vec![1]),
        (("to_date", "2020-01-01T00:00:00.000001-08:00"), vec![]),
    ] {
        assert_eq!(shown(&acme, &[query]).await, expected, "{query:?}");
    }
}

#[tokio::test]
async fn after_a_sequence_come_those_that_are_larger() {
    let (_api, acme) = with(json!([event("a", "b", "1"), event("a", "b", "2"), event("a", "b", "3")])).await;
    for (after, expected) in
        [("0", vec![1, 2, 3]), ("2", vec![3]), ("3", vec![]), ("9223372036854775807", vec![])]
    {
        assert_eq!(shown(&acme, &[("after_sequence", after)]).await, expected, "{after}");
    }
    let page = acme.get("/api/v1/events?after_sequence=1&order=desc").send().await.expect(200).json();
    assert_eq!(page["events"][0]["sequence"], 3);
    assert_eq!(page["events"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_filter_that_cannot_be_read_is_refused_and_named() {
    let (_api, acme) = with(json!([event("a", "b", "c")])).await;
    for (name, value, code) in [
        ("from_date", "yesterday", "value"),
        ("from_date", "2020-13-01", "value"),
        ("from_date", "2021-02-29", "value"),
        ("from_date", "31-12-2020", "value"),
        ("from_date", "2020-01-01T00:00:00", "value"),
        ("from_date", "2020-1-1", "value"),
        ("from_date", "", "value"),
        ("to_date", "01/31/2020", "value"),
        ("to_date", "1577836800", "value"),
        ("data", "{", "value"),
        ("data", "[1]", "value"),
        ("data", "", "value"),
        ("data", "{\"a\":\"\\u0000\"}", "value"),
        ("after_sequence", "-1", "value"),
        ("after_sequence", "1.5", "value"),
        ("after_sequence", "9223372036854775808", "value"),
        ("limit", "0", "value"),
        ("limit", "1001", "value"),
        ("limit", "ten", "value"),
        ("components", "a", "unknown"),
        ("component", "a\0", "nul"),
        ("message", "\0", "nul"),
    ] {
        list(&acme, &[(name, value)]).await.query_faults(&[&format!("/{name} {code}")]);
    }
    let order = acme.get("/api/v1/events?order=up").send().await;
    order.query_faults(&["/order value"]);
}

#[tokio::test]
async fn what_may_occur_once_is_refused_when_it_is_repeated() {
    let (_api, acme) = with(json!([event("a", "b", "c")])).await;
    for (name, value) in [
        ("message", "x"),
        ("from_date", "2020-01-01"),
        ("to_date", "2020-01-01"),
        ("data", "{}"),
        ("after_sequence", "0"),
        ("limit", "1"),
        ("cursor", "x"),
    ] {
        list(&acme, &[(name, value), (name, value)]).await.query_faults(&[&format!("/{name} repeated")]);
    }
    let most = vec![("component", "a"); 100];
    assert_eq!(shown(&acme, &most).await, [1]);
    let too_many = vec![("component", "a"); 101];
    list(&acme, &too_many).await.query_faults(&["/component repeated"]);
}

#[tokio::test]
async fn a_query_that_cannot_be_decoded_is_refused() {
    let (_api, acme) = with(json!([event("a", "b", "c")])).await;
    for query in [
        "message=%",
        "message=%f",
        "message=%zz",
        "message=%ff",
        "m%e9=1",
        &format!("message={}", "x".repeat(17_000)),
    ] {
        acme.get(&format!("/api/v1/events?{query}")).send().await.problem(400, "invalid-query");
    }
}
