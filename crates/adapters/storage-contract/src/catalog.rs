//! Feeds, runs and plans to store, and what most cases do with them on the way to what they are about.

use std::time::Duration;

use tenantry_domain::{
    CatalogRevision, Feed, FeedDraft, FeedId, FeedRun, FeedSettings, PageLimit, PastPlan, Plan, PlanContent,
    PlanId, PlanKey, PlanRecord, PlanTime, PlanTitle, PlanVersion, Precondition, Price, PriceRange,
    ProviderId, RecordPlace, Reject, RejectCode, RejectReason, RejectedRecord, RunCounts, RunId, RunTrigger,
    SellMode, TenantNumber, Timestamp, Zone, ZoneList,
};
use tenantry_ports::{
    ClaimOutcome, ClaimedRun, ConfirmError, FeedWriteError, RequestError, RequestedRun, RunClaim, RunEnd,
    RunKey, StagedBatch, Validators,
};
use uuid::Uuid;

use crate::fixture::Fixture;

/// So many rejects a feed keeps where a case says nothing else.
pub(crate) const MAX_REJECTS: u32 = 100;

/// How long a claim lasts where a case says nothing else: longer than any case.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// The feed id that is this number.
pub(crate) fn feed_id(number: u128) -> FeedId {
    FeedId::new(Uuid::from_u128(number))
}

/// The run id that is this number.
pub(crate) fn run_id(number: u128) -> RunId {
    RunId::new(Uuid::from_u128(number))
}

/// What a feed may be: enabled, and fetched once an hour.
pub(crate) fn settings(name: &str) -> FeedSettings {
    let draft = FeedDraft {
        name: Some(name.to_owned()),
        url: Some("https://provider.example/feed".to_owned()),
        ..FeedDraft::default()
    };
    FeedSettings::parse(draft).expect("settings")
}

/// A provider's ids of a plan.
pub(crate) fn plan_key(base: &str, plan: &str) -> PlanKey {
    let id = |text| ProviderId::new(text).expect("a provider's id");
    PlanKey { base_plan_id: id(base), plan_id: id(plan) }
}

/// A plan that is sold online, and starts so many seconds after 1970.
pub(crate) fn record_at(plan: &str, title: &str, starts_at: i64) -> PlanRecord {
    let at = Timestamp::from_micros(0).plus_seconds(starts_at);
    let zones = [1500, 2500].map(|cents| Zone {
        zone_id: ProviderId::new("7").expect("a provider's id"),
        name: "Pista \"A\"".to_owned(),
        price: Price::from_cents(cents).expect("a price"),
        capacity: Some(200),
        numbered: false,
    });
    let content = PlanContent {
        title: PlanTitle::new(title).expect("a title"),
        sell_mode: SellMode::Online,
        organizer_company_id: None,
        time: PlanTime::new(at, at.plus_seconds(3600)).expect("a plan's time"),
        sell_from: Some(at.plus_seconds(-7200)),
        sell_to: None,
        sold_out: false,
        prices: PriceRange::of(zones.iter().map(|zone| zone.price)),
        zones: ZoneList::of(&zones),
    };
    PlanRecord { key: plan_key("base", plan), content }
}

/// A plan that is sold online.
pub(crate) fn record(plan: &str, title: &str) -> PlanRecord {
    record_at(plan, title, 1_000_000)
}

/// A plan that is sold elsewhere.
pub(crate) fn offline(plan: &str, title: &str) -> PlanRecord {
    let mut record = record(plan, title);
    record.content.sell_mode = SellMode::Offline;
    record
}

/// A record that could not be taken.
pub(crate) fn reject(raw: &str) -> RejectedRecord {
    RejectedRecord {
        place: RecordPlace { offset: 7, base_plan_id: Some("base".to_owned()), plan_id: None },
        reason: RejectReason::new(RejectCode::Price, "max_price is no price"),
        raw: raw.to_owned(),
    }
}

/// What a provider says of an answer.
pub(crate) fn validators(etag: &str) -> Validators {
    Validators {
        etag: Some(etag.to_owned()),
        last_modified: Some("Thu, 01 Jan 2026 00:00:00 GMT".to_owned()),
    }
}

