//! Where tenants are kept.

use async_trait::async_trait;
use tenantry_domain::{
    JsonObject, NewTenant, Page, PageLimit, PastTenant, Tenant, TenantFilter, TenantName, TenantNumber,
    TenantStatus,
};

use crate::error::StorageError;

/// What a tenant is to be from now on.
#[derive(Debug, Clone, PartialEq)]
pub struct TenantUpdate {
    /// Its name.
    pub name: TenantName,
    /// What its administrator keeps about it.
    pub info: JsonObject,
    /// Its status.
    pub status: TenantStatus,
}

/// Why a tenant was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TenantWriteError {
    /// There is no such tenant.
    #[error("there is no such tenant")]
    NotFound,
    /// The tenant's version is another one than the caller expected.
    #[error("the tenant has changed: its version is {current}")]
    VersionConflict {
        /// The version it has.
        current: u64,
    },
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// What became of a tenant that another system kept under a number.
#[derive(Debug, Clone, PartialEq)]
pub enum PastTenantOutcome {
    /// It is stored under its number.
    Created(Tenant),
    /// A tenant has that number, and is left as it is: this one.
    Held(Tenant),
    /// The number was that of a tenant that is gone: it is never given again.
    Retired,
}

/// What the settings call it that a number is never given again: this, and the number. Set when a tenant is gone,
/// since caches may know its data for a while.
pub const RETIRED_NUMBER: &str = "retired_tenant_number/";

/// The registry of tenants.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait TenantRepository: Send + Sync {
    /// Stores a tenant under the next number: larger than any number ever given, also to tenants that are
    /// gone. It is active, of version 1, created and updated now.
    async fn create(&self, tenant: NewTenant) -> Result<Tenant, StorageError>;

    /// Stores a tenant that another system kept, under the number that it had there, if that is free: no tenant
    /// has it, and none that is gone had it. It is active, of version 1, and has the times that
    /// [`PastTenant::times`] gives it. New tenants' numbers are larger from then on.
    async fn create_past(&self, tenant: PastTenant) -> Result<PastTenantOutcome, StorageError>;

    /// The tenant of that number, whatever its status.
    async fn find(&self, tenant: TenantNumber) -> Result<Option<Tenant>, StorageError>;

    /// The tenants that the filter shows, by number, behind `after`.
    async fn list(
        &self,
        filter: TenantFilter,
        after: Option<TenantNumber>,
        limit: PageLimit,
    ) -> Result<Page<Tenant>, StorageError>;

    /// Changes a tenant that still has `expected_version`; the version grows by one, `updated_at` is now
    /// (and never falls). A change to [`TenantStatus::Deleting`] begins the erasure: from then on the
    /// tenant's keys do not authenticate, and writes of its data answer that there is no such tenant.
    /// Tells [`CommitListener::tenant_changed`](crate::CommitListener).
    ///
    /// # Errors
    /// [`TenantWriteError::NotFound`]; [`TenantWriteError::VersionConflict`] with the version that stands.
    async fn update(
        &self,
        tenant: TenantNumber,
        expected_version: u64,
        update: TenantUpdate,
    ) -> Result<Tenant, TenantWriteError>;

    /// The numbers of tenants that are being deleted, lowest first, at most `limit`.
    async fn deleting(&self, limit: PageLimit) -> Result<Vec<TenantNumber>, StorageError>;

    /// Erases at most `max_rows` rows of a tenant that is being deleted, and, once none is left, the
    /// tenant itself. Adds what it erased to the tenant's [`Erasure`](tenantry_domain::Erasure).
    /// Answers whether the tenant is gone; `true` also where there was none. Does nothing, and answers
    /// `false`, for a tenant that is not being deleted. Tells
    /// [`CommitListener::tenant_changed`](crate::CommitListener) when the tenant is gone, and stores the setting
    /// [`RETIRED_NUMBER`] for its number.
    async fn erase_some(&self, tenant: TenantNumber, max_rows: u32) -> Result<bool, StorageError>;
}
