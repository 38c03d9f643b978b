//! Ends of runs: what they have staged becomes the catalog, or nothing of it.

use tenantry_domain::{Plan, PlanSource, RejectCode, RunCounts, RunState, Timestamp};
use tenantry_ports::{RunEnd, Validators};

use crate::catalog::{
    MAX_REJECTS, batch, catalog_revision, offline, plan_id, plan_key, record, record_at, settings,
    validators, whole,
};
use crate::fixture::Fixture;
use crate::recorded_commits::Commit;

pub async fn a_first_import_makes_plans_of_version_1_seen_now(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let claim = s.claimed(tenant, feed, 1).await.claim;
    s.stage(&claim, batch(vec![record("1", "one"), offline("2", "two")])).await;
    let now = s.clock.advance_seconds(9);
    s.commits.take();
    let counts = RunCounts { bytes: 77, attempts: 2, plans_new: 99, ..RunCounts::default() };
    let run = s.feed_runs.finish(&claim, now, whole(), counts, MAX_REJECTS).await.unwrap();
    assert_eq!((run.state, run.finished_at, run.detail.as_deref()), (RunState::Succeeded, Some(now), None));
    let counts = RunCounts { bytes: 77, attempts: 2, plans_seen: 2, plans_new: 2, ..RunCounts::default() };
    assert_eq!(run.counts, counts);
    assert_eq!(run.catalog_revision, Some(catalog_revision(1)));
    assert_eq!(run, s.run_now(tenant, feed, 1).await);
    assert_eq!(s.commits.take(), [Commit::Catalog(tenant, catalog_revision(1))]);
    for (record, on_sale) in [(record("1", "one"), true), (offline("2", "two"), false)] {
        let expected = Plan {
            id: plan_id(feed, record.key.plan_id.as_str()),
            source: PlanSource { feed, key: record.key },
            content: record.content,
            version: 1,
            first_seen_at: now,
            last_seen_at: now,
            on_sale,
        };
        assert_eq!(s.plans.find(tenant, expected.id).await.unwrap(), Some(expected));
    }
    assert_eq!(s.feed_now(tenant, feed).await.last_success_at, Some(now));
}

pub async fn nothing_that_is_staged_is_seen_before_the_end(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    s.import(tenant, feed, 1, vec![record("1", "one")]).await;
    let standing = s.plan(tenant, feed, "1").await;
    s.commits.take();
    let claim = s.claimed(tenant, feed, 2).await.claim;
    s.stage(&claim, batch(vec![record("1", "changed"), record("2", "two")])).await;
    assert_eq!(s.plan(tenant, feed, "1").await, standing);
    assert_eq!(s.plan(tenant, feed, "2").await, None);
    assert_eq!(s.versions(tenant, feed, "1").await.len(), 1);
    assert_eq!((s.catalog(tenant).await, s.on_sale(tenant).await), (1, vec!["one".to_owned()]));
    assert_eq!(s.commits.take(), []);
}

pub async fn a_plan_of_which_anything_differs_takes_its_next_version(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let first = s.now();
    s.import(tenant, feed, 1, vec![record("1", "one"), record("2", "two")]).await;
    let second = s.clock.advance_seconds(60);
    let run = s.import(tenant, feed, 2, vec![record("1", "changed"), record("2", "two")]).await;
    let counts = RunCounts { plans_seen: 2, plans_changed: 1, plans_unchanged: 1, ..RunCounts::default() };
    assert_eq!((run.counts, run.catalog_revision), (counts, Some(catalog_revision(2))));
    let plan = s.plan(tenant, feed, "1").await.unwrap();
    assert_eq!((plan.version, plan.first_seen_at, plan.last_seen_at), (2, first, second));
    assert_eq!(plan.content, record("1", "changed").content);
    let same = s.plan(tenant, feed, "2").await.unwrap();
    assert_eq!((same.version, same.first_seen_at, same.last_seen_at), (1, first, second));
    let versions = s.versions(tenant, feed, "1").await;
    let seen: Vec<_> = versions.iter().map(|v| (v.version, v.seen_at, v.content.title.as_str())).collect();
    assert_eq!(seen, [(2, second, "changed"), (1, first, "one")]);
    assert_eq!(s.versions(tenant, feed, "2").await.len(), 1);
}

pub async fn a_plan_that_is_as_it_was_before_takes_a_version_again(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    for (run, title) in (1..).zip(["one", "two", "one", "two"]) {
        s.import(tenant, feed, run, vec![record("1", title)]).await;
    }
    let versions = s.versions(tenant, feed, "1").await;
    let titles: Vec<_> = versions.iter().map(|version| version.content.title.as_str()).collect();
    assert_eq!(titles, ["two", "one", "two", "one"]);
}

