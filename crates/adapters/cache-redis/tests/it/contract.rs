//! Redis passes the contracts of the shared cache and of the bus.

use std::sync::Arc;
use std::time::Duration;

use tenantry_cache_contract::{
    OpenBus, OpenCache, change_bus_contract_tests, server_url, shared_cache_contract_tests,
};
use tenantry_cache_redis::{RedisBus, RedisCache, RedisOptions, RedisUrl};
use tenantry_ports::{BusListener, SharedCacheListener};
use tokio::task::JoinHandle;

fn options(namespace: String) -> RedisOptions {
    RedisOptions {
        url: RedisUrl::parse(&server_url("TENANTRY_TEST_REDIS_URL")).unwrap(),
        namespace,
        // Machines that run tests stand still at times.
        timeout: Duration::from_secs(5),
        connect_timeout: Duration::from_secs(5),
    }
}

struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn open(namespace: String, listener: Arc<dyn SharedCacheListener>) -> OpenCache {
    let cache = Arc::new(RedisCache::new(options(namespace)));
    let running = Arc::clone(&cache);
    let task = Task(tokio::spawn(async move { running.run(listener).await }));
    OpenCache { cache: cache.clone(), health: cache, keep_alive: Box::new(task) }
}

async fn open_bus(namespace: String, listener: Arc<dyn BusListener>) -> OpenBus {
    let bus = Arc::new(RedisBus::new(options(namespace)));
    let running = Arc::clone(&bus);
    let task = Task(tokio::spawn(async move { running.run(listener).await }));
    OpenBus { bus, keep_alive: Box::new(task) }
}

shared_cache_contract_tests!(open);
change_bus_contract_tests!(open_bus);
