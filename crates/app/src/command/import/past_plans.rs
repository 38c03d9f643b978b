//! Plans that were read from a file, as what a run of a feed takes.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tenantry_domain::{PlanRecord, RejectCode, RejectReason, TimeZone};
use tenantry_ports::{FeedItem, FeedRequest, FeedSink, FeedSource, FetchCost, FetchEnd, FetchError};
use tenantry_predecessor_files::{Batch, PastData};
use tokio::sync::mpsc;

use super::BATCH;
use super::progress::Progress;

/// The plans of a file, handed over once. What is in the feed now they do not say ([`FetchEnd::Past`]).
///
/// To be used in a tokio runtime.
pub(super) struct PastPlans {
    data: Mutex<Option<PastData>>,
    progress: Progress,
    bytes: u64,
}

impl PastPlans {
    /// Of a file of so many bytes.
    pub(super) fn new(data: PastData, bytes: u64) -> Self {
        let progress = Progress::of_rows("storing", data.good_rows());
        Self { data: Mutex::new(Some(data)), progress, bytes }
    }

    /// Hands over batch by batch. The thread that reads waits when two are ready.
    async fn hand_over(&self, mut data: PastData, sink: &dyn FeedSink) -> Result<FetchEnd, FetchError> {
        let (give, mut batches) = mpsc::channel::<Batch>(2);
        let reading = tokio::task::spawn_blocking(move || {
            data.deliver(BATCH, &mut |batch| give.blocking_send(batch).is_ok())
        });
        let (mut taken, mut wants_more) = (0, true);
        while let Some(batch) = batches.recv().await {
            let Batch::Plans(plans) = batch else { continue };
            taken += plans.len() as u64;
            let items = plans.into_iter().map(|plan| FeedItem::PastPlan(plan.item)).collect();
            if sink.take(items).await.is_err() {
                wants_more = false;
                break;
            }
            self.progress.set(taken);
        }
        drop(batches);
        self.progress.finish();
        match reading.await {
            _ if !wants_more => Err(FetchError::Stopped),
            Ok(Ok(())) => Ok(FetchEnd::Past),
            Ok(Err(error)) => Err(FetchError::Unreadable(format!("the rows {error}"))),
            Err(error) => Err(FetchError::Unreadable(error.to_string())),
        }
    }
}

#[async_trait]
impl FeedSource for PastPlans {
    async fn fetch(
        &self,
        _: FeedRequest,
        sink: Arc<dyn FeedSink>,
    ) -> (FetchCost, Result<FetchEnd, FetchError>) {
        let cost = FetchCost { attempts: 1, bytes: self.bytes };
        let data = self.data.lock().unwrap_or_else(PoisonError::into_inner).take();
        let end = match data {
            Some(data) => self.hand_over(data, &*sink).await,
            None => Err(FetchError::Unavailable("it was handed over before".to_owned())),
        };
        (cost, end)
    }

    /// A file's faults are told where it is read, and none of them is kept.
    fn read_again(&self, _: &str, _: TimeZone) -> Result<PlanRecord, RejectReason> {
        Err(RejectReason::new(RejectCode::Text, "it comes from a file that is not there any more"))
    }
}
