//! Making tenants, and showing them.

use serde_json::{Value, json};

use super::harness::Api;

const TENANTS: &str = "/api/v1/tenants";

#[tokio::test]
async fn a_tenant_is_created_under_the_next_number() {
    let api = Api::start();
    let draft = json!({"name": "acme", "tenant_info": {"email": "ops@acme.example"}});
    let answer = api.admin().post(TENANTS).json(&draft).send().await.expect(201);
    let tenant = answer.json();
    let number = tenant["tenant_number"].as_i64().unwrap();
    assert!(number > 0);
    assert_eq!(tenant["tenant_id"], format!("{number}_acme"));
    assert_eq!(tenant["name"], "acme");
    assert_eq!(tenant["status"], "active");
    assert_eq!(tenant["tenant_info"], json!({"email": "ops@acme.example"}));
    assert_eq!(tenant["created_at"], tenant["updated_at"]);
    assert_eq!(tenant.get("erasure"), None);
    assert_eq!(answer.the("location"), format!("/api/v1/tenants/{number}"));

    let next = api.admin().post(TENANTS).json(&draft).send().await.expect(201).json();
    assert_eq!(next["tenant_number"], number + 1, "names need not be unique, numbers grow");
}

#[tokio::test]
async fn a_tenant_is_shown_by_its_number_and_by_its_id() {
    let api = Api::start();
    let draft = json!({"name": "Sky_e.-9", "tenant_info": {"a": [1, null]}});
    let created = api.admin().post(TENANTS).json(&draft).send().await.expect(201);
    let number = created.json()["tenant_number"].clone();
    for name in [number.to_string(), format!("{number}_Sky_e.-9"), format!("{number}%5FSky%5Fe.-9")] {
        let shown = api.admin().get(&format!("{TENANTS}/{name}")).send().await.expect(200);
        assert_eq!(shown.json(), created.json(), "{name}");
        assert_eq!(shown.the("etag"), created.the("etag"));
    }
}

#[tokio::test]
async fn what_names_no_tenant_is_not_found() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let number = acme.number;
    let others = [
        "999999".to_owned(),
        format!("{number}_acm"),
        format!("{number}_ACME"),
        format!("{number}_"),
        format!("0{number}"),
        format!("+{number}"),
        format!("{number}%20"),
        format!("{number}%00"),
        "0".to_owned(),
        "-1".to_owned(),
        "acme".to_owned(),
        "9223372036854775807".to_owned(),
        "9223372036854775808".to_owned(),
        "%ff".to_owned(),
        "%F0%9F%A6%80".to_owned(),
    ];
    for name in others {
        let answer = api.admin().get(&format!("{TENANTS}/{name}")).send().await;
        answer.problem(404, "tenant-not-found");
    }
}

#[tokio::test]
async fn what_is_kept_about_a_tenant_is_kept_to_the_letter() {
    let api = Api::start();
    let info = r#"{ "b": 12345678901234567890123.10, "a": 1e2, "é": "é\n\u20ac" }"#;
    let draft = format!(r#"{{"name":"acme","tenant_info":{info}}}"#);
    let created = api.admin().post(TENANTS).body("application/json", draft).send().await.expect(201);
    let shown = api.admin().get(created.the("location")).send().await.expect(200);
    for answer in [created, shown] {
        assert!(answer.text().contains(info), "{answer:?}");
    }
}

#[tokio::test]
async fn without_a_word_on_it_there_is_an_empty_object() {
    let api = Api::start();
    for draft in [json!({"name": "acme"}), json!({"name": "acme", "tenant_info": null})] {
        let created = api.admin().post(TENANTS).json(&draft).send().await.expect(201).json();
        assert_eq!(created["tenant_info"], json!({}), "{draft}");
    }
}

#[tokio::test]
async fn a_name_and_an_information_of_the_largest_size_are_taken() {
    let api = Api::start();
    for name in ["a", "A-Z.0_9", ".", "..", &"x".repeat(64)] {
        let created = api.admin().post(TENANTS).json(&json!({"name": name})).send().await.expect(201).json();
        let id = created["tenant_id"].as_str().unwrap();
        let shown = api.admin().get(&format!("{TENANTS}/{id}")).send().await.expect(200).json();
        assert_eq!(shown, created, "{name}");
    }
    let info = json!({"a": "x".repeat(64 * 1024 - 8)});
    assert_eq!(info.to_string().len(), 64 * 1024);
    let draft = json!({"name": "acme", "tenant_info": info});
    let created = api.admin().post(TENANTS).json(&draft).send().await.expect(201).json();
    assert_eq!(created["tenant_info"], info);
}

#[tokio::test]
async fn a_tenant_that_is_unchanged_is_not_sent_again() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let path = format!("{TENANTS}/{}", acme.number);
    let etag = api.admin().get(&path).send().await.expect(200).the("etag").to_owned();
    assert!(etag.starts_with('"') && etag.ends_with('"'), "a strong tag: {etag}");
    for tags in [etag.clone(), format!("W/{etag}"), format!("\"x\", {etag}"), "*".to_owned()] {
        let answer = api.admin().get(&path).header("if-none-match", &tags).send().await.expect(304);
        assert_eq!(answer.the("etag"), etag);
        assert!(answer.body.is_empty(), "{tags}");
    }
    for tags in ["\"0\"", "\"x\""] {
        let answer = api.admin().get(&path).header("if-none-match", tags).send().await.expect(200);
        assert_ne!(answer.json(), Value::Null, "{tags}");
    }
    api.admin().get(&path).header("if-match", &etag).send().await.expect(200);
    api.admin().get(&path).header("if-match", "\"0\"").send().await.problem(412, "precondition-failed");
}
