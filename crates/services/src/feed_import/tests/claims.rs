//! Who may work on a run, and when to stop.

use std::future::{pending, ready};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use tenantry_domain::RunTrigger;
use tenantry_ports::{ClaimError, ClaimOutcome, MockFeedRunRepository, RunEnd};

use super::rig::*;
use crate::feed_import::ImportOutcome;
use crate::samples::{Standstill, down, run_key};

#[tokio::test]
async fn a_run_that_another_has_or_that_has_ended_is_left_alone() {
    for (answer, outcome) in [
        (ClaimOutcome::Busy { remaining: CLAIM }, ImportOutcome::Busy { remaining: CLAIM }),
        (ClaimOutcome::Ended, ImportOutcome::NothingToDo),
    ] {
        let mut runs = MockFeedRunRepository::new();
        runs.expect_claim().return_once(move |_, _| Ok(answer));
        let service = service(runs, &Provider::new(Vec::new()), Arc::new(Standstill));
        assert_eq!(service.carry_out(run_key(2), pending()).await, Ok(outcome));
    }
}

#[tokio::test]
async fn storage_that_is_away_is_told_as_such() {
    let mut runs = MockFeedRunRepository::new();
    runs.expect_claim().returning(|_, _| Err(down()));
    let service = service(runs, &Provider::new(Vec::new()), Arc::new(Standstill));
    assert_eq!(service.carry_out(run_key(2), pending()).await, Err(down()));
}

#[tokio::test]
async fn a_worker_whose_claim_is_lost_while_it_stages_stops_and_ends_nothing() {
    let mut runs = runs_claimed(RunTrigger::Schedule, 1);
    refusing(&mut runs, ClaimError::Lost);
    let provider = Provider::new(vec![Act::Deliver(vec![plan("1"); 500]), whole()]);
    let service = service(runs, &provider, Arc::new(Standstill));
    assert_eq!(service.carry_out(run_key(2), pending()).await, Ok(ImportOutcome::Lost));
}

#[tokio::test]
async fn a_worker_whose_claim_is_lost_at_the_end_has_changed_nothing() {
    let mut runs = runs_claimed(RunTrigger::Schedule, 1);
    runs.expect_finish().once().returning(|_, _, _, _, _| Err(ClaimError::Lost));
    let service = service(runs, &Provider::new(vec![whole()]), Arc::new(Standstill));
    assert_eq!(service.carry_out(run_key(2), pending()).await, Ok(ImportOutcome::Lost));
}

#[tokio::test]
async fn a_claim_is_moved_on_three_times_while_it_lasts() {
    let mut runs = runs_claimed(RunTrigger::Schedule, 1);
    let extended = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&extended);
    runs.expect_extend().withf(|of, lasts| (of, *lasts) == (&claim(1), CLAIM)).returning(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    let timer = Ticks::new(0);
    let service = service(runs, &Provider::new(vec![Act::Hang]), timer.clone());
    let mut running = pin!(service.carry_out(run_key(2), pending()));
    for ticks in 1..=6 {
        timer.tick();
        assert_eq!((&mut running).now_or_never(), None);
        assert_eq!(extended.load(Ordering::SeqCst), ticks);
    }
    assert_eq!(tenantry_ports::Timer::elapsed(&*timer).as_secs(), 60, "a third of the claim each");
}

#[tokio::test]
async fn a_worker_that_learns_of_its_lost_claim_stops_at_once() {
    let mut runs = runs_claimed(RunTrigger::Schedule, 1);
    runs.expect_extend().once().return_const(Err(ClaimError::Lost));
    let service = service(runs, &Provider::new(vec![Act::Hang]), Ticks::new(1));
    assert_eq!(service.carry_out(run_key(2), pending()).await, Ok(ImportOutcome::Lost));
}

#[tokio::test]
async fn a_worker_that_cannot_move_its_claim_on_stops_when_its_time_is_up() {
    let mut runs = runs_claimed(RunTrigger::Schedule, 1);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    runs.expect_extend().returning(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        Err(ClaimError::Storage(down()))
    });
    let timer = Ticks::new(10_000);
    let service = service(runs, &Provider::new(vec![Act::Hang]), timer.clone());
    assert_eq!(service.carry_out(run_key(2), pending()).await, Ok(ImportOutcome::Lost));
    assert_eq!(tenantry_ports::Timer::elapsed(&*timer).as_secs(), 30);
    assert!(asked.load(Ordering::SeqCst) > 3, "it goes on trying");
}

#[tokio::test]
async fn storage_that_is_away_for_a_moment_is_waited_for() {
    let mut runs = runs_claimed(RunTrigger::Schedule, 1);
    let mut refused = 0;
    runs.expect_stage().times(3).returning(move |_, batch| {
        refused += 1;
        assert_eq!(batch.records.len(), 1, "the same batch again");
        if refused < 3 { Err(ClaimError::Storage(down())) } else { Ok(()) }
    });
    runs.expect_finish().times(1).returning(|_, _, _, _, _| Err(ClaimError::Storage(down())));
    runs.expect_finish().times(1).returning(|_, _, _, _, _| Ok(finished()));
    runs.expect_extend().returning(|_, _| Ok(()));
    runs.expect_prune().returning(|_, _, _| Ok(0));
    let provider = Provider::new(vec![Act::Deliver(vec![plan("1")]), whole()]);
    let service = service(runs, &provider, Ticks::new(10));
    let outcome = service.carry_out(run_key(2), pending()).await;
    assert_eq!(outcome, Ok(ImportOutcome::Ended(Box::new(finished()))));
}

#[tokio::test]
async fn a_worker_that_is_to_stop_gives_its_run_back() {
    let mut runs = runs_claimed(RunTrigger::Schedule, 1);
    runs.expect_extend().once().withf(|_, lasts| lasts.is_zero()).return_const(Ok(()));
    let service = service(runs, &Provider::new(vec![Act::Hang]), Arc::new(Standstill));
    assert_eq!(service.carry_out(run_key(2), ready(())).await, Ok(ImportOutcome::GivenBack));
}

#[tokio::test]
async fn a_run_that_never_comes_to_an_end_is_given_up() {
    let mut runs = runs_claimed(RunTrigger::Schedule, 21);
    let told = taking(&mut runs);
    let provider = Provider::new(Vec::new());
    let service = service(runs, &provider, Arc::new(Standstill));
    service.carry_out(run_key(2), pending()).await.unwrap();
    assert!(matches!(told.ends().as_slice(), [RunEnd::Failed { .. }]));
    assert!(provider.requests().is_empty());
}
