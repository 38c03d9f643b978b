//! `tenantry catalog`.

use super::support::Installation;
use crate::api::catalog::NEAR;
use crate::provider::{Does, Provider, feed, online};

const SPAN: [&str; 4] = ["--starts-at", "2021-01-01", "--ends-at", "2021-12-31"];

#[actix_web::test]
async fn a_feed_is_added_run_searched_and_removed() {
    let here = Installation::start_with(&[NEAR]).await;
    let camela = online("291", "1", "Camela", "2021-06-30T21:00:00", "2021-06-30T22:00:00", "15.00");
    let impossible = online("291", "2", "Never", "2021-09-31T20:00:00", "2021-10-01T20:00:00", "1");
    let provider = Provider::of(&feed(&[camela, impossible]));
    let add = ["catalog", "feed", "add", "provider", &provider.url(), "--disabled"];
    assert_eq!(here.run(&add).field("enabled"), "false");
    let changed = here.run(&[
        "catalog",
        "feed",
        "update",
        "provider",
        "--interval",
        "60",
        "--time-zone",
        "Europe/Madrid",
    ]);
    assert_eq!((changed.field("interval_seconds"), changed.field("time_zone")), ("60", "Europe/Madrid"));

    let report = here.run(&["catalog", "feed", "run", "provider"]);
    assert_eq!(
        (report.field("state"), report.field("plans_new"), report.field("rejected")),
        ("succeeded", "1", "1")
    );
    let found = here.run(&[&["catalog", "search"], &SPAN[..]].concat());
    assert!(
        found.printed().contains("2021-06-30 19:00:00Z") && found.printed().contains("Camela"),
        "{found:?}"
    );
    let found = here.run(&[&["catalog", "search", "-o", "json"], &SPAN[..]].concat()).json();
    assert_eq!((&found[0]["min_price"], found.as_array().unwrap().len()), (&serde_json::json!(15.0), 1));
    let rejects = here.run(&["catalog", "feed", "rejects", "provider", "-o", "json"]).json();
    assert_eq!(rejects[0]["reason"]["code"], "time");
    let replayed = here.run(&["catalog", "feed", "replay", "provider", "-o", "json"]).json();
    assert_eq!((&replayed["trigger"], &replayed["outcome"]), (&"replay".into(), &"succeeded".into()));
    assert_eq!(
        here.run(&["catalog", "feed", "runs", "provider", "-o", "json"]).json().as_array().unwrap().len(),
        2
    );

    here.run(&["catalog", "feed", "delete", "provider"]).printed();
    assert_eq!(here.run(&["catalog", "feed", "list", "-o", "json"]).json(), serde_json::json!([]));
}

#[actix_web::test]
async fn a_run_that_fails_is_shown_and_ends_with_1() {
    let here = Installation::start_with(&[NEAR]).await;
    let provider = Provider::that(&[Does::Refuse(404)]);
    here.run(&["catalog", "feed", "add", "provider", &provider.url(), "--disabled"]).printed();
    let failed = here.run(&["catalog", "feed", "run", "provider"]);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stdout.contains("failed") && failed.stderr.contains("failed"), "{failed:?}");
}

#[actix_web::test]
async fn a_feed_that_is_not_there_or_is_meant_by_several_is_told() {
    let here = Installation::start().await;
    for _ in 0..2 {
        here.run(&["catalog", "feed", "add", "twin", "http://127.0.0.1:9/", "--disabled"]).printed();
    }
    for (feed, code, words) in [("twin", 2, "several feeds"), ("nobody", 3, "no feed is named")] {
        let refused = here.run(&["catalog", "feed", "get", feed]);
        assert!(refused.one_line_of_failure(code).contains(words));
    }
    let nowhere = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d";
    assert_eq!(here.run(&["catalog", "feed", "get", nowhere]).code, Some(3));
    let missing = here.run(&["catalog", "feed", "add", "a"]);
    assert!(missing.one_line_of_failure(2).contains("URL"));
    let missing = here.run(&["catalog", "search"]);
    assert!(missing.one_line_of_failure(2).contains("--starts-at and --ends-at are missing"));
}
