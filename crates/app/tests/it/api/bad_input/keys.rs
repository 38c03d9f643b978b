//! Bad access keys.

use serde_json::{Value, json};

use super::super::harness::Api;
use super::super::snapshot::unchanged;
use super::no_texts;

/// A draft that is good but for this member.
fn with(name: &str, value: Value) -> Value {
    let mut draft = json!({"name": "test", "scopes": ["kv:read"]});
    draft[name] = value;
    draft
}

#[tokio::test]
async fn a_key_is_not_made_from_a_bad_draft() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let mut drafts = vec![
        (json!({}), vec!["/name required", "/scopes required"]),
        (with("name", json!(null)), vec!["/name required"]),
        (with("name", json!("")), vec!["/name length"]),
        (with("name", json!("é".repeat(101))), vec!["/name length"]),
        (with("name", json!("a\u{0}b")), vec!["/name nul"]),
        (with("scopes", json!(null)), vec!["/scopes required"]),
        (with("scopes", json!([])), vec!["/scopes length"]),
        (with("scopes", json!(["kv:read", "kv:all"])), vec!["/scopes/1 scope"]),
        (
            with("scopes", json!(["KV:READ", "", "tenants:read"])),
            vec!["/scopes/0 scope", "/scopes/1 scope", "/scopes/2 scope"],
        ),
        (with("scopes", json!(["tenants:write", "keys:write"])), vec!["/scopes/0 scope", "/scopes/1 scope"]),
        (with("scopes", json!("kv:read")), vec!["/scopes type"]),
        (with("scopes", json!([5])), vec!["/scopes/0 type"]),
        (with("scopes", json!([null])), vec!["/scopes/0 type"]),
        (with("expires_at", json!("2020-01-01T00:00:00Z")), vec!["/expires_at range"]),
        (with("expires_at", json!("2099-01-01")), vec!["/expires_at date_time"]),
        (with("expires_at", json!("tomorrow")), vec!["/expires_at date_time"]),
        (with("expires_at", json!("")), vec!["/expires_at date_time"]),
        (with("expires_at", json!("2099-02-30T00:00:00Z")), vec!["/expires_at date_time"]),
        (with("expires_at", json!(4_070_908_800_u64)), vec!["/expires_at type"]),
        (with("key", json!("tnt_mine")), vec!["/key unknown_field"]),
        (with("rate", json!(5)), vec!["/rate unknown_field"]),
        (
            json!({"name": "", "scopes": [], "expires_at": "2020-01-01T00:00:00Z"}),
            vec!["/expires_at range", "/name length", "/scopes length"],
        ),
    ];
    drafts.extend(no_texts().into_iter().map(|value| (with("name", value), vec!["/name type"])));
    for (draft, faults) in drafts {
        let call = api.admin().post(&format!("/api/v1/tenants/{}/keys", acme.number)).json(&draft);
        unchanged(&api, call.send()).await.faults(&faults);
    }
}

#[tokio::test]
async fn of_many_wrong_scopes_some_are_told() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let draft = with("scopes", json!(vec!["none"; 5000]));
    let call = api.admin().post(&format!("/api/v1/tenants/{}/keys", acme.number)).json(&draft);
    let problem = unchanged(&api, call.send()).await.problem(422, "validation-failed");
    let told = problem["errors"].as_array().unwrap().len();
    assert!((1..=100).contains(&told), "{told}");
}

#[tokio::test]
async fn a_list_of_keys_refuses_what_it_does_not_know() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for (query, fault) in
        [("limit=0", "/limit value"), ("limit=x", "/limit value"), ("name=a", "/name unknown")]
    {
        let target = format!("/api/v1/tenants/{}/keys?{query}", acme.number);
        api.admin().get(&target).send().await.query_faults(&[fault]);
    }
}
