use std::future::{pending, ready};

use async_trait::async_trait;
use tenantry_domain::{PlanRecord, RejectReason, RunTrigger, TimeZone};
use tenantry_ports::{
    ClaimOutcome, ClaimedRun, FeedRequest, FeedSink, FeedSource, FetchCost, FetchEnd, FetchError,
    MockFeedRunRepository, MockJobQueue, MockPlanRepository, RunClaim, Validators,
};

use super::*;
use crate::feed_import::ImportOptions;
use crate::samples::{Standstill, clock_at, down, feed, feed_run, run_key, time};

const WAIT: Duration = Duration::from_secs(5);
const OPTIONS: ImportOptions =
    ImportOptions { claim: Duration::from_secs(30), max_leaving_permille: 500, max_rejects: 1, kept_runs: 1 };

/// A provider whose feed is empty, or that says nothing.
struct Provider {
    hangs: bool,
}

#[async_trait]
impl FeedSource for Provider {
    async fn fetch(&self, _: FeedRequest, _: Arc<dyn FeedSink>) -> (FetchCost, Result<FetchEnd, FetchError>) {
        if self.hangs {
            pending::<()>().await;
        }
        (FetchCost::default(), Ok(FetchEnd::Whole(Validators::default())))
    }

    fn read_again(&self, _: &str, _: TimeZone) -> Result<PlanRecord, RejectReason> {
        panic!("nothing is to be replayed")
    }
}

fn tag() -> DeliveryTag {
    DeliveryTag("17".to_owned())
}

/// A queue that delivers one job, for the so-many-eth time.
fn queue(deliveries: u32) -> MockJobQueue {
    let mut queue = MockJobQueue::new();
    queue
        .expect_next()
        .once()
        .withf(|wait| *wait == WAIT)
        .returning(move |_| Ok(Some(Delivery { tag: tag(), job: Job::FeedRun(run_key(2)), deliveries })));
    queue
}

/// Storage that answers a claim so.
fn runs(answer: Result<ClaimOutcome, StorageError>) -> MockFeedRunRepository {
    let mut runs = MockFeedRunRepository::new();
    runs.expect_claim().once().return_once(move |_, _| answer);
    runs
}

fn claimed() -> Result<ClaimOutcome, StorageError> {
    Ok(ClaimOutcome::Claimed(Box::new(ClaimedRun {
        claim: RunClaim { key: run_key(2), number: 1 },
        run: tenantry_domain::FeedRun { trigger: RunTrigger::Request, ..feed_run() },
        feed: feed(),
        validators: Validators::default(),
    })))
}

fn worker(queue: MockJobQueue, runs: MockFeedRunRepository, hangs: bool) -> Worker {
    let timer = Arc::new(Standstill);
    let imports = ImportService::new(
        Arc::new(runs),
        Arc::new(MockPlanRepository::new()),
        Arc::new(Provider { hangs }),
        clock_at(time(100)),
        timer.clone(),
        OPTIONS,
    );
    Worker::new(Arc::new(queue), Arc::new(imports), timer, Duration::from_secs(10))
}

#[tokio::test]
async fn a_job_that_is_done_is_completed() {
    let mut runs = runs(claimed());
    runs.expect_finish().returning(|_, _, _, _, _| Ok(feed_run()));
    runs.expect_prune().returning(|_, _, _| Ok(0));
    let mut queue = queue(1);
    queue.expect_complete().once().withf(|of| *of == tag()).return_const(Ok(()));
    let worked = worker(queue, runs, false).work(WAIT, pending()).await.unwrap().unwrap();
    assert_eq!(worked.outcome, Ok(ImportOutcome::Ended(Box::new(feed_run()))));
    assert_eq!((worked.job, worked.settled), (Job::FeedRun(run_key(2)), Ok(())));
}

#[tokio::test]
async fn a_job_with_nothing_left_to_do_is_completed() {
    let mut queue = queue(1);
    queue.expect_complete().once().return_const(Ok(()));
    let worked =
        worker(queue, runs(Ok(ClaimOutcome::Ended)), false).work(WAIT, pending()).await.unwrap().unwrap();
    assert_eq!(worked.outcome, Ok(ImportOutcome::NothingToDo));
}

#[tokio::test]
async fn a_job_that_another_worker_has_comes_back_when_that_ones_claim_is_over() {
    for (seconds, delay) in [(30, 30), (0, 1), (900, 60)] {
        let remaining = Duration::from_secs(seconds);
        let mut queue = queue(1);
        queue
            .expect_put_back()
            .once()
            .withf(move |_, asked| *asked == Duration::from_secs(delay))
            .return_const(Ok(()));
        let busy = Ok(ClaimOutcome::Busy { remaining });
        let worked = worker(queue, runs(busy), false).work(WAIT, pending()).await.unwrap().unwrap();
        assert_eq!(worked.outcome, Ok(ImportOutcome::Busy { remaining }));
    }
}

#[tokio::test]
async fn a_job_that_storage_could_not_do_comes_back_ever_later() {
    for (deliveries, delay) in [(0, 1), (1, 1), (2, 2), (5, 16), (7, 60), (u32::MAX, 60)] {
        let mut queue = queue(deliveries);
        queue
            .expect_put_back()
            .once()
            .withf(move |_, asked| *asked == Duration::from_secs(delay))
            .return_const(Ok(()));
        let worked = worker(queue, runs(Err(down())), false).work(WAIT, pending()).await.unwrap().unwrap();
        assert_eq!(worked.outcome, Err(down()));
    }
}

#[tokio::test]
async fn a_job_that_fails_again_and_again_for_good_is_set_aside_with_the_reason() {
    let failed = StorageError::Failed("broken".to_owned());
    let mut queue = queue(10);
    queue
        .expect_set_aside()
        .once()
        .withf(|of, reason| *of == tag() && reason.contains("broken"))
        .return_const(Ok(()));
    let worked =
        worker(queue, runs(Err(failed.clone())), false).work(WAIT, pending()).await.unwrap().unwrap();
    assert_eq!(worked.outcome, Err(failed));
}

#[tokio::test]
async fn a_worker_that_is_to_stop_gives_its_job_back_at_once() {
    let mut runs = runs(claimed());
    runs.expect_extend().once().return_const(Ok(()));
    let mut queue = queue(1);
    queue.expect_put_back().once().withf(|_, delay| delay.is_zero()).return_const(Ok(()));
    let worked = worker(queue, runs, true).work(WAIT, ready(())).await.unwrap().unwrap();
    assert_eq!(worked.outcome, Ok(ImportOutcome::GivenBack));
}

#[tokio::test]
async fn a_queue_that_has_no_job_or_is_away_is_told_as_such() {
    let away = QueueError::Unavailable("away".to_owned());
    for answer in [Ok(None), Err(away)] {
        let mut queue = MockJobQueue::new();
        let given = answer.clone();
        queue.expect_next().return_once(move |_| given);
        let worked = worker(queue, MockFeedRunRepository::new(), false).work(WAIT, pending()).await;
        assert_eq!(worked, answer.map(|_: Option<Delivery>| None));
    }
}

#[tokio::test]
async fn a_job_that_could_not_be_settled_is_told_as_such() {
    let away = QueueError::Unavailable("away".to_owned());
    let mut queue = queue(1);
    queue.expect_complete().return_const(Err(away.clone()));
    let worked =
        worker(queue, runs(Ok(ClaimOutcome::Ended)), false).work(WAIT, pending()).await.unwrap().unwrap();
    assert_eq!(worked.settled, Err(away));
}
