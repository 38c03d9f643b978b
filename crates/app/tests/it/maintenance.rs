//! Work in the background.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::{TestApp, TestTenant, until};

/// Steps so small that each erasure takes several.
const SMALL_STEPS: [(&str, &str); 5] = [
    ("maintenance.erasure_interval_ms", "10"),
    ("maintenance.erasure_step_rows", "3"),
    ("maintenance.expiry_interval_ms", "10"),
    ("maintenance.expiry_step_entries", "2"),
    ("maintenance.key_use_interval_ms", "10"),
];

async fn fill(app: &TestApp, tenant: &TestTenant, keys: usize, query: &str) {
    for key in 0..keys {
        let put =
            app.tenant(tenant, Method::PUT, &format!("/kv/{key}{query}")).body("x").send().await.unwrap();
        assert_eq!(put.status(), StatusCode::CREATED);
    }
}

async fn status_of(app: &TestApp, tenant: &TestTenant) -> StatusCode {
    app.admin(Method::GET, &format!("/tenants/{}", tenant.id)).send().await.unwrap().status()
}

async fn delete(app: &TestApp, tenant: &TestTenant) {
    let deleted = app.admin(Method::DELETE, &format!("/tenants/{}", tenant.id)).send().await.unwrap();
    assert_eq!(deleted.status(), StatusCode::ACCEPTED);
}

#[tokio::test]
async fn a_deleted_tenant_is_gone_soon() {
    let app = TestApp::start_with(&SMALL_STEPS);
    let tenant = app.create_tenant("gone").await;
    let other = app.create_tenant("stays").await;
    fill(&app, &tenant, 10, "").await;
    fill(&app, &other, 10, "").await;
    delete(&app, &tenant).await;
    until("the tenant is gone", async || status_of(&app, &tenant).await == StatusCode::NOT_FOUND).await;
    let list = app.tenant(&other, Method::GET, "/kv").send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(list["entries"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn an_erasure_that_a_stop_interrupted_goes_on_at_the_next_start() {
    // In the first run the erasure never begins: the first look is over before the tenant is deleted.
    let app = TestApp::start_with(&[("maintenance.erasure_interval_ms", "3600000")]);
    let tenant = app.create_tenant("gone").await;
    fill(&app, &tenant, 10, "").await;
    delete(&app, &tenant).await;
    assert_eq!(status_of(&app, &tenant).await, StatusCode::OK);
    let app = TestApp::start_in(app.stop(), &SMALL_STEPS);
    until("the tenant is gone", async || status_of(&app, &tenant).await == StatusCode::NOT_FOUND).await;
}

#[tokio::test]
async fn what_has_expired_is_removed_and_takes_a_revision() {
    let app = TestApp::start_with(&SMALL_STEPS);
    let tenant = app.create_tenant("short").await;
    fill(&app, &tenant, 5, "?ttl=1").await;
    // Each removal takes a revision: when all five are gone, the next write takes the eleventh. Any probe
    // takes one itself, so what is waited for is that five are missing.
    let mut probes = 0;
    until("five revisions were taken by removals", async || {
        probes += 1;
        let put = app.tenant(&tenant, Method::PUT, "/kv/probe").body("x").send().await.unwrap();
        put.headers()["etag"].to_str().unwrap().trim_matches('"').parse::<u64>().unwrap() == 10 + probes
    })
    .await;
}

#[tokio::test]
async fn when_a_key_was_used_is_written_down_while_running_and_when_stopping() {
    let last_used = async |app: &TestApp, tenant: &TestTenant| {
        let path = format!("/tenants/{}/keys", tenant.number);
        let keys = app.admin(Method::GET, &path).send().await.unwrap().json::<Value>().await.unwrap();
        keys["keys"][0]["last_used_at"].as_str().map(str::to_owned)
    };
    let app = TestApp::start_with(&SMALL_STEPS);
    let first = app.create_tenant("first").await;
    assert_eq!(last_used(&app, &first).await, None);
    fill(&app, &first, 1, "").await;
    until("the use is written down", async || last_used(&app, &first).await.is_some()).await;

    let app = TestApp::start_in(app.stop(), &[("maintenance.key_use_interval_ms", "3600000")]);
    let second = app.create_tenant("second").await;
    fill(&app, &second, 1, "").await;
    assert_eq!(last_used(&app, &second).await, None);
    let app = TestApp::start_in(app.stop(), &[]);
    assert!(last_used(&app, &second).await.is_some());
}
