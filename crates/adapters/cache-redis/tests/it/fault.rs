//! A Redis that fails.

use std::sync::Arc;
use std::time::Duration;

use tenantry_cache_contract::{
    OpenBus, OpenCache, PrivateServer, change_bus_fault_tests, shared_cache_fault_tests,
};
use tenantry_ports::{BusListener, SharedCacheListener};

use crate::open::{bus, cache, options};
use crate::server::start;

/// As in production.
pub(crate) const TIMEOUT: Duration = Duration::from_millis(200);

fn server() -> PrivateServer {
    start(|_| Vec::new())
}

pub(crate) async fn open(
    url: String,
    namespace: String,
    listener: Arc<dyn SharedCacheListener>,
) -> OpenCache {
    cache(options(&url, namespace, TIMEOUT), listener)
}

pub(crate) async fn open_bus(url: String, namespace: String, listener: Arc<dyn BusListener>) -> OpenBus {
    bus(options(&url, namespace, TIMEOUT), listener)
}

shared_cache_fault_tests!(server, open);
change_bus_fault_tests!(server, open_bus);
