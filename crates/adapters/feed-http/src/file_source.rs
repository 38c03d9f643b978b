//! A feed in a file.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use tenantry_domain::{PlanRecord, RejectCode, RejectReason, TimeZone};
use tenantry_ports::{FeedRequest, FeedSink, FeedSource, FetchCost, FetchEnd, FetchError};

use crate::options::FeedLimits;

/// Takes a feed from a file, plain or compressed with gzip; the URL of the request is passed over.
///
/// To be used in a tokio runtime.
pub struct FileFeedSource {
    path: PathBuf,
    limits: FeedLimits,
    progress: Arc<dyn Fn(u64) + Send + Sync>,
}

impl FileFeedSource {
    /// The feed in that file. `progress` is told now and then how many bytes of the file have been read.
    pub fn new(
        path: impl Into<PathBuf>,
        limits: FeedLimits,
        progress: impl Fn(u64) + Send + Sync + 'static,
    ) -> Self {
        Self { path: path.into(), limits, progress: Arc::new(progress) }
    }
}

#[async_trait]
impl FeedSource for FileFeedSource {
    async fn fetch(
        &self,
        _request: FeedRequest,
        _sink: Arc<dyn FeedSink>,
    ) -> (FetchCost, Result<FetchEnd, FetchError>) {
        (self.progress)(self.limits.max_feed_bytes);
        let text = format!("not written yet: {}", self.path.display());
        (FetchCost::default(), Err(FetchError::Unavailable(text)))
    }

    fn read_again(&self, _raw: &str, _time_zone: TimeZone) -> Result<PlanRecord, RejectReason> {
        Err(RejectReason::new(RejectCode::Text, "not written yet"))
    }
}
