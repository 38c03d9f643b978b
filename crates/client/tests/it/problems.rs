//! What a refusal tells.

use std::time::Duration;

use serde_json::json;
use tenantry_client::{Client, ClientError, RetryPolicy, TransportKind};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{KEY, client, problem};

async fn refused(answer: ResponseTemplate) -> ClientError {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    client(&server).key_values().get("a").await.unwrap_err()
}

#[tokio::test]
async fn a_refusal_carries_the_servers_problem() {
    let body = json!({"type": "/problems/validation-failed", "title": "The request breaks a rule", "status": 422,
        "detail": "/a is wrong, and 1 more", "instance": "request-7", "code": "validation-failed",
        "errors": [{"pointer": "/a", "code": "length", "detail": "is too long"},
            {"pointer": "/b", "code": "email", "detail": "is no address"}]});
    let error =
        refused(ResponseTemplate::new(422).set_body_raw(body.to_string(), "application/problem+json")).await;
    let problem = error.problem().unwrap();
    assert_eq!((problem.status, problem.code.as_str()), (422, "validation-failed"));
    assert_eq!(problem.title, "The request breaks a rule");
    assert_eq!(problem.detail, "/a is wrong, and 1 more");
    assert_eq!(problem.request_id.as_deref(), Some("request-7"));
    assert_eq!((problem.errors[1].pointer.as_str(), problem.errors[1].code.as_str()), ("/b", "email"));
    assert!(!problem.after_lost_answer);
    let told = error.to_string();
    assert!(told.contains("/a is too long") && told.contains("/b is no address"), "{told}");
}

#[tokio::test]
async fn a_refusal_says_how_long_to_wait() {
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(problem(503, "unavailable").insert_header("retry-after", "7"))
        .mount(&server)
        .await;
    let client = Client::builder(server.uri()).retry(RetryPolicy::never()).build().unwrap();
    let error = client.key_values().get("a").await.unwrap_err();
    assert_eq!(error.problem().unwrap().retry_after, Some(Duration::from_secs(7)));
}

#[tokio::test]
async fn what_a_proxy_answers_is_told_apart() {
    for answer in [
        ResponseTemplate::new(403).set_body_raw("<h1>Forbidden</h1>", "text/html"),
        ResponseTemplate::new(403).set_body_raw("not what it says", "application/problem+json"),
        ResponseTemplate::new(403),
    ] {
        let error = refused(answer.insert_header("x-request-id", "proxy-1")).await;
        assert!(
            matches!(&error, ClientError::Status { status: 403, request_id, .. }
            if request_id.as_deref() == Some("proxy-1")),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_so_that_no_other_server_sees_the_key() {
    let other = MockServer::start().await;
    let error = refused(ResponseTemplate::new(302).insert_header("location", other.uri())).await;
    assert_eq!(error.status(), Some(302));
    assert_eq!(other.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn an_answer_of_another_shape_is_told() {
    for answer in [
        ResponseTemplate::new(200).set_body_string("hello"),
        ResponseTemplate::new(200).insert_header("etag", "\"x\"").insert_header("tenantry-version", "1"),
    ] {
        let error = refused(answer).await;
        assert!(matches!(error, ClientError::Unexpected(_)), "{error:?}");
    }
}

#[tokio::test]
async fn where_nobody_listens_no_connection_can_be_made_and_nothing_secret_is_told() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let builder = Client::builder(format!("http://127.0.0.1:{port}")).key(KEY).retry(RetryPolicy::never());
    let error = builder.build().unwrap().key_values().get("s3cret-key").await.unwrap_err();
    assert!(
        matches!(&error, ClientError::Transport(error) if error.kind() == TransportKind::Connect),
        "{error:?}"
    );
    let told = format!("{error} {error:?}");
    assert!(!told.contains(KEY) && !told.contains("s3cret"), "{told}");
    assert!(error.to_string().contains("refused"), "{error}");
}
