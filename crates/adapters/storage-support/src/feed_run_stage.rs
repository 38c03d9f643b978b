//! What is made of a batch of records before it is staged, and what is counted then.

use tenantry_domain::{
    FeedId, PlanId, PlanRecord, ProviderId, RecordPlace, RejectCode, RejectId, RejectReason, RejectedRecord,
};
use tenantry_ports::{RunKey, StagedBatch};

use crate::engine::Engine;
use crate::feed_run_row::is_run;

/// What tells which plan a record is.
#[derive(Debug, Clone, Copy)]
pub struct Identity {
    /// The id that follows from its key.
    pub derived: PlanId,
    /// The id that it had in another system, if it comes from one.
    pub past: Option<PlanId>,
}

/// A batch with what is made of its records before the writer has it: hashing long zones would hold up others.
#[derive(Debug)]
pub struct PreparedBatch {
    /// The records that may be taken, in their order.
    pub plans: Vec<PreparedPlan>,
    /// Those that cannot, by their ids.
    pub rejects: Vec<(RejectId, RejectedRecord)>,
}

/// A record of a batch.
#[derive(Debug)]
pub struct PreparedPlan {
    /// Which plan it is.
    pub identity: Identity,
    /// Of its content.
    pub digest: [u8; 32],
    /// What was read.
    pub record: PlanRecord,
    /// What it is rejected as if another record has its key.
    pub duplicate: (RejectId, RejectedRecord),
}

impl PreparedBatch {
    /// Of a batch for that feed.
    #[must_use]
    pub fn of(feed: FeedId, batch: StagedBatch) -> Self {
        let records = batch.records.into_iter().map(|record| (record, None));
        let plans = records.chain(batch.past.into_iter().map(|plan| (plan.record, plan.id)));
        let plans = plans.map(|(record, past)| PreparedPlan {
            identity: Identity { derived: PlanId::of(feed, &record.key), past },
            digest: record.content.digest(),
            duplicate: duplicate(feed, &record),
            record,
        });
        let rejects = batch.rejects.into_iter().map(|reject| (RejectId::of(feed, &reject), reject));
        Self { plans: plans.collect(), rejects: rejects.collect() }
    }

    /// About how many bytes it holds while it waits.
    #[must_use]
    pub fn weight(&self) -> usize {
        let plans: usize =
            self.plans.iter().map(|plan| 1024 + plan.record.content.zones.as_json().len()).sum();
        let rejects: usize = self.rejects.iter().map(|(_, reject)| 1024 + reject.raw.len()).sum();
        256 + plans + rejects
    }
}

fn duplicate(feed: FeedId, record: &PlanRecord) -> (RejectId, RejectedRecord) {
    let text = |id: &ProviderId| Some(id.as_str().to_owned());
    let place = RecordPlace {
        offset: 0,
        base_plan_id: text(&record.key.base_plan_id),
        plan_id: text(&record.key.plan_id),
    };
    let detail = "stands in the feed more than once, with other content: the first was taken";
    let reason = RejectReason::new(RejectCode::Duplicate, detail);
    let reject = RejectedRecord { place, reason, raw: String::new() };
    (RejectId::of(feed, &reject), reject)
}

/// Counts what the run has staged now.
pub fn count_staged<E: Engine>(
    connection: &mut E::Connection,
    RunKey { tenant, feed, run }: RunKey,
    seen: usize,
    rejected: usize,
) -> Result<(), E::Error> {
    let count = format!(
        "UPDATE feed_runs SET plans_seen = plans_seen + {seen}, rejected = rejected + {rejected} WHERE {}",
        is_run::<E>(tenant, feed, run)
    );
    E::execute(connection, &count)?;
    Ok(())
}
