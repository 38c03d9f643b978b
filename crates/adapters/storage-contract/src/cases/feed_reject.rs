//! Records that could not be taken.

use tenantry_domain::{RecordPlace, Reject, RejectCode, RejectId, RejectReason, RejectedRecord, RunState};
use tenantry_ports::{RunEnd, StagedBatch, Validators};

use crate::catalog::{
    batch, catalog_revision, feed_id, plan_id, record, reject, rejected, run_id, validators, whole,
};
use crate::fixture::Fixture;
use crate::samples::AWKWARD_TEXTS;
use crate::walk::{PAGE_SIZES, limit, walk};

pub async fn a_reject_is_kept_with_the_run_and_the_time_that_met_it(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let records: Vec<_> = (0..)
        .zip(AWKWARD_TEXTS)
        .zip(RejectCode::ALL.into_iter().cycle())
        .map(|((at, text), code)| {
            let place = RecordPlace { offset: at, base_plan_id: None, plan_id: Some(text.to_owned()) };
            RejectedRecord { place, reason: RejectReason::new(code, text), raw: format!("<{text}>") }
        })
        .collect();
    let run = s.run(tenant, feed, 1, rejected(records.clone()), whole()).await;
    assert_eq!((run.state, run.counts.rejected), (RunState::Succeeded, AWKWARD_TEXTS.len() as u64));
    let now = s.now();
    let mut expected: Vec<_> = records
        .into_iter()
        .map(|record| Reject {
            id: RejectId::of(feed, &record),
            record,
            run: run_id(1),
            first_seen_at: now,
            last_seen_at: now,
        })
        .collect();
    expected.sort_by_key(|reject| reject.id);
    assert_eq!(s.rejects(tenant, feed).await, expected);
}

pub async fn a_reject_that_is_met_again_keeps_when_it_was_first_met(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let first = s.now();
    s.run(tenant, feed, 1, rejected(vec![reject("a"), reject("b")]), whole()).await;
    let second = s.clock.advance_seconds(60);
    let moved = RejectedRecord { place: RecordPlace { offset: 99, ..reject("a").place }, ..reject("a") };
    s.run(tenant, feed, 2, rejected(vec![moved.clone()]), whole()).await;
    let rejects = s.rejects(tenant, feed).await;
    let of = |raw: &str| rejects.iter().find(|reject| reject.record.raw == raw).unwrap();
    let (again, once) = (of("a"), of("b"));
    assert_eq!((again.run, again.first_seen_at, again.last_seen_at), (run_id(2), first, second));
    assert_eq!(again.record, moved);
    assert_eq!((once.run, once.first_seen_at, once.last_seen_at), (run_id(1), first, first));
}

pub async fn of_too_many_rejects_those_met_longest_ago_leave(s: &Fixture) {
    let tenant = s.tenant().await;
    let (feed, other) = (s.feed(tenant, 1).await.id, s.feed(tenant, 2).await.id);
    s.run(tenant, other, 1, rejected(vec![reject("of the other")]), whole()).await;
    for (run, raw) in (1..).zip([["a", "b"], ["c", "a"], ["d", "e"]]) {
        let claim = s.claimed(tenant, feed, run).await.claim;
        s.stage(&claim, rejected(raw.map(reject).to_vec())).await;
        s.feed_runs.finish(&claim, s.now(), whole(), Default::default(), 4).await.unwrap();
        s.clock.advance_seconds(1);
    }
    let mut raw: Vec<_> = s.rejects(tenant, feed).await.into_iter().map(|reject| reject.record.raw).collect();
    raw.sort();
    assert_eq!(raw, ["a", "c", "d", "e"]);
    // More at once than are kept.
    let claim = s.claimed(tenant, feed, 9).await.claim;
    s.stage(&claim, rejected((0..9).map(|raw| reject(&raw.to_string())).collect())).await;
    let run = s.feed_runs.finish(&claim, s.now(), whole(), Default::default(), 4).await.unwrap();
    assert_eq!(run.counts.rejected, 9);
    let rejects = s.rejects(tenant, feed).await;
    assert_eq!((rejects.len(), rejects.iter().all(|reject| reject.run == run_id(9))), (4, true));
    // One that left and is met again is new.
    s.clock.advance_seconds(1);
    s.run(tenant, feed, 10, rejected(vec![reject("a")]), whole()).await;
    let again = s.rejects(tenant, feed).await.into_iter().find(|reject| reject.record.raw == "a").unwrap();
    assert_eq!(again.first_seen_at, s.now());
    assert_eq!(s.rejects(tenant, other).await.len(), 1);
}

pub async fn a_run_that_failed_or_was_unchanged_leaves_rejects_as_they_were(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    s.run(tenant, feed, 1, rejected(vec![reject("a")]), whole()).await;
    let held = s.rejects(tenant, feed).await;
    s.clock.advance_seconds(60);
    let failed = RunEnd::Failed { detail: "down".to_owned() };
    for (run, end) in [(2, failed), (3, RunEnd::Unchanged)] {
        s.run(tenant, feed, run, rejected(vec![reject("a"), reject("b")]), end).await;
        assert_eq!(s.rejects(tenant, feed).await, held);
    }
}

