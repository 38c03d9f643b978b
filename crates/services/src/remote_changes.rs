//! What this node does when it hears from the others.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use tenantry_ports::{BusListener, Change, SharedCacheListener};

use crate::access_key::AccessCache;
use crate::aged::Ages;
use crate::key_value::KeyValueCache;
use crate::propagation::Propagation;
use crate::tenant::TenantCache;

/// Forgets at the first level what other nodes have changed. The app hands it to the bus and to the shared cache.
pub struct RemoteChanges {
    access: Arc<AccessCache>,
    tenants: Arc<TenantCache>,
    key_values: Arc<KeyValueCache>,
    ages: Arc<Ages>,
    propagation: Arc<Propagation>,
}

impl RemoteChanges {
    /// Over these caches, the ones that the services read through; `ages` are theirs.
    #[must_use]
    pub fn new(
        access: Arc<AccessCache>,
        tenants: Arc<TenantCache>,
        key_values: Arc<KeyValueCache>,
        ages: Arc<Ages>,
        propagation: Arc<Propagation>,
    ) -> Self {
        Self { access, tenants, key_values, ages, propagation }
    }

    fn forget_everything(&self) {
        self.access.clear();
        self.tenants.clear();
        self.key_values.clear();
    }
}

impl BusListener for RemoteChanges {
    fn changed(&self, change: Change) {
        match change {
            // Not only forgotten: this node may yet be told of an earlier change of its own.
            Change::KeyValue { tenant, key, revision } => {
                self.key_values.outdate(&(tenant, key), revision.get());
            }
            Change::AccessKey(id) => self.access.remove(&id),
            // As in `CacheCoherence`: nothing says which grants are the tenant's.
            Change::Tenant(tenant) => {
                self.tenants.remove(&tenant);
                self.access.clear();
            }
            Change::Catalog { .. } => {}
            Change::Anything => {
                // Another node may say so because it has begun a new generation of the shared cache.
                if let Some(shared) = self.propagation.shared() {
                    shared.recheck();
                }
                self.forget_everything();
            }
        }
    }

    /// What was announced before may have been missed.
    fn joined(&self) {
        self.forget_everything();
        self.ages.bus_is_joined();
    }

    fn lost(&self) {
        self.ages.bus_is_lost();
        self.forget_everything();
    }
}

impl SharedCacheListener for RemoteChanges {
    /// The other nodes must forget what they have read from it too.
    fn began_generation(&self) {
        self.key_values.clear();
        self.propagation.shared_cache_is_back();
    }

    fn met_generation(&self) {
        self.key_values.clear();
    }
}
