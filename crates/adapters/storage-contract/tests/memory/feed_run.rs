//! Runs of feeds in memory.

use std::time::Duration;

use async_trait::async_trait;
use tenantry_domain::{
    CatalogRevision, FeedId, FeedRun, Page, PageLimit, PastPlan, PlanId, Precondition, RecordPlace, Reject,
    RejectCode, RejectId, RejectReason, RejectedRecord, RunCounts, RunId, RunState, RunTrigger, TenantNumber,
    TenantStatus, Timestamp,
};
use tenantry_ports::{
    ClaimError, ClaimOutcome, ClaimedRun, ConfirmError, FeedRunRepository, RequestError, RequestedRun,
    RunClaim, RunEnd, RunKey, ScheduleSlot, StagedBatch, StorageError,
};

use super::catalog::{Catalog, HeldFeed, HeldRun};
use super::staging::{Whence, begin_staging, compare, identify, is_overtaken, leave_changed, run_of, take};
use super::{Memory, State};

fn queue(held: &mut HeldFeed, id: RunId, trigger: RunTrigger, queued_at: Timestamp) -> RequestedRun {
    if let Some(open) = held.runs.values().find(|run| run.run.state.is_open()) {
        return RequestedRun::Open(open.run.clone());
    }
    let run = FeedRun {
        id,
        feed: held.feed.id,
        trigger,
        state: RunState::Queued,
        queued_at,
        started_at: None,
        finished_at: None,
        counts: RunCounts::default(),
        detail: None,
        catalog_revision: None,
    };
    held.runs.insert(id, HeldRun::new(run.clone()));
    RequestedRun::New(run)
}

/// The catalog and the run, if the claim to it holds.
fn claimed<'a>(state: &'a mut State, claim: &RunClaim) -> Result<&'a mut Catalog, ClaimError> {
    let RunKey { tenant, feed, run } = claim.key;
    let catalog = &mut state.writable(tenant).ok_or(ClaimError::Lost)?.catalog;
    let held = catalog.feeds.get(&feed).and_then(|held| held.runs.get(&run)).ok_or(ClaimError::Lost)?;
    let holds = held.run.state == RunState::Running && held.claim == claim.number;
    if holds { Ok(catalog) } else { Err(ClaimError::Lost) }
}

fn supersede(held: &mut HeldFeed) {
    for run in held.runs.values_mut().filter(|run| run.run.state == RunState::Held) {
        run.run.state = RunState::Superseded;
    }
}

#[async_trait]
impl FeedRunRepository for Memory {
    async fn request(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        run: RunId,
        trigger: RunTrigger,
        precondition: Precondition,
    ) -> Result<RequestedRun, RequestError> {
        let (mut state, now) = (self.state(), self.now());
        let held = state.writable(tenant).and_then(|held| held.catalog.feeds.get_mut(&feed));
        let held = held.ok_or(RequestError::NotFound)?;
        let current = held.feed.version;
        if !precondition.holds(Some(current)) {
            return Err(RequestError::VersionConflict { current });
        }
        Ok(queue(held, run, trigger, now))
    }

    async fn schedule(&self, now: Timestamp, slots: Vec<ScheduleSlot>) -> Result<Vec<RunKey>, StorageError> {
        let mut state = self.state();
        let active = state.tenants.iter_mut().filter(|(_, held)| held.tenant.status == TenantStatus::Active);
        let feeds =
            active.flat_map(|(tenant, held)| held.catalog.feeds.values_mut().map(|feed| (*tenant, feed)));
        let mut due: Vec<_> =
            feeds.filter(|(_, held)| held.feed.next_run_at.is_some_and(|due| due <= now)).collect();
        due.sort_by_key(|(_, held)| held.feed.next_run_at);
        let mut made = Vec::new();
        for ((tenant, held), slot) in due.into_iter().zip(slots) {
            let wait = i64::from(held.feed.settings.interval_seconds)
                * 1000
                * (1000 + i64::from(slot.jitter_permille));
            held.feed.next_run_at = Some(Timestamp::from_micros(now.as_micros() + wait));
            let feed = held.feed.id;
            if let RequestedRun::New(_) = queue(held, slot.run, RunTrigger::Schedule, now) {
                made.push(RunKey { tenant, feed, run: slot.run });
            }
        }
        Ok(made)
    }

