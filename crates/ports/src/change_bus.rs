//! How nodes tell each other that something has changed.

use async_trait::async_trait;
use tenantry_domain::{CatalogRevision, Key, KeyId, Revision, TenantNumber};

/// Something that has changed. It says what, never to what: receivers forget what they hold of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Change {
    /// A tenant's key-value was put or deleted, or has expired, at this revision.
    KeyValue {
        /// Whose.
        tenant: TenantNumber,
        /// Which.
        key: Key,
        /// The write that did it.
        revision: Revision,
    },
    /// An access key was made or revoked.
    AccessKey(KeyId),
    /// A tenant was changed, or is gone.
    Tenant(TenantNumber),
    /// A tenant's catalog has this revision now.
    Catalog {
        /// Whose.
        tenant: TenantNumber,
        /// The revision.
        revision: CatalogRevision,
    },
    /// Changes were lost: it may be anything.
    Anything,
}

/// Why other nodes were not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// The bus is out of reach, or did not answer in time.
    #[error("the invalidation bus is not available: {0}")]
    Unavailable(String),
}

/// The bus by which nodes tell each other of changes.
///
/// An adapter has a task that receives, and tells its [`BusListener`]: `joined` when it has begun to receive,
/// `changed` for each change that *another* node announces, in the order of that node's announcements, and
/// `lost` within two seconds of not receiving any more (also where the peer only stopped answering). It tells
/// `joined` and `lost` in turn, and begins with `joined`. While it has not joined, announcing fails at once.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ChangeBus: Send + Sync {
    /// Tells every other node. When it has answered `Ok`, all nodes that have joined are about to receive it.
    ///
    /// # Errors
    /// When it is not certain that they are, after the bus's time limit at the latest; some may have been told.
    async fn announce(&self, changes: Vec<Change>) -> Result<(), BusError>;
}

/// Hears what other nodes announce. It must not block.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait BusListener: Send + Sync {
    /// Another node has changed this.
    fn changed(&self, change: Change);

    /// From now on this node hears of every change. What was announced before may have been missed.
    fn joined(&self);

    /// Changes are not heard of any more.
    fn lost(&self);
}
