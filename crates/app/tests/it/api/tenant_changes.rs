//! Changing tenants: replacing, patching, suspending, activating.

use serde_json::{Value, json};

use super::answer::Answer;
use super::harness::{Actor, Api, NO_ERASURE};
use super::snapshot::unchanged;

/// A tenant, as its administrator sees it.
struct Registered {
    api: Api,
    path: String,
}

impl Registered {
    async fn with_info(info: &Value) -> Self {
        // What is deleted can still be looked at.
        let api = Api::start_with(&[NO_ERASURE]);
        let draft = json!({"name": "acme", "tenant_info": info});
        let created = api.admin().post("/api/v1/tenants").json(&draft).send().await.expect(201);
        let path = created.the("location").to_owned();
        Self { api, path }
    }

    fn admin(&self) -> Actor {
        self.api.admin()
    }

    async fn shown(&self) -> Answer {
        self.admin().get(&self.path).send().await.expect(200)
    }

    async fn patch(&self, patch: &Value) -> Answer {
        let call = self.admin().patch(&self.path);
        call.body("application/merge-patch+json", patch.to_string()).send().await
    }
}

#[tokio::test]
async fn a_put_replaces_the_name_and_the_information() {
    let acme = Registered::with_info(&json!({"a": 1})).await;
    let before = acme.shown().await;
    let draft = json!({"name": "acme2", "tenant_info": {"b": 2}});
    let answer = acme.admin().put(&acme.path).json(&draft).send().await.expect(200);
    let (after, number) = (answer.json(), before.json()["tenant_number"].clone());
    assert_eq!(after["tenant_number"], number);
    assert_eq!(after["tenant_id"], format!("{number}_acme2"));
    assert_eq!((&after["name"], &after["tenant_info"]), (&json!("acme2"), &json!({"b": 2})));
    assert_eq!(after["created_at"], before.json()["created_at"]);
    assert!(after["updated_at"].as_str() >= before.json()["updated_at"].as_str());
    assert_ne!(answer.the("etag"), before.the("etag"));
    assert_eq!(acme.shown().await.json(), after);
    let old_id = format!("/api/v1/tenants/{number}_acme");
    acme.admin().get(&old_id).send().await.problem(404, "tenant-not-found");

    let bare = acme.admin().put(&acme.path).json(&json!({"name": "acme3"})).send().await.expect(200);
    assert_eq!(bare.json()["tenant_info"], json!({}), "what a put does not name is gone");
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    let acme = Registered::with_info(&json!({"a": 1, "b": {"c": 2, "d": 3}})).await;
    for (patch, name, info) in [
        (json!({}), "acme", json!({"a": 1, "b": {"c": 2, "d": 3}})),
        (json!({"name": "acme2"}), "acme2", json!({"a": 1, "b": {"c": 2, "d": 3}})),
        (json!({"tenant_info": {"a": null}}), "acme2", json!({"b": {"c": 2, "d": 3}})),
        (json!({"tenant_info": {"b": {"c": 4}}}), "acme2", json!({"b": {"c": 4, "d": 3}})),
        (json!({"tenant_info": {"b": [1]}, "name": "acme3"}), "acme3", json!({"b": [1]})),
        (json!({"tenant_info": null}), "acme3", json!({})),
    ] {
        let tenant = acme.patch(&patch).await.expect(200).json();
        assert_eq!((&tenant["name"], &tenant["tenant_info"]), (&json!(name), &info), "{patch}");
        assert_eq!(acme.shown().await.json(), tenant);
    }
}

#[tokio::test]
async fn a_patch_leaves_the_text_of_what_stays() {
    let api = Api::start();
    let draft = r#"{"name":"acme","tenant_info":{"n":12345678901234567890.10}}"#;
    let created =
        api.admin().post("/api/v1/tenants").body("application/json", draft).send().await.expect(201);
    let patch = api.admin().patch(created.the("location")).json(&json!({"tenant_info": {"a": 1}}));
    let patched = patch.send().await.expect(200);
    assert!(patched.text().contains("12345678901234567890.10"), "{patched:?}");
}

#[tokio::test]
async fn a_patch_that_breaks_a_rule_is_refused_whole() {
    let acme = Registered::with_info(&json!({"a": 1})).await;
    let deep = (0..40).fold(json!({}), |inner, _| json!({ "a": inner }));
    for (patch, fault) in [
        (json!({"name": null}), "/name required"),
        (json!({"name": 5}), "/name type"),
        (json!({"name": ""}), "/name length"),
        (json!({"name": "a b", "tenant_info": {"b": 1}}), "/name pattern"),
        (json!({"tenant_info": [1]}), "/tenant_info object"),
        (json!({"tenant_info": {"a": "\u{0}"}}), "/tenant_info nul"),
        (json!({"tenant_info": {"a": "x".repeat(70_000)}}), "/tenant_info length"),
        (json!({"tenant_id": "1_x"}), "/tenant_id unknown_field"),
        (json!({"status": "suspended"}), "/status unknown_field"),
        (json!({"a/b~": 1}), "/a~1b~0 unknown_field"),
        (json!([1]), " object"),
        (json!("x"), " object"),
        (json!({"tenant_info": deep}), " depth"),
    ] {
        unchanged(&acme.api, acme.patch(&patch)).await.faults(&[fault]);
    }
}

