//! Plans, one by one: as they are, and as they were.

use std::sync::Arc;

use tenantry_domain::{Page, PageLimit, Plan, PlanId, PlanVersion, TenantNumber, Timestamp};
use tenantry_ports::{PlanRepository, StorageError};

/// Why a plan was not shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The tenant's catalog has no such plan.
    #[error("there is no such plan")]
    NotFound,
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What is asked about plans. They change by [runs](crate::FeedService) of feeds alone.
pub struct PlanService {
    plans: Arc<dyn PlanRepository>,
    max_page_bytes: u64,
}

impl PlanService {
    /// The service over these plans. A page of versions ends early where their zones reach `max_page_bytes`.
    #[must_use]
    pub fn new(plans: Arc<dyn PlanRepository>, max_page_bytes: u64) -> Self {
        Self { plans, max_page_bytes }
    }

    /// The tenant's plan of that id, with its zones.
    ///
    /// # Errors
    /// [`PlanError::NotFound`], [`PlanError::Storage`].
    pub async fn get(&self, tenant: TenantNumber, plan: PlanId) -> Result<Plan, PlanError> {
        self.plans.find(tenant, plan).await?.ok_or(PlanError::NotFound)
    }

    /// A page of the plan's versions, the newest first, behind `after`.
    ///
    /// # Errors
    /// [`PlanError::NotFound`], [`PlanError::Storage`].
    pub async fn history(
        &self,
        tenant: TenantNumber,
        plan: PlanId,
        after: Option<u32>,
        limit: PageLimit,
    ) -> Result<Page<PlanVersion>, PlanError> {
        let page = self.plans.history(tenant, plan, after, limit, self.max_page_bytes).await?;
        page.ok_or(PlanError::NotFound)
    }

    /// The version that held at `moment`.
    ///
    /// # Errors
    /// [`PlanError::NotFound`], also where the plan was not known then; [`PlanError::Storage`].
    pub async fn version_at(
        &self,
        tenant: TenantNumber,
        plan: PlanId,
        moment: Timestamp,
    ) -> Result<PlanVersion, PlanError> {
        self.plans.version_at(tenant, plan, moment).await?.ok_or(PlanError::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use mockall::predicate::eq;
    use tenantry_ports::MockPlanRepository;
    use uuid::Uuid;

    use super::*;
    use crate::samples::{down, number, time};

    #[test]
    fn what_the_catalog_does_not_have_is_not_found() {
        let id = PlanId::new(Uuid::from_u128(1));
        let mut plans = MockPlanRepository::new();
        plans.expect_find().with(eq(number(7)), eq(id)).returning(|_, _| Ok(None));
        plans
            .expect_history()
            .with(eq(number(7)), eq(id), eq(None), eq(PageLimit::MAX), eq(9))
            .returning(|_, _, _, _, _| Ok(None));
        plans.expect_version_at().with(eq(number(7)), eq(id), eq(time(1))).returning(|_, _, _| Ok(None));
        let service = PlanService::new(Arc::new(plans), 9);
        assert_eq!(service.get(number(7), id).now_or_never(), Some(Err(PlanError::NotFound)));
        let history = service.history(number(7), id, None, PageLimit::MAX);
        assert_eq!(history.now_or_never(), Some(Err(PlanError::NotFound)));
        assert_eq!(service.version_at(number(7), id, time(1)).now_or_never(), Some(Err(PlanError::NotFound)));
    }

    #[test]
    fn storage_that_is_down_is_told() {
        let mut plans = MockPlanRepository::new();
        plans.expect_find().returning(|_, _| Err(down()));
        let service = PlanService::new(Arc::new(plans), 9);
        let got = service.get(number(7), PlanId::new(Uuid::nil())).now_or_never();
        assert_eq!(got, Some(Err(PlanError::Storage(down()))));
    }
}
