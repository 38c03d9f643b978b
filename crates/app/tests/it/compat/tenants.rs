//! The multi-tenant registry.

use serde_json::{Value, json};

use super::world::{TENANTS, refusal, speaking};
use crate::api::answer::Answer;
use crate::api::harness::{Actor, Api};
use crate::api::snapshot::unchanged;

fn path(number: &(impl ToString + ?Sized)) -> String {
    format!("{TENANTS}/tenants/{}", number.to_string())
}

async fn list(admin: &Actor) -> Answer {
    admin.get(&format!("{TENANTS}/tenants")).send().await.expect(200)
}

/// Makes a tenant through the old route; answers what was answered.
async fn create(api: &Api, info: Value) -> Value {
    let body = json!({"tenant_info": info});
    api.admin().post(&format!("{TENANTS}/tenants")).json(&body).send().await.expect(201).json()
}

#[tokio::test]
async fn a_ping_with_a_good_token_is_answered_with_pong() {
    let answer = speaking(&[]).admin().get(&format!("{TENANTS}/ping")).send().await.expect(200);
    assert_eq!(answer.json(), json!({"status": true, "message": "pong"}));
}

#[tokio::test]
async fn every_tenants_id_is_listed_by_number() {
    let api = speaking(&[]);
    assert_eq!(list(&api.admin()).await.text(), "[]");
    for name in ["Jacklyn91", "Skye_Jones", "Aaron"] {
        api.tenant(name).await;
    }
    let answer = list(&api.admin()).await;
    assert_eq!(answer.text(), r#"["1_Jacklyn91","2_Skye_Jones","3_Aaron"]"#);
    assert_eq!(answer.the("content-type"), "application/json");
}

#[tokio::test]
async fn a_list_of_several_pages_holds_every_tenant_once() {
    let api = speaking(&[]);
    let mut expected = Vec::new();
    for number in 1..=205 {
        create(&api, json!({"name": format!("t{number}")})).await;
        expected.push(format!("{number}_t{number}"));
        if [100, 101, 200, 205].contains(&number) {
            assert_eq!(list(&api.admin()).await.json(), json!(expected));
        }
    }
}

#[tokio::test]
async fn a_tenant_is_shown_with_its_five_members() {
    let api = speaking(&[]);
    let info = json!({"email": "keaton@example.com", "address": "30261 Tania Track, Kossside", "description": "Velit."});
    let created = create(&api, info.clone()).await;
    let shown = api.admin().get(&path("1")).send().await.expect(200).json();
    assert_eq!(shown, created);
    assert_eq!((&shown["tenant_number"], &shown["tenant_info"]), (&json!(1), &info));
    assert_eq!(shown.as_object().unwrap().len(), 5);
    for member in ["created_at", "updated_at"] {
        let time = shown[member].as_str().unwrap();
        assert!(time.len() == 32 && time.ends_with("+00:00") && time.as_bytes()[10] == b'T', "{time}");
    }
    let canonical = api.admin().get("/api/v1/tenants/1").send().await.expect(200).json();
    assert_eq!((&canonical["tenant_id"], &canonical["tenant_info"]), (&shown["tenant_id"], &info));
}

#[tokio::test]
async fn what_is_no_number_of_a_tenant_is_not_found() {
    let api = speaking(&[]);
    let tenant = api.tenant("acme").await;
    for number in ["-1", "0", "2", "999999", "99999999999999999999", "abc", "1.0", "01", &tenant.id] {
        for (method, body) in [("GET", ""), ("PUT", r#"{"tenant_info":{}}"#), ("DELETE", "")] {
            let call = api.admin().call(method, &path(number)).body("application/json", body);
            let answer = unchanged(&api, call.send()).await;
            assert_eq!(refusal(TENANTS, &answer, 404), "There is no such tenant", "{method} {number}");
        }
    }
}

#[tokio::test]
async fn a_tenant_that_is_created_is_named_by_its_info_if_that_can_be() {
    let api = speaking(&[]);
    for (info, id) in [
        (json!({"name": "acme", "tenant_id": "x"}), "1_acme"),
        (json!({"tenant_id": "Jacklyn91", "email": "a@b.example"}), "2_Jacklyn91"),
        (json!({"name": "not a name"}), "3_tenant"),
        (json!({}), "4_tenant"),
    ] {
        let created = create(&api, info.clone()).await;
        assert_eq!((&created["tenant_id"], &created["tenant_info"]), (&json!(id), &info));
    }
}

#[tokio::test]
async fn info_is_an_empty_object_where_none_is_sent_and_other_members_are_passed_over() {
    let api = speaking(&[]);
    for body in ["{}", r#"{"tenant_info":null}"#, r#"{"tenant_number":77,"tenant_id":"77_x","more":[1]}"#] {
        // The content type was never looked at.
        let answer = api.admin().post(&format!("{TENANTS}/tenants")).untyped_body(body).send().await;
        assert_eq!(answer.expect(201).json()["tenant_info"], json!({}), "{body}");
    }
    assert_eq!(list(&api.admin()).await.text(), r#"["1_tenant","2_tenant","3_tenant"]"#);
}

#[tokio::test]
async fn replacing_keeps_the_name_and_answers_nothing() {
    let api = speaking(&[]);
    create(&api, json!({"name": "acme", "plan": "silver"})).await;
    let body = json!({"tenant_info": {"name": "other", "plan": "gold"}});
    let answer = api.admin().put(&path("1")).json(&body).send().await.expect(204);
    assert!(answer.body.is_empty());
    let shown = api.admin().get(&path("1")).send().await.expect(200).json();
    assert_eq!((&shown["tenant_id"], &shown["tenant_info"]), (&json!("1_acme"), &body["tenant_info"]));
}

#[tokio::test]
async fn a_tenant_that_is_deleted_is_gone_at_once() {
    let api = speaking(&[]);
    let (acme, other) = (api.tenant("acme").await, api.tenant("other").await);
    let answer = api.admin().delete(&path(&acme.number)).send().await.expect(204);
    assert!(answer.body.is_empty());
    assert_eq!(list(&api.admin()).await.json(), json!([other.id]));
    for (method, body) in [("GET", ""), ("PUT", r#"{"tenant_info":{}}"#), ("DELETE", "")] {
        let call = api.admin().call(method, &path(&acme.number)).body("application/json", body);
        refusal(TENANTS, &call.send().await, 404);
    }
    // Its keys have stopped, and the canonical API tells how far its erasure has come.
    acme.get("/api/v1/kv").send().await.problem(401, "key-unknown");
    let canonical =
        api.admin().get(&format!("/api/v1/tenants/{}", acme.number)).send().await.expect(200).json();
    assert_eq!(canonical["status"], "deleting");
}

#[tokio::test]
async fn a_suspended_tenant_is_listed_and_shown() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    api.admin().post(&format!("/api/v1/tenants/{}/suspend", acme.number)).send().await.expect(200);
    assert_eq!(list(&api.admin()).await.json(), json!([acme.id]));
    api.admin().get(&path(&acme.number)).send().await.expect(200);
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_told_as_fastapi_told_it() {
    let api = speaking(&[]);
    create(&api, json!({})).await;
    let deep = format!(r#"{{"tenant_info":{}{}}}"#, r#"{"a":"#.repeat(33) + "1", "}".repeat(33));
    for (body, loc, kind) in [
        ("", json!(["body"]), "value_error.jsondecode"),
        ("{", json!(["body"]), "value_error.jsondecode"),
        ("[]", json!(["body"]), "type"),
        ("[{}]", json!(["body"]), "type"),
        ("5", json!(["body"]), "type"),
        (r#"{"tenant_info":5}"#, json!(["body", "tenant_info"]), "object"),
        (r#"{"tenant_info":[]}"#, json!(["body", "tenant_info"]), "object"),
        (r#"{"tenant_info":{"a":"\u0000"}}"#, json!(["body", "tenant_info"]), "nul"),
        (&deep, json!(["body", "tenant_info"]), "depth"),
    ] {
        for (method, target) in [("POST", format!("{TENANTS}/tenants")), ("PUT", path("1"))] {
            let call = api.admin().call(method, &target).body("application/json", body);
            let answer = unchanged(&api, call.send()).await.expect(422);
            let faults = answer.json()["detail"].as_array().unwrap().clone();
            assert_eq!(
                (faults.len(), &faults[0]["loc"], &faults[0]["type"]),
                (1, &loc, &json!(kind)),
                "{body}"
            );
            assert!(faults[0]["msg"].as_str().is_some_and(|text| !text.is_empty()));
        }
    }
}
