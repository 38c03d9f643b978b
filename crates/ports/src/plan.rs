//! Where plans are kept, once a run has brought them.

use async_trait::async_trait;
use tenantry_domain::{
    CatalogRevision, FeedId, Page, PageLimit, Plan, PlanId, PlanKey, PlanVersion, SearchablePlan,
    TenantNumber, Timestamp,
};

use crate::error::StorageError;

/// Everything that a search may find, as of one revision.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchablePlans {
    /// The revision.
    pub revision: CatalogRevision,
    /// The plans that were ever sold online, by when they start and then by id.
    pub plans: Vec<SearchablePlan>,
}

/// The catalog of each tenant, to be read. It is written by [`FeedRunRepository`](crate::FeedRunRepository).
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait PlanRepository: Send + Sync {
    /// The tenant's plan of that id, with its zones.
    async fn find(&self, tenant: TenantNumber, plan: PlanId) -> Result<Option<Plan>, StorageError>;

    /// The tenant's plan that this feed's provider knows so, with its zones.
    async fn find_of(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        key: &PlanKey,
    ) -> Result<Option<Plan>, StorageError>;

    /// The plan's versions, the newest first, behind `after`. The page ends early, behind the version with which their
    /// zones reach `max_zone_bytes`. Nothing where the tenant has no such plan.
    async fn history(
        &self,
        tenant: TenantNumber,
        plan: PlanId,
        after: Option<u32>,
        limit: PageLimit,
        max_zone_bytes: u64,
    ) -> Result<Option<Page<PlanVersion>>, StorageError>;

    /// The version that held at `moment`: the last one seen at or before it. Nothing where there is no such plan, or
    /// it was not known then.
    async fn version_at(
        &self,
        tenant: TenantNumber,
        plan: PlanId,
        moment: Timestamp,
    ) -> Result<Option<PlanVersion>, StorageError>;

    /// The revision of the tenant's catalog; 0 also where there is no such tenant.
    async fn revision(&self, tenant: TenantNumber) -> Result<CatalogRevision, StorageError>;

    /// Everything that a search may find, in one state of the catalog: with each plan's newest content.
    async fn searchable(&self, tenant: TenantNumber) -> Result<SearchablePlans, StorageError>;
}
