//! Rejects that are read once more.

use std::future::pending;
use std::sync::Arc;

use tenantry_domain::{
    FeedRun, Page, Plan, PlanId, PlanSource, Reject, RejectId, RunId, RunState, RunTrigger,
};
use tenantry_ports::{ClaimError, MockFeedRunRepository, MockPlanRepository, RunEnd};

use uuid::Uuid;

use super::rig::*;
use crate::feed_import::ImportOutcome;
use crate::samples::{Standstill, down, feed_id, feed_run, run_key, time};

/// A reject that a run last met at that second.
fn reject(id: u8, raw: &str, last_seen_at: i64) -> Reject {
    Reject {
        id: RejectId::new([id; 16]),
        record: rejected(raw),
        run: feed_run().id,
        first_seen_at: time(1),
        last_seen_at: time(last_seen_at),
    }
}

/// A run that the feed has had.
fn run(number: u128, trigger: RunTrigger, state: RunState) -> FeedRun {
    FeedRun { id: RunId::new(Uuid::from_u128(number)), trigger, state, ..feed_run() }
}

/// Storage with these rejects, of which a page holds two, and with these runs of the feed, the newest first.
fn runs_with(rejects: Vec<Reject>, known: Vec<FeedRun>) -> MockFeedRunRepository {
    let mut runs = runs_claimed(RunTrigger::Replay, 1);
    runs.expect_list().returning(move |_, _, after, _| {
        let at = after.map_or(0, |after| 1 + known.iter().position(|run| run.id == after).unwrap());
        Ok(Some(Page { items: known[at..].iter().take(2).cloned().collect(), more: known.len() > at + 2 }))
    });
    runs.expect_rejects().returning(move |_, _, after, _, _| {
        let behind = |reject: &&Reject| after.is_none_or(|after| reject.id > after);
        let mut items: Vec<_> = rejects.iter().filter(behind).take(3).cloned().collect();
        let more = items.len() > 2;
        items.truncate(2);
        Ok(Some(Page { items, more }))
    });
    runs
}

/// Replays these rejects in a catalog with these plans; answers the titles that were staged, and which rejects leave.
async fn replayed(rejects: Vec<Reject>, plans: MockPlanRepository) -> (Vec<String>, Vec<RejectId>) {
    let (staged, tried, gone) = replayed_after(vec![feed_run()], rejects, plans).await;
    assert!(gone.is_empty(), "the last run that is known met all of them: {gone:?}");
    (staged, tried)
}

/// As [`replayed`], after these runs, the newest first; also which plans are gone.
async fn replayed_after(
    known: Vec<FeedRun>,
    rejects: Vec<Reject>,
    plans: MockPlanRepository,
) -> (Vec<String>, Vec<RejectId>, Vec<PlanId>) {
    let mut runs = runs_with(rejects, known);
    let told = taking(&mut runs);
    let provider = Provider::new(Vec::new());
    let service = service_with(runs, plans, &provider, Arc::new(Standstill));
    let outcome = service.carry_out(run_key(2), pending()).await;
    assert_eq!(outcome, Ok(ImportOutcome::Ended(Box::new(finished()))));
    assert!(provider.requests().is_empty());
    let ends = told.ends();
    let [RunEnd::Replayed { tried, gone }] = ends.as_slice() else { panic!("{ends:?}") };
    let staged = told.staged.lock().unwrap();
    let titles = staged.iter().flat_map(|batch| &batch.records);
    let titles = titles.map(|record| record.content.title.as_str().to_owned()).collect();
    (titles, tried.clone(), gone.clone())
}

fn no_plans() -> MockPlanRepository {
    let mut plans = MockPlanRepository::new();
    plans.expect_find_of().returning(|_, _, _| Ok(None));
    plans
}

fn ids<const N: usize>(ids: [u8; N]) -> Vec<RejectId> {
    ids.map(|id| RejectId::new([id; 16])).into()
}

