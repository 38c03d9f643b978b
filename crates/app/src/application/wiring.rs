//! Which adapter stands behind which port.

use std::sync::Arc;

use tenantry_feed_http::HttpFeedSource;
use tenantry_http::Services;
use tenantry_ports::{Clock, HealthProbe, SystemClock};
use tenantry_services::{
    AccessService, EventService, FeedService, ImportService, KeyValueService, PlanService, SearchService,
    TenantService,
};

use super::caches::Caches;
use super::jobs::Jobs;
use super::storage::{OpenError, Storage};
use crate::config::Config;

/// Storage that is open, with the services over it.
pub(crate) struct Core {
    pub(crate) storage: Storage,
    pub(crate) tenants: Arc<TenantService>,
    access: Arc<AccessService>,
    pub(crate) feeds: Arc<FeedService>,
    pub(crate) imports: Arc<ImportService>,
    pub(crate) jobs: Jobs,
    pub(crate) events: Arc<EventService>,
    pub(crate) key_values: Arc<KeyValueService>,
    plans: Arc<PlanService>,
    search: Arc<SearchService>,
    pub(crate) caches: Caches,
    clock: Arc<dyn Clock>,
}

impl Core {
    /// Opens storage, and brings its schema up to date. This process does no jobs.
    pub(crate) fn open(config: &Config) -> Result<Self, OpenError> {
        Self::open_with_workers(config, 0)
    }

    /// The same for a process that does so many jobs at the same time, once they are [started](Jobs::start).
    pub(crate) fn open_with_workers(config: &Config, workers: u16) -> Result<Self, OpenError> {
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
        let timer = Arc::clone(&caches.timer);
        let imports = Arc::new(ImportService::new(
            storage.feed_runs.clone(),
            storage.plans.clone(),
            Arc::new(HttpFeedSource::new(config.feed_http_options())),
            Arc::clone(&clock),
            Arc::clone(&timer),
            config.import_options(),
        ));
        let jobs = Jobs::new(config, &storage, &imports, (&clock, &timer), workers);
        let mut feeds = FeedService::new(
            storage.feeds.clone(),
            storage.feed_runs.clone(),
            jobs.queue(),
            Arc::clone(&clock),
            config.feed_limits(),
        );
        let plans = PlanService::new(storage.plans.clone(), config.settings().limits.max_page_value_bytes);
        let search = SearchService::new(Arc::clone(&caches.snapshots), Arc::clone(&caches.timer));
        if let Some(propagation) = caches.propagation() {
            tenants = tenants.among_nodes(Arc::clone(propagation));
            access = access.among_nodes(Arc::clone(propagation));
            key_values = key_values.among_nodes(Arc::clone(propagation));
            feeds = feeds.among_nodes(Arc::clone(propagation));
        }
        Ok(Self {
            tenants: Arc::new(tenants),
            access: Arc::new(access),
            events: Arc::new(events),
            key_values: Arc::new(key_values),
            feeds: Arc::new(feeds),
            imports,
            jobs,
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
        health.extend(self.jobs.health());
        health
    }
}