pub async fn an_import_in_which_nothing_differs_takes_no_revision_and_tells_nobody(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let records = || vec![record("1", "one"), offline("2", "two")];
    s.import(tenant, feed, 1, records()).await;
    s.commits.take();
    let now = s.clock.advance_seconds(60);
    let run = s.import(tenant, feed, 2, records()).await;
    let counts = RunCounts { plans_seen: 2, plans_unchanged: 2, ..RunCounts::default() };
    assert_eq!((run.state, run.counts), (RunState::Succeeded, counts));
    assert_eq!(run.catalog_revision, Some(catalog_revision(1)));
    assert_eq!(s.commits.take(), []);
    for plan in ["1", "2"] {
        assert_eq!(s.plan(tenant, feed, plan).await.unwrap().last_seen_at, now);
    }
}

pub async fn a_plan_that_the_feed_holds_no_more_leaves_sale_and_keeps_its_content(s: &Fixture) {
    let tenant = s.tenant().await;
    let (feed, other) = (s.feed(tenant, 1).await.id, s.feed(tenant, 2).await.id);
    s.import(tenant, other, 1, vec![record("1", "other")]).await;
    s.import(tenant, feed, 1, vec![record("1", "one"), record("2", "two")]).await;
    let seen_at = s.clock.advance_seconds(60);
    s.import(tenant, feed, 2, vec![record("1", "one"), record("2", "two")]).await;
    s.clock.advance_seconds(60);
    let run = s.import(tenant, feed, 3, vec![record("2", "two")]).await;
    assert_eq!((run.counts.plans_left_sale, run.counts.plans_unchanged), (1, 1));
    assert_eq!(run.catalog_revision, Some(catalog_revision(3)));
    let plan = s.plan(tenant, feed, "1").await.unwrap();
    assert_eq!((plan.on_sale, plan.last_seen_at, plan.version), (false, seen_at, 1));
    assert_eq!(s.on_sale(tenant).await, ["other", "two"]);
    assert_eq!(s.plans.searchable(tenant).await.unwrap().plans.len(), 3);
    s.clock.advance_seconds(60);
    let run = s.import(tenant, feed, 4, vec![record("2", "two")]).await;
    assert_eq!((run.counts.plans_left_sale, run.catalog_revision), (0, Some(catalog_revision(3))));
    assert_eq!(s.plan(tenant, feed, "1").await.unwrap().last_seen_at, seen_at);
}

pub async fn a_plan_that_comes_back_is_on_sale_again(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let all = || vec![record("1", "one"), offline("2", "two"), record("3", "three")];
    s.import(tenant, feed, 1, all()).await;
    s.import(tenant, feed, 2, vec![]).await;
    assert_eq!((s.on_sale(tenant).await, s.catalog(tenant).await), (vec![], 2));
    let now = s.clock.advance_seconds(60);
    let back = vec![record("1", "one"), offline("2", "two"), record("3", "changed")];
    let run = s.import(tenant, feed, 3, back).await;
    let counts = RunCounts { plans_seen: 3, plans_unchanged: 2, plans_changed: 1, ..RunCounts::default() };
    assert_eq!((run.counts, run.catalog_revision), (counts, Some(catalog_revision(3))));
    assert_eq!(s.on_sale(tenant).await, ["changed", "one"]);
    for (plan, version) in [("1", 1), ("2", 1), ("3", 2)] {
        let plan = s.plan(tenant, feed, plan).await.unwrap();
        assert_eq!((plan.version, plan.last_seen_at), (version, now));
    }
}

pub async fn what_was_never_sold_online_takes_no_revision_when_it_leaves_or_comes_back(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    s.import(tenant, feed, 1, vec![offline("1", "one")]).await;
    s.commits.take();
    assert_eq!(s.import(tenant, feed, 2, vec![]).await.counts.plans_left_sale, 1);
    assert_eq!(s.import(tenant, feed, 3, vec![offline("1", "one")]).await.counts.plans_unchanged, 1);
    assert_eq!((s.catalog(tenant).await, s.commits.take()), (1, vec![]));
}