#[tokio::test]
async fn what_can_be_read_now_is_staged_and_the_rest_stays() {
    let rejects = vec![
        reject(1, "plan a", 10),
        reject(2, "31 September", 10),
        reject(3, "", 10),
        reject(4, "plan b", 10),
        reject(5, "plan c", 10),
    ];
    let (staged, gone) = replayed(rejects, no_plans()).await;
    assert_eq!((staged, gone), (vec!["plan a".into(), "plan b".into(), "plan c".into()], ids([1, 4, 5])));
}

#[tokio::test]
async fn of_several_rejects_of_a_plan_the_one_that_was_met_last_counts() {
    let rejects = vec![reject(1, "plan a v2", 20), reject(2, "plan a v1", 10), reject(3, "plan a v3", 30)];
    let (staged, gone) = replayed(rejects, no_plans()).await;
    assert_eq!((staged, gone), (vec!["plan a v3".into()], ids([1, 2, 3])));
}

#[tokio::test]
async fn a_plan_that_was_seen_since_is_not_made_what_it_was() {
    for (seen_at, staged_titles) in [(9, vec!["plan a v1".to_owned()]), (10, vec![]), (11, vec![])] {
        let mut plans = MockPlanRepository::new();
        plans.expect_find_of().returning(move |_, feed, key| {
            let record = plan_record("a");
            assert_eq!((feed, key), (feed_id(), &record.key));
            Ok(Some(Plan {
                id: PlanId::of(feed, key),
                source: PlanSource { feed: feed_id(), key: record.key },
                content: record.content,
                version: 1,
                first_seen_at: time(1),
                last_seen_at: time(seen_at),
                on_sale: true,
            }))
        });
        let (staged, gone) = replayed(vec![reject(1, "plan a v1", 10)], plans).await;
        assert_eq!((staged, gone), (staged_titles, ids([1])));
    }
}

#[tokio::test]
async fn what_the_last_whole_fetch_did_not_meet_is_gone() {
    use RunState::{Failed, Succeeded, Unchanged};
    use RunTrigger::{File, Replay, Request, Schedule};
    let met = |run, id, raw| Reject { run: RunId::new(Uuid::from_u128(run)), ..reject(id, raw, 10) };
    let behind = |newest: Vec<FeedRun>| {
        let old = run(2, Schedule, Succeeded);
        newest.into_iter().chain([old]).collect::<Vec<_>>()
    };
    let (a, b) = (PlanId::of(feed_id(), &plan_record("a").key), PlanId::of(feed_id(), &plan_record("b").key));
    for (runs, expected) in [
        (behind(vec![]), vec![b]),
        (
            behind(vec![run(9, Schedule, Unchanged), run(8, Request, Failed), run(7, Replay, Succeeded)]),
            vec![b],
        ),
        (behind(vec![run(9, Schedule, Unchanged), run(3, Request, Succeeded)]), vec![a]),
        (behind(vec![run(4, Request, Succeeded)]), vec![a, b]),
        (behind(vec![run(4, File, Succeeded)]), vec![]),
        (vec![run(4, Schedule, Failed)], vec![]),
    ] {
        let rejects = vec![met(2, 1, "plan a"), met(3, 2, "plan b")];
        let (staged, tried, gone) = replayed_after(runs.clone(), rejects, no_plans()).await;
        assert_eq!((staged.len(), tried), (2, ids([1, 2])));
        assert_eq!(gone, expected, "{runs:?}");
    }
}

#[tokio::test]
async fn storage_that_fails_on_the_way_leaves_every_reject() {
    let mut runs = runs_claimed(RunTrigger::Replay, 1);
    runs.expect_rejects().returning(|_, _, _, _, _| Err(down()));
    runs.expect_extend().return_const(Ok(()));
    let service = service(runs, &Provider::new(Vec::new()), Arc::new(Standstill));
    assert_eq!(service.carry_out(run_key(2), pending()).await, Err(down()));
}

#[tokio::test]
async fn a_claim_that_is_lost_on_the_way_ends_nothing() {
    let mut runs = runs_with(vec![reject(1, "plan a", 10)], vec![]);
    refusing(&mut runs, ClaimError::Lost);
    let service = service(runs, &Provider::new(Vec::new()), Arc::new(Standstill));
    assert_eq!(service.carry_out(run_key(2), pending()).await, Ok(ImportOutcome::Lost));
}
