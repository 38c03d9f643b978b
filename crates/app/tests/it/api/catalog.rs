//! The catalog: what a run of a feed brings, and what a search finds.

use serde_json::{Value, json};

use super::harness::{Api, Tenant};
use crate::provider::{Does, Provider, base_plan, feed, online};
use crate::support::until;

const FEEDS: &str = "/api/v1/catalog/feeds";
const ALL: &str = "/api/v1/search?starts_at=2000-01-01&ends_at=2099-12-31";

/// Providers here are on this computer.
pub(crate) const NEAR: (&str, &str) = ("feeds.allow_private_addresses", "true");

/// A feed that the timer leaves alone.
pub(crate) async fn feed_of(tenant: &Tenant, provider: &Provider) -> String {
    let draft = json!({"name": "Provider", "url": provider.url(), "enabled": false});
    tenant.post(FEEDS).json(&draft).send().await.expect(201).the("location").to_owned()
}

/// Has the feed fetched, and waits for the report.
pub(crate) async fn run(tenant: &Tenant, feed: &str) -> Value {
    let place = tenant.post(&format!("{feed}/runs")).send().await.expect(202).the("location").to_owned();
    report(tenant, &place).await
}

/// The run's report, once it has ended.
async fn report(tenant: &Tenant, place: &str) -> Value {
    until("the run has ended", async || {
        tenant.get(place).send().await.expect(200).json()["outcome"].is_string()
    })
    .await;
    tenant.get(place).send().await.expect(200).json()
}

/// The titles that a search finds.
async fn titles(tenant: &Tenant, target: &str) -> Vec<String> {
    let found = tenant.get(target).send().await.expect(200).json();
    let events = found["data"]["events"].as_array().unwrap().clone();
    events.iter().map(|event| event["title"].as_str().unwrap().to_owned()).collect()
}

fn counts(report: &Value) -> [u64; 6] {
    ["plans_seen", "plans_new", "plans_changed", "plans_unchanged", "plans_left_sale", "rejected"]
        .map(|name| report[name].as_u64().unwrap())
}

fn camela(ends: &str, price: &str) -> String {
    online("291", "291", "Camela en concierto", "2021-06-30T21:00:00", ends, price)
}

fn pantomima() -> String {
    online("322", "1642", "Pantomima Full", "2021-02-10T20:00:00", "2021-02-10T21:30:00", "55.00")
}

fn morancos(title: &str) -> String {
    online("1591", "1642", title, "2021-07-31T20:00:00", "2021-07-31T21:00:00", "65.00")
}

