//! Who is let in: the caller's key, and how each predecessor refused.

use super::world::{ACTIVITY, ALL_PLANS, KEY_VALUES, SEARCH, TENANTS, call, refusal, speaking};
use crate::api::answer::Answer;
use crate::api::harness::{Actor, Api, TENANT_SCOPES, Tenant};
use crate::api::openapi::Operation;
use crate::api::snapshot::unchanged;

fn keyed() -> Vec<Operation> {
    let operations: Vec<_> =
        Operation::of_predecessors().into_iter().filter(Operation::takes_a_key).collect();
    assert_eq!(operations.len(), 14, "{operations:?}");
    operations
}

fn is_for_admins(operation: &Operation) -> bool {
    operation.path.starts_with(TENANTS)
}

/// The scope that the operation's description asks for.
fn scope(operation: &Operation) -> &'static str {
    let text = operation.description["description"].as_str().unwrap();
    text.split("Needs the scope `").nth(1).and_then(|rest| rest.split('`').next()).unwrap()
}

/// Calls every operation that takes a key, and insists on a refusal in the old shape by which nothing changes.
async fn all_refuse(api: &Api, actor: &Actor, check: impl Fn(&Operation, &Answer)) {
    unchanged(api, async {
        for operation in keyed() {
            let answer = call(actor, &operation).await;
            check(&operation, &answer);
            let body = String::from_utf8_lossy(&answer.body);
            assert!(actor.key().is_empty() || !body.contains(actor.key()), "a key is not repeated: {body}");
        }
    })
    .await;
}

async fn inhabited(api: &Api) -> Tenant {
    let tenant = api.tenant("acme").await;
    tenant.set("greeting", "hello").await;
    tenant
}

#[tokio::test]
async fn without_a_key_the_registry_answers_403_and_the_others_401() {
    let api = speaking(&[]);
    inhabited(&api).await;
    all_refuse(&api, &api.anyone(), |operation, answer| {
        if is_for_admins(operation) {
            assert_eq!((answer.status, answer.text().as_str()), (403, r#"{"detail":"Not authenticated"}"#));
            assert_eq!(answer.header("www-authenticate"), None);
        } else {
            refusal(operation.path, answer, 401);
            assert_eq!(answer.the("www-authenticate"), r#"Bearer realm="tenantry""#);
        }
    })
    .await;
}

#[tokio::test]
async fn a_wrong_key_is_401_everywhere() {
    let api = speaking(&[]);
    let acme = inhabited(&api).await;
    let (id, revoked) = api.key_of(acme.number, &["kv:read"]).await;
    api.admin().delete(&format!("/api/v1/tenants/{}/keys/{id}", acme.number)).send().await.expect(204);
    for wrong in [revoked, api.bearer("nonsense")] {
        all_refuse(&api, &wrong, |operation, answer| {
            if is_for_admins(operation) {
                assert_eq!(answer.text(), r#"{"detail":"Not authenticated"}"#);
            }
            refusal(operation.path, answer, 401);
            assert!(answer.the("www-authenticate").contains("invalid_token"));
        })
        .await;
    }
}

#[tokio::test]
async fn another_scheme_is_like_no_key() {
    let api = speaking(&[]);
    for (path, status) in [(TENANTS, 403), (KEY_VALUES, 401), (ACTIVITY, 401), (SEARCH, 401)] {
        let route = match path {
            TENANTS => "ping",
            KEY_VALUES => "get-values",
            SEARCH => ALL_PLANS,
            _ => "events",
        };
        let call = api.anyone().get(&format!("{path}/{route}")).header("authorization", "Basic YTpi");
        refusal(path, &call.send().await, status);
    }
}

#[tokio::test]
async fn a_key_opens_what_its_scope_names_and_nothing_else() {
    let api = speaking(&[]);
    let acme = inhabited(&api).await;
    for scope_of_key in TENANT_SCOPES {
        let (_, actor) = api.key_of(acme.number, &[scope_of_key]).await;
        for operation in keyed() {
            let answer = call(&actor, &operation).await;
            if scope(&operation) == scope_of_key {
                assert!((200..300).contains(&answer.status), "{operation:?} {answer:?}");
            } else {
                let words = refusal(operation.path, &answer, 403);
                assert!(words.contains(scope(&operation)), "{words}");
            }
        }
    }
}

#[tokio::test]
async fn a_suspended_tenants_key_is_refused() {
    let api = speaking(&[]);
    let acme = inhabited(&api).await;
    api.admin().post(&format!("/api/v1/tenants/{}/suspend", acme.number)).send().await.expect(200);
    all_refuse(&api, &acme, |operation, answer| {
        refusal(operation.path, answer, 403);
    })
    .await;
}

#[tokio::test]
async fn an_administrator_names_a_tenant() {
    let api = speaking(&[]);
    let acme = inhabited(&api).await;
    let admin = api.admin();
    for (path, route) in [(KEY_VALUES, "get-values"), (ACTIVITY, "events"), (SEARCH, ALL_PLANS)] {
        let get = || admin.get(&format!("{path}/{route}"));
        assert!(refusal(path, &get().send().await, 400).contains("name a tenant"));
        refusal(path, &get().of_tenant("999999").send().await, 404);
        get().of_tenant(&acme.id).send().await.expect(200);
        refusal(path, &acme.get(&format!("{path}/{route}")).of_tenant("999999").send().await, 404);
    }
}

#[tokio::test]
async fn a_tenant_sees_what_is_its_own() {
    let api = speaking(&[]);
    let (acme, other) = (inhabited(&api).await, api.tenant("other").await);
    acme.tell("of acme").await;
    let text = async |path: &str| other.get(path).send().await.expect(200).text();
    assert_eq!(text(&format!("{KEY_VALUES}/get-value?key=greeting")).await, r#"{"value":null}"#);
    assert_eq!(text(&format!("{KEY_VALUES}/get-values")).await, r#"{"value":[]}"#);
    assert_eq!(text(&format!("{ACTIVITY}/events")).await, r#"{"events":[]}"#);
    other.delete(&format!("{KEY_VALUES}/delete-value?key=greeting")).send().await.expect(204);
    assert_eq!(acme.value("greeting").await, "hello");
}