    async fn stranded(
        &self,
        queued_before: Timestamp,
        limit: PageLimit,
    ) -> Result<Vec<RunKey>, StorageError> {
        let (state, now) = (self.state(), self.now());
        let mut found = Vec::new();
        for (tenant, held) in &state.tenants {
            let runs = held.catalog.feeds.values().flat_map(|feed| feed.runs.values());
            for HeldRun { run, until, .. } in runs.filter(|_| held.tenant.status != TenantStatus::Deleting) {
                let is_stranded = match run.state {
                    RunState::Queued => run.queued_at < queued_before,
                    RunState::Running => *until <= Some(now),
                    _ => false,
                };
                if is_stranded {
                    found.push((run.queued_at, RunKey { tenant: *tenant, feed: run.feed, run: run.id }));
                }
            }
        }
        found.sort();
        Ok(found.into_iter().map(|(_, key)| key).take(limit.get()).collect())
    }

    async fn claim(&self, key: RunKey, lasts: Duration) -> Result<ClaimOutcome, StorageError> {
        let (mut state, now) = (self.state(), self.now());
        let feed = state.writable(key.tenant).and_then(|held| held.catalog.feeds.get_mut(&key.feed));
        let Some(HeldFeed { feed, validators, runs, .. }) = feed else { return Ok(ClaimOutcome::Ended) };
        let Some(held) = runs.get_mut(&key.run).filter(|held| held.run.state.is_open()) else {
            return Ok(ClaimOutcome::Ended);
        };
        if let Some(until) = held.until.filter(|until| *until > now) {
            return Ok(ClaimOutcome::Busy { remaining: until.since(now) });
        }
        held.claim += 1;
        held.until = Some(now.plus(lasts));
        held.run.state = RunState::Running;
        held.run.started_at.get_or_insert(now);
        held.feed_version = feed.version;
        begin_staging(held);
        let claim = RunClaim { key, number: held.claim };
        let (feed, validators, run) = (feed.clone(), validators.clone(), held.run.clone());
        Ok(ClaimOutcome::Claimed(Box::new(ClaimedRun { claim, run, feed, validators })))
    }

    async fn extend(&self, claim: &RunClaim, lasts: Duration) -> Result<(), ClaimError> {
        let (mut state, now) = (self.state(), self.now());
        run_of(claimed(&mut state, claim)?, claim.key.feed, claim.key.run).until = Some(now.plus(lasts));
        Ok(())
    }

    async fn restage(&self, claim: &RunClaim) -> Result<(), ClaimError> {
        let mut state = self.state();
        let catalog = claimed(&mut state, claim)?;
        begin_staging(run_of(catalog, claim.key.feed, claim.key.run));
        Ok(())
    }

    async fn stage(&self, claim: &RunClaim, batch: StagedBatch) -> Result<(), ClaimError> {
        let mut state = self.state();
        let feed = claim.key.feed;
        let catalog = claimed(&mut state, claim)?;
        let mut rejects = Vec::new();
        let records = batch.records.into_iter().map(|record| PastPlan { record, id: None });
        for PastPlan { record, id } in records.chain(batch.past) {
            let id = identify(catalog, claim.key, &record, id);
            let held = run_of(catalog, feed, claim.key.run);
            match held.plans.get(&id) {
                None => {
                    held.plans.insert(id, record);
                }
                Some(first) if first.content == record.content => {}
                Some(_) => {
                    let place = RecordPlace {
                        offset: 0,
                        base_plan_id: Some(record.key.base_plan_id.to_string()),
                        plan_id: Some(record.key.plan_id.to_string()),
                    };
                    let reason =
                        RejectReason::new(RejectCode::Duplicate, "stands in the feed more than once");
                    rejects.push(RejectedRecord { place, reason, raw: String::new() });
                }
            }
        }
        let held = run_of(catalog, feed, claim.key.run);
        for reject in rejects.into_iter().chain(batch.rejects) {
            held.rejects.entry(RejectId::of(feed, &reject)).or_insert(reject);
        }
        held.run.counts.plans_seen = held.plans.len() as u64;
        held.run.counts.rejected = held.rejects.len() as u64;
        Ok(())
    }

