//! Storing an array of events: each stands or falls alone.

use serde_json::{Value, json};

use super::answer::{Answer, faults_of};
use super::harness::{Api, Tenant};
use super::snapshot::unchanged;

fn event(message: &str) -> Value {
    json!({"component": "a", "environment": "b", "message": message})
}

async fn post(tenant: &Tenant, batch: &Value) -> Answer {
    tenant.post("/api/v1/events").json(batch).send().await
}

async fn messages(tenant: &Tenant) -> Vec<String> {
    let page = tenant.get("/api/v1/events?order=asc").send().await.expect(200).json();
    let events = page["events"].as_array().unwrap().iter();
    events.map(|event| format!("{} {}", event["sequence"], event["message"].as_str().unwrap())).collect()
}

#[tokio::test]
async fn a_batch_is_stored_in_its_order() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let outcome = post(&acme, &json!([event("one"), event("two"), event("three")])).await.expect(201);
    assert_eq!(outcome.header("location"), None);
    let outcome = outcome.json();
    assert_eq!(
        (&outcome["accepted"], &outcome["duplicates"], &outcome["rejected"]),
        (&json!(3), &json!(0), &json!(0))
    );
    for (index, result) in outcome["results"].as_array().unwrap().iter().enumerate() {
        assert_eq!((&result["index"], &result["status"]), (&json!(index), &json!(201)));
        assert_eq!(result["sequence"], index + 1);
        let path = format!("/api/v1/events/{}", result["id"].as_str().unwrap());
        assert_eq!(acme.get(&path).send().await.expect(200).json()["sequence"], index + 1);
    }
    assert_eq!(messages(&acme).await, ["1 one", "2 two", "3 three"]);
}

#[tokio::test]
async fn what_is_wrong_with_an_item_is_told_and_the_others_are_stored() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let mut bad = event("x");
    bad["email"] = json!("nobody");
    bad["component"] = json!("");
    let batch = json!([event("one"), bad, 5, event("two"), {"mesage": "x"}]);
    let outcome = post(&acme, &batch).await.expect(207).json();
    assert_eq!((&outcome["accepted"], &outcome["rejected"]), (&json!(2), &json!(3)));
    let statuses: Vec<_> =
        outcome["results"].as_array().unwrap().iter().map(|item| item["status"].clone()).collect();
    assert_eq!(statuses, [201, 422, 422, 201, 422]);
    for (index, faults) in [
        (1, vec!["/component length", "/email email"]),
        (2, vec![" type"]),
        (4, vec!["/mesage unknown_field"]),
    ] {
        let result = &outcome["results"][index];
        let problem = &result["problem"];
        assert_eq!(faults_of(problem), faults, "{index}");
        assert_eq!((&problem["code"], &problem["status"]), (&json!("validation-failed"), &json!(422)));
        assert_eq!(problem["type"], "/problems/validation-failed");
        assert_eq!((result.get("id"), result.get("sequence"), problem.get("instance")), (None, None, None));
    }
    assert_eq!(messages(&acme).await, ["1 one", "2 two"], "without a gap");
}

#[tokio::test]
async fn a_batch_of_nothing_good_stores_nothing() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let outcome = unchanged(&api, post(&acme, &json!([{}, [], null, "x"]))).await.expect(207).json();
    assert_eq!((&outcome["accepted"], &outcome["rejected"]), (&json!(0), &json!(4)));
}

#[tokio::test]
async fn an_item_that_was_there_is_not_stored_again() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let id = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
    let mut own = event("own");
    own["id"] = json!(id);
    let batch = json!([own, event("x"), own]);
    let first = post(&acme, &batch).await.expect(201).json();
    assert_eq!((&first["accepted"], &first["duplicates"]), (&json!(2), &json!(1)));
    assert_eq!(first["results"][2], json!({"index": 2, "status": 200, "id": id, "sequence": 1}));
    let again = post(&acme, &json!([own])).await.expect(201).json();
    assert_eq!((&again["accepted"], &again["duplicates"]), (&json!(0), &json!(1)));
    assert_eq!(messages(&acme).await, ["1 own", "2 x"]);
}

#[tokio::test]
async fn a_batch_that_was_repeated_changes_nothing() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let own = |number: u8| {
        let mut event = event(&format!("event {number}"));
        event["id"] = json!(format!("00000000-0000-0000-0000-0000000000{number:02}"));
        event
    };
    let batch = json!((0..20).map(own).collect::<Vec<_>>());
    let first = post(&acme, &batch).await.expect(201).json();
    let again = unchanged(&api, post(&acme, &batch)).await.expect(201).json();
    assert_eq!((&first["accepted"], &again["duplicates"]), (&json!(20), &json!(20)));
}

#[tokio::test]
async fn a_batch_holds_one_event_at_least_and_as_many_as_configured_at_most() {
    let api = Api::start_with(&[("limits.max_batch_items", "3")]);
    let acme = api.tenant("acme").await;
    unchanged(&api, post(&acme, &json!([]))).await.faults(&[" length"]);
    let four: Vec<_> = (0..4).map(|_| event("x")).collect();
    unchanged(&api, post(&acme, &json!(four))).await.faults(&[" length"]);
    post(&acme, &json!(four[..3])).await.expect(201);
}

#[tokio::test]
async fn a_thousand_events_are_a_batch() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let many: Vec<_> = (0..1000).map(|number| event(&format!("event {number}"))).collect();
    let outcome = post(&acme, &json!(many)).await.expect(201).json();
    assert_eq!(outcome["accepted"], 1000);
    assert_eq!(outcome["results"][999]["sequence"], 1000);
    let page = acme.get("/api/v1/events?limit=1000").send().await.expect(200).json();
    assert_eq!(page["events"].as_array().unwrap().len(), 1000);
    assert_eq!(page["next_cursor"], Value::Null);
}

#[tokio::test]
async fn white_space_before_the_bracket_does_not_count() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let batch = format!(" \r\n\t[{}]", event("one"));
    let outcome = acme.post("/api/v1/events").body("application/json", batch).send().await.expect(201).json();
    assert_eq!(outcome["accepted"], 1);
}

#[tokio::test]
async fn a_batch_may_be_larger_than_one_event() {
    let api =
        Api::start_with(&[("limits.max_json_body_bytes", "1024"), ("limits.max_batch_body_bytes", "4096")]);
    let acme = api.tenant("acme").await;
    let large = event(&"x".repeat(1500));
    post(&acme, &json!([large])).await.expect(201);
    unchanged(&api, post(&acme, &large)).await.problem(413, "body-too-large");
    let too_large = json!([large, large, large]);
    unchanged(&api, post(&acme, &too_large)).await.problem(413, "body-too-large");
}

#[tokio::test]
async fn the_largest_depth_of_data_is_the_same_in_a_batch() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let nested = |depth: usize| {
        let mut event = event("deep");
        event["data"] = (1..depth).fold(json!({}), |inner, _| json!({ "a": inner }));
        event
    };
    post(&acme, &nested(32)).await.expect(201);
    post(&acme, &nested(33)).await.faults(&["/data depth"]);
    let outcome = post(&acme, &json!([nested(32), nested(33)])).await.expect(207).json();
    assert_eq!(outcome["results"][0]["status"], 201);
    assert_eq!(faults_of(&outcome["results"][1]["problem"]), ["/data depth"]);
}
