//! Why a caller was not let in, and why something about keys was not done.

use tenantry_domain::{MalformedKey, Violations};
use tenantry_ports::{AccessKeyWriteError, StorageError};

/// Why a caller was not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The text is not that of a key.
    #[error("the text is not an access key")]
    Malformed,
    /// The key is not known, or was revoked, or its secret is wrong, or its tenant is being deleted. Which
    /// of these is not told: it would say that the key exists.
    #[error("the access key is not known")]
    Unknown,
    /// The key is past its time.
    #[error("the access key has expired")]
    Expired,
    /// The key's tenant is suspended.
    #[error("the tenant is suspended")]
    TenantSuspended,
    /// Storage does not say whether the key is good.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<MalformedKey> for AccessError {
    fn from(_: MalformedKey) -> Self {
        Self::Malformed
    }
}

/// Why something about keys was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessKeyError {
    /// There is no such tenant, or it is being deleted.
    #[error("there is no such tenant")]
    TenantNotFound,
    /// The tenant has no such key.
    #[error("there is no such access key")]
    KeyNotFound,
    /// The draft breaks these rules.
    #[error("the access key is not valid: {0}")]
    Invalid(#[from] Violations),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Entropy,
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<AccessKeyWriteError> for AccessKeyError {
    fn from(error: AccessKeyWriteError) -> Self {
        match error {
            AccessKeyWriteError::TenantNotFound => Self::TenantNotFound,
            AccessKeyWriteError::Storage(error) => Self::Storage(error),
        }
    }
}
