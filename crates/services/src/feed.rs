//! Feeds: where a tenant's catalog comes from, and what is seen of their runs.

mod error;
mod patch;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tenantry_domain::{
    Feed, FeedDraft, FeedId, FeedRun, FeedSettings, Page, PageLimit, Precondition, Reject, RejectId, RunId,
    RunTrigger, TenantNumber,
};
use tenantry_ports::{
    Clock, FeedRepository, FeedRunRepository, FeedWriteError, Job, JobQueue, RequestedRun, RunKey,
};
use uuid::Uuid;

use crate::propagation::{Propagation, settled};
pub use error::FeedError;

/// How often a change without a precondition is tried while others change the same feed.
const MAX_TRIES: usize = 8;

/// The bounds of what feeds may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedLimits {
    /// The most feeds of a tenant.
    pub max_feeds: u32,
    /// The most rejects that are kept of a feed.
    pub max_rejects: u32,
    /// A page of rejects ends early when their raw texts reach so many bytes together.
    pub max_page_bytes: u64,
}

/// What is done with feeds. Their runs are carried out by [`ImportService`](crate::ImportService).
pub struct FeedService {
    feeds: Arc<dyn FeedRepository>,
    runs: Arc<dyn FeedRunRepository>,
    queue: Arc<dyn JobQueue>,
    clock: Arc<dyn Clock>,
    limits: FeedLimits,
    propagation: Option<Arc<Propagation>>,
}

impl FeedService {
    /// The service over these feeds and runs; runs that are asked for are told to the queue.
    #[must_use]
    pub fn new(
        feeds: Arc<dyn FeedRepository>,
        runs: Arc<dyn FeedRunRepository>,
        queue: Arc<dyn JobQueue>,
        clock: Arc<dyn Clock>,
        limits: FeedLimits,
    ) -> Self {
        Self { feeds, runs, queue, clock, limits, propagation: None }
    }

    /// Answers to what changes the catalog when the other nodes know of it.
    #[must_use]
    pub fn among_nodes(mut self, propagation: Arc<Propagation>) -> Self {
        self.propagation = Some(propagation);
        self
    }

    /// Makes a feed. If it is enabled, its first run is due at once.
    ///
    /// # Errors
    /// [`FeedError::Invalid`], [`FeedError::TenantNotFound`], [`FeedError::TooMany`], [`FeedError::Storage`].
    pub async fn create(&self, tenant: TenantNumber, draft: FeedDraft) -> Result<Feed, FeedError> {
        let settings = FeedSettings::parse(draft)?;
        let id = FeedId::new(Uuid::now_v7());
        Ok(self.feeds.create(tenant, id, settings, self.limits.max_feeds).await?)
    }

    /// The tenant's feed of that id.
    ///
    /// # Errors
    /// [`FeedError::NotFound`], [`FeedError::Storage`].
    pub async fn get(&self, tenant: TenantNumber, feed: FeedId) -> Result<Feed, FeedError> {
        self.feeds.find(tenant, feed).await?.ok_or(FeedError::NotFound)
    }

    /// A page of the tenant's feeds, in the order in which they were made, behind `after`.
    ///
    /// # Errors
    /// [`FeedError::Storage`].
    pub async fn list(
        &self,
        tenant: TenantNumber,
        after: Option<FeedId>,
        limit: PageLimit,
    ) -> Result<Page<Feed>, FeedError> {
        Ok(self.feeds.list(tenant, after, limit).await?)
    }

    /// Applies a JSON merge patch (RFC 7396) over `name`, `url`, `interval_seconds`, `time_zone` and `enabled`.
    /// `patch` is JSON text. What it does not name stays; what it makes null has its default again.
    ///
    /// # Errors
    /// In this order, as RFC 9110 section 13.2 has it: [`FeedError::NotFound`], [`FeedError::PreconditionFailed`],
    /// [`FeedError::Invalid`] (a member of another name with its pointer and the code `unknown_field`); then
    /// [`FeedError::TenantNotFound`], [`FeedError::Contended`], [`FeedError::Storage`].
    pub async fn patch(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        patch: &str,
        precondition: &Precondition,
    ) -> Result<Feed, FeedError> {
        for _ in 0..MAX_TRIES {
            let current = self.get(tenant, feed).await?;
            if !precondition.holds(Some(current.version)) {
                return Err(FeedError::PreconditionFailed { current: current.version });
            }
            let settings = patch::apply(&current.settings, patch)?;
            match self.feeds.update(tenant, feed, current.version, settings).await {
                Err(FeedWriteError::VersionConflict { .. }) => {}
                answer => return Ok(answer?),
            }
        }
        Err(FeedError::Contended)
    }

