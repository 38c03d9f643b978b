use std::future::{pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use futures_util::FutureExt as _;
use tenantry_domain::{PlanRecord, RejectReason, RunTrigger, TenantNumber, TimeZone};
use tenantry_ports::{
    ClaimOutcome, ClaimedRun, FeedRequest, FeedSink, FeedSource, FetchCost, FetchEnd, FetchError,
    MockFeedRunRepository, MockJobQueue, MockPlanRepository, RunClaim, RunKey, Validators,
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
    worker_on(Arc::new(queue), runs, hangs)
}

fn worker_on(queue: Arc<dyn JobQueue>, runs: MockFeedRunRepository, hangs: bool) -> Worker {
    worker_by(Arc::new(Standstill), queue, runs, hangs)
}

fn worker_by(
    timer: Arc<dyn Timer>,
    queue: Arc<dyn JobQueue>,
    runs: MockFeedRunRepository,
    hangs: bool,
) -> Worker {
    let imports = ImportService::new(
        Arc::new(runs),
        Arc::new(MockPlanRepository::new()),
        Arc::new(Provider { hangs }),
        clock_at(time(100)),
        timer.clone(),
        OPTIONS,
    );
    let options = WorkerOptions { keep_every: Duration::from_secs(10), most_of_a_tenant: 1 };
    Worker::new(queue, Arc::new(imports), timer, options)
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
async fn a_job_that_fails_for_good_is_tried_a_few_times_before_it_is_set_aside() {
    let mut queue = queue(9);
    queue.expect_put_back().once().return_const(Ok(()));
    let failed = StorageError::Failed("broken".to_owned());
    let worked = worker(queue, runs(Err(failed.clone())), false).work(WAIT, pending()).await.unwrap();
    assert_eq!(worked.unwrap().outcome, Err(failed));
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

/// Time in which pauses of ten seconds end at the next turn, and no others.
struct Beats;

#[async_trait]
impl Timer for Beats {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    async fn pause(&self, duration: Duration) {
        if duration != Duration::from_secs(10) {
            pending::<()>().await;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn while_a_job_lasts_the_queue_is_told_again_and_again_that_its_worker_has_it() {
    let mut runs = runs(claimed());
    runs.expect_extend().returning(|_, _| Ok(()));
    let mut queue = queue(1);
    queue.expect_keep().times(3..).withf(|of| *of == tag()).return_const(Ok(()));
    queue.expect_put_back().once().return_const(Ok(()));
    let some_time = Box::pin(async {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
    });
    let worker = worker_by(Arc::new(Beats), Arc::new(queue), runs, true);
    let worked = worker.work(WAIT, some_time).await.unwrap().unwrap();
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

/// The first run of a tenant.
fn run_of(tenant: i64) -> RunKey {
    RunKey { tenant: TenantNumber::new(tenant).unwrap(), ..run_key(2) }
}

/// A queue that delivers the runs of these tenants, one after another, and then nothing.
fn queue_of(tenants: &'static [i64]) -> MockJobQueue {
    let mut queue = MockJobQueue::new();
    let delivered = AtomicUsize::new(0);
    queue.expect_next().returning(move |_| {
        let number = delivered.fetch_add(1, Ordering::Relaxed);
        Ok(tenants.get(number).map(|tenant| Delivery {
            tag: DeliveryTag(number.to_string()),
            job: Job::FeedRun(run_of(*tenant)),
            deliveries: 1,
        }))
    });
    queue
}

#[tokio::test]
async fn a_tenant_whose_jobs_take_long_leaves_workers_to_others() {
    let mut queue = queue_of(&[7, 7, 8, 7]);
    let back = |number: &'static str, after: Duration| {
        move |tag: &DeliveryTag, delay: &Duration| tag.0 == number && *delay == after
    };
    queue.expect_put_back().once().withf(back("1", CROWDED_DELAY)).return_const(Ok(()));
    queue.expect_put_back().once().withf(back("0", Duration::ZERO)).return_const(Ok(()));
    queue.expect_complete().times(2).return_const(Ok(()));
    let mut runs = MockFeedRunRepository::new();
    // The first one's provider says nothing.
    runs.expect_claim().once().return_once(|_, _| claimed());
    runs.expect_claim().times(2).returning(|_, _| Ok(ClaimOutcome::Ended));
    runs.expect_extend().once().return_const(Ok(()));
    let worker = worker(queue, runs, true);
    let (stop, stopped) = futures_channel::oneshot::channel::<()>();
    let first = worker.work(WAIT, stopped.map(drop));
    let other = async {
        let worked = worker.work(WAIT, pending()).await.unwrap().unwrap();
        stop.send(()).unwrap();
        worked
    };
    let (first, other) = futures_util::future::join(first, other).await;
    assert_eq!(first.unwrap().unwrap().job, Job::FeedRun(run_of(7)));
    assert_eq!(other.job, Job::FeedRun(run_of(8)), "the second job of the first tenant waits");
    let again = worker.work(WAIT, pending()).await.unwrap().unwrap();
    assert_eq!(again.job, Job::FeedRun(run_of(7)), "its place is free again");
}

/// A queue at which everybody waits for ever; it counts who does.
#[derive(Default)]
struct Silent(AtomicUsize);

#[async_trait]
impl JobQueue for Silent {
    async fn publish(&self, _: Job) -> Result<(), QueueError> {
        panic!("nothing is published")
    }

    async fn next(&self, _: Duration) -> Result<Option<Delivery>, QueueError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        pending().await
    }

    async fn keep(&self, _: &DeliveryTag) -> Result<(), QueueError> {
        panic!("there is no job")
    }

    async fn complete(&self, _: &DeliveryTag) -> Result<(), QueueError> {
        panic!("there is no job")
    }

    async fn put_back(&self, _: &DeliveryTag, _: Duration) -> Result<(), QueueError> {
        panic!("there is no job")
    }

    async fn set_aside(&self, _: &DeliveryTag, _: &str) -> Result<(), QueueError> {
        panic!("there is no job")
    }
}

#[tokio::test]
async fn of_those_who_have_no_job_one_waits_at_the_queue_and_all_stop_at_once() {
    let queue = Arc::new(Silent::default());
    let worker = worker_on(queue.clone(), MockFeedRunRepository::new(), false);
    let (stop, stopped) = futures_channel::oneshot::channel::<()>();
    let stopped = stopped.map(drop).shared();
    let all = futures_util::future::join_all((0..8).map(|_| worker.work(WAIT, stopped.clone())));
    let stopping = async {
        tokio::task::yield_now().await;
        assert_eq!(queue.0.load(Ordering::Relaxed), 1);
        stop.send(()).unwrap();
    };
    let (all, ()) = futures_util::future::join(all, stopping).await;
    assert_eq!(all, vec![Ok(None); 8]);
}
