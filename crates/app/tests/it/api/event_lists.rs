//! Lists of events: order, pages, cursors.

use serde_json::{Value, json};

use super::harness::{Api, Tenant};

async fn with_events(count: usize) -> (Api, Tenant) {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let event = |number: usize| {
        let component = if number.is_multiple_of(2) { "even" } else { "odd" };
        json!({"component": component, "environment": "b", "message": format!("event {number}")})
    };
    let batch: Vec<_> = (1..=count).map(event).collect();
    if !batch.is_empty() {
        acme.post("/api/v1/events").json(&json!(batch)).send().await.expect(201);
    }
    (api, acme)
}

fn sequences(page: &Value) -> Vec<u64> {
    page["events"].as_array().unwrap().iter().map(|event| event["sequence"].as_u64().unwrap()).collect()
}

/// Every page from this one on, by the links.
async fn walk(tenant: &Tenant, target: &str) -> Vec<Vec<u64>> {
    let (mut target, mut pages) = (target.to_owned(), Vec::new());
    loop {
        let answer = tenant.get(&target).send().await.expect(200);
        pages.push(sequences(&answer.json()));
        let Some(link) = answer.header("link") else {
            assert_eq!(answer.json()["next_cursor"], Value::Null);
            return pages;
        };
        let cursor = answer.json()["next_cursor"].as_str().unwrap().to_owned();
        let (path, relation) = link.trim_start_matches('<').split_once('>').unwrap();
        assert_eq!(relation, "; rel=\"next\"");
        assert!(path.ends_with(&format!("cursor={cursor}")), "{link}");
        target = path.to_owned();
    }
}

#[tokio::test]
async fn a_tenant_without_events_has_an_empty_list() {
    let (_api, acme) = with_events(0).await;
    let answer = acme.get("/api/v1/events").send().await.expect(200);
    assert_eq!(answer.text(), r#"{"events":[],"next_cursor":null}"#);
}

#[tokio::test]
async fn the_newest_come_first_unless_told_otherwise() {
    let (_api, acme) = with_events(3).await;
    for (query, expected) in [("", [3, 2, 1]), ("?order=desc", [3, 2, 1]), ("?order=asc", [1, 2, 3])] {
        let page = acme.get(&format!("/api/v1/events{query}")).send().await.expect(200).json();
        assert_eq!(sequences(&page), expected, "{query}");
    }
}

#[tokio::test]
async fn pages_follow_one_another_without_loss_or_repeat() {
    let (_api, acme) = with_events(5).await;
    let pages = walk(&acme, "/api/v1/events?limit=2").await;
    assert_eq!(pages, [vec![5, 4], vec![3, 2], vec![1]]);
    let pages = walk(&acme, "/api/v1/events?order=asc&limit=2").await;
    assert_eq!(pages, [vec![1, 2], vec![3, 4], vec![5]]);
    let pages = walk(&acme, "/api/v1/events?limit=5").await;
    assert_eq!(pages, [[5, 4, 3, 2, 1]]);
    let pages = walk(&acme, "/api/v1/events?component=odd&limit=1&order=asc&after_sequence=1").await;
    assert_eq!(pages, [[3], [5]]);
}

#[tokio::test]
async fn fifty_are_on_a_page_unless_told_otherwise() {
    let (_api, acme) = with_events(51).await;
    let pages = walk(&acme, "/api/v1/events").await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [50, 1]);
}

#[tokio::test]
async fn what_is_stored_while_somebody_turns_pages_does_not_disturb() {
    let (_api, acme) = with_events(4).await;
    let first = acme.get("/api/v1/events?limit=2").send().await.expect(200).json();
    assert_eq!(sequences(&first), [4, 3]);
    acme.tell("new").await;
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = acme.get(&format!("/api/v1/events?limit=2&cursor={cursor}")).send().await.expect(200).json();
    assert_eq!(sequences(&second), [2, 1]);
}

#[tokio::test]
async fn a_page_of_another_size_may_follow() {
    let (_api, acme) = with_events(5).await;
    let first = acme.get("/api/v1/events?limit=1").send().await.expect(200).json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = acme.get(&format!("/api/v1/events?cursor={cursor}")).send().await.expect(200).json();
    assert_eq!(sequences(&rest), [4, 3, 2, 1]);
}

#[tokio::test]
async fn the_link_keeps_the_filters_and_replaces_the_cursor() {
    let (_api, acme) = with_events(5).await;
    let message = "message=%45vent%20";
    let pages = walk(&acme, &format!("/api/v1/events?limit=2&{message}&order=asc")).await;
    assert_eq!(pages, [vec![1, 2], vec![3, 4], vec![5]]);
}

#[tokio::test]
async fn a_link_works_however_the_name_of_the_cursor_was_written() {
    let (_api, acme) = with_events(5).await;
    let first = acme.get("/api/v1/events?limit=2").send().await.expect(200).json();
    let cursor = first["next_cursor"].as_str().unwrap();
    let pages = walk(&acme, &format!("/api/v1/events?limit=2&curs%6Fr={cursor}")).await;
    assert_eq!(pages, [vec![3, 2], vec![1]]);
}