/// The whole feed was read, and however many plans leave it, the run is not held.
pub(crate) fn whole() -> RunEnd {
    RunEnd::Whole { validators: Validators::default(), max_leaving_permille: 1000 }
}

/// The whole feed was read; the run is held if more than a half of the plans would leave it.
pub(crate) fn whole_if_half_stay() -> RunEnd {
    RunEnd::Whole { validators: validators("held"), max_leaving_permille: 500 }
}

/// A batch of records alone.
pub(crate) fn batch(records: Vec<PlanRecord>) -> StagedBatch {
    StagedBatch { records, ..StagedBatch::default() }
}

/// A batch of plans alone that another system has kept.
pub(crate) fn past(plans: Vec<PastPlan>) -> StagedBatch {
    StagedBatch { past: plans, ..StagedBatch::default() }
}

/// A plan that another system has kept under the id that is this number.
pub(crate) fn past_plan(id: u128, record: PlanRecord) -> PastPlan {
    PastPlan { record, id: Some(PlanId::new(Uuid::from_u128(id))) }
}

/// A batch of rejects alone.
pub(crate) fn rejected(rejects: Vec<RejectedRecord>) -> StagedBatch {
    StagedBatch { rejects, ..StagedBatch::default() }
}

impl Fixture {
    /// A new feed of that number.
    pub(crate) async fn feed(&self, tenant: TenantNumber, number: u128) -> Feed {
        let feed = self.feeds.create(tenant, feed_id(number), settings("feed"), 100).await;
        feed.expect("created")
    }

    /// The feed as it stands.
    pub(crate) async fn feed_now(&self, tenant: TenantNumber, feed: FeedId) -> Feed {
        self.feeds.find(tenant, feed).await.expect("found").expect("the feed is there")
    }

    /// Removes a feed of any version.
    pub(crate) async fn delete_feed(&self, tenant: TenantNumber, feed: FeedId) -> Result<(), FeedWriteError> {
        self.feeds.delete(tenant, feed, Precondition::default()).await
    }

    /// Asks for a run, whatever the feed's version.
    pub(crate) async fn request(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        run: u128,
    ) -> Result<RequestedRun, RequestError> {
        let always = Precondition::default();
        self.feed_runs.request(tenant, feed, run_id(run), RunTrigger::Request, always).await
    }

    /// A new run, queued now.
    pub(crate) async fn queued(&self, tenant: TenantNumber, feed: FeedId, run: u128) -> RunKey {
        match self.request(tenant, feed, run).await.expect("requested") {
            RequestedRun::New(queued) => RunKey { tenant, feed, run: queued.id },
            other => panic!("a run was asked for, and {other:?} was answered"),
        }
    }

    /// Claims a run for an hour from now.
    pub(crate) async fn claim(&self, key: RunKey) -> ClaimOutcome {
        self.feed_runs.claim(key, HOUR).await.expect("claimed")
    }

    /// Ends a claim, which nobody takes over yet.
    pub(crate) async fn end_claim(&self, claim: &RunClaim) {
        self.feed_runs.extend(claim, Duration::ZERO).await.expect("moved");
    }

    /// A new run that is claimed for an hour.
    pub(crate) async fn claimed(&self, tenant: TenantNumber, feed: FeedId, run: u128) -> ClaimedRun {
        self.queued(tenant, feed, run).await;
        self.claim_queued(tenant, feed, run).await
    }

    /// Claims a queued run for an hour.
    pub(crate) async fn claim_queued(&self, tenant: TenantNumber, feed: FeedId, run: u128) -> ClaimedRun {
        match self.claim(RunKey { tenant, feed, run: run_id(run) }).await {
            ClaimOutcome::Claimed(claimed) => *claimed,
            other => panic!("a queued run was claimed, and {other:?} was answered"),
        }
    }

    /// Stages a batch.
    pub(crate) async fn stage(&self, claim: &RunClaim, batch: StagedBatch) {
        self.feed_runs.stage(claim, batch).await.expect("staged");
    }

