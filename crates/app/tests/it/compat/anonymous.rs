//! Callers without a key: refused, unless a tenant was opened to them.

use serde_json::json;

use super::world::{ACTIVITY, ALL_PLANS, KEY_VALUES, SEARCH, TENANTS, call, refusal, speaking};
use crate::api::harness::{Actor, Api};
use crate::api::openapi::Operation;
use crate::api::snapshot::unchanged;

/// Settings that open tenant 1 so.
fn opening(access: &'static str) -> [(&'static str, &'static str); 6] {
    [
        ("compat.key_values.anonymous_tenant", "1"),
        ("compat.key_values.anonymous_access", access),
        ("compat.activity.anonymous_tenant", "1_acme"),
        ("compat.activity.anonymous_access", access),
        ("compat.search.anonymous_tenant", "1"),
        ("compat.search.anonymous_access", access),
    ]
}

const READS: [(&str, &str); 4] = [
    (KEY_VALUES, "get-values"),
    (KEY_VALUES, "get-value?key=greeting"),
    (ACTIVITY, "events"),
    (SEARCH, ALL_PLANS),
];

/// A Tenantry with a tenant 1, which has a key-value.
async fn open(access: &'static str) -> Api {
    let api = speaking(&opening(access));
    api.tenant("acme").await.set("greeting", "hello").await;
    api
}

async fn all_reads_refuse(actor: &Actor, status: u16) {
    for (path, route) in READS {
        refusal(path, &actor.get(&format!("{path}/{route}")).send().await, status);
    }
}

/// The operations that change a tenant's data.
fn writes() -> Vec<Operation> {
    let is_write = |operation: &Operation| operation.method != "GET" && !operation.path.starts_with(TENANTS);
    Operation::of_predecessors().into_iter().filter(is_write).collect()
}

#[tokio::test]
async fn nobody_is_let_in_without_a_key_unless_a_tenant_is_opened() {
    let api = speaking(&[]);
    api.tenant("acme").await;
    all_reads_refuse(&api.anyone(), 401).await;
    assert_eq!(writes().len(), 3);
    for operation in writes() {
        refusal(operation.path, &unchanged(&api, call(&api.anyone(), &operation)).await, 401);
    }
}

#[tokio::test]
async fn a_tenant_that_is_opened_for_reading_is_read_and_not_written() {
    let api = open("read-only").await;
    let value = api.anyone().get(&format!("{KEY_VALUES}/get-value?key=greeting")).send().await.expect(200);
    assert_eq!(value.text(), r#"{"value":"hello"}"#);
    for (path, route) in READS {
        api.anyone().get(&format!("{path}/{route}")).send().await.expect(200);
    }
    for operation in writes() {
        refusal(operation.path, &unchanged(&api, call(&api.anyone(), &operation)).await, 401);
    }
}

#[tokio::test]
async fn a_tenant_that_is_opened_for_writing_is_read_and_written() {
    let api = open("read-write").await;
    let anyone = api.anyone();
    let set = anyone.post(&format!("{KEY_VALUES}/set-value")).json(&json!({"key": "code", "value": 5}));
    set.send().await.expect(200);
    assert_eq!(
        anyone.get(&format!("{KEY_VALUES}/get-value?key=code")).send().await.expect(200).text(),
        r#"{"value":5}"#
    );
    for operation in writes() {
        let answer = call(&anyone, &operation).await;
        assert!((200..300).contains(&answer.status), "{operation:?} {answer:?}");
    }
    assert!(anyone.get(&format!("{ACTIVITY}/events")).send().await.expect(200).text().contains("new"));
}

#[tokio::test]
async fn a_wrong_key_is_refused_also_where_none_would_do() {
    let api = open("read-write").await;
    all_reads_refuse(&api.bearer("nonsense"), 401).await;
    let basic = api.anyone().get(&format!("{KEY_VALUES}/get-values")).header("authorization", "Basic YTpi");
    refusal(KEY_VALUES, &basic.send().await, 401);
    let (_, no_scope) = api.key_of(1, &["events:write"]).await;
    all_reads_refuse(&no_scope, 403).await;
}

#[tokio::test]
async fn whoever_shows_a_key_sees_its_tenant_and_not_the_opened_one() {
    let api = open("read-write").await;
    let other = api.tenant("other").await;
    let value = other.get(&format!("{KEY_VALUES}/get-value?key=greeting")).send().await.expect(200);
    assert_eq!(value.text(), r#"{"value":null}"#);
}

#[tokio::test]
async fn without_a_key_no_other_tenant_can_be_named() {
    let api = open("read-write").await;
    let other = api.tenant("other").await;
    for (path, route) in READS {
        let get = |tenant: &str| api.anyone().get(&format!("{path}/{route}")).of_tenant(tenant);
        for tenant in [&other.number.to_string()[..], &other.id, "999999", "1_other", "nonsense"] {
            refusal(path, &get(tenant).send().await, 404);
        }
        get("1_acme").send().await.expect(200);
    }
}

#[tokio::test]
async fn neither_the_registry_nor_the_canonical_api_is_ever_open() {
    let api = open("read-write").await;
    unchanged(&api, async {
        for operation in
            Operation::of_predecessors().iter().filter(|operation| operation.path.starts_with(TENANTS))
        {
            refusal(TENANTS, &call(&api.anyone(), operation).await, 403);
        }
        for path in ["/api/v1/kv", "/api/v1/kv/greeting", "/api/v1/events", "/api/v1/tenants"] {
            api.anyone().get(path).send().await.problem(401, "key-missing");
        }
    })
    .await;
}

#[tokio::test]
async fn opening_one_predecessors_routes_does_not_open_anothers() {
    let api = speaking(&[("compat.key_values.anonymous_tenant", "1")]);
    api.tenant("acme").await;
    api.anyone().get(&format!("{KEY_VALUES}/get-values")).send().await.expect(200);
    refusal(ACTIVITY, &api.anyone().get(&format!("{ACTIVITY}/events")).send().await, 401);
}

#[tokio::test]
async fn an_opened_tenant_that_is_absent_suspended_or_being_deleted_answers_as_that() {
    let api = speaking(&opening("read-write"));
    all_reads_refuse(&api.anyone(), 404).await;
    let acme = api.tenant("acme").await;
    let tenant = format!("/api/v1/tenants/{}", acme.number);
    for (path, route) in READS {
        api.anyone().get(&format!("{path}/{route}")).send().await.expect(200);
    }
    api.admin().post(&format!("{tenant}/suspend")).send().await.expect(200);
    all_reads_refuse(&api.anyone(), 403).await;
    api.admin().post(&format!("{tenant}/activate")).send().await.expect(200);
    for (path, route) in READS {
        api.anyone().get(&format!("{path}/{route}")).send().await.expect(200);
    }
    api.admin().delete(&tenant).send().await.expect(202);
    all_reads_refuse(&api.anyone(), 404).await;
}

#[tokio::test]
async fn a_tenant_whose_id_is_another_than_the_opened_one_is_not_open() {
    let api = speaking(&[("compat.activity.anonymous_tenant", "1_acme")]);
    api.tenant("other").await;
    refusal(ACTIVITY, &api.anyone().get(&format!("{ACTIVITY}/events")).send().await, 404);
}
