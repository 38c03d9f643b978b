//! Reading rejects once more, after whatever was wrong was mended.

use std::collections::HashMap;

use tenantry_domain::{
    PageLimit, PlanId, PlanKey, PlanRecord, Reject, RejectId, RunId, RunState, RunTrigger, Timestamp,
};
use tenantry_ports::FeedSink as _;
use tenantry_ports::{ClaimError, ClaimedRun, FeedItem, RunEnd, RunKey};

use super::staging::Staging;
use super::{Arc, ImportService};

/// The most raw text of a page of rejects, which is what a replay holds of them at once.
const PAGE_BYTES: u64 = 4 << 20;

/// The newest of the rejects that turn out to be the same plan: when a run met it last, and which it is.
type Newest = HashMap<PlanKey, (Timestamp, RejectId)>;

impl ImportService {
    /// Stages those of the feed's rejects that can be read now. Of several that are the same plan the one that was met
    /// last counts, and none does where the catalog has seen the plan since. What the last whole fetch did not meet any
    /// more is not in the feed.
    pub(super) async fn replay(&self, claimed: &ClaimedRun) -> Result<RunEnd, ClaimError> {
        let mut newest = Newest::new();
        self.for_each_readable(claimed, async |reject, record| {
            let met = (reject.last_seen_at, reject.id);
            let held = newest.entry(record.key).or_insert(met);
            *held = met.max(*held);
            Ok(())
        })
        .await?;

        let (run, whole) = (claimed.claim.key, self.last_whole_run(claimed).await?);
        let staging = Staging::new(Arc::clone(&self.runs), claimed.claim.clone(), Arc::clone(&self.timer));
        let (mut tried, mut gone) = (Vec::new(), Vec::new());
        self.for_each_readable(claimed, async |reject, record| {
            tried.push(reject.id);
            if newest.get(&record.key).is_none_or(|(_, id)| *id != reject.id) {
                return Ok(());
            }
            let plan = self.plans.find_of(run.tenant, run.feed, &record.key).await?;
            if plan.as_ref().is_none_or(|plan| plan.last_seen_at < reject.last_seen_at) {
                if whole.is_some_and(|whole| whole != reject.run) {
                    gone.push(plan.map_or_else(|| PlanId::of(run.feed, &record.key), |plan| plan.id));
                }
                let taken = staging.take(vec![FeedItem::Plan(record)]).await;
                taken.map_err(|_| staging.failure().unwrap_or(ClaimError::Lost))?;
            }
            Ok(())
        })
        .await?;
        staging.finish().await?;
        Ok(RunEnd::Replayed { tried, gone })
    }

    /// The run by which the feed's plans are what they are: the last that has fetched all of it. Nothing where none is
    /// known any more, or a file was imported since, of which its run does not say whether it was all of the feed.
    async fn last_whole_run(&self, claimed: &ClaimedRun) -> Result<Option<RunId>, ClaimError> {
        let RunKey { tenant, feed, .. } = claimed.claim.key;
        let mut after = None;
        loop {
            // The feed is gone, and so is the run.
            let page = self.runs.list(tenant, feed, after, PageLimit::MAX).await?.ok_or(ClaimError::Lost)?;
            let mut taken = page.items.iter().filter(|run| run.state == RunState::Succeeded);
            let last = taken.find(|run| run.trigger != RunTrigger::Replay);
            after = page.items.last().map(|run| run.id);
            if last.is_some() || !page.more {
                return Ok(last.filter(|run| run.trigger != RunTrigger::File).map(|run| run.id));
            }
        }
    }

    /// Hands on each reject of the feed that can be read, with what it says.
    async fn for_each_readable(
        &self,
        claimed: &ClaimedRun,
        mut take: impl AsyncFnMut(Reject, PlanRecord) -> Result<(), ClaimError>,
    ) -> Result<(), ClaimError> {
        let (run, time_zone) = (claimed.claim.key, claimed.feed.settings.time_zone);
        let mut after = None;
        loop {
            let page = self.runs.rejects(run.tenant, run.feed, after, PageLimit::MAX, PAGE_BYTES).await?;
            // The feed is gone, and so is the run.
            let page = page.ok_or(ClaimError::Lost)?;
            after = page.items.last().map(|reject| reject.id);
            for reject in page.items {
                // What stands in the feed twice has no text of its own.
                if reject.record.raw.is_empty() {
                    continue;
                }
                if let Ok(record) = self.source.read_again(&reject.record.raw, time_zone) {
                    take(reject, record).await?;
                }
            }
            if !page.more {
                return Ok(());
            }
        }
    }
}
