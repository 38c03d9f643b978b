//! Runs of feeds: who has them, what they have brought so far, and how they end.
//!
//! A run is *claimed* by one worker at a time. The claim has an end, which the worker moves on while it lives, and
//! a number that grows with each claim of the run: what comes with an older number is refused, so a worker that was
//! thought dead changes nothing when it wakes up. Ends of claims go by one clock for all workers, the storage's own:
//! nobody says what time it is, only how long a claim is to last.
//!
//! What a run reads is *staged*, batch by batch, where no reader sees it. Its end, [`finish`](FeedRunRepository::finish),
//! is one transaction: readers see the catalog before it, or all of it.

use std::time::Duration;

use async_trait::async_trait;
use tenantry_domain::{
    Feed, FeedId, FeedRun, Page, PageLimit, PastPlan, PlanId, PlanRecord, Precondition, Reject, RejectId,
    RejectedRecord, RunCounts, RunId, RunTrigger, TenantNumber, Timestamp,
};

use crate::error::StorageError;
use crate::feed_source::Validators;

/// A run of a tenant's feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunKey {
    /// Whose.
    pub tenant: TenantNumber,
    /// Of which feed.
    pub feed: FeedId,
    /// Which.
    pub run: RunId,
}

/// A run that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RequestedRun {
    /// It is queued now.
    New(FeedRun),
    /// The feed has one that has not ended yet: this one. No other was made.
    Open(FeedRun),
}

/// Why no run was made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The tenant has no such feed, or is being deleted.
    #[error("there is no such feed")]
    NotFound,
    /// The feed's version is another one than the caller expected.
    #[error("the feed has changed: its version is {current}")]
    VersionConflict {
        /// The version it has.
        current: u64,
    },
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A place for a run that the timer makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScheduleSlot {
    /// The id that the run will have.
    pub run: RunId,
    /// How much later than its interval the feed's next run is due, in thousandths of the interval: −100 to 100.
    pub jitter_permille: i16,
}

/// The right to work on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunClaim {
    /// The run.
    pub key: RunKey,
    /// Which claim of the run it is: 1 for the first.
    pub number: u32,
}

/// What becomes of whoever wants to work on a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// It may.
    Claimed(Box<ClaimedRun>),
    /// Another worker has it.
    Busy {
        /// How long at least.
        remaining: Duration,
    },
    /// There is nothing to do: it has ended, or it is gone with its feed or its tenant.
    Ended,
}

/// A run that was claimed, and what is needed to carry it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedRun {
    /// The claim.
    pub claim: RunClaim,
    /// The run.
    pub run: FeedRun,
    /// Its feed.
    pub feed: Feed,
    /// What its provider said of the answer that was last taken whole.
    pub validators: Validators,
}

/// Why nothing was done for a claim.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// Another worker has claimed the run since, it has ended, or it is gone: stop working on it.
    #[error("the claim to the run is lost")]
    Lost,
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Records that a run has read, in the feed's order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StagedBatch {
    /// What can be taken.
    pub records: Vec<PlanRecord>,
    /// What another system has kept, and can be taken.
    pub past: Vec<PastPlan>,
    /// What cannot.
    pub rejects: Vec<RejectedRecord>,
}

impl StagedBatch {
    /// How many records and rejects it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len() + self.past.len() + self.rejects.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// How a run that has read its feed ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunEnd {
    /// The whole feed was read: what is not staged has left it.
    Whole {
        /// What the provider said of this answer.
        validators: Validators,
        /// The run is held instead if more than so many thousandths of the feed's plans in it would leave it;
        /// at 1,000 it never is.
        max_leaving_permille: u16,
    },
    /// The provider said that nothing has changed: every plan in the feed was seen again now.
    Unchanged,
    /// Only rejects were tried again, and nothing leaves the feed.
    Replayed {
        /// These were: they are removed.
        tried: Vec<RejectId>,
        /// Of the plans that they turned out to be, those that the last whole fetch had no more: unless they were in the
        /// feed before, they do not come into it.
        gone: Vec<PlanId>,
    },
    /// What was in the feed once was read, as another system has kept it: nothing comes into the feed by it, and nothing
    /// leaves it.
    Past,
    /// It failed. What was staged is discarded, and nothing is changed; rejects stay as they were before.
    Failed {
        /// Why, for a person: at most 1,000 characters, and no secret.
        detail: String,
    },
}

