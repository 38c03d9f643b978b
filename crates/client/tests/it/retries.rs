//! What is sent again after which answers, and how often.

use std::time::{Duration, Instant};

use serde_json::json;
use tenantry_client::{
    Client, ClientError, EntityTag, Increment, NewAccessKey, NewEvent, NewTenant, Precondition, PutOptions,
    RetryPolicy, TenantPatch,
};
use wiremock::matchers::{any, method};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{builder, client, event, hasty, problem, tenant, written};

const ID: &str = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d";

/// Asks a server that always answers with this status; answers how often it was asked.
async fn asked(status: u16, ask: impl AsyncFn(Client) -> Result<(), ClientError>) -> usize {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(problem(status, "x")).mount(&server).await;
    let refused = ask(client(&server)).await.unwrap_err();
    assert_eq!(refused.status(), Some(status));
    server.received_requests().await.unwrap().len()
}

async fn unguarded_increment(client: Client) -> Result<(), ClientError> {
    client.key_values().increment("n", &Increment { by: 1, ..Increment::default() }).await.map(|_| ())
}

#[tokio::test]
async fn what_may_be_done_twice_is_sent_again_after_a_503() {
    let guarded =
        Increment { by: 1, precondition: Precondition::Matches(EntityTag::of_revision(1)), initial: None };
    let put = |precondition: Precondition| PutOptions::text().under(precondition);
    assert_eq!(asked(503, async |c| c.key_values().get("a").await.map(|_| ())).await, 3);
    assert_eq!(asked(503, async |c| c.key_values().info("a").await.map(|_| ())).await, 3);
    assert_eq!(
        asked(503, async |c| c.key_values().put("a", "b", PutOptions::text()).await.map(|_| ())).await,
        3
    );
    assert_eq!(
        asked(503, async |c| c.key_values().put("a", "b", put(Precondition::Absent)).await.map(|_| ())).await,
        3
    );
    assert_eq!(asked(503, async |c| c.key_values().delete("a", &Precondition::None).await).await, 3);
    assert_eq!(asked(503, async |c| c.key_values().increment("n", &guarded).await.map(|_| ())).await, 3);
    assert_eq!(
        asked(503, async |c| c.events().create(&NewEvent::new("a", "b", "c")).await.map(|_| ())).await,
        3
    );
    let batch = [NewEvent::new("a", "b", "c"), NewEvent::new("a", "b", "d")];
    assert_eq!(asked(503, async |c| c.events().create_batch(&batch).await.map(|_| ())).await, 3);
    let patch = TenantPatch::default();
    assert_eq!(
        asked(503, async |c| c.tenants().patch(1, &patch, &Precondition::None).await.map(|_| ())).await,
        3
    );
    assert_eq!(asked(503, async |c| c.tenants().suspend(1).await.map(|_| ())).await, 3);
    assert_eq!(asked(503, async |c| c.tenants().delete(1, &Precondition::None).await.map(|_| ())).await, 3);
    assert_eq!(asked(503, async |c| c.access_keys(1).revoke("k").await).await, 3);
}

#[tokio::test]
async fn what_must_not_be_done_twice_is_sent_once_where_it_may_have_been_done() {
    for status in [502, 503, 504] {
        assert_eq!(asked(status, unguarded_increment).await, 1);
        assert_eq!(
            asked(status, async |c| c.tenants().create(&NewTenant::named("a")).await.map(|_| ())).await,
            1
        );
        let key = NewAccessKey::new("a", ["kv:read"]);
        assert_eq!(asked(status, async |c| c.access_keys(1).create(&key).await.map(|_| ())).await, 1);
        let if_there = Increment { by: 1, precondition: Precondition::Exists, initial: None };
        assert_eq!(
            asked(status, async |c| c.key_values().increment("n", &if_there).await.map(|_| ())).await,
            1
        );
    }
}

#[tokio::test]
async fn where_nothing_was_done_everything_is_sent_again() {
    for status in [408, 429] {
        assert_eq!(asked(status, unguarded_increment).await, 3);
        assert_eq!(
            asked(status, async |c| c.tenants().create(&NewTenant::named("a")).await.map(|_| ())).await,
            3
        );
    }
}

#[tokio::test]
async fn what_is_refused_for_good_is_asked_once() {
    for status in [400, 401, 403, 404, 409, 412, 413, 422, 500, 501, 507] {
        assert_eq!(asked(status, async |c| c.key_values().get("a").await.map(|_| ())).await, 1, "{status}");
    }
}

