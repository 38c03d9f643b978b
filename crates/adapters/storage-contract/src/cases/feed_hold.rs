//! Runs that are held, because more would leave sale than is believed at once.

use tenantry_domain::{FeedRun, RunCounts, RunState, TenantNumber};
use tenantry_ports::{ConfirmError, RunEnd};

use crate::catalog::{
    batch, catalog_revision, feed_id, record, reject, run_id, settings, validators, whole, whole_if_half_stay,
};
use crate::fixture::Fixture;
use crate::recorded_commits::Commit;

/// A feed with four plans, and a run 2 that is held: of them it holds only the first, changed, and a new one.
async fn with_held_run(s: &Fixture) -> (TenantNumber, FeedRun) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let end = RunEnd::Whole { validators: validators("first"), max_leaving_permille: 0 };
    let all = ["1", "2", "3", "4"].map(|plan| record(plan, plan)).to_vec();
    s.run(tenant, feed, 1, batch(all), end).await;
    s.clock.advance_seconds(60);
    let mut less = batch(vec![record("1", "changed"), record("5", "new")]);
    less.rejects = vec![reject("<plan/>")];
    let run = s.run(tenant, feed, 2, less, whole_if_half_stay()).await;
    s.commits.take();
    (tenant, run)
}

pub async fn a_run_with_which_too_many_would_leave_is_held_and_changes_nothing(s: &Fixture) {
    let (tenant, run) = with_held_run(s).await;
    assert_eq!((run.state, run.finished_at, run.catalog_revision), (RunState::Held, Some(s.now()), None));
    let counts = RunCounts {
        plans_seen: 2,
        plans_new: 1,
        plans_changed: 1,
        plans_left_sale: 3,
        rejected: 1,
        ..RunCounts::default()
    };
    assert_eq!(run.counts, counts);
    let detail = run.detail.as_deref().unwrap();
    assert!(detail.contains('3') && detail.contains('4'), "{detail}");
    assert_eq!(run, s.run_now(tenant, run.feed, 2).await);
    assert_eq!(s.on_sale(tenant).await, ["1", "2", "3", "4"]);
    assert_eq!((s.catalog(tenant).await, s.rejects(tenant, run.feed).await), (1, vec![]));
    assert!(s.feed_now(tenant, run.feed).await.last_success_at < Some(s.now()));
    assert_eq!(s.commits.take(), []);
    assert_eq!(s.validators(tenant, run.feed, 3).await, validators("first"));
}

pub async fn a_run_is_held_only_above_the_bound(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let records = |plans: std::ops::Range<u32>| -> Vec<_> {
        plans.map(|plan| record(&plan.to_string(), "plan")).collect()
    };
    let end = |max_leaving_permille| RunEnd::Whole { validators: validators("v"), max_leaving_permille };
    for (run, permille, stay, state) in [
        (2, 250, 6, RunState::Succeeded),
        (4, 249, 6, RunState::Held),
        (6, 0, 8, RunState::Succeeded),
        (8, 0, 7, RunState::Held),
        (10, 999, 0, RunState::Held),
        (12, 1000, 0, RunState::Succeeded),
    ] {
        s.import(tenant, feed, run - 1, records(0..8)).await;
        let ended = s.run(tenant, feed, run, batch(records(0..stay)), end(permille)).await;
        assert_eq!(ended.state, state, "at {permille} with {stay} of 8");
    }
    // Where nothing is in the feed, nothing can leave it.
    assert_eq!(s.run(tenant, feed, 13, batch(vec![]), end(0)).await.state, RunState::Succeeded);
}

pub async fn a_confirmed_run_becomes_the_catalog(s: &Fixture) {
    let (tenant, held) = with_held_run(s).await;
    let feed = held.feed;
    let now = s.clock.advance_seconds(600);
    let run = s.confirm(tenant, feed, 2).await;
    assert_eq!((run.state, run.finished_at, run.detail.clone()), (RunState::Succeeded, Some(now), None));
    assert_eq!((run.counts, run.catalog_revision), (held.counts, Some(catalog_revision(2))));
    assert_eq!(run, s.run_now(tenant, feed, 2).await);
    assert_eq!(s.commits.take(), [Commit::Catalog(tenant, catalog_revision(2))]);
    assert_eq!(s.on_sale(tenant).await, ["changed", "new"]);
    let plan = s.plan(tenant, feed, "1").await.unwrap();
    assert_eq!((plan.version, plan.last_seen_at), (2, now));
    assert_eq!(s.versions(tenant, feed, "1").await[0].seen_at, now);
    let rejects = s.rejects(tenant, feed).await;
    assert_eq!((rejects.len(), rejects[0].run, rejects[0].last_seen_at), (1, run_id(2), now));
    assert_eq!(s.feed_now(tenant, feed).await.last_success_at, Some(now));
    assert_eq!(s.validators(tenant, feed, 3).await, validators("held"));
}