pub async fn a_feed_that_has_not_changed_was_seen_again(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let end = RunEnd::Whole { validators: validators("v1"), max_leaving_permille: 0 };
    s.run(tenant, feed, 1, batch(vec![record("1", "one")]), end).await;
    s.commits.take();
    let now = s.clock.advance_seconds(60);
    let run = s.run(tenant, feed, 2, batch(vec![]), RunEnd::Unchanged).await;
    assert_eq!(
        (run.state, run.counts, run.finished_at),
        (RunState::Unchanged, RunCounts::default(), Some(now))
    );
    assert_eq!(run.catalog_revision, Some(catalog_revision(1)));
    assert_eq!(s.feed_now(tenant, feed).await.last_success_at, Some(now));
    let plan = s.plan(tenant, feed, "1").await.unwrap();
    assert_eq!((plan.last_seen_at, plan.on_sale, plan.version), (now, true, 1));
    assert_eq!(s.commits.take(), []);
    assert_eq!(s.validators(tenant, feed, 3).await, validators("v1"));
}

pub async fn a_run_that_failed_changes_nothing_and_leaves_nothing(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let end = RunEnd::Whole { validators: validators("v1"), max_leaving_permille: 0 };
    s.run(tenant, feed, 1, batch(vec![record("1", "one")]), end).await;
    let (plan, held) = (s.plan(tenant, feed, "1").await, s.feed_now(tenant, feed).await);
    s.commits.take();
    let now = s.clock.advance_seconds(60);
    let failed = RunEnd::Failed { detail: "it's down".to_owned() };
    let run = s.run(tenant, feed, 2, batch(vec![record("1", "changed"), record("2", "two")]), failed).await;
    assert_eq!((run.state, run.detail.as_deref()), (RunState::Failed, Some("it's down")));
    assert_eq!((run.counts, run.finished_at), (RunCounts::default(), Some(now)));
    assert_eq!(run.catalog_revision, None);
    assert_eq!((s.plan(tenant, feed, "1").await, s.feed_now(tenant, feed).await), (plan, held));
    assert_eq!(s.plan(tenant, feed, "2").await, None);
    assert_eq!((s.catalog(tenant).await, s.commits.take()), (1, vec![]));
    assert_eq!(s.validators(tenant, feed, 3).await, validators("v1"));
    // The same records once more are new again, and of the next version.
    let run = s.import(tenant, feed, 4, vec![record("1", "changed"), record("2", "two")]).await;
    assert_eq!((run.counts.plans_new, run.counts.plans_changed), (1, 1));
    assert_eq!(s.versions(tenant, feed, "1").await.len(), 2);
}

pub async fn of_records_with_the_same_key_the_first_is_taken(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let claim = s.claimed(tenant, feed, 1).await.claim;
    s.stage(&claim, batch(vec![record("1", "one"), record("1", "one"), record("1", "other")])).await;
    s.stage(&claim, batch(vec![record("1", "one"), record("2", "two"), record("2", "another")])).await;
    let run = s.finish(&claim, whole()).await;
    let counts = RunCounts { plans_seen: 2, plans_new: 2, rejected: 2, ..RunCounts::default() };
    assert_eq!(run.counts, counts);
    assert_eq!(s.on_sale(tenant).await, ["one", "two"]);
    let rejects = s.rejects(tenant, feed).await;
    let mut plans: Vec<_> =
        rejects.iter().map(|reject| reject.record.place.plan_id.as_deref().unwrap()).collect();
    plans.sort_unstable();
    assert_eq!(plans, ["1", "2"]);
    for reject in rejects {
        assert_eq!((reject.record.reason.code, reject.record.raw.as_str()), (RejectCode::Duplicate, ""));
        assert_eq!(
            (reject.record.place.offset, reject.record.place.base_plan_id.as_deref()),
            (0, Some("base"))
        );
    }
}

pub async fn a_batch_that_is_staged_once_more_changes_nothing(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    s.import(tenant, feed, 1, vec![record("1", "one"), record("2", "two")]).await;
    let claim = s.claimed(tenant, feed, 2).await.claim;
    for _ in 0..3 {
        let mut all = batch(vec![record("1", "one"), record("2", "changed"), record("3", "new")]);
        all.rejects = vec![crate::catalog::reject("<plan/>")];
        s.stage(&claim, all).await;
    }
    let run = s.finish(&claim, whole()).await;
    let counts = RunCounts {
        plans_seen: 3,
        plans_new: 1,
        plans_changed: 1,
        plans_unchanged: 1,
        rejected: 1,
        ..RunCounts::default()
    };
    assert_eq!(run.counts, counts);
}

pub async fn the_same_plan_id_under_two_base_plans_is_two_plans(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let mut other = record("1", "other");
    other.key = plan_key("another base", "1");
    let run = s.import(tenant, feed, 1, vec![record("1", "one"), other]).await;
    assert_eq!(run.counts.plans_new, 2);
    assert_eq!(s.on_sale(tenant).await, ["one", "other"]);
}

