//! From the fetch into storage, batch by batch.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tenantry_ports::{
    ClaimError, FeedItem, FeedRunRepository, FeedSink, RunClaim, SinkClosed, StagedBatch, Timer,
};

use super::keeping::until_available;

/// A batch is staged when it has so many records, or about so many bytes: enough to make its transaction worth while,
/// and little beside what else a node holds.
const BATCH_RECORDS: usize = 500;
const BATCH_BYTES: usize = 1 << 20;

/// What a record takes beside its longest text.
const RECORD_BYTES: usize = 512;

/// Stages what it is handed under a claim.
pub(super) struct Staging {
    runs: Arc<dyn FeedRunRepository>,
    claim: RunClaim,
    timer: Arc<dyn Timer>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    batch: StagedBatch,
    bytes: usize,
    failure: Option<ClaimError>,
}

impl Staging {
    pub(super) fn new(runs: Arc<dyn FeedRunRepository>, claim: RunClaim, timer: Arc<dyn Timer>) -> Self {
        Self { runs, claim, timer, state: Mutex::default() }
    }

    /// Stages what is left.
    pub(super) async fn finish(&self) -> Result<(), ClaimError> {
        let rest = self.state().take();
        if rest.is_empty() {
            return Ok(());
        }
        self.stage(rest).await
    }

    /// Why it takes no more.
    pub(super) fn failure(&self) -> Option<ClaimError> {
        self.state().failure.clone()
    }

    async fn stage(&self, batch: StagedBatch) -> Result<(), ClaimError> {
        until_available(&*self.timer, || self.runs.stage(&self.claim, batch.clone())).await
    }

    fn closed(&self, result: Result<(), ClaimError>) -> Result<(), SinkClosed> {
        result.map_err(|error| {
            self.state().failure = Some(error);
            SinkClosed
        })
    }

    /// No code that can panic runs between two changes of the state, so a poisoned lock guards a sound one.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Adds items, and answers the batch once it is full.
    fn add(&mut self, items: Vec<FeedItem>) -> Option<StagedBatch> {
        for item in items {
            self.bytes += RECORD_BYTES + item.bytes();
            match item {
                FeedItem::Plan(record) => self.batch.records.push(record),
                FeedItem::PastPlan(plan) => self.batch.past.push(plan),
                FeedItem::Reject(reject) => self.batch.rejects.push(reject),
            }
        }
        let items = self.batch.len();
        (items >= BATCH_RECORDS || self.bytes >= BATCH_BYTES).then(|| self.take())
    }

    fn take(&mut self) -> StagedBatch {
        self.bytes = 0;
        std::mem::take(&mut self.batch)
    }
}

#[async_trait]
impl FeedSink for Staging {
    async fn take(&self, items: Vec<FeedItem>) -> Result<(), SinkClosed> {
        let full = self.state().add(items);
        match full {
            Some(batch) => self.closed(self.stage(batch).await),
            None => Ok(()),
        }
    }

    async fn restart(&self) -> Result<(), SinkClosed> {
        self.state().take();
        self.closed(until_available(&*self.timer, || self.runs.restage(&self.claim)).await)
    }
}
