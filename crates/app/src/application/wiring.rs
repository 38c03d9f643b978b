//! Which adapter stands behind which port.

use std::sync::Arc;

use tenantry_http::Services;
use tenantry_ports::{Clock, HealthProbe, SystemClock};
use tenantry_services::{
    AccessService, EventService, FeedService, KeyValueService, PlanService, SearchService, TenantService,
};

use super::caches::Caches;
use super::storage::{OpenError, Storage};
use crate::config::Config;

/// Storage that is open, with the services over it.
pub(crate) struct Core {
    pub(crate) storage: Storage,
    pub(crate) tenants: Arc<TenantService>,
    access: Arc<AccessService>,
    events: Arc<EventService>,
    key_values: Arc<KeyValueService>,
    feeds: Arc<FeedService>,
    plans: Arc<PlanService>,
    search: Arc<SearchService>,
    pub(crate) caches: Caches,
    clock: Arc<dyn Clock>,
}

impl Core {
    /// Opens storage, and brings its schema up to date.
    pub(crate) fn open(config: &Config) -> Result<Self, OpenError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let caches = Caches::new(
            &config.settings().cache,
            Arc::clone(&clock),
            Storage::bus(config),
            Storage::is_shared(config),
        );
        let storage = Storage::open(config, Arc::clone(&clock), Arc::new(caches.coherence()))?;
        let max_value_bytes = config.settings().limits.max_value_bytes;
        let mut tenants = TenantService::new(storage.tenants.clone(), Arc::clone(&caches.tenants));
        let mut access =
            AccessService::new(storage.access_keys.clone(), Arc::clone(&caches.access), Arc::clone(&clock));
        let events = EventService::new(storage.events.clone());
        let key_values = Arc::clone(&caches.key_values);
        let mut key_values =
            KeyValueService::new(storage.key_values.clone(), key_values, Arc::clone(&clock), max_value_bytes);
        let plans = PlanService::new(storage.plans.clone(), config.settings().limits.max_page_value_bytes);
        let search = SearchService::new(Arc::clone(&caches.snapshots), Arc::clone(&caches.timer));
        if let Some(propagation) = caches.propagation() {
            tenants = tenants.among_nodes(Arc::clone(propagation));
            access = access.among_nodes(Arc::clone(propagation));
            key_values = key_values.among_nodes(Arc::clone(propagation));
        }
        Ok(Self {
            tenants: Arc::new(tenants),
            access: Arc::new(access),
            events: Arc::new(events),
            key_values: Arc::new(key_values),
            feeds: Arc::new(feeds),
            plans: Arc::new(plans),
            search: Arc::new(search),
            storage,
            caches,
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
            feeds: Arc::clone(&self.feeds),
            plans: Arc::clone(&self.plans),
            search: Arc::clone(&self.search),
            health: self.health(),
            cursor_secret,
            clock: Arc::clone(&self.clock),
        }
    }

    fn health(&self) -> Vec<Arc<dyn HealthProbe>> {
        let mut health: Vec<Arc<dyn HealthProbe>> = vec![Arc::clone(&self.storage.health)];
        health.extend(self.storage.replica_health.clone());
        health.extend(self.caches.health());
        health
    }
}