#[tokio::test]
async fn what_was_ever_on_sale_online_stays_findable_and_what_changed_is_versioned() {
    let api = Api::start_with(&[NEAR]);
    let acme = api.tenant("acme").await;
    let provider =
        Provider::of(&feed(&[camela("2021-06-30T22:00:00", "20.00"), pantomima(), morancos("Los Morancos")]));
    let place = feed_of(&acme, &provider).await;
    let first = run(&acme, &place).await;
    assert_eq!((&first["outcome"], counts(&first)), (&json!("succeeded"), [3, 3, 0, 0, 0, 0]));
    assert_eq!(titles(&acme, ALL).await, ["Pantomima Full", "Camela en concierto", "Los Morancos"]);

    // Camela has left, and Los Morancos have another title.
    provider.serves(&feed(&[pantomima(), morancos("Los Morancos de gira")]));
    let second = run(&acme, &place).await;
    assert_eq!(counts(&second), [2, 0, 1, 1, 1, 0]);
    assert_eq!(titles(&acme, ALL).await, ["Pantomima Full", "Camela en concierto", "Los Morancos de gira"]);

    // There is no 31 September; nothing else is lost for it.
    provider.serves(&feed(&[
        camela("2021-09-31T20:00:00", "20.00"),
        pantomima(),
        morancos("Los Morancos de gira"),
    ]));
    let third = run(&acme, &place).await;
    assert_eq!((&third["outcome"], counts(&third)), (&json!("succeeded"), [2, 0, 0, 2, 0, 1]));
    assert_eq!(titles(&acme, ALL).await.len(), 3);
    let rejects = acme.get(&format!("{place}/rejects")).send().await.expect(200).json();
    let reject = &rejects["rejects"][0];
    assert_eq!(
        (&reject["reason"]["code"], &reject["place"]["base_plan_id"]),
        (&json!("time"), &json!("291"))
    );
    assert!(reject["raw"].as_str().unwrap().contains("2021-09-31T20:00:00"), "{reject}");

    let found = acme.get(ALL).send().await.expect(200).json();
    let plan =
        |at: usize| format!("/api/v1/catalog/plans/{}", found["data"]["events"][at]["id"].as_str().unwrap());
    let camela = acme.get(&plan(1)).send().await.expect(200).json();
    assert_eq!((&camela["on_sale"], &camela["version"]), (&json!(false), &json!(1)));
    let morancos = acme.get(&plan(2)).send().await.expect(200).json();
    assert_eq!((&morancos["on_sale"], &morancos["version"]), (&json!(true), &json!(2)));
    assert_eq!(morancos["source"]["base_plan_id"], "1591");
    assert_eq!(
        morancos["zones"],
        json!([{"zone_id": "40", "name": "Platea", "price": 65.0, "capacity": 240, "numbered": true}])
    );
    let history = acme.get(&format!("{}/history", plan(2))).send().await.expect(200).json();
    let versions: Vec<_> =
        history["plans"].as_array().unwrap().iter().map(|plan| plan["title"].as_str().unwrap()).collect();
    assert_eq!(versions, ["Los Morancos de gira", "Los Morancos"]);
    let first_seen = morancos["first_seen_at"].as_str().unwrap();
    let then = acme.get(&format!("{}/history?as_of={first_seen}", plan(2))).send().await.expect(200).json();
    assert_eq!(then["plans"][0]["title"], "Los Morancos");
    acme.get(&format!("{}/history?as_of=2000-01-01T00:00:00Z", plan(2)))
        .send()
        .await
        .problem(404, "plan-not-found");
    for wrong in ["limit=0", "limit=many", "cursor=none"] {
        let answer = acme.get(&format!("{}/history?as_of={first_seen}&{wrong}", plan(2))).send().await;
        assert_eq!(answer.status, 400, "{wrong}: {answer:?}");
    }
}

#[tokio::test]
async fn a_search_finds_what_starts_and_ends_within_and_prints_it_as_it_always_did() {
    let api = Api::start_with(&[NEAR]);
    let acme = api.tenant("acme").await;
    let offline =
        base_plan("offline", "9", "9", "At the door", "2021-06-30T21:00:00", "2021-06-30T22:00:00", "5.00");
    let provider = Provider::of(&feed(&[camela("2021-06-30T22:00:00", "20.5"), pantomima(), offline]));
    run(&acme, &feed_of(&acme, &provider).await).await;
    let within = |from: &str, to: &str| format!("/api/v1/search?starts_at={from}&ends_at={to}");
    for (from, to, found) in [
        ("2021-06-30T21:00:00", "2021-06-30T22:00:00", 1),
        ("2021-06-30T21:00:01", "2021-06-30T22:00:00", 0),
        ("2021-06-30T21:00:00", "2021-06-30T21:59:59", 0),
        ("2021-06-30T23:00:00+02:00", "2021-07-01T00:00:00%2B02:00", 1),
        ("2021-06-30", "2021-06-30", 1),
        ("2021-07-01", "2021-06-01", 0),
    ] {
        assert_eq!(titles(&acme, &within(from, to)).await.len(), found, "{from} to {to}");
    }
    let found = acme.get(&within("2021-06-01", "2021-06-30")).send().await.expect(200).json();
    let event = &found["data"]["events"][0];
    assert_eq!(
        found,
        json!({"data": {"events": [{
            "id": event["id"], "title": "Camela en concierto", "start_date": "2021-06-30", "start_time": "21:00:00",
            "end_date": "2021-06-30", "end_time": "22:00:00", "min_price": 20.5, "max_price": 20.5,
        }]}, "error": null, "next_cursor": null})
    );
}

