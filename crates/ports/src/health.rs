//! Whether what Tenantry depends on is there.

use async_trait::async_trait;

use crate::error::StorageError;

/// One dependency that can be asked whether it works.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait HealthProbe: Send + Sync {
    /// Its name in reports: `database`, …
    fn name(&self) -> &'static str;

    /// Whether nothing works without it: then the server is not ready while it is down.
    fn is_needed(&self) -> bool {
        true
    }

    /// Tries it, within 2 seconds.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when it does not answer in time or cannot be used.
    async fn check(&self) -> Result<(), StorageError>;
}
