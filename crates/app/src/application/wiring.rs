//! Which adapter stands behind which port.

use std::sync::Arc;

use tenantry_cache_memory::MemoryCache;
use tenantry_http::Services;
use tenantry_ports::{Clock, SystemClock};
use tenantry_services::{
    AccessCache, AccessService, CacheCoherence, CachedEntry, CachedGrant, CachedTenant, EventService,
    KeyValueCache, KeyValueService, TenantCache, TenantService,
};

use super::storage::{OpenError, Storage};
use crate::config::Config;

/// Storage that is open, with the services over it.
pub(crate) struct Core {
    pub(crate) storage: Storage,
    pub(crate) tenants: Arc<TenantService>,
    access: Arc<AccessService>,
    events: Arc<EventService>,
    key_values: Arc<KeyValueService>,
    clock: Arc<dyn Clock>,
}

impl Core {
    /// Opens storage, and brings its schema up to date.
    pub(crate) fn open(config: &Config) -> Result<Self, OpenError> {
        let sizes = &config.settings().cache;
        let access: Arc<AccessCache> =
            Arc::new(MemoryCache::new(sizes.access_max_bytes, CachedGrant::weigh, CachedGrant::version));
        let tenants: Arc<TenantCache> =
            Arc::new(MemoryCache::new(sizes.tenants_max_bytes, CachedTenant::weigh, CachedTenant::version));
        let key_values: Arc<KeyValueCache> =
            Arc::new(MemoryCache::new(sizes.key_values_max_bytes, CachedEntry::weigh, CachedEntry::version));
        let coherence =
            CacheCoherence::new(Arc::clone(&access), Arc::clone(&tenants), Arc::clone(&key_values));

        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let storage = Storage::open(config, Arc::clone(&clock), Arc::new(coherence))?;
        let max_value_bytes = config.settings().limits.max_value_bytes;
        Ok(Self {
            tenants: Arc::new(TenantService::new(storage.tenants.clone(), tenants)),
            access: Arc::new(AccessService::new(storage.access_keys.clone(), access, Arc::clone(&clock))),
            events: Arc::new(EventService::new(storage.events.clone())),
            key_values: Arc::new(KeyValueService::new(
                storage.key_values.clone(),
                key_values,
                Arc::clone(&clock),
                max_value_bytes,
            )),
            storage,
            clock,
        })
    }

    /// What the HTTP API needs.
    pub(crate) fn services(&self, cursor_secret: [u8; 32]) -> Services {
        Services {
            tenants: Arc::clone(&self.tenants),
            access: Arc::clone(&self.access),
            events: Arc::clone(&self.events),
            key_values: Arc::clone(&self.key_values),
            health: vec![Arc::clone(&self.storage.health)],
            cursor_secret,
            clock: Arc::clone(&self.clock),
        }
    }
}