pub async fn validators_of_a_held_run_are_not_kept_if_the_feed_was_updated(s: &Fixture) {
    let (tenant, held) = with_held_run(s).await;
    s.feeds.update(tenant, held.feed, 1, settings("other")).await.unwrap();
    s.confirm(tenant, held.feed, 2).await;
    assert_eq!(s.validators(tenant, held.feed, 3).await, Default::default());
}

pub async fn only_a_held_run_is_confirmed_and_only_once(s: &Fixture) {
    let (tenant, held) = with_held_run(s).await;
    assert_eq!(s.try_confirm(tenant, held.feed, 1).await, Err(ConfirmError::NotHeld));
    assert_eq!(s.try_confirm(tenant, held.feed, 3).await, Err(ConfirmError::NotFound));
    assert_eq!(s.try_confirm(tenant, feed_id(2), 2).await, Err(ConfirmError::NotFound));
    s.confirm(tenant, held.feed, 2).await;
    assert_eq!(s.try_confirm(tenant, held.feed, 2).await, Err(ConfirmError::NotHeld));
    assert_eq!(s.catalog(tenant).await, 2);
}

pub async fn a_later_run_that_succeeds_is_unchanged_or_held_supersedes_a_held_one(s: &Fixture) {
    let all = || batch(["1", "2", "3", "4"].map(|plan| record(plan, plan)).to_vec());
    for (end, later, batch) in [
        (whole(), RunState::Succeeded, all()),
        (RunEnd::Unchanged, RunState::Unchanged, batch(vec![])),
        (RunEnd::Replayed { tried: vec![], gone: vec![] }, RunState::Succeeded, batch(vec![])),
        (whole_if_half_stay(), RunState::Held, batch(vec![])),
    ] {
        let (tenant, held) = with_held_run(s).await;
        assert_eq!(s.run(tenant, held.feed, 3, batch, end).await.state, later);
        let run = s.run_now(tenant, held.feed, 2).await;
        assert_eq!((run.state, run.counts), (RunState::Superseded, held.counts));
        assert_eq!(s.try_confirm(tenant, held.feed, 2).await, Err(ConfirmError::NotHeld));
        assert_eq!(s.on_sale(tenant).await, ["1", "2", "3", "4"]);
        assert_eq!(s.plan(tenant, held.feed, "5").await, None);
        if later == RunState::Held {
            assert_eq!(s.confirm(tenant, held.feed, 3).await.state, RunState::Succeeded);
            assert_eq!(s.on_sale(tenant).await, Vec::<String>::new());
        }
    }
}

pub async fn a_run_that_failed_leaves_a_held_one_waiting(s: &Fixture) {
    let (tenant, held) = with_held_run(s).await;
    let more = batch(vec![record("9", "nine"), record("5", "another")]);
    s.run(tenant, held.feed, 3, more, RunEnd::Failed { detail: "down".to_owned() }).await;
    assert_eq!(s.run_now(tenant, held.feed, 2).await, held);
    s.confirm(tenant, held.feed, 2).await;
    assert_eq!(s.on_sale(tenant).await, ["changed", "new"]);
}

pub async fn a_run_that_staged_before_another_was_confirmed_is_compared_with_what_stands_then(s: &Fixture) {
    let (tenant, held) = with_held_run(s).await;
    let feed = held.feed;
    // Compared with the catalog as it is before: 1, 2 and 4 are the same, 5 is new, 3 leaves.
    let claim = s.claimed(tenant, feed, 3).await.claim;
    s.stage(&claim, batch(vec![record("1", "1"), record("2", "2"), record("4", "four"), record("5", "new")]))
        .await;
    s.clock.advance_seconds(1);
    s.confirm(tenant, feed, 2).await;
    let now = s.clock.advance_seconds(1);
    let run = s.finish(&claim, whole()).await;
    // And as it is then: 1 is again what it was, 2 and 4 come back, one of them changed, 5 is the same.
    let counts = RunCounts { plans_seen: 4, plans_changed: 2, plans_unchanged: 2, ..RunCounts::default() };
    assert_eq!((run.state, run.counts), (RunState::Succeeded, counts));
    assert_eq!(s.on_sale(tenant).await, ["1", "2", "four", "new"]);
    let versions = s.versions(tenant, feed, "1").await;
    let seen: Vec<_> = versions.iter().map(|v| (v.version, v.content.title.as_str())).collect();
    assert_eq!(seen, [(3, "1"), (2, "changed"), (1, "1")]);
    assert_eq!((versions[0].seen_at, &versions[0].content), (now, &record("1", "1").content));
    let plan = s.plan(tenant, feed, "1").await.unwrap();
    assert_eq!((plan.version, plan.content), (3, record("1", "1").content));
    assert_eq!(s.versions(tenant, feed, "5").await.len(), 1);
    assert_eq!(s.versions(tenant, feed, "2").await.len(), 1);
    let found = s.plans.searchable(tenant).await.unwrap().plans;
    assert!(found.iter().any(|plan| plan.title.as_str() == "1"), "{found:?}");
}
