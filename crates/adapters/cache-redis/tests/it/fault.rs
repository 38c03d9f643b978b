//! A Redis that fails.

use std::sync::Arc;
use std::time::Duration;

use tenantry_cache_contract::{
    OpenBus, OpenCache, PrivateServer, change_bus_fault_tests, shared_cache_fault_tests,
};
use tenantry_ports::{BusListener, SharedCacheListener};

use crate::open::{bus, cache, options};

const TIMEOUT: Duration = Duration::from_millis(200);

/// A Redis that keeps all it has on disk, so that it comes back with what is old.
fn server() -> PrivateServer {
    PrivateServer::start("redis", "redis-server", |port| {
        let port = port.to_string();
        let arguments = [
            "--port",
            &port,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            "no",
        ];
        arguments.map(str::to_owned).into()
    })
}

async fn open(url: String, namespace: String, listener: Arc<dyn SharedCacheListener>) -> OpenCache {
    cache(options(&url, namespace, TIMEOUT), listener)
}

async fn open_bus(url: String, namespace: String, listener: Arc<dyn BusListener>) -> OpenBus {
    bus(options(&url, namespace, TIMEOUT), listener)
}

shared_cache_fault_tests!(server, open);
change_bus_fault_tests!(server, open_bus);
