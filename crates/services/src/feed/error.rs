//! Why something about feeds was not done.

use tenantry_domain::Violations;
use tenantry_ports::{ConfirmError, FeedWriteError, RequestError, StorageError};

/// Why something about feeds was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// The tenant has no such feed.
    #[error("there is no such feed")]
    NotFound,
    /// The feed has no such run.
    #[error("there is no such run")]
    RunNotFound,
    /// There is no such tenant, or it is being deleted.
    #[error("there is no such tenant")]
    TenantNotFound,
    /// The tenant has as many feeds as it may have.
    #[error("the tenant has {0} feeds already")]
    TooMany(u32),
    /// The precondition does not hold.
    #[error("the precondition does not hold: the current version is {current}")]
    PreconditionFailed {
        /// The version that stands.
        current: u64,
    },
    /// Others changed the feed each time between reading and writing it: worth another try.
    #[error("the feed is being changed by others again and again")]
    Contended,
    /// The run is not held, so there is nothing to confirm.
    #[error("the run is not held")]
    NotHeld,
    /// What was sent breaks these rules.
    #[error("the feed is not valid: {0}")]
    Invalid(#[from] Violations),
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<FeedWriteError> for FeedError {
    fn from(error: FeedWriteError) -> Self {
        match error {
            FeedWriteError::TenantNotFound => Self::TenantNotFound,
            FeedWriteError::NotFound => Self::NotFound,
            FeedWriteError::TooMany(feeds) => Self::TooMany(feeds),
            FeedWriteError::VersionConflict { current } => Self::PreconditionFailed { current },
            FeedWriteError::Storage(error) => Self::Storage(error),
        }
    }
}

impl From<RequestError> for FeedError {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::NotFound => Self::NotFound,
            RequestError::VersionConflict { current } => Self::PreconditionFailed { current },
            RequestError::Storage(error) => Self::Storage(error),
        }
    }
}

impl From<ConfirmError> for FeedError {
    fn from(error: ConfirmError) -> Self {
        match error {
            ConfirmError::NotFound => Self::RunNotFound,
            ConfirmError::VersionConflict { current } => Self::PreconditionFailed { current },
            ConfirmError::NotHeld => Self::NotHeld,
            ConfirmError::Storage(error) => Self::Storage(error),
        }
    }
}
