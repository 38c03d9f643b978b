//! What is sent.

use std::time::Duration;

use serde_json::{Value, json};
use tenantry_client::{
    EntityTag, EventOrder, EventQuery, Increment, JsonObject, KeyValueQuery, NewAccessKey, NewTenant,
    Precondition, PutOptions, TenantPatch,
};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::{KEY, builder, client, tenant, written};

/// A server that answers so to whatever it is asked.
async fn server(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

async fn only(server: &MockServer) -> Request {
    let mut requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    requests.remove(0)
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.get(name).map(|value| value.to_str().unwrap())
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

#[tokio::test]
async fn a_request_shows_the_key_the_tenant_and_who_asks() {
    let server = server(ResponseTemplate::new(200)).await;
    let client = builder(&server).tenant(7).user_agent("shop/1.4").build().unwrap();
    client.ping().await.unwrap();
    let request = only(&server).await;
    assert_eq!(header(&request, "authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(header(&request, "tenantry-tenant"), Some("7"));
    assert_eq!(header(&request, "user-agent"), Some("shop/1.4"));
}

#[tokio::test]
async fn a_server_may_stand_below_a_path() {
    let server = server(ResponseTemplate::new(200)).await;
    let url = format!("{}/tenantry/", server.uri());
    tenantry_client::Client::builder(url).build().unwrap().ping().await.unwrap();
    assert_eq!(only(&server).await.url.path(), "/tenantry/api/v1/ping");
}

#[tokio::test]
async fn a_put_shows_its_type_its_life_and_its_precondition() {
    let server = server(written(201, 9)).await;
    let options = PutOptions::text().ttl(Duration::from_secs(90)).under(Precondition::Absent);
    let done = client(&server).key_values().put("a b/ü", "teal", options).await.unwrap();
    assert!(done.created);
    assert_eq!((done.revision, done.version), (9, 1));

    let request = only(&server).await;
    assert_eq!(request.url.path(), "/api/v1/kv/a%20b/%C3%BC");
    assert_eq!(request.url.query(), Some("ttl=90"));
    assert_eq!(header(&request, "content-type"), Some("text/plain; charset=utf-8"));
    assert_eq!(header(&request, "if-none-match"), Some("*"));
    assert_eq!(request.body, b"teal");
}

#[tokio::test]
async fn a_write_names_the_revision_that_it_builds_on() {
    let server = server(ResponseTemplate::new(204)).await;
    let precondition = Precondition::Matches(EntityTag::of_revision(4));
    client(&server).key_values().delete("a", &precondition).await.unwrap();
    let request = only(&server).await;
    assert_eq!((request.method.as_str(), header(&request, "if-match")), ("DELETE", Some("\"4\"")));
}

#[tokio::test]
async fn an_increment_is_json() {
    let answer = json!({"value": 3, "version": 2, "revision": 5});
    let server = server(ResponseTemplate::new(200).set_body_json(answer)).await;
    let increment = Increment { by: -2, initial: Some(5), ..Increment::default() };
    let done = client(&server).key_values().increment("n", &increment).await.unwrap();
    assert_eq!((done.value, done.version, done.revision), (3, 2, 5));
    assert_eq!(body(&only(&server).await), json!({"increment": -2, "initial": 5}));
}

#[tokio::test]
async fn a_read_that_finds_nothing_new_brings_nothing() {
    let server = server(ResponseTemplate::new(304)).await;
    assert_eq!(client(&server).key_values().get_if_changed("a", 4).await.unwrap(), None);
    assert_eq!(header(&only(&server).await, "if-none-match"), Some("\"4\""));
}

#[tokio::test]
async fn the_head_of_a_value_tells_all_about_it() {
    let answer = written(200, 12)
        .insert_header("last-modified", "Thu, 26 Nov 2026 04:12:18 GMT")
        .insert_header("expires", "Thu, 26 Nov 2026 05:12:18 GMT")
        .set_body_raw(b"\xff\x00".to_vec(), "image/png");
    let server = server(answer).await;
    let value = client(&server).key_values().get("a").await.unwrap();
    assert_eq!(value.bytes.as_ref(), b"\xff\x00");
    assert_eq!((value.info.content_type.as_str(), value.info.revision), ("image/png", 12));
    assert_eq!(value.info.updated_at.unwrap().to_rfc3339(), "2026-11-26T04:12:18+00:00");
    assert_eq!(value.info.expires_at.unwrap().to_rfc3339(), "2026-11-26T05:12:18+00:00");
}

#[tokio::test]
async fn filters_of_events_are_parameters() {
    let server =
        server(ResponseTemplate::new(200).set_body_json(json!({"events": [], "next_cursor": null}))).await;
    let query = EventQuery {
        components: vec!["a&b".to_owned(), "c".to_owned()],
        message: Some("50% off".to_owned()),
        from: Some("2026-01-31".to_owned()),
        data: Some(JsonObject::parse(r#"{"order": 1}"#).unwrap()),
        after_sequence: Some(3),
        order: EventOrder::OldestFirst,
        page_limit: Some(10),
        ..EventQuery::default()
    };
    client(&server).events().page(&query, Some("cursor")).await.unwrap();
    let request = only(&server).await;
    let pairs: Vec<(String, String)> = request.url.query_pairs().into_owned().collect();
    let expected = [
        ("component", "a&b"),
        ("component", "c"),
        ("message", "50% off"),
        ("from_date", "2026-01-31"),
        ("data", r#"{"order": 1}"#),
        ("after_sequence", "3"),
        ("order", "asc"),
        ("limit", "10"),
        ("cursor", "cursor"),
    ];
    assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

#[tokio::test]
async fn filters_of_key_values_are_parameters() {
    let server =
        server(ResponseTemplate::new(200).set_body_json(json!({"entries": [], "next_cursor": null}))).await;
    let query = KeyValueQuery { prefix: Some("a/".to_owned()), keys_only: true, page_limit: Some(2) };
    client(&server).key_values().page(&query, None).await.unwrap();
    assert_eq!(only(&server).await.url.query(), Some("prefix=a%2F&keys_only=true&limit=2"));
}

#[tokio::test]
async fn a_tenant_is_made_and_patched_with_what_is_given() {
    let made =
        server(ResponseTemplate::new(201).insert_header("etag", "\"1\"").set_body_json(tenant())).await;
    let info = JsonObject::parse(r#"{"n": 1.50}"#).unwrap();
    let tenant_made = client(&made).tenants().create(&NewTenant::named("acme").info(info)).await.unwrap();
    assert_eq!((tenant_made.tag.as_str(), tenant_made.tenant_number), ("\"1\"", 1));
    let request = only(&made).await;
    assert_eq!(request.body, br#"{"name":"acme","tenant_info":{"n": 1.50}}"#, "digits stay");

    let patched =
        server(ResponseTemplate::new(200).insert_header("etag", "\"2\"").set_body_json(tenant())).await;
    let patch = TenantPatch { name: Some("b".to_owned()), ..TenantPatch::default() };
    client(&patched).tenants().patch("1_acme", &patch, &Precondition::None).await.unwrap();
    let request = only(&patched).await;
    assert_eq!((request.method.as_str(), request.url.path()), ("PATCH", "/api/v1/tenants/1_acme"));
    assert_eq!(header(&request, "content-type"), Some("application/merge-patch+json"));
    assert_eq!(body(&request), json!({"name": "b"}));
}

#[tokio::test]
async fn a_new_key_comes_with_its_text_which_is_not_printed_for_debugging() {
    let answer = json!({"key_id": "abc", "prefix": "tnt_abc", "name": "ci", "scopes": ["kv:read"],
        "created_at": "2026-11-21T10:00:00.000000Z", "expires_at": null, "last_used_at": null, "key": "tnt_abc_s3cret"});
    let server = server(ResponseTemplate::new(201).set_body_json(answer)).await;
    let made = client(&server).access_keys("1").create(&NewAccessKey::new("ci", ["kv:read"])).await.unwrap();
    assert_eq!(made.key.expose(), "tnt_abc_s3cret");
    assert_eq!(made.about.key_id, "abc");
    assert!(!format!("{made:?}").contains("s3cret"));
    assert_eq!(body(&only(&server).await), json!({"name": "ci", "scopes": ["kv:read"]}));
}
