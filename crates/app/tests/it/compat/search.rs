//! The provider-event search: what it found, and how it refused.

use serde_json::{Value, json};

use super::world::{ALL_PLANS, SEARCH, refusal, speaking};
use crate::api::catalog::{NEAR, feed_of, run};
use crate::api::harness::{Actor, Api, Tenant};
use crate::provider::{Provider, base_plan, feed, online};

fn target(starts_at: &str, ends_at: &str) -> String {
    format!("{SEARCH}/search?starts_at={starts_at}&ends_at={ends_at}")
}

async fn found(actor: &Actor, target: &str) -> Vec<Value> {
    let answer = actor.get(target).send().await.expect(200).json();
    assert_eq!((answer.as_object().unwrap().len(), &answer["error"]), (2, &Value::Null));
    assert_eq!(answer["data"].as_object().unwrap().len(), 1);
    answer["data"]["events"].as_array().unwrap().clone()
}

/// A tenant whose catalog is what this feed says.
async fn selling(plans: &[String]) -> (Api, Tenant, Provider, String) {
    let api = speaking(&[NEAR]);
    let acme = api.tenant("acme").await;
    let provider = Provider::of(&feed(plans));
    let place = feed_of(&acme, &provider).await;
    assert_eq!(run(&acme, &place).await["outcome"], "succeeded");
    (api, acme, provider, place)
}

fn camela() -> String {
    online("291", "291", "Camela en concierto", "2021-06-30T21:00:00", "2021-06-30T22:00:00", "15.00")
}

#[tokio::test]
async fn a_search_answers_in_the_old_shape() {
    let (_api, acme, ..) = selling(&[camela()]).await;
    let events = found(&acme, &target("2021-02-01T00:00:00", "2021-07-31T23:59:59")).await;
    assert_eq!(
        events,
        [json!({
            "id": events[0]["id"], "title": "Camela en concierto", "start_date": "2021-06-30", "start_time": "21:00:00",
            "end_date": "2021-06-30", "end_time": "22:00:00", "min_price": 15.0, "max_price": 15.0,
        })]
    );
}

#[tokio::test]
async fn only_what_starts_and_finishes_within_is_found_and_a_time_without_a_zone_is_utc() {
    let (_api, acme, ..) = selling(&[camela()]).await;
    for (starts_at, ends_at, count) in [
        ("2021-06-30T21:00:00", "2021-06-30T22:00:00", 1),
        ("2021-06-30T21:00:00Z", "2021-06-30T22:00:00Z", 1),
        ("2021-06-30T23:00:00%2B02:00", "2021-07-01T00:00:00%2B02:00", 1),
        ("2021-06-30T21:00:01", "2021-06-30T22:00:00", 0),
        ("2021-06-30T21:00:00", "2021-06-30T21:59:59", 0),
        ("2021-07-31T00:00:00", "2021-02-01T00:00:00", 0),
    ] {
        assert_eq!(found(&acme, &target(starts_at, ends_at)).await.len(), count, "{starts_at} {ends_at}");
    }
}

#[tokio::test]
async fn what_was_never_sold_online_is_not_found_and_what_left_the_feed_is() {
    let door =
        base_plan("offline", "1", "1", "At the door", "2021-06-30T21:00:00", "2021-06-30T22:00:00", "5");
    let (_api, acme, provider, place) = selling(&[camela(), door.clone()]).await;
    assert_eq!(found(&acme, &format!("{SEARCH}/{ALL_PLANS}")).await.len(), 1);
    provider.serves(&feed(&[door]));
    run(&acme, &place).await;
    assert_eq!(found(&acme, &format!("{SEARCH}/{ALL_PLANS}")).await.len(), 1);
}

#[tokio::test]
async fn a_plan_without_zones_has_no_price_and_prices_are_exact() {
    let zone = r#"<zone zone_id="40" capacity="240" price="15.10" name="Platea" numbered="true"/>"#;
    let priced = online("1", "1", "priced", "2021-06-30T21:00:00", "2021-06-30T22:00:00", "15.10");
    let two = priced.replace(zone, &format!("{zone}{}", zone.replace("15.10", "0.07")));
    let none = priced.replace(zone, "").replace("\"1\"", "\"2\"");
    let (_api, acme, ..) = selling(&[two, none]).await;
    let text = acme.get(&format!("{SEARCH}/{ALL_PLANS}")).send().await.expect(200).text();
    for prices in [r#""min_price":0.07,"max_price":15.1}"#, r#""min_price":null,"max_price":null}"#] {
        assert!(text.contains(prices), "{text}");
    }
}

#[tokio::test]
async fn everything_is_answered_at_once_however_much_it_is() {
    let plans: Vec<_> = (0..2345)
        .map(|n| online("1", &n.to_string(), "a", "2021-06-30T21:00:00", "2021-06-30T22:00:00", "5"))
        .collect();
    let (_api, acme, ..) = selling(&plans).await;
    let mut ids: Vec<_> = found(&acme, &format!("{SEARCH}/{ALL_PLANS}")).await;
    ids.dedup_by_key(|event| event["id"].clone());
    assert_eq!(ids.len(), 2345);
}

#[tokio::test]
async fn a_parameter_that_is_missing_or_unreadable_is_400_in_the_old_shape() {
    let api = speaking(&[]);
    let acme = api.tenant("acme").await;
    for (query, word) in [
        ("", "starts_at"),
        ("?starts_at=2021-02-01T00:00:00", "ends_at"),
        ("?ends_at=2021-02-01T00:00:00", "starts_at"),
        ("?starts_at=yesterday&ends_at=2021-02-01T00:00:00", "starts_at"),
        ("?starts_at=2021-02-01T00:00:00&ends_at=2021-09-31T20:00:00", "ends_at"),
        ("?starts_at=&ends_at=", "starts_at"),
    ] {
        let words = refusal(SEARCH, &acme.get(&format!("{SEARCH}/search{query}")).send().await, 400);
        assert!(words.contains(word), "{query}: {words}");
    }
    acme.get(&format!("{SEARCH}/{ALL_PLANS}&page=2")).send().await.expect(200);
}
