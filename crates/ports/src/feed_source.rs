//! Where feeds come from.

use std::sync::Arc;

use async_trait::async_trait;
use tenantry_domain::{FeedUrl, PastPlan, PlanRecord, RejectReason, RejectedRecord, TenantNumber, TimeZone};

/// What a provider said of an answer, so that it can be asked whether anything has changed since (RFC 9110, section 13).
/// Each is at most 1,024 bytes; longer ones are not kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validators {
    /// Its `ETag`.
    pub etag: Option<String>,
    /// Its `Last-Modified`.
    pub last_modified: Option<String>,
}

/// Which feed to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRequest {
    /// Whose it is. What one tenant's providers do is held against no other's.
    pub tenant: TenantNumber,
    /// Where it is.
    pub url: FeedUrl,
    /// In which zone its times stand.
    pub time_zone: TimeZone,
    /// What the provider said of the answer that was last taken whole.
    pub validators: Validators,
}

/// One record of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedItem {
    /// A plan.
    Plan(PlanRecord),
    /// A plan that was in the feed once, as another system has kept it.
    PastPlan(PastPlan),
    /// What could not be read.
    Reject(RejectedRecord),
}

impl FeedItem {
    /// How many bytes its longest text has.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Plan(record) => record.content.zones.as_json().len(),
            Self::PastPlan(plan) => plan.record.content.zones.as_json().len(),
            Self::Reject(reject) => reject.raw.len(),
        }
    }
}

/// How a fetch came to a good end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FetchEnd {
    /// The whole feed was handed to the sink.
    Whole(Validators),
    /// The provider says that nothing has changed; the sink got nothing.
    NotModified,
    /// All that another system has kept of the feed was handed to the sink. It says nothing of what is in the feed now.
    Past,
}

/// Whatever the end was: how much was asked and read for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FetchCost {
    /// How often the provider was asked.
    pub attempts: u32,
    /// Bytes that were read, decompressed, of all attempts.
    pub bytes: u64,
}

/// Why a feed was not fetched. The text is for the feed's owner: it holds no secret, and nothing of an answer that came
/// from a place where the feed's owner may not look.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// The provider could not be reached, did not answer in time, or said that it is not able to, at every attempt.
    #[error("the provider did not deliver: {0}")]
    Unavailable(String),
    /// Where the URL leads is no place to fetch from: an address that is not public, or another scheme.
    #[error("the address is not allowed: {0}")]
    Forbidden(String),
    /// What it delivers is no feed, or breaks a bound. Another attempt would bring the same.
    #[error("the feed cannot be read: {0}")]
    Unreadable(String),
    /// The provider has failed so often of late that it is left alone for a while.
    #[error("the provider is left alone for {0} seconds more, since it has failed too often")]
    LeftAlone(u64),
    /// The sink wants no more.
    #[error("nobody takes the records any more")]
    Stopped,
}

/// A sink that wants no more: whoever fetches for it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("nobody takes the records any more")]
pub struct SinkClosed;

/// Takes the records of a feed, in its order.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait FeedSink: Send + Sync {
    /// Takes some more. While it waits nothing further is read than fits a bounded buffer.
    async fn take(&self, items: Vec<FeedItem>) -> Result<(), SinkClosed>;

    /// What was taken so far does not count: another attempt begins at the start.
    async fn restart(&self) -> Result<(), SinkClosed>;
}

/// Fetches feeds, and reads them.
///
/// A feed is fetched whole or not at all: an answer that ends early, or stops being XML, is a failed attempt, however
/// many records it has brought. A record that cannot be read is none: it is handed on as a [`FeedItem::Reject`].
/// Memory is bounded whatever a provider sends, and so are the time of an attempt and of the fetch. Dropping the
/// future ends the fetch.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait FeedSource: Send + Sync {
    /// Fetches a feed, trying again as often as is sensible, and hands its records to the sink.
    async fn fetch(
        &self,
        request: FeedRequest,
        sink: Arc<dyn FeedSink>,
    ) -> (FetchCost, Result<FetchEnd, FetchError>);

    /// Reads the raw text of a record that was rejected once more.
    ///
    /// # Errors
    /// Why it cannot be read now.
    fn read_again(&self, raw: &str, time_zone: TimeZone) -> Result<PlanRecord, RejectReason>;
}
