//! memcached passes the contract of the shared cache.

use std::sync::Arc;
use std::time::Duration;

use tenantry_cache_contract::{OpenCache, server_url, shared_cache_contract_tests};
use tenantry_cache_memcached::{MemcachedCache, MemcachedOptions, MemcachedUrl};
use tenantry_ports::SharedCacheListener;
use tokio::task::JoinHandle;

struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn open(namespace: String, listener: Arc<dyn SharedCacheListener>) -> OpenCache {
    let cache = Arc::new(MemcachedCache::new(MemcachedOptions {
        url: MemcachedUrl::parse(&server_url("TENANTRY_TEST_MEMCACHED_URL")).unwrap(),
        namespace,
        // Machines that run tests stand still at times.
        timeout: Duration::from_secs(5),
        connect_timeout: Duration::from_secs(5),
    }));
    let running = Arc::clone(&cache);
    let task = Task(tokio::spawn(async move { running.run(listener).await }));
    OpenCache { cache: cache.clone(), health: cache, keep_alive: Box::new(task) }
}

shared_cache_contract_tests!(open);
