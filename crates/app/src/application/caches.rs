//! The caches of this node, and what connects them with those of others.
//!
//! Alone, a node has its memory, and memcached where that is configured. With a bus, by Redis or by the database, it
//! hears of the others' changes and tells them of its own; with Redis or memcached it reads through that too.

mod tasks;
#[cfg(test)]
mod tests;
mod tokio_timer;

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tenantry_cache_memcached::MemcachedCache;
use tenantry_cache_memory::MemoryCache;
use tenantry_cache_redis::{RedisBus, RedisCache};
use tenantry_ports::{
    BusListener, ChangeBus, Clock, HealthProbe, NearCache, SharedCache, SharedCacheListener, Timer,
};
use tenantry_services::{
    AccessCache, Aged, AgedCache, Ages, CacheCoherence, CachedEntry, CachedGrant, CachedTenant,
    KeyValueCache, Propagation, PropagationLimits, RemoteChanges, ShelfLimits, SnapshotShelf, TenantCache,
};

use crate::config::CacheSettings;
pub(crate) use tasks::CacheTasks;
use tokio_timer::TokioTimer;

/// Changes that wait to be carried to other nodes, and their bytes.
const MAX_QUEUED_CHANGES: usize = 100_000;
const MAX_QUEUED_BYTES: usize = 64 << 20;

/// The longest that a write waits until other nodes know of it.
const SETTLE_WITHIN: Duration = Duration::from_millis(250);

/// How long a start waits for the shared cache and the bus, and how often it looks.
const UP_WITHIN: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// How often a snapshot that is searched is compared with storage, where other nodes may change the catalog.
const RECHECK_SNAPSHOTS: Duration = Duration::from_secs(1);

/// What an age adds to a value in memory.
const AGE_BYTES: u32 = 8;

/// The caches that the services read through.
pub(crate) struct Caches {
    pub(crate) access: Arc<AccessCache>,
    pub(crate) tenants: Arc<TenantCache>,
    pub(crate) key_values: Arc<KeyValueCache>,
    pub(crate) snapshots: Arc<SnapshotShelf>,
    pub(crate) timer: Arc<dyn Timer>,
    nodes: Option<Nodes>,
}

/// What there is where there are other nodes.
struct Nodes {
    propagation: Arc<Propagation>,
    ages: Arc<Ages>,
    shared: Option<Shared>,
    bus: Option<Bus>,
}

/// A shared cache with its ways to be asked, watched and kept.
struct Shared {
    cache: Arc<dyn SharedCache>,
    health: Arc<dyn HealthProbe>,
    run: Run<dyn SharedCacheListener>,
}

/// An invalidation bus, and what keeps this node on it.
pub(crate) struct Bus {
    pub(crate) bus: Arc<dyn ChangeBus>,
    pub(crate) run: Run<dyn BusListener>,
}

/// Begins what runs, as long as it is polled, and tells the listener.
pub(crate) type Run<L> = Arc<dyn Fn(Arc<L>) -> BoxFuture<'static, ()> + Send + Sync>;

impl Caches {
    /// The caches that the configuration asks for. `database_bus` is that of the database, if it has one; Redis's
    /// is preferred. `others` says whether the database may have other nodes, also where none is heard of. Nothing is
    /// connected before [`start`](Self::start).
    pub(crate) fn new(
        settings: &CacheSettings,
        clock: Arc<dyn Clock>,
        database_bus: Option<Bus>,
        others: bool,
    ) -> Self {
        let redis_bus = settings.redis_options().map(|options| {
            let bus = Arc::new(RedisBus::new(options));
            Bus { bus: bus.clone(), run: run(bus, |bus, listener| async move { bus.run(listener).await }) }
        });
        let (shared, bus) = (shared(settings), redis_bus.or(database_bus));
        let timer: Arc<dyn Timer> = Arc::new(TokioTimer::new());
        if shared.is_none() && bus.is_none() {
            return Self::alone(settings, others, timer);
        }
        let limits = PropagationLimits {
            max_changes: MAX_QUEUED_CHANGES,
            max_bytes: MAX_QUEUED_BYTES,
            settle_within: SETTLE_WITHIN,
            lifetime: Duration::from_secs(settings.shared_ttl_seconds),
        };
        let propagation = Arc::new(Propagation::new(
            shared.as_ref().map(|shared| Arc::clone(&shared.cache)),
            bus.as_ref().map(|bus| Arc::clone(&bus.bus)),
            clock,
            Arc::clone(&timer),
            &limits,
        ));
        let snapshots = shelf(settings, true, &timer);
        let ages = match bus {
            Some(_) => Ages::new(Arc::clone(&timer), Duration::from_millis(settings.near_max_age_ms)),
            // It would wait for ever to join one. A node without a bus is the only one.
            None => Ages::unlimited(Arc::clone(&timer)),
        };
        let ages = Arc::new(ages);
        Self {
            access: aged(
                &ages,
                settings.access_max_bytes,
                |key, held| CachedGrant::weigh(key, held.value()).saturating_add(AGE_BYTES),
                |held| CachedGrant::version(held.value()),
            ),
            tenants: aged(
                &ages,
                settings.tenants_max_bytes,
                |key, held| CachedTenant::weigh(key, held.value()).saturating_add(AGE_BYTES),
                |held| CachedTenant::version(held.value()),
            ),
            key_values: aged(
                &ages,
                settings.key_values_max_bytes,
                |key, held| CachedEntry::weigh(key, held.value()).saturating_add(AGE_BYTES),
                |held| CachedEntry::version(held.value()),
            ),
            snapshots,
            timer,
            nodes: Some(Nodes { propagation, ages, shared, bus }),
        }
    }

