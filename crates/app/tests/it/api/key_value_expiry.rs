//! Keys that end.

use serde_json::json;

use super::harness::{Api, Tenant};
use super::snapshot::unchanged;
use crate::support::until;

async fn set_for(tenant: &Tenant, key: &str, seconds: &str, value: &str) {
    let answer = tenant.put(&format!("/api/v1/kv/{key}?ttl={seconds}")).untyped_body(value).send().await;
    answer.expect_one_of(&[200, 201]);
}

async fn is_gone(tenant: &Tenant, key: &str) -> bool {
    tenant.get(&format!("/api/v1/kv/{key}")).send().await.status == 404
}

#[tokio::test]
async fn a_value_with_an_end_says_so() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let put = acme.put("/api/v1/kv/a?ttl=3600").untyped_body("x").send().await.expect(201);
    let read = acme.get("/api/v1/kv/a").send().await.expect(200);
    assert_eq!(put.the("expires"), read.the("expires"));
    let entry = acme.get("/api/v1/kv").send().await.expect(200).json()["entries"][0].clone();
    let seconds =
        |name: &str| tenantry_domain::Timestamp::parse_rfc3339(entry[name].as_str().unwrap()).unwrap();
    assert_eq!(seconds("expires_at").as_micros() - seconds("updated_at").as_micros(), 3_600_000_000);
    acme.put("/api/v1/kv/a").untyped_body("x").send().await.expect(200);
    let read = acme.get("/api/v1/kv/a").send().await.expect(200);
    assert_eq!(read.header("expires"), None, "a write without an end takes the end away");
}

#[tokio::test]
async fn a_value_is_absent_from_its_end_on_everywhere() {
    // Nothing is removed: the end alone makes it absent.
    let api = Api::start_with(&[("maintenance.expiry_interval_ms", "3600000")]);
    let acme = api.tenant("acme").await;
    acme.set("stays", "1").await;
    for key in ["read", "deleted", "counted", "created", "replaced"] {
        set_for(&acme, key, "1", "5").await;
    }
    until("the last has ended", async || is_gone(&acme, "replaced").await).await;

    acme.get("/api/v1/kv/read").send().await.problem(404, "key-value-not-found");
    acme.head("/api/v1/kv/read").send().await.expect(404);
    acme.delete("/api/v1/kv/deleted").send().await.problem(404, "key-value-not-found");
    let count = json!({"increment": 1});
    acme.post("/api/v1/kv/counted").json(&count).send().await.problem(404, "key-value-not-found");
    let list = acme.get("/api/v1/kv").send().await.expect(200).json();
    assert_eq!(list["entries"].as_array().unwrap().len(), 1, "{list}");
    let create = acme.put("/api/v1/kv/created").header("if-none-match", "*").untyped_body("x").send().await;
    assert_eq!(create.expect(201).the("tenantry-version"), "1");
    let matched = acme.put("/api/v1/kv/replaced").header("if-match", "*").untyped_body("x").send().await;
    matched.problem(412, "precondition-failed");
}

#[tokio::test]
async fn a_value_that_was_written_again_outlives_its_first_end() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    set_for(&acme, "longer", "1", "x").await;
    set_for(&acme, "longer", "3600", "x").await;
    set_for(&acme, "marker", "1", "x").await;
    until("the marker has ended", async || is_gone(&acme, "marker").await).await;
    assert_eq!(acme.value("longer").await, "x");
}

#[tokio::test]
async fn what_has_ended_is_removed_and_others_stay() {
    let api = Api::start_with(&[("maintenance.expiry_interval_ms", "10")]);
    let acme = api.tenant("acme").await;
    acme.set("stays", "1").await;
    set_for(&acme, "ends", "1", "x").await;
    until("it has ended", async || is_gone(&acme, "ends").await).await;
    let list = acme.get("/api/v1/kv").send().await.expect(200).json();
    assert_eq!(list["entries"][0]["key"], "stays");
    let again = acme.put("/api/v1/kv/ends").untyped_body("x").send().await.expect(201);
    assert_eq!(again.the("tenantry-version"), "1");
}

#[tokio::test]
async fn a_life_is_a_whole_number_of_seconds_up_to_a_century() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for ttl in ["1", "3155760000"] {
        set_for(&acme, "a", ttl, "x").await;
    }
    let refused = ["0", "-1", "+1", "1.5", "", "x", "3155760001", "99999999999999999999", "%31%30s", "1%20"];
    for ttl in refused {
        let call = acme.put(&format!("/api/v1/kv/a?ttl={ttl}")).untyped_body("other");
        unchanged(&api, call.send()).await.query_faults(&["/ttl value"]);
    }
    let call = acme.put("/api/v1/kv/a?ttl=1&ttl=2").untyped_body("other");
    unchanged(&api, call.send()).await.query_faults(&["/ttl repeated"]);
}

#[tokio::test]
async fn an_increment_keeps_the_end() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    set_for(&acme, "n", "3600", "1").await;
    let before = acme.get("/api/v1/kv/n").send().await.expect(200).the("expires").to_owned();
    acme.post("/api/v1/kv/n").json(&json!({"increment": 1})).send().await.expect(200);
    let after = acme.get("/api/v1/kv/n").send().await.expect(200);
    assert_eq!((after.text().as_str(), after.the("expires")), ("2", before.as_str()));
}
