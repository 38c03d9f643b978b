//! Claims to runs.

use std::time::Duration;

use tenantry_domain::{RunCounts, RunState};
use tenantry_ports::{ClaimError, ClaimOutcome, RequestedRun, RunEnd, RunKey};

use crate::catalog::{HOUR, batch, feed_id, record, reject, rejected, run_id, validators, whole};
use crate::fixture::Fixture;
use crate::wait::{at_once, until};

pub async fn a_queued_run_is_claimed_with_its_feed_and_what_was_said_of_it(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await;
    let end = RunEnd::Whole { validators: validators("\"v1\""), max_leaving_permille: 1000 };
    s.run(tenant, feed.id, 1, batch(vec![]), end).await;
    let key = s.queued(tenant, feed.id, 2).await;
    let started_at = s.clock.advance_seconds(3);
    let ClaimOutcome::Claimed(claimed) = s.claim(key).await else { panic!("the run is queued") };
    assert_eq!((claimed.claim.key, claimed.claim.number), (key, 1));
    assert_eq!((claimed.run.state, claimed.run.started_at), (RunState::Running, Some(started_at)));
    assert_eq!(claimed.run, s.run_now(tenant, feed.id, 2).await);
    assert_eq!(claimed.feed, s.feed_now(tenant, feed.id).await);
    assert_eq!(claimed.validators, validators("\"v1\""));
}

pub async fn a_claimed_run_is_busy_until_its_claim_was_ended(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let started_at = s.now();
    let claim = s.claimed(tenant, feed, 1).await.claim;
    assert_busy(s, claim.key, HOUR).await;
    s.clock.advance_seconds(60);
    s.feed_runs.extend(&claim, 2 * HOUR).await.unwrap();
    assert_busy(s, claim.key, 2 * HOUR).await;
    s.end_claim(&claim).await;
    s.feed_runs.extend(&claim, HOUR).await.expect("nobody has taken it over");
    assert_busy(s, claim.key, HOUR).await;
    s.end_claim(&claim).await;
    let ClaimOutcome::Claimed(second) = s.claim(claim.key).await else { panic!("the claim has ended") };
    assert_eq!((second.claim.number, second.run.started_at), (2, Some(started_at)));
    assert_busy(s, claim.key, HOUR).await;
}

/// Insists that another has the run, for almost as long as its claim was to last.
async fn assert_busy(s: &Fixture, key: RunKey, lasts: Duration) {
    let outcome = s.claim(key).await;
    let ClaimOutcome::Busy { remaining } = outcome else { panic!("another has it: {outcome:?}") };
    assert!(remaining <= lasts && remaining > lasts / 2, "of {lasts:?} there remains {remaining:?}");
}

pub async fn a_claim_ends_by_itself_when_its_time_has_passed(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let key = s.queued(tenant, feed, 1).await;
    let short = Duration::from_millis(1);
    let first = s.feed_runs.claim(key, short).await.unwrap();
    assert!(matches!(first, ClaimOutcome::Claimed(_)), "the run is queued: {first:?}");
    let found = std::sync::Mutex::new(None);
    until("the claim has ended", async || {
        // Whose clock it is that claims end by is the storage's affair.
        s.clock.advance_seconds(1);
        match s.claim(key).await {
            ClaimOutcome::Claimed(claimed) => {
                *found.lock().unwrap() = Some(claimed.claim.number);
                true
            }
            _ => false,
        }
    })
    .await;
    assert_eq!(found.into_inner().unwrap(), Some(2));
}

pub async fn whoever_lost_a_claim_changes_nothing_any_more(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let first = s.claimed(tenant, feed, 1).await.claim;
    s.stage(&first, batch(vec![record("1", "of the first")])).await;
    s.clock.advance_seconds(61);
    s.end_claim(&first).await;
    let ClaimOutcome::Claimed(second) = s.claim(first.key).await else { panic!("the claim has ended") };
    let standing = s.run_now(tenant, feed, 1).await;
    let now = s.now();
    let late = batch(vec![record("2", "late")]);
    assert_eq!(s.feed_runs.stage(&first, late).await, Err(ClaimError::Lost));
    assert_eq!(s.feed_runs.extend(&first, HOUR).await, Err(ClaimError::Lost));
    assert_eq!(s.feed_runs.restage(&first).await, Err(ClaimError::Lost));
    for end in [whole(), RunEnd::Unchanged, RunEnd::Failed { detail: "late".to_owned() }] {
        let finished = s.feed_runs.finish(&first, now, end, RunCounts::default(), 9).await;
        assert_eq!(finished, Err(ClaimError::Lost));
    }
    assert_eq!(s.run_now(tenant, feed, 1).await, standing);
    s.stage(&second.claim, batch(vec![record("3", "of the second")])).await;
    s.finish(&second.claim, whole()).await;
    assert_eq!(s.on_sale(tenant).await, ["of the second"]);
}

