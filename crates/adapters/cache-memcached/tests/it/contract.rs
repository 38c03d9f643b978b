//! memcached passes the contract of the shared cache.

use std::sync::Arc;
use std::time::Duration;

use tenantry_cache_contract::{OpenCache, server_url, shared_cache_contract_tests};
use tenantry_ports::SharedCacheListener;

use crate::open::cache;

/// Machines that run tests stand still at times.
const PATIENT: Duration = Duration::from_secs(5);

async fn open(namespace: String, listener: Arc<dyn SharedCacheListener>) -> OpenCache {
    cache(&server_url("TENANTRY_TEST_MEMCACHED_URL"), namespace, PATIENT, listener)
}

shared_cache_contract_tests!(open);
