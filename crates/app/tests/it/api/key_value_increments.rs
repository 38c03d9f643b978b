//! Counting: `POST /api/v1/kv/{key}`.

use serde_json::{Value, json};

use super::answer::Answer;
use super::harness::{Api, Tenant};
use super::snapshot::unchanged;

async fn count(tenant: &Tenant, body: &Value) -> Answer {
    tenant.post("/api/v1/kv/n").json(body).send().await
}

#[tokio::test]
async fn an_increment_adds_and_answers_the_sum() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.set("n", "41").await;
    let answer = count(&acme, &json!({"increment": 1})).await.expect(200);
    assert_eq!(answer.json(), json!({"value": 42, "version": 2, "revision": 2}));
    assert_eq!(answer.the("etag"), "\"2\"");
    let answer = count(&acme, &json!({"increment": -50, "initial": 7})).await.expect(200);
    assert_eq!(answer.json()["value"], -8, "what is there counts, not the initial value");
    assert_eq!(count(&acme, &json!({"increment": 0})).await.expect(200).json()["version"], 4);
    assert_eq!(acme.value("n").await, "-8");
}

#[tokio::test]
async fn a_key_that_is_absent_becomes_the_initial_value() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    unchanged(&api, count(&acme, &json!({"increment": 5}))).await.problem(404, "key-value-not-found");
    unchanged(&api, count(&acme, &json!({"increment": 5, "initial": null})))
        .await
        .problem(404, "key-value-not-found");
    let made = count(&acme, &json!({"increment": 5, "initial": 100})).await.expect(200);
    assert_eq!(made.json(), json!({"value": 100, "version": 1, "revision": 1}));
    assert_eq!(acme.value("n").await, "100");
    let read = acme.get("/api/v1/kv/n").send().await;
    assert!(read.the("content-type").starts_with("text/plain"), "{read:?}");
}

#[tokio::test]
async fn the_whole_range_of_64_bits_can_be_counted() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let (least, most) = (i64::MIN, i64::MAX);
    count(&acme, &json!({"increment": 1, "initial": least})).await.expect(200);
    assert_eq!(count(&acme, &json!({"increment": most})).await.expect(200).json()["value"], -1);
    assert_eq!(count(&acme, &json!({"increment": least})).await.status, 409, "it would not fit");
    acme.set("n", &most.to_string()).await;
    unchanged(&api, count(&acme, &json!({"increment": 1}))).await.problem(409, "not-incrementable");
    assert_eq!(count(&acme, &json!({"increment": -1})).await.expect(200).json()["value"], most - 1);
}

#[tokio::test]
async fn what_is_no_decimal_integer_is_not_incremented() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for value in [
        "",
        "x",
        "1.0",
        " 1",
        "1 ",
        "+1",
        "-",
        "0x10",
        "99999999999999999999",
        "9223372036854775808",
        "1\n",
        "١",
    ] {
        acme.set("n", value).await;
        for body in [json!({"increment": 1}), json!({"increment": 1, "initial": 1})] {
            unchanged(&api, count(&acme, &body)).await.problem(409, "not-incrementable");
        }
    }
    acme.set("n", "007").await;
    assert_eq!(count(&acme, &json!({"increment": 1})).await.expect(200).json()["value"], 8);
}

#[tokio::test]
async fn an_increment_that_cannot_be_read_is_refused_and_changes_nothing() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.set("n", "1").await;
    for (body, fault) in [
        (json!({}), "/increment required"),
        (json!({"increment": null}), "/increment required"),
        (json!({"increment": "1"}), "/increment type"),
        (json!({"increment": 1.5}), "/increment type"),
        (json!({"increment": 9_223_372_036_854_775_808_u64}), "/increment type"),
        (json!({"increment": true}), "/increment type"),
        (json!({"increment": 1, "initial": "1"}), "/initial type"),
        (json!({"increment": 1, "ttl": 5}), "/ttl unknown_field"),
        (json!([1]), " type"),
        (json!(1), " type"),
    ] {
        unchanged(&api, count(&acme, &body)).await.faults(&[fault]);
    }
}
