//! Runs: how they come to be, and which there are.

use tenantry_domain::{
    FeedRun, FeedSettings, Precondition, RunCounts, RunState, RunTrigger, TenantStatus, Timestamp,
};
use tenantry_ports::{ClaimOutcome, ConfirmError, RequestError, RequestedRun, RunEnd, RunKey, ScheduleSlot};

use crate::catalog::{batch, feed_id, record, run_id, settings, whole_if_half_stay};
use crate::fixture::Fixture;
use crate::samples::unknown_tenant;
use crate::walk::{PAGE_SIZES, limit, walk};

/// Slots for runs of these ids, without jitter.
fn slots(runs: impl IntoIterator<Item = u128>) -> Vec<ScheduleSlot> {
    runs.into_iter().map(|run| ScheduleSlot { run: run_id(run), jitter_permille: 0 }).collect()
}

pub async fn a_run_that_is_asked_for_is_queued_now(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    for (number, trigger) in (1..).zip(RunTrigger::ALL) {
        let expected = FeedRun {
            id: run_id(number),
            feed,
            trigger: *trigger,
            state: RunState::Queued,
            queued_at: s.now(),
            started_at: None,
            finished_at: None,
            counts: RunCounts::default(),
            detail: None,
            catalog_revision: None,
        };
        let always = Precondition::default();
        let requested = s.feed_runs.request(tenant, feed, run_id(number), *trigger, always).await;
        assert_eq!(requested, Ok(RequestedRun::New(expected.clone())));
        assert_eq!(s.run_now(tenant, feed, number).await, expected);
        let key = RunKey { tenant, feed, run: run_id(number) };
        let ClaimOutcome::Claimed(claimed) = s.claim(key).await else { panic!("the run is queued") };
        s.finish(&claimed.claim, RunEnd::Unchanged).await;
    }
}

pub async fn while_a_run_is_open_no_other_is_made(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let key = s.queued(tenant, feed, 1).await;
    let queued = s.run_now(tenant, feed, 1).await;
    assert_eq!(s.request(tenant, feed, 2).await, Ok(RequestedRun::Open(queued)));
    let ClaimOutcome::Claimed(claimed) = s.claim(key).await else { panic!("the run is queued") };
    assert_eq!(s.request(tenant, feed, 3).await, Ok(RequestedRun::Open(claimed.run.clone())));
    s.finish(&claimed.claim, RunEnd::Unchanged).await;
    assert!(matches!(s.request(tenant, feed, 4).await, Ok(RequestedRun::New(_))));
    assert_eq!(s.feed_runs.find(tenant, feed, run_id(2)).await, Ok(None));
}

pub async fn no_run_is_made_of_a_feed_that_is_not_there(s: &Fixture) {
    let (tenant, other) = s.two_tenants().await;
    let feed = s.feed(tenant, 1).await.id;
    for (tenant, feed) in [(tenant, feed_id(2)), (other, feed), (unknown_tenant(), feed)] {
        assert_eq!(s.request(tenant, feed, 1).await, Err(RequestError::NotFound));
    }
    assert_eq!(s.feed_runs.list(tenant, feed, None, limit(9)).await.unwrap().unwrap().items, []);
}

pub async fn a_feed_whose_time_has_come_gets_a_run_and_is_due_again_an_interval_later(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let now = s.clock.advance_seconds(10_000);
    let made = s.feed_runs.schedule(now, slots([1, 2])).await.unwrap();
    assert_eq!(made, [RunKey { tenant, feed, run: run_id(1) }]);
    let run = s.run_now(tenant, feed, 1).await;
    assert_eq!((run.trigger, run.state, run.queued_at), (RunTrigger::Schedule, RunState::Queued, now));
    let due = now.plus_seconds(3600);
    assert_eq!(s.feed_now(tenant, feed).await.next_run_at, Some(due));
    let claim = s.claim(made[0]).await;
    let ClaimOutcome::Claimed(claimed) = claim else { panic!("the run is queued: {claim:?}") };
    s.finish(&claimed.claim, RunEnd::Unchanged).await;
    let early = Timestamp::from_micros(due.as_micros() - 1);
    assert_eq!(s.feed_runs.schedule(early, slots([3])).await, Ok(vec![]));
    assert_eq!(s.feed_runs.schedule(due, slots([3])).await.unwrap().len(), 1);
}