    /// Ends a run.
    pub(crate) async fn finish(&self, claim: &RunClaim, end: RunEnd) -> FeedRun {
        let finished = self.feed_runs.finish(claim, self.now(), end, RunCounts::default(), MAX_REJECTS).await;
        finished.expect("finished")
    }

    /// A run that reads a batch and ends so.
    pub(crate) async fn run(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        run: u128,
        batch: StagedBatch,
        end: RunEnd,
    ) -> FeedRun {
        let claim = self.claimed(tenant, feed, run).await.claim;
        self.stage(&claim, batch).await;
        self.finish(&claim, end).await
    }

    /// A run that finds these records to be the whole feed.
    pub(crate) async fn import(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        run: u128,
        records: Vec<PlanRecord>,
    ) -> FeedRun {
        self.run(tenant, feed, run, batch(records), whole()).await
    }

    /// Lets a held run through.
    pub(crate) async fn confirm(&self, tenant: TenantNumber, feed: FeedId, run: u128) -> FeedRun {
        self.try_confirm(tenant, feed, run).await.expect("confirmed")
    }

    /// Lets a run through if it is held, whatever the feed's version.
    pub(crate) async fn try_confirm(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        run: u128,
    ) -> Result<FeedRun, ConfirmError> {
        let (always, now) = (Precondition::default(), self.now());
        self.feed_runs.confirm(tenant, feed, run_id(run), always, now, MAX_REJECTS).await
    }

    /// The run as it stands.
    pub(crate) async fn run_now(&self, tenant: TenantNumber, feed: FeedId, run: u128) -> FeedRun {
        let found = self.feed_runs.find(tenant, feed, run_id(run)).await.expect("found");
        found.expect("the run is there")
    }

    /// What the provider said of the feed last, as the next run is told.
    pub(crate) async fn validators(&self, tenant: TenantNumber, feed: FeedId, run: u128) -> Validators {
        let claimed = self.claimed(tenant, feed, run).await;
        self.finish(&claimed.claim, RunEnd::Failed { detail: String::new() }).await;
        claimed.validators
    }

    /// The plan that the provider knows as `plan`.
    pub(crate) async fn plan(&self, tenant: TenantNumber, feed: FeedId, plan: &str) -> Option<Plan> {
        self.plans.find_of(tenant, feed, &plan_key("base", plan)).await.expect("found")
    }

    /// Which of the plans that a search may find are on sale, by their titles; and all of those.
    pub(crate) async fn on_sale(&self, tenant: TenantNumber) -> Vec<String> {
        let mut titles = Vec::new();
        for found in self.plans.searchable(tenant).await.expect("searchable").plans {
            let plan = self.plans.find(tenant, found.id).await.expect("found").expect("the plan is there");
            if plan.on_sale {
                titles.push(plan.content.title.to_string());
            }
        }
        titles.sort();
        titles
    }

    /// The plan's versions, the newest first.
    pub(crate) async fn versions(&self, tenant: TenantNumber, feed: FeedId, plan: &str) -> Vec<PlanVersion> {
        let id = self.plan(tenant, feed, plan).await.expect("the plan is there").id;
        let page = self.plans.history(tenant, id, None, PageLimit::MAX, u64::MAX).await.expect("read");
        page.expect("the plan is there").items
    }

    /// The feed's rejects.
    pub(crate) async fn rejects(&self, tenant: TenantNumber, feed: FeedId) -> Vec<Reject> {
        let page = self.feed_runs.rejects(tenant, feed, None, PageLimit::MAX, u64::MAX).await.expect("read");
        page.expect("the feed is there").items
    }

    /// The revision of the tenant's catalog.
    pub(crate) async fn catalog(&self, tenant: TenantNumber) -> u64 {
        self.plans.revision(tenant).await.expect("read").get()
    }
}

/// The id of the plan that [`record`] makes.
pub(crate) fn plan_id(feed: FeedId, plan: &str) -> PlanId {
    PlanId::of(feed, &plan_key("base", plan))
}

/// A revision of a catalog.
pub(crate) fn catalog_revision(number: u64) -> CatalogRevision {
    CatalogRevision::new(number).expect("a revision")
}
