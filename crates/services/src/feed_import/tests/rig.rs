//! A provider, a storage and a time that the tests hold.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tenantry_domain::{
    FeedRun, PlanContent, PlanKey, PlanRecord, PlanTime, PlanTitle, ProviderId, RecordPlace, RejectCode,
    RejectReason, RejectedRecord, RunCounts, RunState, RunTrigger, SellMode, TimeZone, Timestamp, ZoneList,
};
use tenantry_ports::{
    ClaimError, ClaimOutcome, ClaimedRun, FeedItem, FeedRequest, FeedSink, FeedSource, FetchCost, FetchEnd,
    FetchError, MockFeedRunRepository, MockPlanRepository, RunClaim, RunEnd, StagedBatch, Timer, Validators,
};
use tokio::sync::Semaphore;

use crate::feed_import::{ImportOptions, ImportService};
use crate::samples::{clock_at, feed, feed_run, run_key, time};

/// How long a claim lasts.
pub(super) const CLAIM: Duration = Duration::from_secs(30);

pub(super) const OPTIONS: ImportOptions =
    ImportOptions { claim: CLAIM, max_leaving_permille: 500, max_rejects: 20, kept_runs: 5 };

/// What a provider does, step by step.
#[derive(Clone)]
pub(super) enum Act {
    Deliver(Vec<FeedItem>),
    Restart,
    /// Says nothing more, ever.
    Hang,
    End(Result<FetchEnd, FetchError>),
}

/// A provider of which each fetch goes as written down.
pub(super) struct Provider {
    acts: Vec<Act>,
    asked: Mutex<Vec<FeedRequest>>,
}

impl Provider {
    pub(super) fn new(acts: Vec<Act>) -> Arc<Self> {
        Arc::new(Self { acts, asked: Mutex::default() })
    }

    pub(super) fn requests(&self) -> Vec<FeedRequest> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl FeedSource for Provider {
    async fn fetch(
        &self,
        request: FeedRequest,
        sink: Arc<dyn FeedSink>,
    ) -> (FetchCost, Result<FetchEnd, FetchError>) {
        self.asked.lock().unwrap().push(request);
        let cost = FetchCost { attempts: 2, bytes: 1234 };
        for act in self.acts.clone() {
            let taken = match act {
                Act::Deliver(items) => sink.take(items).await,
                Act::Restart => sink.restart().await,
                Act::Hang => std::future::pending().await,
                Act::End(end) => return (cost, end),
            };
            if taken.is_err() {
                return (cost, Err(FetchError::Stopped));
            }
        }
        panic!("the fetch has no end");
    }

    /// What begins with `plan` is the plan of that id; all else cannot be read.
    fn read_again(&self, raw: &str, _: TimeZone) -> Result<PlanRecord, RejectReason> {
        let id = raw.strip_prefix("plan ").and_then(|rest| rest.split(' ').next());
        let id = id.ok_or_else(|| RejectReason::new(RejectCode::Time, "still no date"))?;
        let mut record = plan_record(id);
        record.content.title = PlanTitle::new(raw).unwrap();
        Ok(record)
    }
}

/// Time that passes when the test says so: each pause takes one tick.
pub(super) struct Ticks {
    ticks: Semaphore,
    elapsed: Mutex<Duration>,
    pub(super) waiting: AtomicUsize,
}

impl Ticks {
    pub(super) fn new(ticks: usize) -> Arc<Self> {
        Arc::new(Self {
            ticks: Semaphore::new(ticks),
            elapsed: Mutex::default(),
            waiting: AtomicUsize::new(0),
        })
    }

    pub(super) fn tick(&self) {
        self.ticks.add_permits(1);
    }
}

#[async_trait]
impl Timer for Ticks {
    fn elapsed(&self) -> Duration {
        *self.elapsed.lock().unwrap()
    }

    async fn pause(&self, duration: Duration) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.ticks.acquire().await.unwrap().forget();
        *self.elapsed.lock().unwrap() += duration;
    }
}

/// What was staged and how runs ended.
#[derive(Default)]
pub(super) struct Told {
    pub(super) staged: Mutex<Vec<StagedBatch>>,
    pub(super) restaged: AtomicUsize,
    pub(super) ends: Mutex<Vec<(RunEnd, RunCounts)>>,
}

impl Told {
    /// The provider's ids of the plans of each batch.
    pub(super) fn staged(&self) -> Vec<Vec<String>> {
        let ids = |batch: &StagedBatch| {
            batch.records.iter().map(|record| record.key.plan_id.as_str().to_owned()).collect()
        };
        self.staged.lock().unwrap().iter().map(ids).collect()
    }

