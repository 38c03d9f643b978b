//! What the cache of key-values holds.

use std::mem::size_of;
use std::sync::Arc;

use tenantry_domain::{Entry, Key, Revision, TenantNumber};
use tenantry_ports::NearCache;

/// The cache of key-values.
pub type KeyValueCache = dyn NearCache<(TenantNumber, Key), CachedEntry>;

/// What is known of a key: its entry, or that it is absent, as of a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedEntry {
    /// The write that made it so; 0 for an absence that was read, of which no revision is known.
    pub revision: Revision,
    /// The entry; nothing where the key is absent.
    pub entry: Option<Arc<Entry>>,
}

impl CachedEntry {
    /// About how many bytes this takes in a cache.
    #[must_use]
    pub fn weigh(key: &(TenantNumber, Key), cached: &Self) -> u32 {
        let entry = cached.entry.as_ref().map_or(0, |entry| {
            let meta = &entry.meta;
            size_of::<Entry>()
                + entry.value.len()
                + meta.key.as_str().len()
                + meta.content_type.as_str().len()
        });
        u32::try_from(size_of::<Self>() + key.1.as_str().len() + entry).unwrap_or(u32::MAX)
    }

    /// Of two values of one key the one with the higher version is the newer.
    #[must_use]
    pub fn version(cached: &Self) -> u64 {
        cached.revision.get()
    }
}

impl From<Option<Arc<Entry>>> for CachedEntry {
    /// What was read from storage.
    fn from(entry: Option<Arc<Entry>>) -> Self {
        Self { revision: entry.as_ref().map_or_else(Revision::default, |entry| entry.meta.revision), entry }
    }
}