pub async fn a_slots_jitter_moves_the_time_of_the_next_run(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let mut now = s.now();
    for (run, jitter_permille, seconds) in [(1, -100, 3240), (2, 100, 3960), (3, 1, 3603)] {
        let slots = vec![ScheduleSlot { run: run_id(run), jitter_permille }];
        s.feed_runs.schedule(now, slots).await.unwrap();
        let due = s.feed_now(tenant, feed).await.next_run_at.unwrap();
        let exact = now.as_micros() + 3600 * 1000 * (1000 + i64::from(jitter_permille));
        assert_eq!((due.as_micros(), due.as_seconds()), (exact, now.plus_seconds(seconds).as_seconds()));
        now = due;
    }
}

pub async fn the_feeds_that_are_due_longest_come_first_one_a_slot(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    let mut feeds = Vec::new();
    for number in [3, 1, 2] {
        let tenant = if number == 2 { other } else { one };
        feeds.push((tenant, s.feed(tenant, number).await.id));
        s.clock.advance_seconds(1);
    }
    assert_eq!(s.feed_runs.schedule(s.now(), vec![]).await, Ok(vec![]));
    let first = s.feed_runs.schedule(s.now(), slots([1, 2])).await.unwrap();
    let key = |(tenant, feed), run| RunKey { tenant, feed, run: run_id(run) };
    assert_eq!(first, [key(feeds[0], 1), key(feeds[1], 2)]);
    assert_eq!(s.feed_runs.schedule(s.now(), slots([3, 4])).await, Ok(vec![key(feeds[2], 3)]));
}

pub async fn a_due_feed_with_an_open_run_gets_no_other_and_is_due_again_all_the_same(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    s.queued(tenant, feed, 1).await;
    assert_eq!(s.feed_runs.schedule(s.now(), slots([2])).await, Ok(vec![]));
    assert_eq!(s.feed_now(tenant, feed).await.next_run_at, Some(s.now().plus_seconds(3600)));
    assert_eq!(s.feed_runs.find(tenant, feed, run_id(2)).await, Ok(None));
}

pub async fn the_timer_makes_no_run_where_feed_or_tenant_is_not_active(s: &Fixture) {
    let (suspended, deleted) = s.two_tenants().await;
    let tenant = s.tenant().await;
    for tenant in [suspended, deleted] {
        s.feed(tenant, 1).await;
    }
    let off = FeedSettings { enabled: false, ..settings("off") };
    s.feeds.create(tenant, feed_id(1), off, 9).await.unwrap();
    s.set_status(suspended, TenantStatus::Suspended).await;
    s.set_status(deleted, TenantStatus::Deleting).await;
    assert_eq!(s.feed_runs.schedule(s.now(), slots(1..9)).await, Ok(vec![]));
    s.set_status(suspended, TenantStatus::Active).await;
    assert_eq!(s.feed_runs.schedule(s.now(), slots(1..9)).await.unwrap().len(), 1);
}

pub async fn runs_that_nobody_took_or_whose_claim_has_ended_are_stranded(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    let (first, second) = (s.feed(one, 1).await.id, s.feed(other, 2).await.id);
    let claimed = s.claimed(one, first, 1).await.claim;
    let queued_at = s.clock.advance_seconds(1);
    let queued = s.queued(other, second, 2).await;
    let stranded = async |before| s.feed_runs.stranded(before, limit(9)).await.unwrap();
    assert_eq!(stranded(queued_at).await, []);
    assert_eq!(stranded(queued_at.next()).await, [queued]);
    s.end_claim(&claimed).await;
    assert_eq!(stranded(queued_at).await, [claimed.key]);
    assert_eq!(stranded(queued_at.next()).await, [claimed.key, queued]);
    assert_eq!(s.feed_runs.stranded(Timestamp::MAX, limit(1)).await, Ok(vec![claimed.key]));
    s.finish(&claimed, RunEnd::Unchanged).await;
    assert_eq!(stranded(Timestamp::MAX).await, [queued]);
    s.set_status(other, TenantStatus::Deleting).await;
    assert_eq!(stranded(Timestamp::MAX).await, []);
}

