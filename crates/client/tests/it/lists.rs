//! Lists as streams.

use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;
use tenantry_client::{ClientError, EventQuery, KeyValueQuery, TenantQuery};
use wiremock::matchers::{any, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{client, event, problem, tenant};

fn page(items: &[u64], next: Option<&str>) -> ResponseTemplate {
    let events: Vec<_> =
        items.iter().map(|sequence| event("0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d", *sequence)).collect();
    ResponseTemplate::new(200).set_body_json(json!({"events": events, "next_cursor": next}))
}

async fn three_pages() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(query_param_is_missing("cursor")).respond_with(page(&[5, 4], Some("a"))).mount(&server).await;
    Mock::given(query_param("cursor", "a")).respond_with(page(&[], Some("b"))).mount(&server).await;
    Mock::given(query_param("cursor", "b")).respond_with(page(&[3], None)).mount(&server).await;
    server
}

#[tokio::test]
async fn a_stream_follows_the_cursors_to_the_end() {
    let server = three_pages().await;
    let query = EventQuery { components: vec!["billing".to_owned()], ..EventQuery::default() };
    let events: Vec<_> = client(&server).events().list(&query).try_collect().await.unwrap();
    assert_eq!(events.iter().map(|event| event.sequence).collect::<Vec<_>>(), [5, 4, 3]);
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 3);
    let each_has_the_filter =
        requests.iter().all(|request| request.url.query().unwrap().contains("component=billing"));
    assert!(each_has_the_filter);
}

#[tokio::test]
async fn a_stream_asks_for_a_page_when_it_is_wanted() {
    let server = three_pages().await;
    let mut events = client(&server).events().list(&EventQuery::default());
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
    events.next().await.unwrap().unwrap();
    events.next().await.unwrap().unwrap();
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    drop(events);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_stream_that_fails_says_so_and_ends() {
    let server = MockServer::start().await;
    Mock::given(query_param_is_missing("cursor")).respond_with(page(&[5], Some("a"))).mount(&server).await;
    Mock::given(query_param("cursor", "a")).respond_with(problem(400, "invalid-cursor")).mount(&server).await;
    let mut events = client(&server).events().list(&EventQuery::default());
    assert!(events.next().await.unwrap().is_ok());
    assert_eq!(events.next().await.unwrap().unwrap_err().status(), Some(400));
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_page_that_leads_to_itself_does_not_go_on_for_ever() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(page(&[1], Some("same"))).mount(&server).await;
    let all: Result<Vec<_>, _> = client(&server).events().list(&EventQuery::default()).try_collect().await;
    assert!(matches!(all.unwrap_err(), ClientError::Unexpected(_)));
}

#[tokio::test]
async fn every_list_has_its_own_noun() {
    let server = MockServer::start().await;
    let body = json!({"tenants": [tenant()], "next_cursor": null});
    Mock::given(wiremock::matchers::path("/api/v1/tenants"))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .mount(&server)
        .await;
    let entry = json!({"key": "k", "value": "/w==", "encoding": "base64", "content_type": "image/png", "size": 1,
        "version": 1, "revision": 2, "created_at": "2026-11-21T10:00:00.000000Z",
        "updated_at": "2026-11-21T10:00:00.000000Z", "expires_at": null});
    Mock::given(wiremock::matchers::path("/api/v1/kv"))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(json!({"entries": [entry], "next_cursor": null})),
        )
        .mount(&server)
        .await;
    let client = client(&server);
    let tenants: Vec<_> = client.tenants().list(&TenantQuery::default()).try_collect().await.unwrap();
    assert_eq!(tenants[0].tenant_id, "1_acme");
    let entries: Vec<_> = client.key_values().list(&KeyValueQuery::default()).try_collect().await.unwrap();
    assert_eq!(entries[0].bytes().unwrap().as_ref(), b"\xff");
}

#[tokio::test]
async fn a_tenant_that_can_stand_in_no_address_fails_at_the_first_item() {
    let server = MockServer::start().await;
    let mut keys = client(&server).access_keys("..").list();
    assert!(matches!(keys.next().await, Some(Err(ClientError::Invalid(_)))));
    assert!(keys.next().await.is_none());
}