#[tokio::test]
async fn a_search_is_paged_and_knows_whether_anything_has_changed() {
    let api = Api::start_with(&[NEAR]);
    let acme = api.tenant("acme").await;
    let other = api.tenant("other").await;
    let plans: Vec<_> = (10..30)
        .map(|day| {
            let (starts, ends) = (format!("2021-06-{day}T20:00:00"), format!("2021-06-{day}T21:00:00"));
            online("1", &day.to_string(), &format!("day {day}"), &starts, &ends, "5")
        })
        .collect();
    let provider = Provider::of(&feed(&plans));
    let place = feed_of(&acme, &provider).await;
    assert_eq!(titles(&acme, ALL).await, Vec::<String>::new());
    run(&acme, &place).await;

    let (mut found, mut target) = (Vec::new(), format!("{ALL}&limit=7"));
    loop {
        let answer = acme.get(&target).send().await.expect(200);
        let page = answer.json();
        found.extend(titles(&acme, &target).await);
        let Some(cursor) = page["next_cursor"].as_str() else {
            assert_eq!(answer.header("link"), None);
            break;
        };
        assert!(answer.the("link").ends_with(&format!("&limit=7&cursor={cursor}>; rel=\"next\"")));
        other.get(&format!("{ALL}&cursor={cursor}")).send().await.problem(400, "invalid-cursor");
        acme.get(&format!("/api/v1/search?starts_at=2000-01-01&ends_at=2098-12-31&cursor={cursor}"))
            .send()
            .await
            .problem(400, "invalid-cursor");
        target = format!("{ALL}&limit=7&cursor={cursor}");
    }
    assert_eq!(found, (10..30).map(|day| format!("day {day}")).collect::<Vec<_>>());

    let tag = acme.get(ALL).send().await.expect(200).the("etag").to_owned();
    acme.get(ALL).header("if-none-match", &tag).send().await.expect(304);
    let again = run(&acme, &place).await;
    assert_eq!(counts(&again), [20, 0, 0, 20, 0, 0]);
    acme.get(ALL).header("if-none-match", &tag).send().await.expect(304);
    provider.serves(&feed(&plans[..19]));
    run(&acme, &place).await;
    acme.get(ALL).header("if-none-match", &tag).send().await.expect(200);
}

#[tokio::test]
async fn a_search_without_its_span_is_refused() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for (query, faults) in [
        ("", &["/starts_at required"][..]),
        ("?starts_at=2021-01-01", &["/ends_at required"]),
        ("?starts_at=2021-09-31T20:00:00&ends_at=2021-12-31", &["/starts_at value"]),
        ("?starts_at=2021-01-01&ends_at=", &["/ends_at value"]),
        ("?starts_at=2021-01-01&ends_at=2021-12-31&limit=0", &["/limit value"]),
        ("?starts_at=2021-01-01&ends_at=2021-12-31&when=now", &["/when unknown"]),
    ] {
        acme.get(&format!("/api/v1/search{query}")).send().await.query_faults(faults);
    }
}