#[tokio::test]
async fn a_tenant_is_suspended_and_activated_again() {
    let acme = Registered::with_info(&json!({"a": 1})).await;
    let mut etags = vec![acme.shown().await.the("etag").to_owned()];
    for (verb, status) in [("suspend", "suspended"), ("activate", "active")] {
        let path = format!("{}/{verb}", acme.path);
        let answer = acme.admin().post(&path).send().await.expect(200);
        assert_eq!(answer.json()["status"], status);
        assert_eq!(answer.json()["tenant_info"], json!({"a": 1}));
        let again = acme.admin().post(&path).send().await.expect(200);
        assert_eq!(again.text(), answer.text(), "{verb} twice is {verb} once");
        assert_eq!(again.the("etag"), answer.the("etag"));
        etags.push(answer.the("etag").to_owned());
    }
    let distinct: std::collections::HashSet<_> = etags.iter().collect();
    assert_eq!(distinct.len(), 3, "each change has its own tag: {etags:?}");
}

#[tokio::test]
async fn a_suspended_tenant_can_be_changed_and_stays_suspended() {
    let acme = Registered::with_info(&json!({})).await;
    acme.admin().post(&format!("{}/suspend", acme.path)).send().await.expect(200);
    let replaced = acme.admin().put(&acme.path).json(&json!({"name": "b"})).send().await.expect(200);
    assert_eq!(replaced.json()["status"], "suspended");
    assert_eq!(acme.patch(&json!({"name": "c"})).await.expect(200).json()["status"], "suspended");
}

/// Every change of a tenant, with a body that would change it.
const CHANGES: [(&str, &str, &str); 5] = [
    ("PUT", "", r#"{"name":"other"}"#),
    ("PATCH", "", r#"{"name":"other"}"#),
    ("POST", "/suspend", ""),
    ("POST", "/activate", ""),
    ("DELETE", "", ""),
];

async fn change(acme: &Registered, change: (&str, &str, &str), precondition: (&str, &str)) -> Answer {
    let (method, suffix, body) = change;
    let call = acme.admin().call(method, &format!("{}{suffix}", acme.path));
    let call = call.header(precondition.0, precondition.1);
    let call = if body.is_empty() { call } else { call.body("application/json", body) };
    call.send().await
}

#[tokio::test]
async fn a_change_whose_precondition_does_not_hold_is_refused() {
    let acme = Registered::with_info(&json!({})).await;
    let etag = acme.shown().await.the("etag").to_owned();
    let weak = format!("W/{etag}");
    for wanted in CHANGES {
        for (name, value) in [
            ("if-match", "\"4711\""),
            ("if-match", "\"x\""),
            ("if-match", &weak),
            ("if-none-match", "*"),
            ("if-none-match", &etag),
            ("if-none-match", &weak),
        ] {
            let answer = unchanged(&acme.api, change(&acme, wanted, (name, value))).await;
            let problem = answer.problem(412, "precondition-failed");
            assert!(problem["detail"].as_str().unwrap().contains(&etag), "{problem}");
        }
    }
}

#[tokio::test]
async fn a_precondition_that_cannot_be_read_is_refused() {
    let acme = Registered::with_info(&json!({})).await;
    for wanted in CHANGES {
        for (name, value) in
            [("if-match", "1"), ("if-match", "\"1"), ("if-none-match", "\"1\" \"2\""), ("if-match", "")]
        {
            let answer = unchanged(&acme.api, change(&acme, wanted, (name, value))).await;
            answer.problem(400, "invalid-header");
        }
    }
}

#[tokio::test]
async fn a_change_whose_precondition_holds_is_made() {
    let acme = Registered::with_info(&json!({})).await;
    for wanted in CHANGES {
        let etag = acme.shown().await.the("etag").to_owned();
        let answer = change(&acme, wanted, ("if-match", &format!("\"0\", {etag}"))).await;
        assert!(matches!(answer.status, 200 | 202), "{answer:?}");
        assert_eq!(acme.shown().await.the("etag"), answer.the("etag"));
        if wanted.0 == "DELETE" {
            break;
        }
        assert!(matches!(change(&acme, wanted, ("if-match", "*")).await.status, 200), "{wanted:?}");
    }
}

#[tokio::test]
async fn of_two_who_change_what_they_have_read_one_is_told_to_read_again() {
    let acme = Registered::with_info(&json!({})).await;
    let etag = acme.shown().await.the("etag").to_owned();
    let put =
        |name: &str| acme.admin().put(&acme.path).header("if-match", &etag).json(&json!({"name": name}));
    put("first").send().await.expect(200);
    put("second").send().await.problem(412, "precondition-failed");
    assert_eq!(acme.shown().await.json()["name"], "first");
}