    /// Removes a feed with its runs and rejects. Its plans stay in the catalog, and are on sale no more.
    ///
    /// # Errors
    /// [`FeedError::NotFound`], [`FeedError::PreconditionFailed`], [`FeedError::TenantNotFound`],
    /// [`FeedError::Storage`].
    pub async fn delete(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        precondition: Precondition,
    ) -> Result<(), FeedError> {
        self.feeds.delete(tenant, feed, precondition).await?;
        settled(self.propagation.as_ref()).await;
        Ok(())
    }

    /// Has the feed fetched soon, also where it is not enabled, if the precondition holds for its version. If a run of it
    /// is open already, whatever it was made for, that one is answered and no other made.
    ///
    /// # Errors
    /// [`FeedError::NotFound`], [`FeedError::PreconditionFailed`], [`FeedError::Storage`].
    pub async fn request_run(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        precondition: Precondition,
    ) -> Result<RequestedRun, FeedError> {
        self.request(tenant, feed, RunTrigger::Request, precondition).await
    }

    /// Has the feed's rejects read once more soon, as [`request_run`](Self::request_run) has its URL fetched.
    ///
    /// # Errors
    /// As [`request_run`](Self::request_run).
    pub async fn replay_rejects(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        precondition: Precondition,
    ) -> Result<RequestedRun, FeedError> {
        self.request(tenant, feed, RunTrigger::Replay, precondition).await
    }

    /// The feed's run of that id.
    ///
    /// # Errors
    /// [`FeedError::RunNotFound`], also where there is no such feed; [`FeedError::Storage`].
    pub async fn get_run(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        run: RunId,
    ) -> Result<FeedRun, FeedError> {
        self.runs.find(tenant, feed, run).await?.ok_or(FeedError::RunNotFound)
    }

    /// A page of the feed's runs, the newest first, behind `after`.
    ///
    /// # Errors
    /// [`FeedError::NotFound`], [`FeedError::Storage`].
    pub async fn list_runs(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        after: Option<RunId>,
        limit: PageLimit,
    ) -> Result<Page<FeedRun>, FeedError> {
        self.runs.list(tenant, feed, after, limit).await?.ok_or(FeedError::NotFound)
    }

    /// A page of the records of the feed that could not be taken, by id, behind `after`. It ends early where their raw
    /// texts are large.
    ///
    /// # Errors
    /// [`FeedError::NotFound`], [`FeedError::Storage`].
    pub async fn list_rejects(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        after: Option<RejectId>,
        limit: PageLimit,
    ) -> Result<Page<Reject>, FeedError> {
        let page = self.runs.rejects(tenant, feed, after, limit, self.limits.max_page_bytes).await?;
        page.ok_or(FeedError::NotFound)
    }

    /// Lets a held run through, as a person says that so many plans are really gone, if the precondition holds for the
    /// feed's version.
    ///
    /// # Errors
    /// [`FeedError::RunNotFound`], also where there is no such feed; [`FeedError::PreconditionFailed`];
    /// [`FeedError::NotHeld`]; [`FeedError::Storage`].
    pub async fn confirm_run(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        run: RunId,
        precondition: Precondition,
    ) -> Result<FeedRun, FeedError> {
        let (now, max_rejects) = (self.clock.now(), self.limits.max_rejects);
        let confirmed = self.runs.confirm(tenant, feed, run, precondition, now, max_rejects).await?;
        settled(self.propagation.as_ref()).await;
        Ok(confirmed)
    }

    async fn request(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        trigger: RunTrigger,
        precondition: Precondition,
    ) -> Result<RequestedRun, FeedError> {
        let run = RunId::new(Uuid::now_v7());
        let requested = self.runs.request(tenant, feed, run, trigger, precondition).await?;
        if let RequestedRun::New(run) = &requested {
            let job = Job::FeedRun(RunKey { tenant, feed, run: run.id });
            // The run stands in storage, from where the scheduler publishes it again: a queue that is away delays it.
            let _ = self.queue.publish(job).await;
        }
        Ok(requested)
    }
}
