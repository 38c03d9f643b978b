//! Reading through a cache: what is held, else one load from storage for all who ask.

#[cfg(test)]
mod tests;

use std::hash::Hash;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt as _;
use tenantry_ports::{LoadTicket, NearCache, StorageError};

use crate::single_flight::SingleFlight;

/// A cache in front of storage.
///
/// Loads are shared under the key *and the ticket* with which they began. A change that a cache is told of
/// makes tickets void, so whoever comes after an acknowledged write holds another ticket than a load that
/// began before it, and never joins that load.
pub(crate) struct ReadThrough<K, V>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    cache: Arc<dyn NearCache<K, V>>,
    loads: SingleFlight<(K, LoadTicket), Result<V, StorageError>>,
}

impl<K, V> ReadThrough<K, V>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    pub(crate) fn new(cache: Arc<dyn NearCache<K, V>>) -> Self {
        Self { cache, loads: SingleFlight::new() }
    }

    /// What the cache holds; nothing: unknown.
    pub(crate) fn held(&self, key: &K) -> Option<V> {
        self.cache.get(key)
    }

    /// What `read` answers, kept in the cache where `keep` says so.
    ///
    /// # Errors
    /// That of `read`, for all who wait for it; [`StorageError::Failed`] when it panicked.
    pub(crate) async fn load<R>(
        &self,
        key: K,
        keep: fn(&V) -> bool,
        read: impl FnOnce(K) -> R + Send + 'static,
    ) -> Result<V, StorageError>
    where
        R: Future<Output = Result<V, StorageError>> + Send + 'static,
    {
        // The ticket comes first and the read after it: see `NearCache`.
        let ticket = self.cache.ticket(&key);
        let cache = Arc::clone(&self.cache);
        let flight = self.loads.join((key.clone(), ticket), move || {
            let work = async move {
                let value = match read(key.clone()).await {
                    // While storage is away nothing can be changed: what is known goes on to be so.
                    Err(StorageError::Unavailable(why)) => {
                        cache.last_known(&key).ok_or(StorageError::Unavailable(why))?
                    }
                    read => read?,
                };
                if keep(&value) {
                    cache.fill(key, value.clone(), ticket);
                }
                Ok(value)
            };
            // A panic is told once, by the panic hook; to those who wait for its work it is a failure.
            AssertUnwindSafe(work).catch_unwind().map(|outcome| {
                outcome.unwrap_or_else(|_| Err(StorageError::Failed("a read panicked".to_owned())))
            })
        });
        flight.await
    }
}
