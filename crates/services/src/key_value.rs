//! Key-values: bytes under a name.

mod cached;
mod error;
mod past;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tenantry_domain::{Entry, Key, Page, Precondition, Revision, TenantNumber};
use tenantry_ports::{
    Clock, EntryQuery, KeyValueRepository, ListedEntry, NewValue, PutOutcome, StorageError,
};

use crate::propagation::{Propagation, settled};
use crate::read_through::ReadThrough;
use crate::shared_reads::SharedReads;
pub use cached::{CachedEntry, KeyValueCache};
pub use error::KeyValueError;

/// What is done with key-values.
pub struct KeyValueService {
    entries: Arc<dyn KeyValueRepository>,
    cached: ReadThrough<(TenantNumber, Key), CachedEntry>,
    clock: Arc<dyn Clock>,
    max_value_bytes: usize,
    propagation: Option<Arc<Propagation>>,
    shared: Option<SharedReads>,
}

impl KeyValueService {
    /// The service over these entries, read through `cache`. Values have at most `max_value_bytes`.
    #[must_use]
    pub fn new(
        entries: Arc<dyn KeyValueRepository>,
        cache: Arc<KeyValueCache>,
        clock: Arc<dyn Clock>,
        max_value_bytes: usize,
    ) -> Self {
        let cached = ReadThrough::new(cache);
        Self { entries, cached, clock, max_value_bytes, propagation: None, shared: None }
    }

    /// Reads through the shared cache too, and answers to writes when the other nodes know of them.
    #[must_use]
    pub fn among_nodes(mut self, propagation: Arc<Propagation>) -> Self {
        self.shared = SharedReads::over(&propagation);
        self.propagation = Some(propagation);
        self
    }

    /// What the cache knows of the key: the entry, or that it is absent (`Some(None)`; so is an entry
    /// whose end has come). `None`: nothing is known, ask [`get`](Self::get).
    #[must_use]
    pub fn get_cached(&self, tenant: TenantNumber, key: &Key) -> Option<Option<Arc<Entry>>> {
        Some(self.live(self.cached.held(&(tenant, key.clone()))?))
    }

    /// The entry, unless its end has come. The clock is not asked where there is none.
    fn live(&self, cached: CachedEntry) -> Option<Arc<Entry>> {
        cached.entry.filter(|entry| entry.meta.expires_at.is_none() || entry.meta.is_live(self.clock.now()))
    }

    /// The entry: from the cache, else from storage, in one read for all who ask at the same time.
    ///
    /// # Errors
    /// [`KeyValueError::KeyNotFound`], [`KeyValueError::Storage`].
    pub async fn get(&self, tenant: TenantNumber, key: Key) -> Result<Arc<Entry>, KeyValueError> {
        if let Some(known) = self.get_cached(tenant, &key) {
            return known.ok_or(KeyValueError::KeyNotFound);
        }
        let (entries, shared) = (Arc::clone(&self.entries), self.shared.clone());
        let read = |(tenant, key): (TenantNumber, Key)| async move {
            match shared {
                Some(shared) => shared.load(tenant, &key, entries.find(tenant, key.clone())).await,
                None => Ok(entries.find(tenant, key).await?.into()),
            }
        };
        let loaded = self.cached.load((tenant, key), |_| true, read).await?;
        self.live(loaded).ok_or(KeyValueError::KeyNotFound)
    }

    /// Stores a value if the precondition holds.
    ///
    /// # Errors
    /// [`KeyValueError::TooLarge`], before storage is asked; [`KeyValueError::PreconditionFailed`],
    /// [`KeyValueError::TenantNotFound`], [`KeyValueError::Storage`].
    pub async fn put(
        &self,
        tenant: TenantNumber,
        key: Key,
        value: NewValue,
        precondition: Precondition,
    ) -> Result<PutOutcome, KeyValueError> {
        if value.bytes.len() > self.max_value_bytes {
            return Err(KeyValueError::TooLarge { limit: self.max_value_bytes });
        }
        let outcome = self.entries.put(tenant, key, value, precondition).await?;
        settled(self.propagation.as_ref()).await;
        Ok(outcome)
    }

    /// Removes a key if the precondition holds; answers with the revision that this took.
    ///
    /// # Errors
    /// [`KeyValueError::KeyNotFound`], [`KeyValueError::PreconditionFailed`],
    /// [`KeyValueError::TenantNotFound`], [`KeyValueError::Storage`].
    pub async fn delete(
        &self,
        tenant: TenantNumber,
        key: Key,
        precondition: Precondition,
    ) -> Result<Revision, KeyValueError> {
        let revision = self.entries.delete(tenant, key, precondition).await?;
        settled(self.propagation.as_ref()).await;
        Ok(revision)
    }

    /// Adds `by` to a decimal integer and answers with the sum; an absent key becomes `initial`, to which
    /// `by` is not added.
    ///
    /// # Errors
    /// [`KeyValueError::KeyNotFound`] where the key is absent and there is no `initial`;
    /// [`KeyValueError::Increment`], [`KeyValueError::PreconditionFailed`],
    /// [`KeyValueError::TenantNotFound`], [`KeyValueError::Storage`].
    pub async fn increment(
        &self,
        tenant: TenantNumber,
        key: Key,
        by: i64,
        initial: Option<i64>,
        precondition: Precondition,
    ) -> Result<(PutOutcome, i64), KeyValueError> {
        let outcome = self.entries.increment(tenant, key, by, initial, precondition).await?;
        settled(self.propagation.as_ref()).await;
        Ok(outcome)
    }

    /// A page of the tenant's entries, by key.
    ///
    /// # Errors
    /// [`KeyValueError::Storage`].
    pub async fn list(
        &self,
        tenant: TenantNumber,
        query: EntryQuery,
    ) -> Result<Page<ListedEntry>, KeyValueError> {
        Ok(self.entries.list(tenant, query).await?)
    }

    /// Removes at most `limit` entries, of any tenants, whose end has come, and answers how many: fewer
    /// than `limit` means that none is left for now.
    ///
    /// # Errors
    /// When storage did not do it.
    pub async fn remove_expired(&self, limit: u32) -> Result<u32, StorageError> {
        self.entries.remove_expired(limit).await
    }
}
