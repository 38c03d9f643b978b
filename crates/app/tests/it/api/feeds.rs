//! Feeds: making, showing, changing and removing them.

use serde_json::{Value, json};

use super::harness::Api;

const FEEDS: &str = "/api/v1/catalog/feeds";
const URL: &str = "https://provider.example/api/events";

fn idle(name: &str) -> Value {
    json!({"name": name, "url": URL, "enabled": false})
}

#[tokio::test]
async fn a_feed_is_made_shown_changed_and_removed() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let draft = json!({
        "name": "Provider", "url": URL, "interval_seconds": 600, "time_zone": "Europe/Madrid", "enabled": false,
    });
    let made = acme.post(FEEDS).json(&draft).send().await.expect(201);
    let feed = made.json();
    for (name, value) in draft.as_object().unwrap() {
        assert_eq!(&feed[name], value, "{name}");
    }
    assert_eq!(
        (&feed["version"], &feed["next_run_at"], &feed["last_success_at"]),
        (&json!(1), &Value::Null, &Value::Null)
    );
    assert_eq!(made.the("etag"), "\"1\"");
    let place = made.the("location").to_owned();
    assert_eq!(place, format!("{FEEDS}/{}", feed["id"].as_str().unwrap()));

    let shown = acme.get(&place).send().await.expect(200);
    assert_eq!(shown.text(), made.text());
    acme.get(&place).header("if-none-match", "\"1\"").send().await.expect(304);

    let changed =
        acme.patch(&place).json(&json!({"name": "Other", "time_zone": null})).send().await.expect(200);
    let other = changed.json();
    assert_eq!(
        (&other["name"], &other["time_zone"], &other["interval_seconds"]),
        (&json!("Other"), &json!("UTC"), &json!(600))
    );
    assert_eq!(changed.the("etag"), "\"2\"");

    acme.delete(&place).header("if-match", "\"1\"").send().await.problem(412, "precondition-failed");
    acme.delete(&place).header("if-match", "\"2\"").send().await.expect(204);
    acme.get(&place).send().await.problem(404, "feed-not-found");
    acme.delete(&place).send().await.problem(404, "feed-not-found");
}

#[tokio::test]
async fn what_is_left_out_has_its_default() {
    let api = Api::start_with(&[("jobs.run_in_serve", "false")]);
    let acme = api.tenant("acme").await;
    let feed = acme.post(FEEDS).json(&json!({"name": "a", "url": URL})).send().await.expect(201).json();
    assert_eq!(
        (&feed["interval_seconds"], &feed["time_zone"], &feed["enabled"]),
        (&json!(3600), &json!("UTC"), &json!(true))
    );
    assert!(feed["next_run_at"].is_string());
}

#[tokio::test]
async fn a_feed_that_breaks_a_rule_is_refused_with_every_fault() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for (draft, faults) in [
        (json!({}), &["/name required", "/url required"][..]),
        (json!({"name": "", "url": "ftp://a/"}), &["/name length", "/url url"]),
        (json!({"name": "a", "url": "http://user:secret@a/"}), &["/url credentials"]),
        (json!({"name": "a", "url": URL, "interval_seconds": 9}), &["/interval_seconds range"]),
        (json!({"name": "a", "url": URL, "time_zone": "Mars"}), &["/time_zone time_zone"]),
    ] {
        acme.post(FEEDS).json(&draft).send().await.faults(faults);
    }
    let feeds = acme.get(FEEDS).send().await.expect(200).json();
    assert_eq!(feeds, json!({"feeds": [], "next_cursor": null}));
    let place = acme.post(FEEDS).json(&idle("a")).send().await.expect(201).the("location").to_owned();
    acme.patch(&place)
        .json(&json!({"interval_seconds": 9, "name": null}))
        .send()
        .await
        .faults(&["/interval_seconds range", "/name required"]);
    acme.patch(&place).json(&json!({"id": "x"})).send().await.faults(&["/id unknown_field"]);
    assert_eq!(acme.get(&place).send().await.expect(200).json()["version"], 1);
}

#[tokio::test]
async fn feeds_are_listed_page_by_page_in_the_order_in_which_they_were_made() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let other = api.tenant("other").await;
    other.post(FEEDS).json(&idle("of another")).send().await.expect(201);
    for name in ["a", "b", "c"] {
        acme.post(FEEDS).json(&idle(name)).send().await.expect(201);
    }
    let (mut names, mut target) = (Vec::new(), format!("{FEEDS}?limit=2"));
    loop {
        let page = acme.get(&target).send().await.expect(200).json();
        names.extend(
            page["feeds"].as_array().unwrap().iter().map(|feed| feed["name"].as_str().unwrap().to_owned()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        other.get(&format!("{FEEDS}?cursor={cursor}")).send().await.problem(400, "invalid-cursor");
        target = format!("{FEEDS}?limit=2&cursor={cursor}");
    }
    assert_eq!(names, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_tenant_has_no_more_feeds_than_it_may() {
    let api = Api::start_with(&[("limits.max_feeds", "2")]);
    let acme = api.tenant("acme").await;
    for name in ["a", "b"] {
        acme.post(FEEDS).json(&idle(name)).send().await.expect(201);
    }
    acme.post(FEEDS).json(&idle("c")).send().await.problem(409, "too-many-feeds");
    api.tenant("other").await.post(FEEDS).json(&idle("a")).send().await.expect(201);
}

#[tokio::test]
async fn a_run_is_made_only_of_the_feed_that_if_match_names() {
    let api = Api::start_with(&[("jobs.run_in_serve", "false")]);
    let acme = api.tenant("acme").await;
    let place = acme.post(FEEDS).json(&idle("a")).send().await.expect(201).the("location").to_owned();
    acme.patch(&place).json(&json!({"name": "b"})).send().await.expect(200);
    for target in [format!("{place}/runs"), format!("{place}/rejects/replay")] {
        acme.post(&target).header("if-match", "\"1\"").send().await.problem(412, "precondition-failed");
        acme.post(&target).header("if-match", "\"2").send().await.problem(400, "invalid-header");
    }
    let runs = acme.get(&format!("{place}/runs")).send().await.expect(200).json();
    assert_eq!(runs["runs"], json!([]));
    let made = acme.post(&format!("{place}/runs")).header("if-match", "\"2\"").send().await.expect(202);
    let replay = format!("{place}/rejects/replay");
    let open = acme.post(&replay).header("if-match", "\"2\"").send().await.expect(200);
    assert_eq!(open.text(), made.text());
    let confirm = format!("{}/confirm", made.the("location"));
    acme.post(&confirm).header("if-match", "\"1\"").send().await.problem(412, "precondition-failed");
    acme.post(&confirm).header("if-match", "\"2\"").send().await.problem(409, "feed-run-not-held");
}

#[tokio::test]
async fn of_a_change_and_a_removal_at_once_with_one_entity_tag_one_happens() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for round in 0..16 {
        let place = acme.post(FEEDS).json(&idle("a")).send().await.expect(201).the("location").to_owned();
        let patch = acme.patch(&place).header("if-match", "\"1\"").json(&json!({"name": "b"})).send();
        let delete = acme.delete(&place).header("if-match", "\"1\"").send();
        let (changed, removed) = tokio::join!(patch, delete);
        let left = acme.get(&place).send().await.status;
        let outcome = (changed.status, removed.status, left);
        assert!(matches!(outcome, (200, 412, 200) | (404, 204, 404)), "round {round}: {outcome:?}");
    }
}
