//! Batches of events.

use serde_json::json;
use tenantry_client::{ClientError, ItemOutcome, NewEvent};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::client;

const ID: &str = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d";

async fn outcome_of(body: serde_json::Value, events: &[NewEvent]) -> Result<Vec<ItemOutcome>, ClientError> {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(207).set_body_json(body)).mount(&server).await;
    let outcome = client(&server).events().create_batch(events).await?;
    let counted = outcome.accepted + outcome.duplicates + outcome.rejected;
    assert_eq!(counted, events.len());
    Ok(outcome.items.into_iter().map(|item| item.outcome).collect())
}

#[tokio::test]
async fn a_batch_says_of_each_item_what_became_of_it() {
    let own = NewEvent::new("a", "b", "c").id(ID.parse().unwrap());
    let events =
        [NewEvent::new("a", "b", "c"), own, NewEvent::new("", "b", "c"), NewEvent::new("a", "b", "c")];
    let problem = json!({"type": "/problems/validation-failed", "title": "No", "status": 422, "detail": "wrong",
        "code": "validation-failed", "errors": [{"pointer": "/component", "code": "length", "detail": "is empty"}]});
    let body = json!({"accepted": 1, "duplicates": 2, "rejected": 1, "results": [
        {"index": 0, "status": 201, "id": ID, "sequence": 7},
        {"index": 1, "status": 200, "id": ID, "sequence": 3},
        {"index": 2, "status": 422, "problem": problem},
        {"index": 3, "status": 200, "id": ID, "sequence": 8}]});
    let outcomes = outcome_of(body, &events).await.unwrap();
    assert!(matches!(outcomes[0], ItemOutcome::Stored { sequence: 7, .. }));
    assert!(matches!(outcomes[1], ItemOutcome::WasThere { sequence: 3, .. }));
    let ItemOutcome::Rejected(problem) = &outcomes[2] else { panic!("{outcomes:?}") };
    assert_eq!(
        (problem.code.as_str(), problem.errors[0].pointer.as_str()),
        ("validation-failed", "/component")
    );
    assert!(
        matches!(outcomes[3], ItemOutcome::Stored { .. }),
        "an id made for this call was stored by this call"
    );
}

#[tokio::test]
async fn a_batch_whose_outcome_does_not_fit_it_is_told() {
    let two = [NewEvent::new("a", "b", "c"), NewEvent::new("a", "b", "c")];
    let one = json!({"index": 0, "status": 201, "id": ID, "sequence": 7});
    for results in [
        json!([one]),
        json!([one, {"index": 2, "status": 201, "id": ID, "sequence": 7}]),
        json!([one, {"index": 1, "status": 201}]),
    ] {
        let body = json!({"accepted": 2, "duplicates": 0, "rejected": 0, "results": results});
        assert!(matches!(outcome_of(body, &two).await, Err(ClientError::Unexpected(_))));
    }
}
