//! Reading a whole installation, to carry it to another storage.

use async_trait::async_trait;
use tenantry_domain::{
    AccessKey, CatalogRevision, Entry, Event, Feed, FeedId, FeedRun, Key, PlanId, PlanSource, PlanVersion,
    Reject, RejectId, Revision, RunId, Sequence, Tenant, TenantNumber, Timestamp,
};

use crate::access_key::KeyPosition;
use crate::error::StorageError;
use crate::feed_source::Validators;

/// How much one page of an export holds at most. It ends with whatever is reached first, and holds at least
/// one row where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportBound {
    /// So many rows.
    pub rows: u32,
    /// It ends behind the row with which long texts and values reach so many bytes.
    pub bytes: u64,
}

/// What was given out last in a tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TenantCounters {
    /// The sequence of its newest event; 0 where there was none yet.
    pub event_sequence: Sequence,
    /// When that event was stored.
    pub last_event_at: Option<Timestamp>,
    /// The revision of the newest write of a key-value; 0 where there was none yet.
    pub key_value_revision: Revision,
    /// The revision of its catalog; 0 for an empty one.
    pub catalog_revision: CatalogRevision,
}

/// A tenant with its counters.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// Its counters.
    pub counters: TenantCounters,
}

/// A row of a tenant's catalog, of one of five tables. Runs that have not ended, those that are held, and what they have
/// staged are no part of it: they are the work of an installation that is served, and a later run does it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogRow {
    /// A feed, with what its provider said of the answer that was last taken whole.
    Feed(Feed, Validators),
    /// A run that has ended and is not held.
    Run(FeedRun),
    /// A reject of a feed.
    Reject(FeedId, Reject),
    /// A version of a plan.
    Version(PlanId, PlanVersion),
    /// What of a plan is not in its versions.
    Plan {
        /// Its id.
        id: PlanId,
        /// Where it came from.
        source: PlanSource,
        /// Whether the last whole fetch of its feed held it.
        in_feed: bool,
        /// When a fetch last held it; while it is in its feed, the feed's last success counts where that is later.
        seen_at: Timestamp,
    },
}

/// Where a row of a tenant's catalog stands: table by table, and in each by its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CatalogPosition {
    /// A feed.
    Feed(FeedId),
    /// A run.
    Run(FeedId, RunId),
    /// A reject.
    Reject(FeedId, RejectId),
    /// A version of a plan.
    Version(PlanId, u32),
    /// A plan.
    Plan(PlanId),
}

impl CatalogRow {
    /// Where it stands.
    #[must_use]
    pub fn position(&self) -> CatalogPosition {
        match self {
            Self::Feed(feed, _) => CatalogPosition::Feed(feed.id),
            Self::Run(run) => CatalogPosition::Run(run.feed, run.id),
            Self::Reject(feed, reject) => CatalogPosition::Reject(*feed, reject.id),
            Self::Version(plan, version) => CatalogPosition::Version(*plan, version.version),
            Self::Plan { id, .. } => CatalogPosition::Plan(*id),
        }
    }

    /// How many bytes its long texts have.
    #[must_use]
    pub fn bytes(&self) -> usize {
        match self {
            Self::Reject(_, reject) => reject.record.raw.len(),
            Self::Version(_, version) => version.content.zones.as_json().len(),
            _ => 0,
        }
    }
}

/// A whole installation, page by page, as it is stored: tenants of any status, key-values that have ended too.
///
/// Each list is in the order of its keys (texts by their bytes), behind `after`; an empty page is the end. What
/// a page shows is one state; two pages are of one state only if nobody writes in between.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ExportRepository: Send + Sync {
    /// All settings by name, but for [`MOVE_MARKER`](crate::MOVE_MARKER).
    async fn settings(&self) -> Result<Vec<(String, Vec<u8>)>, StorageError>;

    /// All administrators' keys by id.
    async fn admin_keys(&self) -> Result<Vec<AccessKey>, StorageError>;

    /// The largest number that was ever given to a tenant, also to one that is gone.
    async fn last_tenant_number(&self) -> Result<Option<TenantNumber>, StorageError>;

    /// Tenants with their counters, by number.
    async fn tenants(
        &self,
        after: Option<TenantNumber>,
        bound: ExportBound,
    ) -> Result<Vec<StoredTenant>, StorageError>;

    /// How many access keys, events, key-values and rows of its catalog the tenant has, together.
    async fn count_rows(&self, tenant: TenantNumber) -> Result<u64, StorageError>;

    /// The tenant's access keys in the order in which they were made.
    async fn access_keys(
        &self,
        tenant: TenantNumber,
        after: Option<KeyPosition>,
        bound: ExportBound,
    ) -> Result<Vec<AccessKey>, StorageError>;

    /// The tenant's events by sequence.
    async fn events(
        &self,
        tenant: TenantNumber,
        after: Option<Sequence>,
        bound: ExportBound,
    ) -> Result<Vec<Event>, StorageError>;

    /// The tenant's key-values by key.
    async fn key_values(
        &self,
        tenant: TenantNumber,
        after: Option<Key>,
        bound: ExportBound,
    ) -> Result<Vec<Entry>, StorageError>;

    /// The rows of the tenant's catalog by their positions. A page holds rows of one table.
    async fn catalog(
        &self,
        tenant: TenantNumber,
        after: Option<CatalogPosition>,
        bound: ExportBound,
    ) -> Result<Vec<CatalogRow>, StorageError>;
}