pub async fn rejects_that_are_tried_again_become_plans_or_stay(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let end = RunEnd::Whole { validators: validators("v1"), max_leaving_permille: 0 };
    let mut first = batch(vec![record("1", "one"), record("2", "two")]);
    first.rejects = ["a", "b", "c"].map(reject).to_vec();
    s.run(tenant, feed, 1, first, end).await;
    let start = s.now();
    let now = s.clock.advance_seconds(60);
    let ids = ["a", "b"].map(|raw| RejectId::of(feed, &reject(raw))).to_vec();
    let tried =
        StagedBatch { rejects: vec![reject("b")], ..batch(vec![record("3", "was a"), record("2", "two")]) };
    let run = s.run(tenant, feed, 2, tried, RunEnd::Replayed { tried: ids, gone: vec![] }).await;
    let counts = run.counts;
    assert_eq!(
        (counts.plans_new, counts.plans_unchanged, counts.plans_left_sale, counts.rejected),
        (1, 1, 0, 1)
    );
    assert_eq!((run.state, run.catalog_revision), (RunState::Succeeded, Some(catalog_revision(2))));
    assert_eq!(s.on_sale(tenant).await, ["one", "two", "was a"]);
    for (plan, seen_at) in [("1", start), ("2", now), ("3", now)] {
        assert_eq!(s.plan(tenant, feed, plan).await.unwrap().last_seen_at, seen_at, "{plan}");
    }
    let rejects = s.rejects(tenant, feed).await;
    let mut left: Vec<_> = rejects.iter().map(|r| (r.record.raw.as_str(), r.run, r.first_seen_at)).collect();
    left.sort_unstable();
    assert_eq!(left, [("b", run_id(2), start), ("c", run_id(1), start)]);
    assert_eq!(s.feed_now(tenant, feed).await.last_success_at, Some(start));
    assert_eq!(s.validators(tenant, feed, 3).await, validators("v1"));
}

pub async fn rejects_that_the_last_whole_fetch_had_no_more_become_plans_that_are_not_in_the_feed(
    s: &Fixture,
) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    s.run(tenant, feed, 1, batch(["1", "2"].map(|plan| record(plan, plan)).to_vec()), whole()).await;
    s.run(tenant, feed, 2, batch(vec![record("1", "1")]), whole()).await;
    let tried = ["1", "2", "3", "4"].map(|plan| record(plan, &format!("{plan} again"))).to_vec();
    let gone = ["1", "2", "3"].map(|plan| plan_id(feed, plan)).to_vec();
    let run = s.run(tenant, feed, 3, batch(tried), RunEnd::Replayed { tried: vec![], gone }).await;
    assert_eq!((run.counts.plans_new, run.counts.plans_changed), (2, 2));
    assert_eq!(s.on_sale(tenant).await, ["1 again", "4 again"], "the first was in the feed before");
    for plan in ["2", "3"] {
        let plan = s.plan(tenant, feed, plan).await.unwrap();
        assert!(plan.content.title.as_str().ends_with("again") && !plan.on_sale, "{plan:?}");
    }
    let all = ["1", "4"].map(|plan| record(plan, &format!("{plan} again"))).to_vec();
    assert_eq!(
        s.run(
            tenant,
            feed,
            4,
            batch(all),
            RunEnd::Whole { validators: Validators::default(), max_leaving_permille: 0 }
        )
        .await
        .state,
        RunState::Succeeded
    );
}

pub async fn many_rejects_that_are_tried_again_are_removed(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let all: Vec<_> = (0..100).map(|raw| reject(&raw.to_string())).collect();
    s.run(tenant, feed, 1, rejected(all), whole()).await;
    // All but the first, and many that are not there any more.
    let tried = (1..2_000).map(|raw| RejectId::of(feed, &reject(&raw.to_string()))).collect();
    s.run(tenant, feed, 2, batch(vec![]), RunEnd::Replayed { tried, gone: vec![] }).await;
    let left = s.rejects(tenant, feed).await;
    assert_eq!(left.iter().map(|left| left.record.raw.as_str()).collect::<Vec<_>>(), ["0"]);
}

pub async fn rejects_are_listed_once_each_by_id_in_pages_of_any_size(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    s.run(tenant, feed, 1, rejected((0..7).map(|raw| reject(&raw.to_string())).collect()), whole()).await;
    let all = s.rejects(tenant, feed).await;
    assert_eq!(all.len(), 7);
    assert!(all.is_sorted_by_key(|reject| reject.id));
    for size in PAGE_SIZES {
        let page = async |after, limit| {
            s.feed_runs.rejects(tenant, feed, after, limit, u64::MAX).await.unwrap().unwrap()
        };
        assert_eq!(walk(limit(size), |reject: &Reject| reject.id, page).await, all);
    }
    assert_eq!(s.feed_runs.rejects(tenant, feed_id(2), None, limit(9), 1).await, Ok(None));
}

pub async fn a_page_of_rejects_ends_behind_the_one_with_which_it_reaches_its_bytes(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let long = (0..4).map(|raw| reject(&raw.to_string().repeat(1000))).collect();
    s.run(tenant, feed, 1, rejected(long), whole()).await;
    for (bytes, rows) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (3000, 3), (3001, 4)] {
        let page = s.feed_runs.rejects(tenant, feed, None, limit(9), bytes).await.unwrap().unwrap();
        assert_eq!((page.items.len(), page.more), (rows, rows < 4), "{bytes}");
    }
}

pub async fn another_tenant_sees_no_reject(s: &Fixture) {
    let (tenant, other) = s.two_tenants().await;
    let feed = s.feed(tenant, 1).await.id;
    s.run(tenant, feed, 1, rejected(vec![reject("a")]), whole()).await;
    assert_eq!(s.feed_runs.rejects(other, feed, None, limit(9), 9).await, Ok(None));
    s.feed(other, 1).await;
    assert_eq!(s.rejects(other, feed).await, []);
    assert_eq!(s.rejects(tenant, feed).await.len(), 1);
}
