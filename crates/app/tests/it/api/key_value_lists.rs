//! Lists of key-values.

use serde_json::{Value, json};

use super::harness::{Api, Tenant};

async fn with(keys: &[&str]) -> (Api, Tenant) {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for key in keys {
        acme.set(key, key).await;
    }
    (api, acme)
}

async fn page(tenant: &Tenant, query: &str) -> Value {
    tenant.get(&format!("/api/v1/kv?{query}")).send().await.expect(200).json()
}

fn keys(page: &Value) -> Vec<&str> {
    page["entries"].as_array().unwrap().iter().map(|entry| entry["key"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_tenant_without_keys_has_an_empty_list() {
    let (_api, acme) = with(&[]).await;
    let answer = acme.get("/api/v1/kv").send().await.expect(200);
    assert_eq!(answer.text(), r#"{"entries":[],"next_cursor":null}"#);
}

#[tokio::test]
async fn an_entry_shows_its_value_and_all_about_it() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.put("/api/v1/kv/a").body("text/x", "one").send().await.expect(201);
    acme.put("/api/v1/kv/a?ttl=3600").body("text/y", "é").send().await.expect(200);
    acme.put("/api/v1/kv/b").untyped_body(vec![0xff, 0x00]).send().await.expect(201);
    let list = page(&acme, "").await;
    let (text, bytes) = (&list["entries"][0], &list["entries"][1]);
    for (name, value) in [
        ("key", json!("a")),
        ("value", json!("é")),
        ("encoding", json!("utf-8")),
        ("content_type", json!("text/y")),
        ("size", json!(2)),
        ("version", json!(2)),
        ("revision", json!(2)),
    ] {
        assert_eq!(text[name], value, "{name}");
    }
    assert!(text["expires_at"].is_string());
    assert!(text["updated_at"].as_str() >= text["created_at"].as_str());
    assert_eq!((&bytes["value"], &bytes["encoding"]), (&json!("/wA="), &json!("base64")));
    assert_eq!((&bytes["size"], &bytes["expires_at"]), (&json!(2), &Value::Null));
    assert_eq!(bytes["content_type"], "application/octet-stream");
}

#[tokio::test]
async fn keys_only_leaves_the_values_out() {
    let (_api, acme) = with(&["a"]).await;
    let entry = page(&acme, "keys_only=true").await["entries"][0].clone();
    assert_eq!((entry.get("value"), entry.get("encoding")), (None, None));
    assert_eq!((&entry["key"], &entry["size"]), (&json!("a"), &json!(1)));
    assert_eq!(page(&acme, "keys_only=false").await["entries"][0]["value"], "a");
}

#[tokio::test]
async fn keys_stand_in_the_order_of_their_bytes() {
    let (_api, acme) =
        with(&["b", "a", "B", "a/b", "a0", "%C3%A9", "10", "9", "%EF%BF%BD", "%F0%9F%A6%80"]).await;
    assert_eq!(keys(&page(&acme, "").await), ["10", "9", "B", "a", "a/b", "a0", "b", "é", "\u{fffd}", "🦀"]);
}

#[tokio::test]
async fn a_prefix_is_taken_to_the_letter() {
    let (_api, acme) = with(&["a", "a/b", "a/c", "a%25", "a_", "A", "%C3%A9a", "%F4%8F%BF%BFz"]).await;
    for (prefix, expected) in [
        ("a", vec!["a", "a%", "a/b", "a/c", "a_"]),
        ("a/", vec!["a/b", "a/c"]),
        ("a%25", vec!["a%"]),
        ("a_", vec!["a_"]),
        ("A", vec!["A"]),
        ("%C3%A9", vec!["éa"]),
        ("%F4%8F%BF%BF", vec!["\u{10ffff}z"]),
        ("*", vec![]),
        ("ab", vec![]),
    ] {
        assert_eq!(keys(&page(&acme, &format!("prefix={prefix}")).await), expected, "{prefix}");
    }
}

#[tokio::test]
async fn pages_follow_one_another_by_cursor_and_link() {
    let (_api, acme) = with(&["p/1", "p/2", "p/3", "q", "p/4", "p/5"]).await;
    let mut target = "/api/v1/kv?prefix=p%2F&limit=2&keys_only=true".to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = acme.get(&target).send().await.expect(200);
        pages.push(keys(&answer.json()).join(" "));
        let Some(cursor) = answer.json()["next_cursor"].as_str().map(str::to_owned) else {
            assert_eq!(answer.header("link"), None);
            break;
        };
        target = format!("/api/v1/kv?prefix=p%2F&limit=2&keys_only=true&cursor={cursor}");
        assert_eq!(answer.the("link"), format!("<{target}>; rel=\"next\""));
    }
    assert_eq!(pages, ["p/1 p/2", "p/3 p/4", "p/5"]);
}

#[tokio::test]
async fn what_is_written_or_removed_while_somebody_turns_pages_does_not_disturb() {
    let (_api, acme) = with(&["a", "b", "c", "d"]).await;
    let first = page(&acme, "limit=2").await;
    acme.delete("/api/v1/kv/b").send().await.expect(204);
    acme.set("aa", "new").await;
    acme.set("cc", "new").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = page(&acme, &format!("cursor={cursor}")).await;
    assert_eq!((keys(&first), keys(&second)), (vec!["a", "b"], vec!["c", "cc", "d"]));
}

#[tokio::test]
async fn a_page_ends_early_where_its_values_are_large() {
    let api = Api::start_with(&[("limits.max_page_value_bytes", "1024")]);
    let acme = api.tenant("acme").await;
    for key in ["a", "b", "c", "d"] {
        acme.set(key, &"x".repeat(600)).await;
    }
    let first = page(&acme, "").await;
    assert_eq!(keys(&first), ["a", "b"], "the second reaches the bound");
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = page(&acme, &format!("cursor={cursor}")).await;
    assert_eq!((keys(&second), &second["next_cursor"]), (vec!["c", "d"], &Value::Null));
    assert_eq!(keys(&page(&acme, "keys_only=true").await), ["a", "b", "c", "d"]);
}

#[tokio::test]
async fn a_parameter_that_cannot_be_read_is_refused_and_named() {
    let (_api, acme) = with(&["a"]).await;
    for (query, fault) in [
        ("keys_only=yes", "/keys_only value"),
        ("keys_only=", "/keys_only value"),
        ("keys_only=TRUE", "/keys_only value"),
        ("limit=0", "/limit value"),
        ("limit=1001", "/limit value"),
        ("limit=1e3", "/limit value"),
        ("prefix=a&prefix=b", "/prefix repeated"),
        ("prefix=%00", "/prefix nul"),
        ("Prefix=a", "/Prefix unknown"),
        ("order=asc", "/order unknown"),
    ] {
        acme.get(&format!("/api/v1/kv?{query}")).send().await.query_faults(&[fault]);
    }
    for query in ["prefix=%ff", "prefix=%C3", "prefix=%zz"] {
        acme.get(&format!("/api/v1/kv?{query}")).send().await.problem(400, "invalid-query");
    }
}
