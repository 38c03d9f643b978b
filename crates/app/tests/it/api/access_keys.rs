//! Keys: making, listing and revoking them.

use serde_json::{Value, json};

use super::harness::{Api, TENANT_SCOPES};
use super::world::in_two_seconds;
use crate::support::until;

fn path(tenant: i64) -> String {
    format!("/api/v1/tenants/{tenant}/keys")
}

#[tokio::test]
async fn a_new_key_is_shown_once_in_its_documented_form() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let draft = json!({"name": "ingest", "scopes": ["kv:read", "events:write", "kv:read"]});
    let answer = api.admin().post(&path(acme.number)).json(&draft).send().await.expect(201);
    assert_eq!(answer.the("cache-control"), "no-store");
    let made = answer.json();
    let (key, id) = (made["key"].as_str().unwrap(), made["key_id"].as_str().unwrap());
    assert_eq!(key.len(), 66);
    assert_eq!(id.len(), 12);
    assert!(key.starts_with(&format!("tnt_{id}_")), "{key}");
    assert!(key[4..].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{key}");
    assert_eq!(made["prefix"], format!("tnt_{id}"));
    assert_eq!(made["name"], "ingest");
    assert_eq!(made["scopes"], json!(["events:write", "kv:read"]));
    assert_eq!((&made["expires_at"], &made["last_used_at"]), (&Value::Null, &Value::Null));
}

#[tokio::test]
async fn a_key_lets_its_holder_do_what_its_scopes_say() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let (_, reader) = api.key_of(acme.number, &["kv:read"]).await;
    acme.set("a", "1").await;
    assert_eq!(reader.get("/api/v1/kv/a").send().await.expect(200).text(), "1");
    let problem = reader.put("/api/v1/kv/a").untyped_body("2").send().await.problem(403, "scope-missing");
    assert!(problem["detail"].as_str().unwrap().contains("kv:write"), "{problem}");
    assert_eq!(acme.value("a").await, "1");
}

#[tokio::test]
async fn the_list_of_keys_shows_all_but_the_secrets() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let end = "2099-01-02T03:04:05.678900+01:00";
    let draft = json!({"name": "é 🦀", "scopes": ["kv:read"], "expires_at": end});
    let (id, actor) = api.key_from(acme.number, &draft).await;
    let answer = api.admin().get(&path(acme.number)).send().await.expect(200);
    let list = answer.json();
    assert_eq!(list["keys"].as_array().unwrap().len(), 2);
    let key = &list["keys"][1];
    assert_eq!((&key["key_id"], &key["name"]), (&json!(id), &json!("é 🦀")));
    assert_eq!(key["expires_at"], "2099-01-02T02:04:05.678900Z");
    assert_eq!(key["scopes"], json!(["kv:read"]));
    for secret in [acme.key(), actor.key()] {
        assert!(!answer.text().contains(&secret[17..]), "no part of a secret is shown");
    }
}

#[tokio::test]
async fn keys_are_listed_in_pages() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for name in ["b", "a", "c"] {
        api.key_from(acme.number, &json!({"name": name, "scopes": ["kv:read"]})).await;
    }
    let mut target = format!("{}?limit=3", path(acme.number));
    let mut pages = Vec::new();
    loop {
        let answer = api.admin().get(&target).send().await.expect(200);
        let page = answer.json();
        let names =
            page["keys"].as_array().unwrap().iter().map(|key| key["name"].as_str().unwrap().to_owned());
        pages.push(names.collect::<Vec<_>>());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        target = format!("{}?limit=3&cursor={cursor}", path(acme.number));
        assert_eq!(answer.the("link"), format!("<{target}>; rel=\"next\""));
    }
    assert_eq!(pages, [vec!["test", "b", "a"], vec!["c"]]);
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_and_only_that_key() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let (id, second) = api.key_of(acme.number, &TENANT_SCOPES).await;
    let target = format!("{}/{id}", path(acme.number));
    for _ in 0..3 {
        second.get("/api/v1/kv").send().await.expect(200);
    }
    let answer = api.admin().delete(&target).send().await.expect(204);
    assert!(answer.body.is_empty());
    second.get("/api/v1/kv").send().await.problem(401, "key-unknown");
    second.post("/api/v1/events").json(&json!({})).send().await.problem(401, "key-unknown");
    acme.get("/api/v1/kv").send().await.expect(200);
    api.admin().delete(&target).send().await.problem(404, "access-key-not-found");
    let list = api.admin().get(&path(acme.number)).send().await.expect(200).json();
    assert_eq!(list["keys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_names_no_key_of_the_tenant_is_not_found() {
    let api = Api::start();
    let (acme, other) = (api.tenant("acme").await, api.tenant("other").await);
    let full = acme.key().to_owned();
    for id in
        [other.key_id.as_str(), "AAAAAAAAAAAA", "short", &full, "%00", "AAAAAAAAAAA%C3%A9", "............"]
    {
        let answer = api.admin().delete(&format!("{}/{id}", path(acme.number))).send().await;
        answer.problem(404, "access-key-not-found");
    }
    for tenant in [&acme, &other] {
        tenant.get("/api/v1/kv").send().await.expect(200);
    }
}

#[tokio::test]
async fn a_key_is_refused_from_its_end_on() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let end = in_two_seconds();
    let draft = json!({"name": "short", "scopes": ["kv:read"], "expires_at": end});
    let (_, guest) = api.key_from(acme.number, &draft).await;
    until("the key has expired", async || guest.get("/api/v1/kv").send().await.status != 200).await;
    guest.get("/api/v1/kv").send().await.problem(401, "key-expired");
    let after = acme.tell("after").await["created_at"].as_str().unwrap().to_owned();
    assert!(after >= end, "it was refused at {after}, before its end {end}");
    acme.get("/api/v1/kv").send().await.expect(200);
}

#[tokio::test]
async fn when_a_key_was_last_used_is_told() {
    let api = Api::start_with(&[("maintenance.key_use_interval_ms", "10")]);
    let acme = api.tenant("acme").await;
    let used = async || {
        let list = api.admin().get(&path(acme.number)).send().await.expect(200).json();
        list["keys"][0]["last_used_at"].as_str().map(str::to_owned)
    };
    assert_eq!(used().await, None);
    acme.get("/api/v1/kv").send().await.expect(200);
    until("the use is written down", async || used().await.is_some()).await;
}

#[tokio::test]
async fn a_tenant_may_have_keys_while_it_is_suspended() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    api.admin().post(&format!("/api/v1/tenants/{}/suspend", acme.number)).send().await.expect(200);
    let (id, late) = api.key_of(acme.number, &["kv:read"]).await;
    late.get("/api/v1/kv").send().await.problem(403, "tenant-suspended");
    api.admin().delete(&format!("{}/{id}", path(acme.number))).send().await.expect(204);
    late.get("/api/v1/kv").send().await.problem(401, "key-unknown");
}
