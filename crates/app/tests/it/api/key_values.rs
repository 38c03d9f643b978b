//! One key-value: storing, reading, removing.

use super::answer::Answer;
use super::harness::{Api, Tenant};

async fn put(tenant: &Tenant, content_type: &str, value: &[u8]) -> Answer {
    tenant.put("/api/v1/kv/a").body(content_type, value).send().await
}

async fn get(tenant: &Tenant) -> Answer {
    tenant.get("/api/v1/kv/a").send().await
}

#[tokio::test]
async fn a_value_is_created_replaced_and_read() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let created = put(&acme, "text/plain", b"one").await.expect(201);
    assert_eq!((created.the("etag"), created.the("tenantry-version")), ("\"1\"", "1"));
    assert_eq!(created.the("location"), "/api/v1/kv/a");
    assert!(created.body.is_empty());
    let replaced = put(&acme, "application/json", b"{\"two\":2}").await.expect(200);
    assert_eq!((replaced.the("etag"), replaced.the("tenantry-version")), ("\"2\"", "2"));
    assert_eq!(replaced.header("location"), None);
    let read = get(&acme).await.expect(200);
    assert_eq!(read.text(), "{\"two\":2}");
    assert_eq!(read.the("content-type"), "application/json");
    assert_eq!((read.the("etag"), read.the("tenantry-version")), ("\"2\"", "2"));
    assert_eq!((read.header("expires"), read.the("cache-control")), (None, "no-cache"));
    assert!(read.the("last-modified").ends_with(" GMT"), "{read:?}");
}

#[tokio::test]
async fn any_bytes_come_back_as_they_were() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let all: Vec<u8> = (0..=255).collect();
    for (value, status) in
        [(&b""[..], 201), (b"\0", 200), (&all, 200), (b"\xff\xfe", 200), (b"\r\n\r\n", 200)]
    {
        put(&acme, "application/x-any", value).await.expect(status);
        let read = get(&acme).await.expect(200);
        assert_eq!(read.body, value);
        assert_eq!(read.the("content-length"), value.len().to_string());
    }
}

#[tokio::test]
async fn a_content_type_is_kept_as_it_was_sent() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for kind in [
        "text/plain; charset=UTF-8",
        "Application/Vnd.a+JSON;v=\"1\"",
        "image/png",
        &format!("a/{}", "b".repeat(253)),
    ] {
        put(&acme, kind, b"x").await;
        assert_eq!(get(&acme).await.expect(200).the("content-type"), kind);
    }
    acme.put("/api/v1/kv/a").untyped_body("x").send().await.expect(200);
    assert_eq!(get(&acme).await.the("content-type"), "application/octet-stream", "where none was sent");
}

#[tokio::test]
async fn a_value_may_have_a_mebibyte_and_not_a_byte_more() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let mut value: Vec<u8> = (0..1024 * 1024_u32).map(|at| (at % 251) as u8).collect();
    put(&acme, "image/x", &value).await.expect(201);
    assert!(get(&acme).await.expect(200).body == value);
    value.push(0);
    put(&acme, "image/x", &value).await.problem(413, "body-too-large");
    assert_eq!(get(&acme).await.expect(200).the("etag"), "\"1\"");
}

#[tokio::test]
async fn head_tells_all_but_the_bytes() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    put(&acme, "text/x", b"hello").await.expect(201);
    let (got, told) = (get(&acme).await, acme.head("/api/v1/kv/a").send().await.expect(200));
    for name in
        ["etag", "tenantry-version", "last-modified", "content-type", "content-length", "cache-control"]
    {
        assert_eq!(told.the(name), got.the(name), "{name}");
    }
    assert!(told.body.is_empty());
    assert_eq!(acme.head("/api/v1/kv/b").send().await.status, 404);
}

#[tokio::test]
async fn a_removed_key_is_gone_and_begins_anew() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    put(&acme, "text/plain", b"1").await.expect(201);
    put(&acme, "text/plain", b"2").await.expect(200);
    let removed = acme.delete("/api/v1/kv/a").send().await.expect(204);
    assert!(removed.body.is_empty());
    get(&acme).await.problem(404, "key-value-not-found");
    acme.delete("/api/v1/kv/a").send().await.problem(404, "key-value-not-found");
    let again = put(&acme, "text/plain", b"3").await.expect(201);
    assert_eq!(again.the("tenantry-version"), "1", "versions begin anew");
    assert_eq!(again.the("etag"), "\"4\"", "revisions go on, and the removal took one");
}

#[tokio::test]
async fn every_write_of_a_tenant_takes_the_next_revision() {
    let api = Api::start();
    let (acme, other) = (api.tenant("acme").await, api.tenant("other").await);
    let mut revisions = Vec::new();
    for key in ["a", "b", "a", "c"] {
        revisions.push(acme.set(key, "x").await.the("etag").to_owned());
        other.set("x", "y").await;
    }
    assert_eq!(revisions, ["\"1\"", "\"2\"", "\"3\"", "\"4\""]);
    acme.put("/api/v1/kv/a").header("if-match", "\"0\"").untyped_body("x").send().await.expect(412);
    acme.delete("/api/v1/kv/none").send().await.expect(404);
    assert_eq!(acme.set("a", "x").await.the("etag"), "\"5\"", "what is refused takes none");
}

#[tokio::test]
async fn whoever_reads_after_a_write_sees_it() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let reader = api.key_of(acme.number, &["kv:read"]).await.1;
    for round in 0..20 {
        let text = round.to_string();
        acme.set("a", &text).await;
        for _ in 0..2 {
            assert_eq!(reader.get("/api/v1/kv/a").send().await.expect(200).text(), text);
        }
        let counted = acme.post("/api/v1/kv/a").json(&serde_json::json!({"increment": 1000})).send().await;
        assert_eq!(counted.expect(200).json()["value"], 1000 + round);
        assert_eq!(acme.value("a").await, (1000 + round).to_string());
        acme.delete("/api/v1/kv/a").send().await.expect(204);
        for _ in 0..2 {
            get(&acme).await.problem(404, "key-value-not-found");
        }
    }
}

#[tokio::test]
async fn an_unknown_parameter_is_refused() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.set("a", "1").await;
    let target = "/api/v1/kv/a?tll=60";
    acme.get(target).send().await.query_faults(&["/tll unknown"]);
    acme.put(target).untyped_body("2").send().await.query_faults(&["/tll unknown"]);
    acme.post(target).json(&serde_json::json!({"increment": 1})).send().await.query_faults(&["/tll unknown"]);
    acme.delete(target).send().await.query_faults(&["/tll unknown"]);
    assert_eq!(acme.value("a").await, "1");
}
