//! Reading rejects once more, after whatever was wrong was mended.

use std::collections::HashMap;

use tenantry_domain::{PageLimit, PlanKey, PlanRecord, Reject, RejectId, Timestamp};
use tenantry_ports::FeedSink as _;
use tenantry_ports::{ClaimError, ClaimedRun, FeedItem, RunEnd};

use super::staging::Staging;
use super::{Arc, ImportService};

/// The most raw text of a page of rejects, which is what a replay holds of them at once.
const PAGE_BYTES: u64 = 4 << 20;

/// The newest of the rejects that turn out to be the same plan: when a run met it last, and which it is.
type Newest = HashMap<PlanKey, (Timestamp, RejectId)>;

impl ImportService {
    /// Stages those of the feed's rejects that can be read now. Of several that are the same plan the one that was met
    /// last counts, and none does where the catalog has seen the plan since.
    pub(super) async fn replay(&self, claimed: &ClaimedRun) -> Result<RunEnd, ClaimError> {
        let mut newest = Newest::new();
        self.for_each_readable(claimed, async |reject, record| {
            let met = (reject.last_seen_at, reject.id);
            let held = newest.entry(record.key).or_insert(met);
            *held = met.max(*held);
            Ok(())
        })
        .await?;

        let staging = Staging::new(Arc::clone(&self.runs), claimed.claim.clone(), Arc::clone(&self.timer));
        let mut replayed = Vec::new();
        self.for_each_readable(claimed, async |reject, record| {
            replayed.push(reject.id);
            let is_newest = newest.get(&record.key).is_some_and(|(_, id)| *id == reject.id);
            if is_newest && !self.has_been_seen_since(claimed, &record.key, reject.last_seen_at).await? {
                let taken = staging.take(vec![FeedItem::Plan(record)]).await;
                taken.map_err(|_| staging.failure().unwrap_or(ClaimError::Lost))?;
            }
            Ok(())
        })
        .await?;
        staging.finish().await?;
        Ok(RunEnd::Replayed(replayed))
    }

    async fn has_been_seen_since(
        &self,
        claimed: &ClaimedRun,
        key: &PlanKey,
        met_at: Timestamp,
    ) -> Result<bool, ClaimError> {
        let run = claimed.claim.key;
        let plan = self.plans.find_of(run.tenant, run.feed, key).await?;
        Ok(plan.is_some_and(|plan| plan.last_seen_at >= met_at))
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
