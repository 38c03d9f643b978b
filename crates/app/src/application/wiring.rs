//! Which adapter stands behind which port.

use std::sync::Arc;

use tenantry_cache_memory::MemoryCache;
use tenantry_http::Services;
use tenantry_ports::{Clock, SystemClock};
use tenantry_services::{
    AccessCache, AccessService, CacheCoherence, CachedEntry, CachedGrant, CachedTenant, EventService,
    KeyValueCache, KeyValueService, TenantCache, TenantService,
};
use tenantry_storage_sqlite::{OpenError, SqliteStorage};

use crate::config::Config;

/// Storage that is open, with the services over it.
pub(crate) struct Core {
    pub(crate) storage: SqliteStorage,
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
        let storage = SqliteStorage::open(config.sqlite_options(), Arc::clone(&clock), Arc::new(coherence))?;
        let shared = Arc::new(storage.clone());
        let max_value_bytes = config.settings().limits.max_value_bytes;
        Ok(Self {
            tenants: Arc::new(TenantService::new(shared.clone(), tenants)),
            access: Arc::new(AccessService::new(shared.clone(), access, Arc::clone(&clock))),
            events: Arc::new(EventService::new(shared.clone())),
            key_values: Arc::new(KeyValueService::new(
                shared,
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
            health: vec![Arc::new(self.storage.clone())],
            cursor_secret,
            clock: Arc::clone(&self.clock),
        }
    }
}