pub async fn two_feeds_and_two_tenants_do_not_meet(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    let (first, second) = (s.feed(one, 1).await.id, s.feed(one, 2).await.id);
    s.feed(other, 1).await;
    s.import(one, first, 1, vec![record("1", "first")]).await;
    s.import(one, second, 2, vec![record("1", "second")]).await;
    s.import(other, first, 1, vec![record("1", "theirs")]).await;
    s.commits.take();
    let run = s.import(one, first, 3, vec![]).await;
    assert_eq!((run.counts.plans_left_sale, run.catalog_revision), (1, Some(catalog_revision(3))));
    assert_eq!(s.commits.take(), [Commit::Catalog(one, catalog_revision(3))]);
    assert_eq!((s.on_sale(one).await, s.catalog(one).await), (vec!["second".to_owned()], 3));
    assert_eq!((s.on_sale(other).await, s.catalog(other).await), (vec!["theirs".to_owned()], 1));
    let id = plan_id(first, "1");
    assert_eq!(s.plans.find(other, id).await.unwrap().unwrap().content.title.as_str(), "theirs");
}

pub async fn validators_of_a_feed_that_was_updated_meanwhile_are_not_kept(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let end = |tag: &str| RunEnd::Whole { validators: validators(tag), max_leaving_permille: 1000 };
    s.run(tenant, feed, 1, batch(vec![]), end("v1")).await;
    let claim = s.claimed(tenant, feed, 2).await.claim;
    s.feeds.update(tenant, feed, 1, settings("other")).await.unwrap();
    s.finish(&claim, end("v2")).await;
    assert_eq!(s.validators(tenant, feed, 3).await, Validators::default());
    s.run(tenant, feed, 4, batch(vec![]), end("v3")).await;
    assert_eq!(s.validators(tenant, feed, 5).await, validators("v3"));
    let claim = s.claimed(tenant, feed, 6).await.claim;
    s.feeds.update(tenant, feed, 2, settings("again")).await.unwrap();
    s.feed_runs.restage(&claim).await.unwrap();
    s.finish(&claim, end("v4")).await;
    assert_eq!(
        s.validators(tenant, feed, 7).await,
        Validators::default(),
        "what was claimed is fetched again"
    );
}

pub async fn no_time_falls_when_the_clock_is_set_back(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let noon = s.now();
    s.import(tenant, feed, 1, vec![record("1", "one"), record("2", "two")]).await;
    s.clock.advance_seconds(-600);
    s.import(tenant, feed, 2, vec![record("1", "changed"), record("2", "two")]).await;
    assert_eq!(s.feed_now(tenant, feed).await.last_success_at, Some(noon));
    for plan in ["1", "2"] {
        assert_eq!(s.plan(tenant, feed, plan).await.unwrap().last_seen_at, noon);
    }
    let seen: Vec<_> = s.versions(tenant, feed, "1").await.iter().map(|version| version.seen_at).collect();
    assert_eq!(seen, [noon, noon]);
    let held = s.plans.version_at(tenant, plan_id(feed, "1"), noon).await.unwrap().unwrap();
    assert_eq!(held.version, 2);
}

pub async fn a_large_import_becomes_the_catalog_whole(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let records = |title: &str, plans: std::ops::Range<i64>| -> Vec<_> {
        plans.map(|plan| record_at(&plan.to_string(), title, plan)).collect()
    };
    let claim = s.claimed(tenant, feed, 1).await.claim;
    for start in (0..1200).step_by(300) {
        s.stage(&claim, batch(records("one", start..start + 300))).await;
    }
    assert_eq!(s.finish(&claim, whole()).await.counts.plans_new, 1200);
    let claim = s.claimed(tenant, feed, 2).await.claim;
    s.stage(&claim, batch(records("one", 0..300))).await;
    s.stage(&claim, batch(records("two", 300..900))).await;
    let counts = s.finish(&claim, whole()).await.counts;
    assert_eq!((counts.plans_unchanged, counts.plans_changed, counts.plans_left_sale), (300, 600, 300));
    let found = s.plans.searchable(tenant).await.unwrap();
    assert_eq!((found.plans.len(), found.revision), (1200, catalog_revision(2)));
    let starts: Vec<_> = found.plans.iter().map(|plan| plan.time.starts_at()).collect();
    assert_eq!(starts, (0..1200).map(|at| Timestamp::from_micros(0).plus_seconds(at)).collect::<Vec<_>>());
    for (plan, version, on_sale) in [("0", 1, true), ("300", 2, true), ("1100", 1, false)] {
        let plan = s.plan(tenant, feed, plan).await.unwrap();
        assert_eq!((plan.version, plan.on_sale), (version, on_sale));
        assert_eq!(plan.content.zones, record("1", "one").content.zones);
    }
}