pub async fn runs_are_listed_once_each_the_newest_first_in_pages_of_any_size(s: &Fixture) {
    let tenant = s.tenant().await;
    let (feed, other) = (s.feed(tenant, 1).await.id, s.feed(tenant, 2).await.id);
    for run in 1..=5 {
        s.run(tenant, feed, run, batch(vec![]), RunEnd::Unchanged).await;
        s.run(tenant, other, run, batch(vec![]), RunEnd::Unchanged).await;
    }
    for size in PAGE_SIZES {
        let page = async |after, limit| s.feed_runs.list(tenant, feed, after, limit).await.unwrap().unwrap();
        let runs = walk(limit(size), |run: &FeedRun| run.id, page).await;
        assert_eq!(runs.iter().map(|run| run.id).collect::<Vec<_>>(), [5, 4, 3, 2, 1].map(run_id));
        assert!(runs.iter().all(|run| run.feed == feed));
    }
    assert_eq!(s.feed_runs.list(tenant, feed_id(3), None, limit(9)).await, Ok(None));
}

pub async fn another_tenant_neither_sees_nor_changes_a_run(s: &Fixture) {
    let (tenant, other) = s.two_tenants().await;
    let feed = s.feed(tenant, 1).await.id;
    let key = s.queued(tenant, feed, 1).await;
    let run = s.run_now(tenant, feed, 1).await;
    for _ in 0..2 {
        assert_eq!(s.feed_runs.find(other, feed, run_id(1)).await, Ok(None));
        assert_eq!(s.claim(RunKey { tenant: other, ..key }).await, ClaimOutcome::Ended);
        assert_eq!(s.feed_runs.prune(other, feed, 0).await, Ok(0));
        assert_eq!(s.try_confirm(other, feed, 1).await, Err(ConfirmError::NotFound));
        let listed = s.feed_runs.list(other, feed, None, limit(9)).await.unwrap();
        assert_eq!(listed.map_or(vec![], |page| page.items), []);
        // Once more with a feed of the same id.
        let _ = s.feeds.create(other, feed, settings("theirs"), 9).await;
    }
    assert_eq!(s.run_now(tenant, feed, 1).await, run);
}

pub async fn the_oldest_runs_that_have_ended_are_pruned_but_for_held_ones(s: &Fixture) {
    let tenant = s.tenant().await;
    let (feed, other) = (s.feed(tenant, 1).await.id, s.feed(tenant, 2).await.id);
    s.run(tenant, other, 1, batch(vec![]), RunEnd::Unchanged).await;
    s.import(tenant, feed, 1, vec![record("1", "one"), record("2", "two")]).await;
    s.run(tenant, feed, 2, batch(vec![]), whole_if_half_stay()).await;
    for run in 3..6 {
        s.run(tenant, feed, run, batch(vec![]), RunEnd::Failed { detail: "down".to_owned() }).await;
    }
    s.queued(tenant, feed, 6).await;
    let left = async || {
        let page = s.feed_runs.list(tenant, feed, None, limit(9)).await.unwrap().unwrap();
        page.items.iter().map(|run| run.id).collect::<Vec<_>>()
    };
    assert_eq!(s.feed_runs.prune(tenant, feed, 4).await, Ok(0));
    assert_eq!(s.feed_runs.prune(tenant, feed, 2).await, Ok(2));
    assert_eq!(left().await, [6, 5, 4, 2].map(run_id));
    assert_eq!(s.feed_runs.prune(tenant, feed, 0).await, Ok(2));
    assert_eq!(left().await, [6, 2].map(run_id));
    assert_eq!(s.feed_runs.prune(tenant, feed_id(3), 0).await, Ok(0));
    assert_eq!(s.run_now(tenant, other, 1).await.state, RunState::Unchanged);
}
