//! Nodes over memcached.

use std::sync::Arc;
use std::time::Duration;

use tenantry_cache_contract::OpenCache;
use tenantry_cache_memcached::{MemcachedCache, MemcachedOptions, MemcachedUrl};
use tenantry_ports::SharedCacheListener;
use tokio::task::JoinHandle;

/// A task that ends with this.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(crate) fn cache(
    url: &str,
    namespace: String,
    timeout: Duration,
    listener: Arc<dyn SharedCacheListener>,
) -> OpenCache {
    let (url, connect_timeout) = (
        MemcachedUrl::parse(url).unwrap_or_else(|error| panic!("{error}")),
        timeout.max(Duration::from_secs(1)),
    );
    let cache = MemcachedCache::new(MemcachedOptions { url, namespace, timeout, connect_timeout });
    let cache = Arc::new(cache);
    let running = Arc::clone(&cache);
    let task = Task(tokio::spawn(async move { running.run(listener).await }));
    OpenCache { cache: cache.clone(), health: cache, keep_alive: Box::new(task) }
}