    /// Those of a node that is the only one.
    fn alone(settings: &CacheSettings, others: bool, timer: Arc<dyn Timer>) -> Self {
        Self {
            access: Arc::new(MemoryCache::new(
                settings.access_max_bytes,
                CachedGrant::weigh,
                CachedGrant::version,
            )),
            tenants: Arc::new(MemoryCache::new(
                settings.tenants_max_bytes,
                CachedTenant::weigh,
                CachedTenant::version,
            )),
            key_values: Arc::new(MemoryCache::new(
                settings.key_values_max_bytes,
                CachedEntry::weigh,
                CachedEntry::version,
            )),
            snapshots: shelf(settings, others, &timer),
            timer,
            nodes: None,
        }
    }

    /// What the storage is to tell of changes.
    pub(crate) fn coherence(&self) -> CacheCoherence {
        let caches = (Arc::clone(&self.access), Arc::clone(&self.tenants), Arc::clone(&self.key_values));
        let coherence = CacheCoherence::new(caches.0, caches.1, caches.2, Arc::clone(&self.snapshots));
        match self.propagation() {
            Some(propagation) => coherence.among_nodes(Arc::clone(propagation)),
            None => coherence,
        }
    }

    /// What carries changes to other nodes, if there may be any.
    pub(crate) fn propagation(&self) -> Option<&Arc<Propagation>> {
        self.nodes.as_ref().map(|nodes| &nodes.propagation)
    }

    /// Whether the shared cache is up, if there is one.
    pub(crate) fn health(&self) -> Option<Arc<dyn HealthProbe>> {
        Some(Arc::clone(&self.nodes.as_ref()?.shared.as_ref()?.health))
    }

    /// Waits until the shared cache is up and this node on the bus, for a second at most. What is written before then
    /// reaches other nodes late, so nothing should be served or written yet.
    pub(crate) async fn until_up(&self) {
        let Some(Nodes { ages, shared, .. }) = &self.nodes else { return };
        let is_up = async {
            while !ages.hears_of_changes() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            let Some(shared) = shared else { return };
            while shared.health.check().await.is_err() {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        // Without them Tenantry serves all the same.
        let _ = tokio::time::timeout(UP_WITHIN, is_up).await;
    }

    /// Connects with the other nodes. To be called in an actix system, in which it goes on.
    pub(crate) fn start(&self) -> CacheTasks {
        let Some(nodes) = &self.nodes else { return CacheTasks::none() };
        let remote = Arc::new(RemoteChanges::new(
            Arc::clone(&self.access),
            Arc::clone(&self.tenants),
            Arc::clone(&self.key_values),
            Arc::clone(&self.snapshots),
            Arc::clone(&nodes.ages),
            Arc::clone(&nodes.propagation),
        ));
        let mut tasks = CacheTasks::carrying(Arc::clone(&nodes.propagation));
        if let Some(shared) = &nodes.shared {
            tasks.run((shared.run)(remote.clone()));
        }
        if let Some(bus) = &nodes.bus {
            tasks.run((bus.run)(remote));
        }
        tasks
    }
}

fn shelf(settings: &CacheSettings, others: bool, timer: &Arc<dyn Timer>) -> Arc<SnapshotShelf> {
    let max_bytes = usize::try_from(settings.search_max_bytes).unwrap_or(usize::MAX);
    let limits = ShelfLimits { max_bytes, recheck: others.then_some(RECHECK_SNAPSHOTS) };
    Arc::new(SnapshotShelf::new(limits, Arc::clone(timer)))
}

fn shared(settings: &CacheSettings) -> Option<Shared> {
    if let Some(options) = settings.redis_options() {
        let cache = Arc::new(RedisCache::new(options));
        let run = run(cache.clone(), |cache, listener| async move { cache.run(listener).await });
        return Some(Shared { cache: cache.clone(), health: cache, run });
    }
    let cache = Arc::new(MemcachedCache::new(settings.memcached_options()?));
    let run = run(cache.clone(), |cache, listener| async move { cache.run(listener).await });
    Some(Shared { cache: cache.clone(), health: cache, run })
}

/// How to run what `server` does for a listener.
pub(crate) fn run<S, L, F>(server: Arc<S>, run: fn(Arc<S>, Arc<L>) -> F) -> Run<L>
where
    S: Send + Sync + 'static,
    L: ?Sized + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    Arc::new(move |listener| Box::pin(run(Arc::clone(&server), listener)))
}

fn aged<K, V>(
    ages: &Arc<Ages>,
    max_bytes: u64,
    weigh: fn(&K, &Aged<V>) -> u32,
    version: fn(&Aged<V>) -> u64,
) -> Arc<dyn NearCache<K, V>>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    let cache = MemoryCache::new(max_bytes, weigh, version);
    Arc::new(AgedCache::new(Arc::new(cache), Arc::clone(ages)))
}
