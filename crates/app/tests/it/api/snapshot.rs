//! Everything that an administrator can see, so that a test can say that nothing has changed.

use serde_json::{Value, json};

use super::harness::{Actor, Api};

/// All tenants with their keys, events and key-values.
pub(crate) async fn snapshot(api: &Api) -> Value {
    let admin = api.admin();
    let tenants = all(&admin, "/api/v1/tenants", "tenants", None).await;
    let mut contents = Vec::new();
    for tenant in &tenants {
        let number = tenant["tenant_number"].as_i64().unwrap();
        if tenant["status"] != "deleting" {
            contents.push(contents_of(&admin, number).await);
        }
    }
    json!({"tenants": tenants, "contents": contents})
}

async fn contents_of(admin: &Actor, tenant: i64) -> Value {
    let mut keys = all(admin, &format!("/api/v1/tenants/{tenant}/keys"), "keys", None).await;
    for key in &mut keys {
        // Showing a key is no change.
        key["last_used_at"].take();
    }
    json!({
        "tenant": tenant,
        "keys": keys,
        "events": all(admin, "/api/v1/events", "events", Some(tenant)).await,
        "entries": all(admin, "/api/v1/kv", "entries", Some(tenant)).await,
        "feeds": feeds_of(admin, tenant).await,
        "plans": plans_of(admin, tenant).await,
    })
}

/// The tenant's feeds, each with its runs and rejects.
async fn feeds_of(admin: &Actor, tenant: i64) -> Vec<Value> {
    let mut feeds = all(admin, "/api/v1/catalog/feeds", "feeds", Some(tenant)).await;
    for feed in &mut feeds {
        let place = format!("/api/v1/catalog/feeds/{}", feed["id"].as_str().unwrap());
        feed["runs"] = all(admin, &format!("{place}/runs"), "runs", Some(tenant)).await.into();
        feed["rejects"] = all(admin, &format!("{place}/rejects"), "rejects", Some(tenant)).await.into();
    }
    feeds
}

/// What a search finds of all times.
async fn plans_of(admin: &Actor, tenant: i64) -> Value {
    let target = "/api/v1/search?starts_at=0001-01-01&ends_at=9999-12-31&limit=1000";
    let found = admin.get(target).of_tenant(&tenant).send().await.expect(200);
    json!({"revision": found.the("etag"), "found": found.json()})
}

/// Every item of a list that fits one page.
async fn all(admin: &Actor, path: &str, noun: &str, tenant: Option<i64>) -> Vec<Value> {
    let call = admin.get(&format!("{path}?limit=1000"));
    let call = match tenant {
        Some(tenant) => call.of_tenant(&tenant),
        None => call,
    };
    let page = call.send().await.expect(200).json();
    assert_eq!(page["next_cursor"], Value::Null, "all of it is on one page");
    page[noun].as_array().unwrap().clone()
}

/// Does something that must change nothing.
pub(crate) async fn unchanged<T>(api: &Api, work: impl Future<Output = T>) -> T {
    let before = snapshot(api).await;
    let outcome = work.await;
    assert_eq!(snapshot(api).await, before, "something has changed");
    outcome
}