    async fn finish(
        &self,
        claim: &RunClaim,
        now: Timestamp,
        end: RunEnd,
        counts: RunCounts,
        max_rejects: u32,
    ) -> Result<FeedRun, ClaimError> {
        let mut state = self.state();
        let catalog = claimed(&mut state, claim)?;
        let RunKey { tenant, feed, run } = claim.key;
        let (mut compared, in_feed) = compare(catalog, feed, run);
        let (mut detail, mut revision) = (None, None);
        let state = match end {
            RunEnd::Failed { detail: why } => {
                (compared, detail) = (RunCounts::default(), Some(why));
                RunState::Failed
            }
            RunEnd::Unchanged => {
                compared = RunCounts::default();
                let feed = &mut catalog.feeds.get_mut(&feed).unwrap().feed;
                feed.last_success_at = feed.last_success_at.max(Some(now));
                revision = Some(catalog.revision);
                RunState::Unchanged
            }
            RunEnd::Whole { validators, max_leaving_permille }
                if compared.plans_left_sale * 1000 > in_feed * u64::from(max_leaving_permille) =>
            {
                detail = Some(format!("{} of {in_feed} plans would leave", compared.plans_left_sale));
                run_of(catalog, feed, run).validators = validators;
                RunState::Held
            }
            RunEnd::Whole { validators, .. } => {
                self.take_whole(tenant, catalog, (feed, run), now, validators, max_rejects);
                revision = Some(catalog.revision);
                RunState::Succeeded
            }
            RunEnd::Replayed { tried, gone } => {
                compared.plans_left_sale = 0;
                let was_in_feed = |id: &PlanId| catalog.plans.get(id).is_some_and(|plan| plan.in_feed);
                let gone: Vec<_> = gone.into_iter().filter(|id| !was_in_feed(id)).collect();
                let held = catalog.feeds.get_mut(&feed).unwrap();
                let again = &held.runs[&run].rejects;
                held.rejects.retain(|id, _| !tried.contains(id) || again.contains_key(id));
                if take(catalog, (feed, run), now, max_rejects, Whence::Feed) {
                    self.next_revision(tenant, catalog);
                }
                for id in gone {
                    catalog.plans.get_mut(&id).unwrap().in_feed = false;
                }
                revision = Some(catalog.revision);
                RunState::Succeeded
            }
            RunEnd::Past if is_overtaken(catalog, feed, run) => {
                (compared, detail) = (RunCounts::default(), Some("another feed was faster".to_owned()));
                RunState::Failed
            }
            RunEnd::Past => {
                compared.plans_left_sale = 0;
                if catalog.feeds[&feed].feed.last_success_at.is_some() {
                    let left = leave_changed(catalog, feed, run);
                    compared.plans_unchanged += std::mem::take(&mut compared.plans_changed);
                    detail = (left > 0).then(|| format!("{left} plans stay as they are"));
                }
                if take(catalog, (feed, run), now, max_rejects, Whence::Past) {
                    self.next_revision(tenant, catalog);
                }
                revision = Some(catalog.revision);
                RunState::Succeeded
            }
        };
        if state != RunState::Failed {
            supersede(catalog.feeds.get_mut(&feed).unwrap());
        }
        let held = run_of(catalog, feed, run);
        held.until = None;
        held.run.state = state;
        held.run.counts = RunCounts { bytes: counts.bytes, attempts: counts.attempts, ..compared };
        held.run.finished_at = Some(now);
        held.run.detail = detail;
        held.run.catalog_revision = revision.and_then(CatalogRevision::new);
        Ok(held.run.clone())
    }

