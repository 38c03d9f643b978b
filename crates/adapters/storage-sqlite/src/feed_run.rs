//! Runs of feeds. Each step of one has a file of its own.

use std::time::Duration;

use async_trait::async_trait;
use tenantry_domain::{
    FeedId, FeedRun, Page, PageLimit, Precondition, Reject, RejectId, RunCounts, RunId, RunTrigger,
    TenantNumber, Timestamp,
};
use tenantry_ports::{
    ClaimError, ClaimOutcome, ConfirmError, FeedRunRepository, RequestError, RequestedRun, RunClaim, RunEnd,
    RunKey, ScheduleSlot, StagedBatch, StorageError,
};
use tenantry_storage_support::feed_reject;
use tenantry_storage_support::feed_run_claim::{claim, extend, restage};
use tenantry_storage_support::feed_run_finish::{confirm, finish};
use tenantry_storage_support::feed_run_row::{find, list, prune};
use tenantry_storage_support::feed_run_schedule::request;
use tenantry_storage_support::feed_run_stage::PreparedBatch;

use crate::engine::Sqlite;
use crate::feed_run_schedule::{schedule, stranded};
use crate::feed_run_stage::stage;
use crate::storage::SqliteStorage;

/// What a write holds while it waits, about.
const WEIGHT: usize = 512;

#[async_trait]
impl FeedRunRepository for SqliteStorage {
    async fn request(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        run: RunId,
        trigger: RunTrigger,
        precondition: Precondition,
    ) -> Result<RequestedRun, RequestError> {
        let write = self.write(WEIGHT, precondition, move |precondition, batch| {
            request(batch, tenant, feed, run, trigger, precondition)
        });
        write.await?.1
    }

    async fn schedule(&self, now: Timestamp, slots: Vec<ScheduleSlot>) -> Result<Vec<RunKey>, StorageError> {
        let weight = WEIGHT + slots.len() * size_of::<ScheduleSlot>();
        let made = self.write(weight, slots, move |slots, batch| schedule(batch, now, slots)).await?.1;
        self.discard_any().await;
        Ok(made)
    }

    async fn stranded(
        &self,
        queued_before: Timestamp,
        limit: PageLimit,
    ) -> Result<Vec<RunKey>, StorageError> {
        let now = self.now();
        self.read(move |connection| stranded(connection, now, queued_before, limit)).await
    }

    async fn claim(&self, key: RunKey, lasts: Duration) -> Result<ClaimOutcome, StorageError> {
        let outcome = self.write(WEIGHT, (), move |(), batch| claim(batch, key, lasts)).await?.1;
        if matches!(&outcome, ClaimOutcome::Claimed(claimed) if claimed.claim.number > 1) {
            self.discard(key.tenant).await;
        }
        Ok(outcome)
    }

    async fn extend(&self, claim: &RunClaim, lasts: Duration) -> Result<(), ClaimError> {
        self.write(WEIGHT, claim.clone(), move |claim, batch| extend(batch, claim, lasts)).await?.1
    }

    async fn restage(&self, claim: &RunClaim) -> Result<(), ClaimError> {
        self.write(WEIGHT, claim.clone(), |claim, batch| restage(batch, claim)).await?.1?;
        self.discard(claim.key.tenant).await;
        Ok(())
    }

    async fn stage(&self, claim: &RunClaim, batch: StagedBatch) -> Result<(), ClaimError> {
        let prepared = PreparedBatch::of(claim.key.feed, batch);
        let write = self.write(prepared.weight(), (claim.clone(), prepared), |(claim, prepared), batch| {
            stage(batch, claim, prepared)
        });
        write.await?.1
    }

    async fn finish(
        &self,
        claim: &RunClaim,
        now: Timestamp,
        end: RunEnd,
        counts: RunCounts,
        max_rejects: u32,
    ) -> Result<FeedRun, ClaimError> {
        let weight = WEIGHT
            + match &end {
                RunEnd::Replayed { tried, gone } => (tried.len() + gone.len()) * 16,
                _ => 4096,
            };
        let write = self.write(weight, (claim.clone(), end), move |(claim, end), batch| {
            finish(batch, claim, now, end, counts, max_rejects)
        });
        let ended = write.await?.1?;
        self.discard(claim.key.tenant).await;
        Ok(ended)
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
        let write = self.write(WEIGHT, precondition, move |precondition, batch| {
            confirm(batch, tenant, feed, run, precondition, now, max_rejects)
        });
        let ended = write.await?.1?;
        self.discard(tenant).await;
        Ok(ended)
    }

    async fn find(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        run: RunId,
    ) -> Result<Option<FeedRun>, StorageError> {
        self.read(move |connection| {
            Ok(find::<Sqlite>(connection, tenant, feed, run)?.map(|stored| stored.run))
        })
        .await
    }

    async fn list(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        after: Option<RunId>,
        limit: PageLimit,
    ) -> Result<Option<Page<FeedRun>>, StorageError> {
        self.read(move |connection| list::<Sqlite>(connection, tenant, feed, after, limit)).await
    }

    async fn rejects(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        after: Option<RejectId>,
        limit: PageLimit,
        max_raw_bytes: u64,
    ) -> Result<Option<Page<Reject>>, StorageError> {
        self.read(move |connection| {
            feed_reject::list::<Sqlite>(connection, tenant, feed, after, limit, max_raw_bytes)
        })
        .await
    }

    async fn prune(&self, tenant: TenantNumber, feed: FeedId, keep: u32) -> Result<u32, StorageError> {
        Ok(self.write(WEIGHT, (), move |(), batch| prune(batch, tenant, feed, keep)).await?.1)
    }
}