/// Why a held run was not confirmed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmError {
    /// The feed has no such run.
    #[error("there is no such run")]
    NotFound,
    /// The feed's version is another one than the caller expected.
    #[error("the feed has changed: its version is {current}")]
    VersionConflict {
        /// The version it has.
        current: u64,
    },
    /// The run is not held: it has another state.
    #[error("the run is not held")]
    NotHeld,
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Runs of feeds.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait FeedRunRepository: Send + Sync {
    /// Makes a run of the feed, queued now, unless one is open, if the precondition holds for the feed's version.
    ///
    /// # Errors
    /// [`RequestError::NotFound`], whatever the precondition; [`RequestError::VersionConflict`], also where a run is
    /// open.
    async fn request(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        run: RunId,
        trigger: RunTrigger,
        precondition: Precondition,
    ) -> Result<RequestedRun, RequestError>;

    /// Makes a run of each feed, of any tenant that is active, whose time has come by `now`, the longest due first,
    /// at most one a slot. The feed is due again an interval after `now`, with the slot's jitter: runs that were
    /// missed are not made up for. Where one is open no other is made, and the feed is due again all the same (it takes
    /// a slot too). Besides, some of what runs have left behind and nobody needs any more is discarded.
    async fn schedule(&self, now: Timestamp, slots: Vec<ScheduleSlot>) -> Result<Vec<RunKey>, StorageError>;

    /// Runs, of any tenants, that nobody seems to work on: queued before `queued_before`, or under a claim that has
    /// ended; the oldest first, at most `limit`. None of tenants that are being deleted.
    async fn stranded(&self, queued_before: Timestamp, limit: PageLimit)
    -> Result<Vec<RunKey>, StorageError>;

    /// Claims a run for so long from now, if it is queued, or if the claim on it has ended. What a claim before has
    /// staged and counted is discarded (it may be much: more than one transaction may be taken for that).
    async fn claim(&self, key: RunKey, lasts: Duration) -> Result<ClaimOutcome, StorageError>;

    /// Has a claim last for so long from now, also one that has ended and that nobody has taken over. A claim that lasts
    /// no time has ended.
    async fn extend(&self, claim: &RunClaim, lasts: Duration) -> Result<(), ClaimError>;

    /// Discards what the claim has staged, since its feed is to be read from the start again.
    async fn restage(&self, claim: &RunClaim) -> Result<(), ClaimError>;

    /// Stages a batch. Of records with the same key the first is taken; another one with the same content is passed
    /// over, and one with other content becomes a reject ([`RejectCode::Duplicate`](tenantry_domain::RejectCode)),
    /// whose `raw` is empty and whose offset is 0. Rejects with the same id are one, and are counted once. So a batch
    /// that is staged once more changes nothing.
    ///
    /// A plan of the past that the catalog does not have gets the id that it brings, unless another plan has that. From
    /// then on the feed's records with its key are that plan.
    async fn stage(&self, claim: &RunClaim, batch: StagedBatch) -> Result<(), ClaimError>;

    /// Ends the run, in one transaction, and answers it as it stands then. `counts` are the bytes and attempts; what
    /// is known of plans and rejects is counted here. Nothing is counted of them after [`RunEnd::Unchanged`] and
    /// [`RunEnd::Failed`]. No time that is stored falls: where one is later than `now`, it stays.
    ///
    /// - Staged plans that the catalog does not have, or has with other content, become their next version, seen
    ///   at `now`. All staged ones were seen at `now`, and are in the feed, but after [`RunEnd::Past`], and but for those
    ///   that are gone after [`RunEnd::Replayed`]. They are compared with the catalog as it stands now, also where a held run
    ///   was confirmed since they were staged.
    /// - After [`RunEnd::Whole`] plans of the feed that are not staged are in it no more. `on_sale` holds for the
    ///   plans in the feed whose content is sold online.
    /// - After [`RunEnd::Past`] plans that the catalog did not have are not in the feed, and the others are as they were
    ///   before. Where the feed has a `last_success_at`, those that the catalog has with other content stay as they are,
    ///   since it is newer: they count as unchanged, and `detail` says how many they are.
    /// - After [`RunEnd::Whole`], [`RunEnd::Replayed`] and [`RunEnd::Past`] staged rejects are kept under their ids, with
    ///   the run and the time that met them last, at most `max_rejects` a feed: those met longest ago leave.
    /// - The validators are kept, and `last_success_at` is `now`, after [`RunEnd::Whole`] alone; `last_success_at`
    ///   after [`RunEnd::Unchanged`] too. If the feed was updated since the run was claimed, it may be another one
    ///   than was fetched: there are no validators then.
    /// - Where any plan, version or `on_sale` has changed the catalog takes the next revision, the run's
    ///   `catalog_revision`; else that is the one which stands. A run that failed or is held has none.
    ///   Tells [`CommitListener::catalog_changed`](crate::CommitListener) if it has changed.
    /// - A run that is held keeps what it has staged, and says in `detail` how many plans would leave. When a later
    ///   run of the feed succeeds, is held or is unchanged, it is superseded.
    async fn finish(
        &self,
        claim: &RunClaim,
        now: Timestamp,
        end: RunEnd,
        counts: RunCounts,
        max_rejects: u32,
    ) -> Result<FeedRun, ClaimError>;

    /// Lets a held run through, if the precondition holds for the feed's version: what it has staged becomes the catalog
    /// as at the end of a run that was not held, now. It has no `detail` any more.
    ///
    /// # Errors
    /// [`ConfirmError::NotFound`], also while the tenant is being deleted, and whatever the precondition; then
    /// [`ConfirmError::VersionConflict`]; then [`ConfirmError::NotHeld`].
    async fn confirm(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        run: RunId,
        precondition: Precondition,
        now: Timestamp,
        max_rejects: u32,
    ) -> Result<FeedRun, ConfirmError>;

    /// The tenant's run of that feed.
    async fn find(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        run: RunId,
    ) -> Result<Option<FeedRun>, StorageError>;

    /// The feed's runs, the newest first, behind `after`. Nothing where the tenant has no such feed.
    async fn list(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        after: Option<RunId>,
        limit: PageLimit,
    ) -> Result<Option<Page<FeedRun>>, StorageError>;

    /// The feed's rejects by id, behind `after`. The page ends early, behind the reject with which their raw texts
    /// reach `max_raw_bytes`. Nothing where the tenant has no such feed.
    async fn rejects(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        after: Option<RejectId>,
        limit: PageLimit,
        max_raw_bytes: u64,
    ) -> Result<Option<Page<Reject>>, StorageError>;

    /// Removes the oldest runs of the feed that have ended, but for the newest `keep`; held ones stay. Answers how many.
    async fn prune(&self, tenant: TenantNumber, feed: FeedId, keep: u32) -> Result<u32, StorageError>;
}
