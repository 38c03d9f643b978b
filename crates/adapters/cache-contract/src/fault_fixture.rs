//! What a case about a server that fails is given, and how it is run.

use std::cell::RefCell;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tenantry_ports::{BusListener, SharedCacheListener};

use crate::bus_fixture::{BusNode, OpenBus};
use crate::cache_fixture::{CASE_DEADLINE, Node, Open, OpenCache};
use crate::private_server::FaultyServer;
use crate::server_url::namespace;

/// Two nodes with one cache, whose server the case may kill and freeze.
pub struct CacheFaultFixture {
    pub(crate) server: RefCell<Box<dyn FaultyServer>>,
    pub(crate) first: Node,
    pub(crate) second: Node,
}

/// Two nodes on one bus, whose server the case may kill and freeze.
pub struct BusFaultFixture {
    pub(crate) server: RefCell<Box<dyn FaultyServer>>,
    pub(crate) first: BusNode,
    pub(crate) second: BusNode,
}

/// Runs one case on a server of its own, in a runtime of two threads.
///
/// # Panics
/// When the cache breaks the promise that the case is about, or takes longer than a minute.
pub fn run_cache_fault<F, S: FaultyServer + 'static>(
    server: impl FnOnce() -> S,
    open: impl Fn(String, String, Arc<dyn SharedCacheListener>) -> F + 'static,
    case: impl AsyncFnOnce(&CacheFaultFixture),
) where
    F: Future<Output = OpenCache> + Send + 'static,
{
    let (server, namespace) = (server(), namespace());
    let url = server.url();
    let server: RefCell<Box<dyn FaultyServer>> = RefCell::new(Box::new(server));
    let open: Open = Box::new(move |namespace, listener| Box::pin(open(url.clone(), namespace, listener)));
    run(async {
        let first = Node::open(&open, &namespace).await;
        let second = Node::open(&open, &namespace).await;
        first.meets_generation(1).await;
        case(&CacheFaultFixture { server, first, second }).await;
    });
}

/// As [`run_cache_fault`], of a bus.
///
/// # Panics
/// When the bus breaks the promise that the case is about, or takes longer than a minute.
pub fn run_bus_fault<F, S: FaultyServer + 'static>(
    server: impl FnOnce() -> S,
    open: impl Fn(String, String, Arc<dyn BusListener>) -> F,
    case: impl AsyncFnOnce(&BusFaultFixture),
) where
    F: Future<Output = OpenBus> + Send + 'static,
{
    let (server, namespace) = (server(), namespace());
    let url = server.url();
    let server: RefCell<Box<dyn FaultyServer>> = RefCell::new(Box::new(server));
    let open = |namespace: &str, listener| -> BoxFuture<'static, OpenBus> {
        Box::pin(open(url.clone(), namespace.to_owned(), listener))
    };
    run(async {
        let first = BusNode::open(&open, &namespace).await;
        let second = BusNode::open(&open, &namespace).await;
        case(&BusFaultFixture { server, first, second }).await;
    });
}

fn run(case: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime starts").block_on(async {
        tokio::time::timeout(CASE_DEADLINE, case).await.expect("the case ends in time");
    });
}
