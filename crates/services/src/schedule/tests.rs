use std::sync::mpsc::{Receiver, channel};

use tenantry_ports::{MockFeedRunRepository, MockJobQueue};

use super::*;
use crate::samples::{Standstill, clock_at, down, run_key, time};

/// A queue that takes everything, and what it took.
fn queue() -> (MockJobQueue, Receiver<Job>) {
    let (told, published) = channel();
    let mut queue = MockJobQueue::new();
    queue.expect_publish().returning(move |job| {
        told.send(job).unwrap();
        Ok(())
    });
    (queue, published)
}

fn scheduler(runs: MockFeedRunRepository, queue: MockJobQueue) -> Scheduler {
    Scheduler::new(Arc::new(runs), Arc::new(queue), clock_at(time(100)), Arc::new(Standstill))
}

fn away() -> QueueError {
    QueueError::Unavailable("away".to_owned())
}

#[tokio::test]
async fn runs_of_feeds_that_are_due_are_made_and_told_to_the_queue() {
    let mut runs = MockFeedRunRepository::new();
    runs.expect_schedule().once().returning(|now, slots| {
        assert_eq!((now, slots.len()), (time(100), SLOTS));
        Ok(vec![run_key(1), run_key(2)])
    });
    let (queue, published) = queue();
    assert_eq!(scheduler(runs, queue).schedule().await, Ok(false));
    let jobs: Vec<_> = published.try_iter().collect();
    assert_eq!(jobs, [Job::FeedRun(run_key(1)), Job::FeedRun(run_key(2))]);
}

#[tokio::test]
async fn where_every_slot_was_needed_there_may_be_more() {
    let mut runs = MockFeedRunRepository::new();
    runs.expect_schedule().returning(|_, slots| Ok(vec![run_key(1); slots.len()]));
    assert_eq!(scheduler(runs, queue().0).schedule().await, Ok(true));
}

#[test]
fn the_next_run_is_put_off_by_chance_and_by_a_tenth_at_most() {
    let jitters: std::collections::BTreeSet<_> = (0..10_000).map(|_| slot().jitter_permille).collect();
    assert!(jitters.iter().all(|jitter| (-100..=100).contains(jitter)));
    assert!(jitters.len() > 190, "{}", jitters.len());
}

#[tokio::test]
async fn a_queue_that_is_away_is_told_and_the_runs_are_found_later() {
    let mut runs = MockFeedRunRepository::new();
    runs.expect_schedule().returning(|_, _| Ok(vec![run_key(1), run_key(2)]));
    runs.expect_stranded().returning(|_, _| Ok(vec![run_key(1), run_key(2)]));
    let mut queue = MockJobQueue::new();
    // It may take its time to answer: one refusal is enough.
    queue.expect_publish().times(2).return_const(Err(away()));
    queue.expect_publish().times(2).return_const(Ok(()));
    let scheduler = scheduler(runs, queue);
    assert_eq!(scheduler.schedule().await, Err(away().into()));
    assert_eq!(scheduler.rescue().await, Err(away().into()));
    assert_eq!(scheduler.rescue().await, Ok(2));
    assert_eq!(scheduler.rescue().await, Ok(0), "not again at once");
}

#[tokio::test]
async fn runs_that_wait_for_ten_seconds_or_whose_worker_is_gone_are_told_again() {
    let mut runs = MockFeedRunRepository::new();
    runs.expect_stranded()
        .once()
        .withf(|queued_before, limit| (*queued_before, *limit) == (time(90), PageLimit::MAX))
        .returning(|_, _| Ok(vec![run_key(1)]));
    let (queue, published) = queue();
    assert_eq!(scheduler(runs, queue).rescue().await, Ok(1));
    assert_eq!(published.try_recv(), Ok(Job::FeedRun(run_key(1))));
}

#[tokio::test]
async fn storage_that_fails_is_told_as_such() {
    let mut runs = MockFeedRunRepository::new();
    runs.expect_schedule().returning(|_, _| Err(down()));
    runs.expect_stranded().returning(|_, _| Err(down()));
    let scheduler = scheduler(runs, MockJobQueue::new());
    assert_eq!(scheduler.schedule().await, Err(down().into()));
    assert_eq!(scheduler.rescue().await, Err(down().into()));
}