    pub(super) fn ends(&self) -> Vec<RunEnd> {
        self.ends.lock().unwrap().iter().map(|(end, _)| end.clone()).collect()
    }
}

pub(super) fn claim(number: u32) -> RunClaim {
    RunClaim { key: run_key(2), number }
}

pub(super) fn claimed(trigger: RunTrigger, number: u32) -> ClaimedRun {
    let run = FeedRun { trigger, state: RunState::Running, ..feed_run() };
    ClaimedRun { claim: claim(number), run, feed: feed(), validators: validators() }
}

pub(super) fn validators() -> Validators {
    Validators { etag: Some("\"1\"".to_owned()), last_modified: None }
}

/// Storage in which the run of that trigger is claimed, for the so-many-eth time.
pub(super) fn runs_claimed(trigger: RunTrigger, number: u32) -> MockFeedRunRepository {
    let mut runs = MockFeedRunRepository::new();
    runs.expect_claim()
        .once()
        .withf(|key, lasts| (*key, *lasts) == (run_key(2), CLAIM))
        .returning(move |_, _| Ok(ClaimOutcome::Claimed(Box::new(claimed(trigger, number)))));
    runs
}

/// Has the storage take what is staged, and the end of the run.
pub(super) fn taking(runs: &mut MockFeedRunRepository) -> Arc<Told> {
    let told = Arc::new(Told::default());
    let staging = Arc::clone(&told);
    runs.expect_stage().returning(move |_, batch| {
        staging.staged.lock().unwrap().push(batch);
        Ok(())
    });
    let restaging = Arc::clone(&told);
    runs.expect_restage().returning(move |_| {
        restaging.restaged.fetch_add(1, Ordering::SeqCst);
        Ok(())
    });
    ending(runs, &told);
    told
}

pub(super) fn ending(runs: &mut MockFeedRunRepository, told: &Arc<Told>) {
    let told = Arc::clone(told);
    runs.expect_finish().returning(move |_, now, end, counts, max_rejects| {
        assert_eq!((now, max_rejects), (time(100), 20));
        told.ends.lock().unwrap().push((end, counts));
        Ok(finished())
    });
    runs.expect_prune().withf(|_, _, keep| *keep == 5).returning(|_, _, _| Ok(0));
}

/// Has the storage refuse what is staged.
pub(super) fn refusing(runs: &mut MockFeedRunRepository, error: ClaimError) {
    runs.expect_stage().return_const(Err(error));
}

pub(super) fn finished() -> FeedRun {
    FeedRun { state: RunState::Succeeded, finished_at: Some(time(100)), ..feed_run() }
}

/// The service, in a storage without plans.
pub(super) fn service(
    runs: MockFeedRunRepository,
    provider: &Arc<Provider>,
    timer: Arc<dyn Timer>,
) -> ImportService {
    let mut plans = MockPlanRepository::new();
    plans.expect_find_of().returning(|_, _, _| Ok(None));
    service_with(runs, plans, provider, timer)
}

pub(super) fn service_with(
    runs: MockFeedRunRepository,
    plans: MockPlanRepository,
    provider: &Arc<Provider>,
    timer: Arc<dyn Timer>,
) -> ImportService {
    let source = Arc::clone(provider) as Arc<dyn FeedSource>;
    ImportService::new(Arc::new(runs), Arc::new(plans), source, clock_at(time(100)), timer, OPTIONS)
}

pub(super) fn whole() -> Act {
    Act::End(Ok(FetchEnd::Whole(Validators { etag: Some("\"2\"".to_owned()), last_modified: None })))
}

pub(super) fn plan_record(id: &str) -> PlanRecord {
    let at = Timestamp::from_micros(0);
    PlanRecord {
        key: PlanKey {
            base_plan_id: ProviderId::new("base").unwrap(),
            plan_id: ProviderId::new(id).unwrap(),
        },
        content: PlanContent {
            title: PlanTitle::new("Camela en concierto").unwrap(),
            sell_mode: SellMode::Online,
            organizer_company_id: None,
            time: PlanTime::new(at, at).unwrap(),
            sell_from: None,
            sell_to: None,
            sold_out: false,
            prices: None,
            zones: ZoneList::of(&[]),
        },
    }
}

pub(super) fn plan(id: &str) -> FeedItem {
    FeedItem::Plan(plan_record(id))
}

pub(super) fn rejected(raw: &str) -> RejectedRecord {
    RejectedRecord {
        place: RecordPlace::default(),
        reason: RejectReason::new(RejectCode::Time, "no such day"),
        raw: raw.to_owned(),
    }
}
