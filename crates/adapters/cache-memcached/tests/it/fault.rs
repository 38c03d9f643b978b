//! A memcached that fails.

use std::sync::Arc;
use std::time::Duration;

use tenantry_cache_contract::{OpenCache, PrivateServer, shared_cache_fault_tests};
use tenantry_ports::SharedCacheListener;

use crate::open::cache;

const TIMEOUT: Duration = Duration::from_millis(200);

fn server() -> PrivateServer {
    PrivateServer::start("memcached", "memcached", |port| {
        let port = port.to_string();
        // The user matters only where root runs the tests: memcached does not start as root unless told to.
        ["-l", "127.0.0.1", "-p", &port, "-U", "0", "-u", "root"].map(str::to_owned).into()
    })
}

async fn open(url: String, namespace: String, listener: Arc<dyn SharedCacheListener>) -> OpenCache {
    cache(&url, namespace, TIMEOUT, listener)
}

shared_cache_fault_tests!(server, open);
