//! Redis passes the contracts of the shared cache and of the bus.

use std::sync::Arc;
use std::time::Duration;

use tenantry_cache_contract::{
    OpenBus, OpenCache, change_bus_contract_tests, server_url, shared_cache_contract_tests,
};
use tenantry_cache_redis::RedisOptions;
use tenantry_ports::{BusListener, SharedCacheListener};

use crate::open::{bus, cache, options};

/// Machines that run tests stand still at times.
pub(crate) const PATIENT: Duration = Duration::from_secs(5);

fn patient(namespace: String) -> RedisOptions {
    options(&server_url("TENANTRY_TEST_REDIS_URL"), namespace, PATIENT)
}

async fn open(namespace: String, listener: Arc<dyn SharedCacheListener>) -> OpenCache {
    cache(patient(namespace), listener)
}

async fn open_bus(namespace: String, listener: Arc<dyn BusListener>) -> OpenBus {
    bus(patient(namespace), listener)
}

shared_cache_contract_tests!(open);
change_bus_contract_tests!(open_bus);