#[tokio::test]
async fn a_request_that_succeeds_at_last_has_succeeded() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(problem(503, "unavailable")).up_to_n_times(2).mount(&server).await;
    Mock::given(method("PUT")).respond_with(written(201, 4)).mount(&server).await;
    let done = client(&server).key_values().put("a", "b", PutOptions::text()).await.unwrap();
    assert_eq!(done.revision, 4);
}

#[tokio::test]
async fn each_attempt_sends_the_event_under_the_same_id() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(problem(503, "unavailable")).up_to_n_times(2).mount(&server).await;
    // The first attempt was carried out after all: the server knows the id.
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_json(event(ID, 1)))
        .mount(&server)
        .await;
    let stored = client(&server).events().create(&NewEvent::new("a", "b", "c")).await.unwrap();
    assert!(!stored.was_there, "nobody but this call can have stored an id that was made for it");

    let requests = server.received_requests().await.unwrap();
    let ids: Vec<String> = requests
        .iter()
        .map(|request| request.body_json::<serde_json::Value>().unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 3);
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(uuid_version(&ids[0]), '7');
}

fn uuid_version(id: &str) -> char {
    id.chars().nth(14).unwrap()
}

#[tokio::test]
async fn a_refusal_after_a_lost_answer_says_so() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(problem(503, "unavailable")).up_to_n_times(1).mount(&server).await;
    Mock::given(any()).respond_with(problem(412, "precondition-failed")).mount(&server).await;
    let options = PutOptions::text().under(Precondition::Absent);
    let error = client(&server).key_values().put("a", "b", options).await.unwrap_err();
    assert!(error.is_precondition_failed());
    assert!(error.problem().unwrap().after_lost_answer, "perhaps it was the first attempt that made the key");

    let server = MockServer::start().await;
    Mock::given(any()).respond_with(problem(429, "busy")).up_to_n_times(1).mount(&server).await;
    Mock::given(any()).respond_with(problem(412, "precondition-failed")).mount(&server).await;
    let options = PutOptions::text().under(Precondition::Absent);
    let error = client(&server).key_values().put("a", "b", options).await.unwrap_err();
    assert!(!error.problem().unwrap().after_lost_answer, "after a 429 nothing was done");
}

#[tokio::test]
async fn retry_after_is_waited() {
    let server = MockServer::start().await;
    let busy = problem(503, "unavailable").insert_header("retry-after", "1");
    Mock::given(any()).respond_with(busy).up_to_n_times(1).mount(&server).await;
    Mock::given(any()).respond_with(written(200, 1)).mount(&server).await;
    let begun = Instant::now();
    client(&server).key_values().get("a").await.unwrap();
    assert!(begun.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_server_that_asks_for_more_patience_than_there_is_is_not_waited_for() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(problem(503, "unavailable").insert_header("retry-after", "3600"))
        .mount(&server)
        .await;
    let error = client(&server).key_values().get("a").await.unwrap_err();
    assert_eq!(error.problem().unwrap().retry_after, Some(Duration::from_secs(3600)));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_policy_of_one_attempt_is_kept() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(problem(503, "unavailable")).mount(&server).await;
    let client = builder(&server).retry(RetryPolicy { max_attempts: 1, ..hasty() }).build().unwrap();
    client.key_values().get("a").await.unwrap_err();
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn readiness_is_asked_once_and_not_ready_is_an_answer() {
    let server = MockServer::start().await;
    let body = json!({"status": "not-ready", "dependencies": {"storage": {"status": "down"}, "cache": {"status": "up"}}});
    Mock::given(any()).respond_with(ResponseTemplate::new(503).set_body_json(body)).mount(&server).await;
    let readiness = client(&server).readiness().await.unwrap();
    assert!(!readiness.is_ready);
    assert_eq!((readiness.dependencies["storage"], readiness.dependencies["cache"]), (false, true));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_tenants_creation_is_carried_out_when_the_second_attempt_is_let_in() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(problem(429, "busy")).up_to_n_times(1).mount(&server).await;
    let made = ResponseTemplate::new(201).insert_header("etag", "\"1\"").set_body_json(tenant());
    Mock::given(any()).respond_with(made).mount(&server).await;
    assert_eq!(
        client(&server).tenants().create(&NewTenant::named("acme")).await.unwrap().tenant_id,
        "1_acme"
    );
}