    async fn confirm(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        run: RunId,
        precondition: Precondition,
        now: Timestamp,
        max_rejects: u32,
    ) -> Result<FeedRun, ConfirmError> {
        let mut state = self.state();
        let catalog = &mut state.writable(tenant).ok_or(ConfirmError::NotFound)?.catalog;
        let held =
            catalog.feeds.get(&feed).and_then(|held| held.runs.get(&run)).ok_or(ConfirmError::NotFound)?;
        let current = catalog.feeds[&feed].feed.version;
        if !precondition.holds(Some(current)) {
            return Err(ConfirmError::VersionConflict { current });
        }
        if held.run.state != RunState::Held {
            return Err(ConfirmError::NotHeld);
        }
        let validators = held.validators.clone();
        let (counts, _) = compare(catalog, feed, run);
        self.take_whole(tenant, catalog, (feed, run), now, validators, max_rejects);
        let revision = CatalogRevision::new(catalog.revision);
        let held = run_of(catalog, feed, run);
        held.run.state = RunState::Succeeded;
        held.run.counts = counts;
        held.run.finished_at = Some(now);
        held.run.detail = None;
        held.run.catalog_revision = revision;
        Ok(held.run.clone())
    }

    async fn find(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        run: RunId,
    ) -> Result<Option<FeedRun>, StorageError> {
        let state = self.state();
        let held = state.tenants.get(&tenant).and_then(|held| held.catalog.feeds.get(&feed));
        Ok(held.and_then(|held| held.runs.get(&run)).map(|held| held.run.clone()))
    }

    async fn list(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        after: Option<RunId>,
        limit: PageLimit,
    ) -> Result<Option<Page<FeedRun>>, StorageError> {
        let state = self.state();
        let held = state.tenants.get(&tenant).and_then(|held| held.catalog.feeds.get(&feed));
        let Some(held) = held else { return Ok(None) };
        let runs = held.runs.values().rev().map(|held| held.run.clone());
        let behind = runs.filter(|run| after.is_none_or(|after| run.id < after));
        Ok(Some(Page::from_one_more(behind.take(limit.get() + 1).collect(), limit)))
    }

    async fn rejects(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        after: Option<RejectId>,
        limit: PageLimit,
        max_raw_bytes: u64,
    ) -> Result<Option<Page<Reject>>, StorageError> {
        let state = self.state();
        let held = state.tenants.get(&tenant).and_then(|held| held.catalog.feeds.get(&feed));
        let Some(held) = held else { return Ok(None) };
        let (mut page, mut bytes) = (Page { items: Vec::new(), more: false }, 0);
        for reject in held.rejects.values().filter(|reject| Some(reject.id) > after) {
            let is_full = !page.items.is_empty() && bytes >= max_raw_bytes;
            if is_full || page.items.len() == limit.get() {
                page.more = true;
                break;
            }
            bytes += reject.record.raw.len() as u64;
            page.items.push(reject.clone());
        }
        Ok(Some(page))
    }

    async fn prune(&self, tenant: TenantNumber, feed: FeedId, keep: u32) -> Result<u32, StorageError> {
        let mut state = self.state();
        let held = state.writable(tenant).and_then(|held| held.catalog.feeds.get_mut(&feed));
        let Some(held) = held else { return Ok(0) };
        let has_ended = |run: &HeldRun| !run.run.state.is_open() && run.run.state != RunState::Held;
        let ended = held.runs.iter().rev().filter(|(_, run)| has_ended(run)).map(|(id, _)| *id);
        let gone: Vec<_> = ended.skip(keep as usize).collect();
        for id in &gone {
            held.runs.remove(id);
        }
        Ok(u32::try_from(gone.len()).unwrap())
    }
}
