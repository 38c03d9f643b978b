//! Many at once.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use serde_json::json;

use super::harness::Api;

const MANY: usize = 64;

#[tokio::test]
async fn of_many_who_create_a_key_exactly_one_does() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let create = |number: usize| {
        acme.put("/api/v1/kv/a").header("if-none-match", "*").untyped_body(number.to_string()).send()
    };
    let answers = join_all((0..MANY).map(create)).await;
    let created: Vec<usize> = (0..MANY).filter(|number| answers[*number].status == 201).collect();
    assert_eq!(created.len(), 1, "{created:?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.problem(412, "precondition-failed");
    }
    assert_eq!(acme.value("a").await, created[0].to_string(), "what stands is what was acknowledged");
}

#[tokio::test]
async fn of_many_who_replace_what_they_have_read_exactly_one_does() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.set("a", "x").await;
    let replace = |number: usize| {
        acme.put("/api/v1/kv/a").header("if-match", "\"1\"").untyped_body(number.to_string()).send()
    };
    let answers = join_all((0..MANY).map(replace)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.status == 412).count(), MANY - 1);
}

#[tokio::test]
async fn increments_add_up() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let increment = |_| acme.post("/api/v1/kv/n").json(&json!({"increment": 1, "initial": 1})).send();
    let answers = join_all((0..MANY).map(increment)).await;
    let values: BTreeSet<i64> =
        answers.into_iter().map(|answer| answer.expect(200).json()["value"].as_i64().unwrap()).collect();
    assert_eq!(values, (1..=MANY as i64).collect(), "each has seen its own sum");
    assert_eq!(acme.value("n").await, MANY.to_string());
}

#[tokio::test]
async fn events_of_many_get_sequences_without_gap() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let event = json!({"component": "a", "environment": "b", "message": "c"});
    let batch = json!([event, event, event]);
    let post = |number: usize| {
        let body = if number.is_multiple_of(2) { &event } else { &batch };
        acme.post("/api/v1/events").json(body).send()
    };
    let answers = join_all((0..MANY).map(post)).await;
    let mut sequences = BTreeSet::new();
    for answer in answers {
        let body = answer.expect(201).json();
        let stored = body["results"].as_array().cloned().unwrap_or_else(|| vec![body]);
        let these: Vec<u64> = stored.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
        assert!(these.windows(2).all(|pair| pair[1] == pair[0] + 1), "a batch stays together: {these:?}");
        sequences.extend(these);
    }
    let count = MANY as u64 * 2;
    assert_eq!(sequences, (1..=count).collect());
    let page = acme.get("/api/v1/events?limit=1000&order=asc").send().await.expect(200).json();
    let times: Vec<&str> = page["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["created_at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted(), "times do not fall as sequences grow");
}

#[tokio::test]
async fn of_many_with_the_same_event_one_stores_it() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let event = json!({
        "id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "component": "a", "environment": "b", "message": "c",
    });
    let answers = join_all((0..MANY).map(|_| acme.post("/api/v1/events").json(&event).send())).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    for answer in &answers {
        assert_eq!(answer.json(), answers[0].json(), "all are told of the same");
    }
    let page = acme.get("/api/v1/events").send().await.expect(200).json();
    assert_eq!(page["events"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn revisions_of_many_writes_have_no_gap() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let put = |number: usize| acme.put(&format!("/api/v1/kv/key{}", number % 7)).untyped_body("x").send();
    let answers = join_all((0..MANY).map(put)).await;
    let revisions: BTreeSet<usize> =
        answers.iter().map(|answer| answer.the("etag").trim_matches('"').parse().unwrap()).collect();
    assert_eq!(revisions, (1..=MANY).collect());
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 7, "each key is new once");
}

#[tokio::test]
async fn tenants_that_are_made_at_once_have_numbers_of_their_own() {
    let api = Api::start();
    let make = |_| api.admin().post("/api/v1/tenants").json(&json!({"name": "acme"})).send();
    let answers = join_all((0..MANY).map(make)).await;
    let numbers: BTreeSet<i64> = answers
        .into_iter()
        .map(|answer| answer.expect(201).json()["tenant_number"].as_i64().unwrap())
        .collect();
    assert_eq!(numbers.len(), MANY);
}

#[tokio::test]
async fn of_many_who_change_a_tenant_that_they_have_read_exactly_one_does() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let path = format!("/api/v1/tenants/{}", acme.number);
    let etag = api.admin().get(&path).send().await.expect(200).the("etag").to_owned();
    let rename = |number: usize| {
        let draft = json!({"name": format!("acme{number}")});
        api.admin().put(&path).header("if-match", &etag).json(&draft).send()
    };
    let answers = join_all((0..16).map(rename)).await;
    let changed: Vec<_> = answers.iter().filter(|answer| answer.status == 200).collect();
    assert_eq!(changed.len(), 1);
    assert_eq!(api.admin().get(&path).send().await.expect(200).json(), changed[0].json());
}

#[tokio::test]
async fn who_finds_no_room_in_the_queue_is_told_so_and_nothing_of_it_is_stored() {
    let api = Api::start_with(&[("sqlite.max_queued_writes", "1"), ("postgres.max_queued_writes", "1")]);
    let acme = api.tenant("acme").await;
    let put = |number: usize| acme.put(&format!("/api/v1/kv/key{number}")).untyped_body("x").send();
    let answers = join_all((0..4 * MANY).map(put)).await;
    let (mut stored, mut refused) = (BTreeSet::new(), 0);
    for (number, answer) in answers.iter().enumerate() {
        if answer.status == 201 {
            stored.insert(format!("key{number}"));
        } else {
            answer.problem(503, "unavailable");
            assert_eq!(answer.the("retry-after"), "1");
            refused += 1;
        }
    }
    assert!(refused > 0 && !stored.is_empty(), "{refused} were refused");
    let page = acme.get("/api/v1/kv?limit=1000&keys_only=true").send().await.expect(200).json();
    let listed: BTreeSet<String> = page["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["key"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(listed, stored, "what was acknowledged is there, and nothing else");
}
