//! Feeds over HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use tenantry_domain::{PlanRecord, RejectCode, RejectReason, TimeZone};
use tenantry_ports::{FeedRequest, FeedSink, FeedSource, FetchCost, FetchEnd, FetchError};

use crate::options::FeedHttpOptions;

/// Why no feed can be fetched at all.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be made: {0}")]
pub struct HttpFeedSourceError(String);

/// Fetches feeds over HTTP. One for the whole process: it remembers which hosts are to be left alone.
///
/// To be used in a tokio runtime.
pub struct HttpFeedSource {
    options: FeedHttpOptions,
}

impl HttpFeedSource {
    /// A source that fetches so.
    ///
    /// # Errors
    /// When the TLS of this machine cannot be used.
    pub fn new(options: FeedHttpOptions) -> Result<Self, HttpFeedSourceError> {
        Ok(Self { options })
    }
}

#[async_trait]
impl FeedSource for HttpFeedSource {
    async fn fetch(
        &self,
        _request: FeedRequest,
        _sink: Arc<dyn FeedSink>,
    ) -> (FetchCost, Result<FetchEnd, FetchError>) {
        let text = format!("not written yet; {} attempts", self.options.max_attempts);
        (FetchCost::default(), Err(FetchError::Unavailable(text)))
    }

    fn read_again(&self, _raw: &str, _time_zone: TimeZone) -> Result<PlanRecord, RejectReason> {
        Err(RejectReason::new(RejectCode::Text, "not written yet"))
    }
}
