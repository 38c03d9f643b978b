//! What a server cannot make the client do.

use tenantry_client::ClientError;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer};

use crate::support::{builder, written};

#[tokio::test]
async fn an_answer_that_is_too_large_is_not_read_to_its_end() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(written(200, 1).set_body_bytes(vec![b'x'; 1001])).mount(&server).await;
    let of = |bytes| builder(&server).max_answer_bytes(bytes).build().unwrap();
    assert_eq!(of(1001).key_values().get("a").await.unwrap().bytes.len(), 1001);
    let error = of(1000).key_values().get("a").await.unwrap_err();
    assert!(matches!(error, ClientError::Unexpected(_)), "{error:?}");
}
