//! What the installation itself must remember.

use async_trait::async_trait;

use crate::error::StorageError;

/// Small named values of the whole installation, shared by all its nodes: no tenant's data.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SettingRepository: Send + Sync {
    /// The value of that name, if there is one.
    async fn find(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError>;

    /// The value of that name; where there is none, stores `value` first. Of several callers at once all
    /// get the same value.
    async fn find_or_insert(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>, StorageError>;
}
