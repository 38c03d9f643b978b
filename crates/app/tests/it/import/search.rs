//! Dumps of the provider-event search.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Installation, fixture};
use crate::provider::{Provider, base_plan, feed};
use crate::support::{TestApp, until};

/// The ids of the plans 1 and 2 of a dump: md5('plan 1'), md5('plan 2').
const IDS: [&str; 2] = ["da7cee40-4165-0006-d517-331c842127d2", "b439499b-c27b-1b59-7d26-ab9cf50b381a"];

/// An application that speaks the search's old contract, and may fetch from this computer.
pub(crate) const SPEAKING: [(&str, &str); 2] =
    [("compat.enabled", "true"), ("feeds.allow_private_addresses", "true")];

/// How many of the plans 1 to `last` a search finds: not those that were sold offline, nor the one that is impossible.
fn findable(last: u32) -> usize {
    (1..=last).filter(|n| n % 7 != 0 && *n != 13).count()
}

/// A key of tenant 1 for its catalog.
pub(crate) async fn catalog_key(app: &TestApp) -> String {
    app.create_key(1, &json!(["catalog:read", "catalog:write"])).await
}

async fn get(app: &TestApp, key: &str, url: String) -> Value {
    let answer = app.client.get(url).bearer_auth(key).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer.json().await.unwrap()
}

/// What the search's old contract finds.
pub(crate) async fn found(app: &TestApp, key: &str) -> Vec<Value> {
    let all = "/compat/search/search?starts_at=2000-01-01T00:00:00&ends_at=2099-12-31T23:59:59";
    let found = get(app, key, app.url(all)).await;
    assert_eq!(found["error"], Value::Null);
    found["data"]["events"].as_array().unwrap().clone()
}

/// What must hold of the plans 1 to `last` of a dump, whichever kind its schema is of.
pub(crate) async fn check_plans(app: &TestApp, key: &str, last: u32) {
    let events = found(app, key).await;
    assert_eq!(events.len(), findable(last));
    let of = |id: &str| events.iter().find(|event| event["id"] == id).cloned();
    assert_eq!(
        of(IDS[0]).unwrap(),
        json!({
            "id": IDS[0], "title": "Concert \\ 101\t\"ñ\"", "start_date": "2021-01-02", "start_time": "23:00:00",
            "end_date": "2021-01-03", "end_time": "00:30:00", "min_price": 11.0, "max_price": 20.5,
        })
    );
    let plan = get(app, key, app.api(&format!("/catalog/plans/{}", IDS[1]))).await;
    assert_eq!(
        (&plan["source"]["base_plan_id"], &plan["source"]["plan_id"]),
        (&json!("102"), &json!("1001"))
    );
    assert_eq!((&plan["on_sale"], &plan["sell_mode"]), (&json!(false), &json!("online")));
}

/// Fetches a feed in which plans 1 and 2 are on sale, and checks that they are the ones that were imported.
pub(crate) async fn check_that_a_fetch_goes_on(app: &TestApp, key: &str, provider: &Provider, last: u32) {
    let plan = |n: u32, plan: &str, day: &str| {
        let title = format!("Concert {}", 100 + n);
        let (starts, ends) = (format!("2021-01-{day}T23:00:00"), format!("2021-01-{day}T23:59:00"));
        base_plan("online", &(100 + n).to_string(), plan, &title, &starts, &ends, "12.00")
    };
    provider.serves(&feed(&[plan(1, "1000", "02"), plan(2, "1001", "03")]));
    let feeds = get(app, key, app.api("/catalog/feeds")).await;
    let [feed] = &feeds["feeds"].as_array().unwrap()[..] else { panic!("{feeds}") };
    let runs = app.api(&format!("/catalog/feeds/{}/runs", feed["id"].as_str().unwrap()));
    let asked = app.client.post(&runs).bearer_auth(key).send().await.unwrap();
    assert_eq!(asked.status(), 202);
    let newest = async || get(app, key, runs.clone()).await["runs"][0].clone();
    until("the run has ended", async || newest().await["outcome"].is_string()).await;
    let run = newest().await;
    let counts = ["plans_new", "plans_changed", "plans_left_sale"].map(|name| run[name].as_u64().unwrap());
    assert_eq!((&run["outcome"], counts), (&json!("succeeded"), [0, 2, 0]), "{run}");
    let events = found(app, key).await;
    assert_eq!(events.len(), findable(last), "nothing is doubled");
    for (id, title) in IDS.into_iter().zip(["Concert 101", "Concert 102"]) {
        let event = events.iter().find(|event| event["id"] == id).unwrap();
        assert_eq!((&event["title"], &event["end_time"]), (&json!(title), &json!("23:59:00")));
        let plan = get(app, key, app.api(&format!("/catalog/plans/{id}"))).await;
        assert_eq!(plan["on_sale"], true);
    }
}

