//! Deleting tenants: the keys stop at once, the data is erased bit by bit.

use serde_json::{Value, json};

use super::harness::{Api, NO_ERASURE, Tenant};
use super::snapshot::{snapshot, unchanged};
use crate::support::until;

const SOON: (&str, &str) = ("maintenance.erasure_interval_ms", "10");

fn path(tenant: &Tenant) -> String {
    format!("/api/v1/tenants/{}", tenant.number)
}

#[tokio::test]
async fn a_deletion_is_accepted_and_its_progress_shown() {
    let api = Api::start_with(&[NO_ERASURE]);
    let acme = api.tenant("acme").await;
    let accepted = api.admin().delete(&path(&acme)).send().await.expect(202);
    let tenant = accepted.json();
    assert_eq!(tenant["status"], "deleting");
    assert_eq!(tenant["erasure"]["erased_rows"], 0);
    assert_eq!(tenant["erasure"]["started_at"], tenant["updated_at"]);
    let shown = api.admin().get(&path(&acme)).send().await.expect(200);
    assert_eq!(shown.json(), tenant);
    assert_eq!(shown.the("etag"), accepted.the("etag"));
    let listed = api.admin().get("/api/v1/tenants?status=deleting").send().await.expect(200).json();
    assert_eq!(listed["tenants"], json!([tenant]));
}

#[tokio::test]
async fn deleting_twice_is_deleting_once() {
    let api = Api::start_with(&[NO_ERASURE]);
    let acme = api.tenant("acme").await;
    let first = api.admin().delete(&path(&acme)).send().await.expect(202);
    let second = api.admin().delete(&path(&acme)).send().await.expect(202);
    assert_eq!(second.text(), first.text());
    assert_eq!(second.the("etag"), first.the("etag"));
}

#[tokio::test]
async fn the_keys_of_a_deleted_tenant_stop_at_once() {
    let api = Api::start_with(&[NO_ERASURE]);
    let acme = api.tenant("acme").await;
    acme.set("a", "1").await;
    acme.value("a").await;
    api.admin().delete(&path(&acme)).send().await.expect(202);
    acme.get("/api/v1/kv/a").send().await.problem(401, "key-unknown");
    acme.post("/api/v1/events").json(&json!({})).send().await.problem(401, "key-unknown");
}

#[tokio::test]
async fn the_data_of_a_deleted_tenant_is_out_of_reach_at_once() {
    let api = Api::start_with(&[NO_ERASURE]);
    let acme = api.tenant("acme").await;
    acme.set("a", "1").await;
    api.admin().delete(&path(&acme)).send().await.expect(202);
    let admin = api.admin();
    let event = json!({"component": "a", "environment": "b", "message": "c"});
    for call in [
        admin.get("/api/v1/kv/a"),
        admin.get("/api/v1/kv"),
        admin.put("/api/v1/kv/a").untyped_body("2"),
        admin.delete("/api/v1/kv/a"),
        admin.get("/api/v1/events"),
        admin.post("/api/v1/events").json(&event),
    ] {
        call.of_tenant(&acme.number).send().await.problem(404, "tenant-not-found");
    }
    let keys = format!("{}/keys", path(&acme));
    admin.get(&keys).send().await.problem(404, "tenant-not-found");
    let draft = json!({"name": "late", "scopes": ["kv:read"]});
    admin.post(&keys).json(&draft).send().await.problem(404, "tenant-not-found");
    admin.delete(&format!("{keys}/{}", acme.key_id)).send().await.problem(404, "tenant-not-found");
}

#[tokio::test]
async fn a_tenant_that_is_being_deleted_is_not_changed_any_more() {
    let api = Api::start_with(&[NO_ERASURE]);
    let acme = api.tenant("acme").await;
    api.admin().delete(&path(&acme)).send().await.expect(202);
    let rename = json!({"name": "other"});
    let admin = api.admin();
    for call in [
        admin.put(&path(&acme)).json(&rename),
        admin.patch(&path(&acme)).json(&rename),
        admin.post(&format!("{}/suspend", path(&acme))),
        admin.post(&format!("{}/activate", path(&acme))),
    ] {
        unchanged(&api, call.send()).await.problem(409, "tenant-deleting");
    }
}

#[tokio::test]
async fn in_the_end_the_tenant_and_all_that_was_its_own_is_gone() {
    let api = Api::start_with(&[SOON, ("maintenance.erasure_step_rows", "2")]);
    let other = api.tenant("other").await;
    other.tell("stays").await;
    other.set("a", "stays").await;
    let before = snapshot(&api).await;

    let acme = api.tenant("acme").await;
    for number in 0..5 {
        acme.tell(&format!("event {number}")).await;
        acme.set(&format!("key{number}"), "x").await;
    }
    api.admin().delete(&path(&acme)).send().await.expect(202);
    until("the tenant is gone", async || api.admin().get(&path(&acme)).send().await.status == 404).await;

    api.admin().get(&path(&acme)).send().await.problem(404, "tenant-not-found");
    api.admin().delete(&path(&acme)).send().await.problem(404, "tenant-not-found");
    acme.get("/api/v1/kv").send().await.problem(401, "key-unknown");
    assert_eq!(snapshot(&api).await, before, "others have lost nothing");
    let next = api.tenant("acme").await;
    assert!(next.number > acme.number, "a number is not given twice");
    assert_eq!(next.get("/api/v1/events").send().await.expect(200).json()["events"], json!([]));
}

#[tokio::test]
async fn a_suspended_tenant_can_be_deleted() {
    let api = Api::start_with(&[NO_ERASURE]);
    let acme = api.tenant("acme").await;
    api.admin().post(&format!("{}/suspend", path(&acme))).send().await.expect(200);
    let deleted = api.admin().delete(&path(&acme)).send().await.expect(202).json();
    assert_eq!(deleted["status"], "deleting");
    assert_ne!(deleted["erasure"], Value::Null);
    acme.get("/api/v1/kv").send().await.problem(401, "key-unknown");
}
