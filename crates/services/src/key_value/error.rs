//! Why something about key-values was not done.

use tenantry_domain::{IncrementError, Revision};
use tenantry_ports::{KeyValueWriteError, StorageError};

/// Why something about key-values was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyValueError {
    /// There is no such tenant, or it is being deleted.
    #[error("there is no such tenant")]
    TenantNotFound,
    /// The key is absent.
    #[error("there is no such key")]
    KeyNotFound,
    /// The precondition does not hold.
    #[error("the precondition does not hold: the current revision is {}", current.map_or_else(|| "none".to_owned(), |r| r.to_string()))]
    PreconditionFailed {
        /// The revision that stands; nothing where the key is absent.
        current: Option<Revision>,
    },
    /// The value cannot be incremented so.
    #[error(transparent)]
    Increment(#[from] IncrementError),
    /// The value has too many bytes.
    #[error("a value must be at most {limit} bytes long")]
    TooLarge {
        /// The most bytes of a value.
        limit: usize,
    },
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<KeyValueWriteError> for KeyValueError {
    fn from(error: KeyValueWriteError) -> Self {
        match error {
            KeyValueWriteError::TenantNotFound => Self::TenantNotFound,
            KeyValueWriteError::KeyNotFound => Self::KeyNotFound,
            KeyValueWriteError::PreconditionFailed { current } => Self::PreconditionFailed { current },
            KeyValueWriteError::Increment(error) => Self::Increment(error),
            KeyValueWriteError::Storage(error) => Self::Storage(error),
        }
    }
}