#[tokio::test]
async fn plans_stay_findable_under_their_ids_and_a_later_fetch_goes_on_from_them() {
    for (name, tables) in [
        ("search-flat.sql", "search, table flat.events: "),
        ("search-flat-inserts.sql", "search, table flat.events: "),
        ("search-normalised.sql", "search, table normalised.plans: "),
    ] {
        let installation = Installation::new();
        let (dump, provider) = (fixture(name), Provider::of(""));
        let url = provider.url();
        let arguments =
            ["--new-tenant", "legacy", "--feed", "provider", "--feed-url", &url, dump.to_str().unwrap()];
        for sum in [
            "29 stored into 1_legacy, feed provider, 0 already",
            "0 stored into 1_legacy, feed provider, 29 already",
        ] {
            let ended = installation.import(arguments);
            assert_eq!(ended.code, Some(1), "one row is rejected: {ended:?}");
            let lines: Vec<_> = ended.stdout.lines().collect();
            assert!(lines[0].starts_with("search: base plans' ids from "), "{ended:?}");
            assert!(
                lines[1].starts_with(&format!("{tables}30 rows read, {sum} there, 1 rejected")),
                "{ended:?}"
            );
            assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
            assert!(ended.stderr.contains("is before"), "{ended:?}");
        }
        let app =
            TestApp::start_in(installation.data_dir, &[&[("database_url", "")], &SPEAKING[..]].concat());
        let key = catalog_key(&app).await;
        check_plans(&app, &key, 30).await;
        assert_eq!(provider.asked(), 0, "the feed that was made is not enabled");
        check_that_a_fetch_goes_on(&app, &key, &provider, 30).await;

        // The dump once more: what the provider has told since is newer.
        let home = app.stop();
        let mut again = crate::process::command(["import", "--data-dir"]);
        again.arg(home.path()).args(["--tenant", "1", "--feed", "provider"]).arg(&dump);
        let ended = crate::process::finish(&mut again);
        assert!(
            ended.stdout.contains(" 0 stored into 1_legacy, feed provider, 29 already there"),
            "{ended:?}"
        );
        assert!(ended.stderr.contains("2 plans differ from the catalog, which is newer"), "{ended:?}");
        let app = TestApp::start_in(home, &[&[("database_url", "")], &SPEAKING[..]].concat());
        assert_eq!(found(&app, &key).await.len(), findable(30));
    }
}

#[tokio::test]
async fn a_later_dump_changes_plans_until_their_feed_is_fetched() {
    let installation = Installation::new();
    let dump = |title: &str| {
        installation.file(format!(
            "COPY plans (id, base_plan_id, provider_plan_id, title, starts_at, ends_at, min_price, max_price) FROM stdin;\n\
             {}\t1\t2\t{title}\t2021-06-30 21:00:00\t2021-06-30 22:00:00\t15.00\t15.00\n\\.\n",
            IDS[0]
        ))
    };
    let import = |file: &std::path::Path| {
        let into = ["--new-tenant", "legacy", "--feed", "p", "--feed-url", "https://provider.example/"];
        installation.import_well(into.map(std::ffi::OsStr::new).into_iter().chain([file.as_os_str()]))
    };
    assert!(
        import(&dump("one"))
            .ends_with("1 rows read, 1 stored into 1_legacy, feed p, 0 already there, 0 rejected")
    );
    assert!(
        import(&dump("two"))
            .ends_with("0 stored into 1_legacy, feed p, 1 changed, 0 already there, 0 rejected")
    );
    let app = TestApp::start_in(installation.data_dir, &[&[("database_url", "")], &SPEAKING[..]].concat());
    let key = catalog_key(&app).await;
    let events = found(&app, &key).await;
    assert_eq!((events.len(), &events[0]["title"], &events[0]["id"]), (1, &json!("two"), &json!(IDS[0])));
    let history = get(&app, &key, app.api(&format!("/catalog/plans/{}/history", IDS[0]))).await;
    assert_eq!(history["plans"].as_array().map(Vec::len), Some(2), "{history}");
}

