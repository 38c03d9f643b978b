//! Nodes over a Redis.

use std::sync::Arc;
use std::time::Duration;

use tenantry_cache_contract::{OpenBus, OpenCache};
use tenantry_cache_redis::{RedisBus, RedisCache, RedisOptions, RedisUrl};
use tenantry_ports::{BusListener, SharedCacheListener};
use tokio::task::JoinHandle;

pub(crate) fn options(url: &str, namespace: String, timeout: Duration) -> RedisOptions {
    let connect_timeout = timeout.max(Duration::from_secs(1));
    RedisOptions {
        url: RedisUrl::parse(url).unwrap_or_else(|error| panic!("{error}")),
        ca: None,
        namespace,
        timeout,
        connect_timeout,
    }
}

/// A task that ends with this.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) fn cache(options: RedisOptions, listener: Arc<dyn SharedCacheListener>) -> OpenCache {
    let cache = Arc::new(RedisCache::new(options));
    let running = Arc::clone(&cache);
    let task = Task(tokio::spawn(async move { running.run(listener).await }));
    OpenCache { cache: cache.clone(), health: cache, keep_alive: Box::new(task) }
}

pub(crate) fn bus(options: RedisOptions, listener: Arc<dyn BusListener>) -> OpenBus {
    let bus = Arc::new(RedisBus::new(options));
    let running = Arc::clone(&bus);
    let task = Task(tokio::spawn(async move { running.run(listener).await }));
    OpenBus { bus, keep_alive: Box::new(task) }
}