#[tokio::test]
async fn a_provider_that_fails_at_times_is_asked_again_and_one_that_fails_for_good_changes_nothing() {
    let api = Api::start_with(&[NEAR]);
    let acme = api.tenant("acme").await;
    let whole = feed(&[camela("2021-06-30T22:00:00", "20.00"), pantomima()]);
    let provider = Provider::that(&[Does::Refuse(503), Does::Cut(whole.clone()), Does::Serve(whole.clone())]);
    let place = feed_of(&acme, &provider).await;
    let report = run(&acme, &place).await;
    assert_eq!((&report["outcome"], &report["attempts"]), (&json!("succeeded"), &json!(3)));
    assert_eq!(counts(&report), [2, 2, 0, 0, 0, 0]);

    let before = acme.get(ALL).send().await.expect(200);
    for broken in [Does::Refuse(404), Does::Serve("<html><body>Sorry</body></html>".to_owned())] {
        provider.does(&[broken]);
        let report = run(&acme, &place).await;
        assert_eq!((&report["outcome"], counts(&report)[4]), (&json!("failed"), 0), "{report}");
        assert!(report["detail"].is_string());
        let after = acme.get(ALL).send().await.expect(200);
        assert_eq!((after.text(), after.the("etag")), (before.text(), before.the("etag")));
    }
    let runs = acme.get(&format!("{place}/runs")).send().await.expect(200).json();
    let outcomes: Vec<_> =
        runs["runs"].as_array().unwrap().iter().map(|run| run["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["failed", "failed", "succeeded"]);
}

#[tokio::test]
async fn a_feed_that_suddenly_loses_most_of_its_plans_waits_for_a_person() {
    let api = Api::start_with(&[NEAR]);
    let acme = api.tenant("acme").await;
    let plans: Vec<_> = (0..40)
        .map(|n| online("1", &n.to_string(), "a", "2021-06-10T20:00:00", "2021-06-10T21:00:00", "5"))
        .collect();
    let provider = Provider::of(&feed(&plans));
    let place = feed_of(&acme, &provider).await;
    run(&acme, &place).await;
    let before = acme.get(ALL).send().await.expect(200).text();

    provider.serves(&feed(&plans[..1]));
    let held = run(&acme, &place).await;
    assert_eq!((&held["outcome"], counts(&held)[4]), (&json!("held"), 39));
    assert_eq!(acme.get(ALL).send().await.expect(200).text(), before);
    let confirm = format!("{place}/runs/{}/confirm", held["id"].as_str().unwrap());
    let confirmed = acme.post(&confirm).send().await.expect(200).json();
    assert_eq!((&confirmed["outcome"], counts(&confirmed)[4]), (&json!("succeeded"), 39));
    acme.post(&confirm).send().await.problem(409, "feed-run-not-held");
    assert_eq!(acme.get(ALL).send().await.expect(200).json()["data"]["events"].as_array().unwrap().len(), 40);

    let plan = acme.get(ALL).send().await.expect(200).json()["data"]["events"][39]["id"].clone();
    let all = acme.get(&format!("{ALL}&limit=1000")).send().await.expect(200).json();
    let mut on_sale = 0;
    for event in all["data"]["events"].as_array().unwrap() {
        let plan = acme
            .get(&format!("/api/v1/catalog/plans/{}", event["id"].as_str().unwrap()))
            .send()
            .await
            .expect(200);
        on_sale += usize::from(plan.json()["on_sale"] == true);
    }
    assert_eq!(on_sale, 1, "{plan}");
}

#[tokio::test]
async fn a_feed_that_is_removed_leaves_its_plans_findable_and_on_sale_no_more() {
    let api = Api::start_with(&[NEAR]);
    let acme = api.tenant("acme").await;
    let place = feed_of(&acme, &Provider::of(&feed(&[pantomima()]))).await;
    run(&acme, &place).await;
    acme.delete(&place).send().await.expect(204);
    let found = acme.get(ALL).send().await.expect(200).json();
    let plan = found["data"]["events"][0]["id"].as_str().unwrap();
    let plan = acme.get(&format!("/api/v1/catalog/plans/{plan}")).send().await.expect(200).json();
    assert_eq!((&plan["on_sale"], &plan["title"]), (&json!(false), &json!("Pantomima Full")));
    acme.get(&format!("{place}/runs")).send().await.problem(404, "feed-not-found");
}

#[tokio::test]
async fn a_feed_has_one_run_at_a_time() {
    let api = Api::start_with(&[NEAR, ("jobs.run_in_serve", "false")]);
    let acme = api.tenant("acme").await;
    let place = feed_of(&acme, &Provider::of(&feed(&[]))).await;
    let first = acme.post(&format!("{place}/runs")).send().await.expect(202);
    assert_eq!((&first.json()["state"], &first.json()["outcome"]), (&json!("queued"), &Value::Null));
    let second = acme.post(&format!("{place}/runs")).send().await.expect(200);
    assert_eq!((second.json(), second.the("location")), (first.json(), first.the("location")));
    let replay = acme.post(&format!("{place}/rejects/replay")).send().await.expect(200);
    assert_eq!(replay.json(), first.json());
}