#[tokio::test]
async fn where_plans_go_is_asked_for_before_anything_is_stored() {
    let installation = Installation::new();
    let flat = fixture("search-flat.sql");
    let (flat, tenants) = (flat.to_str().unwrap(), fixture("tenants.sql"));
    for (arguments, code, told) in [
        (&["--new-tenant", "a", flat][..], 2, "--feed-url where it is to be made"),
        (&["--new-tenant", "a", "--from", "search", "/nowhere"], 2, "--feed-url where it is to be made"),
        (&["--feed", "p", flat], 2, "--tenant or --new-tenant"),
        (
            &["--feed", "p", tenants.to_str().unwrap()],
            2,
            "are for what the search kept, and this is of tenants",
        ),
        (&["--new-tenant", "a", "--feed", "p", flat], 1, "there is no feed p: --feed-url has it made"),
        (&["--new-tenant", "a", "--feed", "p", "--feed-url", "ftp://x", flat], 1, "must begin with http"),
        (&["--new-tenant", "a", "--feed", "p", "--provider", "x", flat], 1, "no plans of the provider x"),
    ] {
        let refused = installation.import(arguments);
        let line = refused.one_line_of_failure(code);
        assert!(line.contains(told), "{arguments:?}: {line}");
    }
    let dry = installation.import(["--dry-run", flat]);
    assert_eq!(dry.code, Some(1), "{dry:?}");
    assert!(dry.stdout.ends_with("30 rows read, 29 could be stored, 1 rejected\n"), "{dry:?}");
    installation.import(["--new-tenant", "a", "--feed", "p", "--feed-url", "http://a/", flat]);
    let other = ["--new-tenant", "a", "--feed", "p", "--feed-url", "http://b/", flat];
    assert!(installation.import(other).one_line_of_failure(1).contains("it has another URL"));
    let app = TestApp::start_in(installation.data_dir, &[("database_url", "")]);
    let feeds = app.admin(Method::GET, "/catalog/feeds").header("Tenantry-Tenant", "1").send().await.unwrap();
    let feeds: Value = feeds.json().await.unwrap();
    assert_eq!((feeds["feeds"].as_array().unwrap().len(), &feeds["feeds"][0]["enabled"]), (1, &json!(false)));
}

#[test]
fn a_search_that_is_cut_short_damaged_or_another_stores_nothing() {
    let whole = std::fs::read(fixture("search-normalised.sql")).unwrap();
    let text = String::from_utf8(whole.clone()).unwrap();
    let flat = std::fs::read_to_string(fixture("search-flat.sql")).unwrap();
    for (content, reason) in [
        (whole[..whole.len() / 2].to_vec(), "is cut short"),
        (whole[..text.find("dump complete").unwrap()].to_vec(), "is cut short"),
        (
            text.replace("plan_start_date", "begins").into_bytes(),
            "looked for plans or events(starts_at, ends_at",
        ),
        (text.replace("title", "subject").into_bytes(), "has no title for the plans in normalised.plans"),
        (
            text.replace("FOREIGN KEY (", "UNIQUE (").into_bytes(),
            "has no foreign key that says which is meant",
        ),
        (flat.replace(" event_id", " number").into_bytes(), "--without-provider-ids"),
        (flat.replace("start_date", "\u{fffd}").into_bytes(), "flat.events(id, base_event_id"),
        (format!("{text}{flat}").into_bytes(), "several tables"),
    ] {
        let installation = Installation::new();
        let file = installation.file(content);
        let arguments = ["--new-tenant", "a", "--feed", "p", "--feed-url", "http://a/", "--from", "search"];
        let arguments = arguments.map(std::ffi::OsStr::new).into_iter().chain([file.as_os_str()]);
        let ended = installation.import(arguments);
        assert!(ended.one_line_of_failure(1).contains(reason), "{reason}: {ended:?}");
        assert_eq!(std::fs::read_dir(installation.data_dir.path()).unwrap().count(), 0, "{reason}");
    }
}
