//! Where access keys are kept.

use async_trait::async_trait;
use tenantry_domain::{AccessKey, KeyId, Page, PageLimit, TenantNumber, TenantStatus, Timestamp};

use crate::error::StorageError;

/// What must be known to let a key in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessGrant {
    /// The key.
    pub key: AccessKey,
    /// The status of the tenant whose key it is; nothing for an administrator's.
    pub tenant_status: Option<TenantStatus>,
}

/// Why a key was not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessKeyWriteError {
    /// There is no such tenant, or it is being deleted.
    #[error("there is no such tenant")]
    TenantNotFound,
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// A place in the list of a tenant's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyPosition {
    /// When the key was made.
    pub created_at: Timestamp,
    /// Its id, where several were made at once.
    pub id: KeyId,
}

/// The keys of tenants and of administrators.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait AccessKeyRepository: Send + Sync {
    /// Stores a key of this tenant (the key's owner must be the tenant).
    /// Tells [`CommitListener::access_key_changed`](crate::CommitListener).
    ///
    /// # Errors
    /// [`AccessKeyWriteError::TenantNotFound`] also while the tenant is being deleted.
    async fn insert(&self, tenant: TenantNumber, key: AccessKey) -> Result<(), AccessKeyWriteError>;

    /// The tenant's keys in the order in which they were made, behind `after`.
    async fn list(
        &self,
        tenant: TenantNumber,
        after: Option<KeyPosition>,
        limit: PageLimit,
    ) -> Result<Page<AccessKey>, StorageError>;

    /// Removes a key of this tenant; `false` where the tenant has no such key.
    /// Tells [`CommitListener::access_key_changed`](crate::CommitListener).
    async fn revoke(&self, tenant: TenantNumber, key: KeyId) -> Result<bool, StorageError>;

    /// The key of that id, whoever's it is, with its tenant's status. The one look-up that no tenant comes
    /// first in: it is how the tenant becomes known.
    async fn find_grant(&self, key: KeyId) -> Result<Option<AccessGrant>, StorageError>;

    /// Notes when keys were last used; a time earlier than the one noted changes nothing, and keys that
    /// are gone are passed over.
    async fn record_use(&self, uses: Vec<(KeyId, Timestamp)>) -> Result<(), StorageError>;

    /// Stores an administrator's key if there is none yet; answers whether it did. Of several callers at
    /// once one succeeds. Tells [`CommitListener::access_key_changed`](crate::CommitListener) if it did.
    async fn insert_first_admin_key(&self, key: AccessKey) -> Result<bool, StorageError>;

    /// Whether there is an administrator's key.
    async fn has_admin_key(&self) -> Result<bool, StorageError>;
}
