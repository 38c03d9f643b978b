//! The cache beside the process, which all nodes share.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tenantry_domain::{Key, Revision, TenantNumber};

/// Why a change did not reach the shared cache.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// It is out of reach, or did not answer in time.
    #[error("the shared cache is not available: {0}")]
    Unavailable(String),
}

/// The right of one reader of all nodes to fill one key: given by [`SharedCache::look_up`], and lost when the
/// key is changed, when another fills it, or after about a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FillLease {
    /// By which the cache knows it again.
    pub token: u64,
    /// The generation that was current when the lease was given: what it fills is of that generation, however
    /// long the read took.
    pub generation: u64,
}

/// What is known of a key: its value, or that it is absent, as of a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedValue {
    /// The write that made it so; 0 for an absence that was read, of which no revision is known.
    pub version: Revision,
    /// The value, whose form is the business of who put it; nothing where the key is absent.
    pub value: Option<Bytes>,
}

/// What the shared cache says of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SharedLookup {
    /// This is held.
    Held(SharedValue),
    /// Nothing is held: the caller is the one who shall read storage and [fill](SharedCache::fill).
    Lease(FillLease),
    /// Nothing is held, and another reads storage just now.
    Busy,
    /// The cache cannot be asked: read storage, and fill nothing.
    Unknown,
}

/// A key-value that has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// Whose.
    pub tenant: TenantNumber,
    /// Which.
    pub key: Key,
    /// What it is now.
    pub value: SharedValue,
    /// How long it may be held at most.
    pub lifetime: Duration,
}

/// A bounded cache that all nodes share. It may forget anything at any time, and may be down.
///
/// # Generations
/// A cache that was out of reach may come back with what was true before. So each entry carries a *generation*.
/// A node that lost touch (a call that failed or timed out, a connection that broke, its own start) begins a new
/// generation before it believes anything again, and no node believes an entry of an older generation than the
/// newest that it knows. A node looks for a newer generation at least every second.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait SharedCache: Send + Sync {
    /// What is held for the tenant's key. It never fails, and answers within the cache's time limit;
    /// while the cache is down it answers [`SharedLookup::Unknown`] at once.
    async fn look_up(&self, tenant: TenantNumber, key: &Key) -> SharedLookup;

    /// Keeps what was read from storage since the lease was given, for at most `lifetime`. It does nothing where
    /// the lease is lost, or the cache is down.
    async fn fill(
        &self,
        tenant: TenantNumber,
        key: &Key,
        lease: FillLease,
        value: SharedValue,
        lifetime: Duration,
    );

    /// Makes each of the keys what it has become, unless something newer is held, and takes away the leases of
    /// these keys. What the cache cannot hold (it is too large, say) it must not hold an older value of either.
    ///
    /// # Errors
    /// When it is not certain that all of it was done. From before this answer until a new generation has begun
    /// the cache is down for this node.
    async fn replace_all(&self, replacements: Vec<Replacement>) -> Result<(), CacheError>;

    /// Changes were lost that should have been replaced: what is held may be old. From this call until a new
    /// generation has begun the cache is down for this node. It does not block.
    fn distrust(&self);

    /// Another node may have begun a new generation: looks for it soon. It does not block.
    fn recheck(&self);
}

/// Hears what becomes of the shared cache. It must not block.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait SharedCacheListener: Send + Sync {
    /// This node had lost touch, and has begun a new generation. Whatever any node has read from the cache before
    /// may be old.
    fn began_generation(&self);

    /// Another node has begun a new generation. Whatever this node has read from the cache before may be old.
    fn met_generation(&self);
}
