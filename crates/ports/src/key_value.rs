//! Where key-values are kept.

use std::sync::Arc;

use async_trait::async_trait;
use tenantry_domain::{
    ContentType, Entry, EntryMeta, IncrementError, Key, Page, PageLimit, Precondition, Revision,
    TenantNumber, TimeToLive,
};

use crate::error::StorageError;

/// A value to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewValue {
    /// The bytes.
    pub bytes: bytes::Bytes,
    /// What kind of bytes.
    pub content_type: ContentType,
    /// How long it lives after the write; for good where absent.
    pub ttl: Option<TimeToLive>,
}

/// What a put did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutOutcome {
    /// The entry, as it stands now.
    pub entry: Arc<Entry>,
    /// Whether the key was absent before.
    pub created: bool,
}

/// Why a key-value was not written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyValueWriteError {
    /// There is no such tenant, or it is being deleted.
    #[error("there is no such tenant")]
    TenantNotFound,
    /// The key is absent, and this write needs it.
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
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// Which entries to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryQuery {
    /// Only keys that begin so; empty: all.
    pub prefix: String,
    /// The last key seen.
    pub after: Option<Key>,
    /// How many at most.
    pub limit: PageLimit,
    /// Leave the values out.
    pub keys_only: bool,
    /// End the page early, behind the entry with which its values reach this many bytes together.
    pub max_value_bytes: u64,
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedEntry {
    /// Everything but the bytes.
    pub meta: EntryMeta,
    /// The bytes, unless they were left out.
    pub value: Option<bytes::Bytes>,
}

/// The key-values of each tenant.
///
/// Every write that happens takes the tenant's next revision, starting at 1, in commit order and without
/// gaps. A key whose `expires_at` has come is absent for every method from that moment on. Times are those
/// of the transaction. Writes tell [`CommitListener::key_value_changed`](crate::CommitListener).
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait KeyValueRepository: Send + Sync {
    /// Stores a value if the precondition holds. A key that was absent gets version 1 and `created_at`
    /// now; any other its next version. A value without a time to live lives for good, also where the one
    /// before would have ended.
    ///
    /// # Errors
    /// [`KeyValueWriteError::TenantNotFound`], [`KeyValueWriteError::PreconditionFailed`].
    async fn put(
        &self,
        tenant: TenantNumber,
        key: Key,
        value: NewValue,
        precondition: Precondition,
    ) -> Result<PutOutcome, KeyValueWriteError>;

    /// The entry of that key.
    async fn find(&self, tenant: TenantNumber, key: Key) -> Result<Option<Arc<Entry>>, StorageError>;

    /// Removes a key if the precondition holds, and answers with the revision that this took.
    ///
    /// # Errors
    /// [`KeyValueWriteError::KeyNotFound`] where the key is absent and the precondition does not ask for
    /// it to be there; [`KeyValueWriteError::PreconditionFailed`]; [`KeyValueWriteError::TenantNotFound`].
    async fn delete(
        &self,
        tenant: TenantNumber,
        key: Key,
        precondition: Precondition,
    ) -> Result<Revision, KeyValueWriteError>;

    /// Adds `by` to a value that is a decimal integer in ASCII, keeping its content type and its end. An
    /// absent key becomes `initial`, to which `by` is *not* added (as memcached's auto-vivification has
    /// it), as plain text and for good. Answers with the entry and its number.
    ///
    /// # Errors
    /// [`KeyValueWriteError::KeyNotFound`] where the key is absent and there is no `initial`;
    /// [`KeyValueWriteError::Increment`]; [`KeyValueWriteError::PreconditionFailed`];
    /// [`KeyValueWriteError::TenantNotFound`].
    async fn increment(
        &self,
        tenant: TenantNumber,
        key: Key,
        by: i64,
        initial: Option<i64>,
        precondition: Precondition,
    ) -> Result<(PutOutcome, i64), KeyValueWriteError>;

    /// The tenant's entries by key, in the order of the keys' bytes.
    async fn list(&self, tenant: TenantNumber, query: EntryQuery) -> Result<Page<ListedEntry>, StorageError>;

    /// Removes at most `limit` entries, of any tenants, whose end has come; each takes a revision of its
    /// tenant. Answers how many.
    async fn remove_expired(&self, limit: u32) -> Result<u32, StorageError>;
}
