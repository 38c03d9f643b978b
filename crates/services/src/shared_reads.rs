//! Reading key-values from the shared cache, else from storage, and filling it.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use tenantry_domain::{Entry, Key, TenantNumber};
use tenantry_ports::{SharedCache, SharedLookup, SharedValue, StorageError};

use crate::key_value::CachedEntry;
use crate::propagation::Propagation;
use crate::shared_entry;

/// How long to wait for what another node is reading, before each further look: 250 ms in all.
const PAUSES_MS: [u64; 7] = [2, 4, 8, 16, 32, 64, 124];

/// The second level of the cache of key-values.
#[derive(Clone)]
pub(crate) struct SharedReads {
    shared: Arc<dyn SharedCache>,
    propagation: Arc<Propagation>,
}

impl SharedReads {
    /// Over the shared cache that the changes are carried to, if there is one.
    pub(crate) fn over(propagation: &Arc<Propagation>) -> Option<Self> {
        let shared = Arc::clone(propagation.shared()?);
        Some(Self { shared, propagation: Arc::clone(propagation) })
    }

    /// What is known of the key: from the shared cache, else by `read`, which asks storage.
    ///
    /// # Errors
    /// That of `read`.
    pub(crate) async fn load(
        &self,
        tenant: TenantNumber,
        key: &Key,
        read: impl Future<Output = Result<Option<Arc<Entry>>, StorageError>> + Send,
    ) -> Result<CachedEntry, StorageError> {
        if self.propagation.is_pending(tenant, key) {
            return Ok(read.await?.into());
        }
        let mut pauses = PAUSES_MS.into_iter();
        loop {
            match self.shared.look_up(tenant, key).await {
                SharedLookup::Held(value) => {
                    return match held(key, value) {
                        Some(cached) => Ok(cached),
                        None => Ok(read.await?.into()),
                    };
                }
                SharedLookup::Lease(lease) => {
                    let cached = CachedEntry::from(read.await?);
                    let value = cached.entry.as_deref().map(shared_entry::encode);
                    let value = SharedValue { version: cached.revision, value };
                    let lifetime = self.propagation.lifetimes().of(&cached);
                    self.shared.fill(tenant, key, lease, value, lifetime).await;
                    return Ok(cached);
                }
                SharedLookup::Busy => match pauses.next() {
                    Some(pause) => self.propagation.timer().pause(Duration::from_millis(pause)).await,
                    None => return Ok(read.await?.into()),
                },
                SharedLookup::Unknown => return Ok(read.await?.into()),
            }
        }
    }
}

/// What the shared cache holds; nothing where this Tenantry does not understand it.
fn held(key: &Key, held: SharedValue) -> Option<CachedEntry> {
    let revision = held.version;
    let entry = match held.value {
        Some(bytes) => Some(Arc::new(shared_entry::decode(&bytes, key.clone(), revision)?)),
        None => None,
    };
    Some(CachedEntry { revision, entry })
}
