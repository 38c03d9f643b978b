//! The caches hear of every commit.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tenantry_domain::{CatalogRevision, Entry, Key, KeyId, Revision, TenantNumber};
use tenantry_ports::CommitListener;

use crate::access_key::AccessCache;
use crate::key_value::{CachedEntry, KeyValueCache};
use crate::propagation::{Propagation, Subject};
use crate::tenant::TenantCache;

/// The [`CommitListener`] that keeps the three caches true. The app hands it to the storage adapter.
pub struct CacheCoherence {
    access: Arc<AccessCache>,
    tenants: Arc<TenantCache>,
    key_values: Arc<KeyValueCache>,
    propagation: Option<Arc<Propagation>>,
}

impl CacheCoherence {
    /// Keeps these caches true: the ones that the services read through.
    #[must_use]
    pub fn new(access: Arc<AccessCache>, tenants: Arc<TenantCache>, key_values: Arc<KeyValueCache>) -> Self {
        Self { access, tenants, key_values, propagation: None }
    }

    /// Also carries each change to the other nodes.
    #[must_use]
    pub fn among_nodes(mut self, propagation: Arc<Propagation>) -> Self {
        self.propagation = Some(propagation);
        self
    }

    /// To be called before the caches of this node are told: see [`Propagation`].
    fn propagate(&self, subject: impl FnOnce() -> Subject, entry: Option<&CachedEntry>) {
        if let Some(propagation) = &self.propagation {
            propagation.push(subject(), entry.cloned());
        }
    }
}

impl CommitListener for CacheCoherence {
    fn key_value_changed(
        &self,
        tenant: TenantNumber,
        key: &Key,
        revision: Revision,
        entry: Option<Arc<Entry>>,
    ) {
        let now = CachedEntry { revision, entry };
        self.propagate(|| Subject::KeyValue(tenant, key.clone()), Some(&now));
        self.key_values.replace((tenant, key.clone()), now);
    }

    fn key_value_in_doubt(&self, tenant: TenantNumber, key: &Key) {
        if let Some(propagation) = &self.propagation {
            propagation.doubt();
        }
        self.key_values.remove(&(tenant, key.clone()));
    }

    fn access_key_changed(&self, id: KeyId) {
        self.propagate(|| Subject::AccessKey(id), None);
        self.access.remove(&id);
    }

    /// A grant holds its tenant's status, and nothing says which grants are a tenant's: all are forgotten.
    /// Tenants change seldom, and a forgotten grant costs one read.
    fn tenant_changed(&self, tenant: TenantNumber) {
        self.propagate(|| Subject::Tenant(tenant), None);
        self.tenants.remove(&tenant);
        self.access.clear();
    }

    fn catalog_changed(&self, tenant: TenantNumber, revision: CatalogRevision) {
        self.propagate(|| Subject::Catalog(tenant, revision), None);
    }
}
