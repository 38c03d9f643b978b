//! A Tenantry that speaks the old contracts, and what is called there.

use serde_json::Value;

use crate::api::answer::Answer;
use crate::api::harness::{Actor, Api, NO_ERASURE};
use crate::api::openapi::Operation;

/// Where the predecessors' paths begin.
pub(crate) const TENANTS: &str = "/compat/tenants/api/v1";
pub(crate) const KEY_VALUES: &str = "/compat/key-values";
pub(crate) const ACTIVITY: &str = "/compat/activity/api";
pub(crate) const SEARCH: &str = "/compat/search";

/// A search, behind [`SEARCH`] and a slash.
pub(crate) const ALL_PLANS: &str = "search?starts_at=2000-01-01T00:00:00&ends_at=2099-12-31T23:59:59";

/// A Tenantry that speaks the old contracts; what is deleted in it stays `deleting`.
pub(crate) fn speaking(settings: &[(&str, &str)]) -> Api {
    Api::start_with(&[&[("compat.enabled", "true"), NO_ERASURE], settings].concat())
}

/// The path of an operation, about tenant 1.
pub(crate) fn path(operation: &Operation) -> String {
    operation.path.replace("{tenant_number}", "1").replace("search/search", &format!("search/{ALL_PLANS}"))
}

/// A body that the operation takes; nothing where it takes none.
pub(crate) fn good_body(operation: &Operation) -> Option<&'static str> {
    let last = operation.path.rsplit('/').next().unwrap();
    match (operation.method, last) {
        ("POST", "tenants") | ("PUT", "{tenant_number}") => Some(r#"{"tenant_info":{"plan":"new"}}"#),
        ("POST", "set-value") => Some(r#"{"key":"new","value":"new"}"#),
        ("GET", "get-value") | ("DELETE", "delete-value") => Some(r#"{"key":"greeting"}"#),
        ("POST", "events") => Some(r#"{"component":"a","environment":"b","message":"new"}"#),
        _ => None,
    }
}

/// Calls the operation as it succeeds.
pub(crate) async fn call(actor: &Actor, operation: &Operation) -> Answer {
    let call = actor.call(operation.method, &path(operation));
    match good_body(operation) {
        Some(body) => call.body("application/json", body).send().await,
        None => call.send().await,
    }
}

/// The words of a refusal, which must have that status and the shape of the predecessor at that path.
#[track_caller]
pub(crate) fn refusal(path: &str, answer: &Answer, status: u16) -> String {
    assert_eq!(answer.status, status, "{path}: {answer:?}");
    let member = match path.split('/').nth(2) {
        Some("tenants") => "detail",
        Some("activity") => "error",
        Some("search") => "",
        Some("key-values") => {
            assert_eq!(answer.the("content-type"), "text/plain; charset=utf-8", "{path}: {answer:?}");
            let text = answer.text();
            assert!(!text.is_empty() && !text.starts_with('{'), "{path}: {answer:?}");
            return text;
        }
        _ => panic!("{path} is no predecessor's"),
    };
    let body = answer.json();
    if member.is_empty() {
        assert_eq!(
            (&body["data"], &body["error"]["code"]),
            (&Value::Null, &status.to_string().into()),
            "{path}"
        );
        return body["error"]["message"].as_str().filter(|words| !words.is_empty()).unwrap().to_owned();
    }
    assert_eq!(body.as_object().unwrap().len(), 1, "{path}: {answer:?}");
    match &body[member] {
        Value::String(words) if !words.is_empty() => words.clone(),
        Value::Array(faults) if !faults.is_empty() && member == "detail" => body[member].to_string(),
        _ => panic!("{path}: {answer:?}"),
    }
}
