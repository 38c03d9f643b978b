//! Why something about tenants was not done.

use tenantry_domain::Violations;
use tenantry_ports::StorageError;

/// Why something about tenants was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TenantError {
    /// There is no such tenant, or the caller may not know of it.
    #[error("there is no such tenant")]
    NotFound,
    /// An administrator's request about a tenant's data names no tenant.
    #[error("a tenant must be named")]
    TenantRequired,
    /// The tenant is suspended, and answers nobody without a key.
    #[error("the tenant is suspended")]
    Suspended,
    /// The tenant is being deleted, and is not changed any more.
    #[error("the tenant is being deleted")]
    Deleting,
    /// The precondition does not hold.
    #[error("the precondition does not hold: the current version is {current}")]
    PreconditionFailed {
        /// The version that stands.
        current: u64,
    },
    /// Others changed the tenant each time between reading and writing it: worth another try.
    #[error("the tenant is being changed by others again and again")]
    Contended,
    /// What was sent breaks these rules.
    #[error("the tenant is not valid: {0}")]
    Invalid(#[from] Violations),
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}
