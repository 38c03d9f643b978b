//! Bad tenants.

use serde_json::{Value, json};

use super::super::harness::Api;
use super::super::snapshot::unchanged;
use super::no_texts;

/// Drafts with all that is wrong with each.
fn drafts() -> Vec<(Value, Vec<&'static str>)> {
    let deep = (0..32).fold(json!({}), |inner, _| json!({ "a": inner }));
    let with = |info: Value| json!({"name": "acme", "tenant_info": info});
    let mut drafts = vec![
        (json!({}), vec!["/name required"]),
        (json!({"name": null}), vec!["/name required"]),
        (json!({"name": ""}), vec!["/name length"]),
        (json!({"name": "x".repeat(65)}), vec!["/name length"]),
        (json!({"name": "a b"}), vec!["/name pattern"]),
        (json!({"name": "a/b"}), vec!["/name pattern"]),
        (json!({"name": "é"}), vec!["/name pattern"]),
        (json!({"name": "a\u{0}"}), vec!["/name pattern"]),
        (json!({"name": "a\n"}), vec!["/name pattern"]),
        (json!({"name": "é".repeat(65)}), vec!["/name length", "/name pattern"]),
        (with(json!([1])), vec!["/tenant_info object"]),
        (with(json!("{}")), vec!["/tenant_info object"]),
        (with(json!(5)), vec!["/tenant_info object"]),
        (with(json!(false)), vec!["/tenant_info object"]),
        (with(json!({"a": "x".repeat(64 * 1024 - 7)})), vec!["/tenant_info length"]),
        (with(json!({"a": ["\u{0}"]})), vec!["/tenant_info nul"]),
        (with(json!({"\u{0}": 1})), vec!["/tenant_info nul"]),
        (with(deep), vec!["/tenant_info depth"]),
        (json!({"name": "", "tenant_info": []}), vec!["/name length", "/tenant_info object"]),
        (json!({"name": "a", "nmae": "b"}), vec!["/nmae unknown_field"]),
        (json!({"name": "a", "tenant_number": 7}), vec!["/tenant_number unknown_field"]),
        (json!({"name": "a", "status": "active"}), vec!["/status unknown_field"]),
    ];
    drafts.extend(no_texts().into_iter().map(|value| (json!({"name": value}), vec!["/name type"])));
    drafts
}

#[tokio::test]
async fn a_tenant_is_not_created_from_a_bad_draft() {
    let api = Api::start();
    for (draft, faults) in drafts() {
        let call = api.admin().post("/api/v1/tenants").json(&draft);
        unchanged(&api, call.send()).await.faults(&faults);
    }
}

#[tokio::test]
async fn a_tenant_is_not_replaced_by_a_bad_draft() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for (draft, faults) in drafts() {
        let call = api.admin().put(&format!("/api/v1/tenants/{}", acme.number)).json(&draft);
        unchanged(&api, call.send()).await.faults(&faults);
    }
}

#[tokio::test]
async fn half_a_surrogate_pair_is_no_text() {
    let api = Api::start();
    for info in [r#"{"a":"\ud800"}"#, r#"{"a":"\udc00\ud800"}"#, r#"{"\ud83d":1}"#] {
        let body = format!(r#"{{"name":"a","tenant_info":{info}}}"#);
        let call = api.admin().post("/api/v1/tenants").body("application/json", body);
        unchanged(&api, call.send()).await.faults(&["/tenant_info surrogate"]);
    }
}

#[tokio::test]
async fn a_list_of_tenants_refuses_what_it_does_not_know() {
    let api = Api::start();
    for (query, fault) in [
        ("status=gone", "/status value"),
        ("status=", "/status value"),
        ("status=Active", "/status value"),
        ("status=active&status=active", "/status repeated"),
        ("name=a&name=b", "/name repeated"),
        ("name=%00", "/name nul"),
        ("limit=0", "/limit value"),
        ("limit=1001", "/limit value"),
        ("limit=-1", "/limit value"),
        ("limit=+1", "/limit value"),
        ("limit=", "/limit value"),
        ("offset=1", "/offset unknown"),
        ("status", "/status value"),
        ("=x", "/ unknown"),
    ] {
        api.admin().get(&format!("/api/v1/tenants?{query}")).send().await.query_faults(&[fault]);
    }
}

#[tokio::test]
async fn a_change_of_a_tenant_that_is_not_there_is_not_found() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let rename = json!({"name": "new"});
    let keys = json!({"name": "new", "scopes": ["kv:read"]});
    for name in ["999999".to_owned(), format!("{}_other", acme.number), "acme".to_owned(), "0".to_owned()] {
        let path = format!("/api/v1/tenants/{name}");
        let admin = api.admin();
        for call in [
            admin.put(&path).json(&rename),
            admin.patch(&path).json(&rename),
            admin.delete(&path),
            admin.post(&format!("{path}/suspend")),
            admin.post(&format!("{path}/activate")),
            admin.get(&format!("{path}/keys")),
            admin.post(&format!("{path}/keys")).json(&keys),
            admin.delete(&format!("{path}/keys/{}", acme.key_id)),
            // What is not there has no precondition to fail.
            admin.put(&path).header("if-match", "\"1\"").json(&rename),
            admin.delete(&path).header("if-match", "\"1\""),
        ] {
            unchanged(&api, call.send()).await.problem(404, "tenant-not-found");
        }
    }
}