pub async fn what_a_claim_before_has_staged_and_counted_is_discarded(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let mut claim = s.claimed(tenant, feed, 1).await.claim;
    for round in 1..=3_u32 {
        assert_eq!(claim.number, round);
        let mine = format!("of claim {round}");
        s.stage(&claim, batch(vec![record("shared", &mine), record(&mine, &mine)])).await;
        s.stage(&claim, rejected(vec![reject(&mine)])).await;
        if round < 3 {
            s.end_claim(&claim).await;
            let ClaimOutcome::Claimed(next) = s.claim(claim.key).await else { panic!("the claim has ended") };
            assert_eq!(next.run.counts, RunCounts::default());
            claim = next.claim;
        }
    }
    let run = s.finish(&claim, whole()).await;
    let expected = RunCounts { plans_seen: 2, plans_new: 2, rejected: 1, ..RunCounts::default() };
    assert_eq!(run.counts, expected);
    assert_eq!(s.on_sale(tenant).await, ["of claim 3", "of claim 3"]);
    assert_eq!(s.versions(tenant, feed, "shared").await.len(), 1);
    let raw: Vec<_> = s.rejects(tenant, feed).await.into_iter().map(|reject| reject.record.raw).collect();
    assert_eq!(raw, ["of claim 3"]);
}

pub async fn restaging_begins_anew_under_the_same_claim(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let claim = s.claimed(tenant, feed, 1).await.claim;
    for attempt in ["first", "second", "third"] {
        s.feed_runs.restage(&claim).await.unwrap();
        s.stage(&claim, batch(vec![record("1", attempt), record(attempt, attempt)])).await;
        s.stage(&claim, rejected(vec![reject(attempt)])).await;
    }
    let run = s.finish(&claim, whole()).await;
    assert_eq!((run.counts.plans_seen, run.counts.rejected), (2, 1));
    assert_eq!(s.on_sale(tenant).await, ["third", "third"]);
    assert_eq!(s.rejects(tenant, feed).await.len(), 1);
}

pub async fn of_claims_at_once_one_succeeds(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let key = s.queued(tenant, feed, 1).await;
    let claims = (0..8).map(|_| {
        let s = s.clone();
        async move { s.claim(key).await }
    });
    let outcomes = at_once(claims).await;
    let claimed = outcomes.iter().filter(|outcome| matches!(outcome, ClaimOutcome::Claimed(_))).count();
    let busy = outcomes.iter().filter(|outcome| matches!(outcome, ClaimOutcome::Busy { .. })).count();
    assert_eq!((claimed, busy), (1, 7), "{outcomes:?}");
}

pub async fn of_requests_at_once_one_makes_a_run(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let requests = (1..9).map(|run| {
        let s = s.clone();
        async move { s.request(tenant, feed, run).await.unwrap() }
    });
    let answers = at_once(requests).await;
    let new = answers.iter().filter(|answer| matches!(answer, RequestedRun::New(_)));
    assert_eq!(new.count(), 1, "{answers:?}");
}

pub async fn a_run_that_has_ended_or_is_not_there_cannot_be_claimed(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let claim = s.claimed(tenant, feed, 1).await.claim;
    s.finish(&claim, RunEnd::Unchanged).await;
    assert_eq!(s.claim(claim.key).await, ClaimOutcome::Ended);
    assert_eq!(s.claim(RunKey { run: run_id(2), ..claim.key }).await, ClaimOutcome::Ended);
    assert_eq!(s.claim(RunKey { feed: feed_id(2), ..claim.key }).await, ClaimOutcome::Ended);
    assert_eq!(s.feed_runs.extend(&claim, HOUR).await, Err(ClaimError::Lost));
    let again = s.feed_runs.finish(&claim, s.now(), whole(), RunCounts::default(), 9).await;
    assert_eq!(again, Err(ClaimError::Lost));
}
