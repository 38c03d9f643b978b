//! What a case about the shared cache is given, and how it is run.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use tenantry_domain::{Key, Revision, TenantNumber};
use tenantry_ports::{
    FillLease, HealthProbe, Replacement, SharedCache, SharedCacheListener, SharedLookup, SharedValue,
};

use crate::recorded::RecordedGenerations;
use crate::server_url::namespace;
use crate::wait::until;

/// No case takes as long, unless it hangs.
pub(crate) const CASE_DEADLINE: Duration = Duration::from_secs(60);

/// Longer than any case.
pub(crate) const LONG: Duration = Duration::from_secs(300);

/// One node's shared cache, kept in touch with its server while this lives.
pub struct OpenCache {
    /// The cache.
    pub cache: Arc<dyn SharedCache>,
    /// Whether it is up.
    pub health: Arc<dyn HealthProbe>,
    /// What must live as long.
    pub keep_alive: Box<dyn Any + Send>,
}

/// A node of a case.
pub(crate) struct Node {
    pub(crate) cache: Arc<dyn SharedCache>,
    pub(crate) health: Arc<dyn HealthProbe>,
    pub(crate) generations: Arc<RecordedGenerations>,
    _keep_alive: Box<dyn Any + Send>,
}

pub(crate) type Open = Box<dyn Fn(String, Arc<dyn SharedCacheListener>) -> BoxFuture<'static, OpenCache>>;

/// Two nodes with one cache, which is empty.
pub struct CacheFixture {
    pub(crate) first: Node,
    pub(crate) second: Node,
    namespace: String,
    open: Open,
}

/// Runs one case in a namespace of its own, in a runtime of two threads.
///
/// # Panics
/// When the cache breaks the promise that the case is about, or takes longer than a minute.
pub fn run_cache<F>(
    open: impl Fn(String, Arc<dyn SharedCacheListener>) -> F + 'static,
    case: impl AsyncFnOnce(&CacheFixture),
) where
    F: Future<Output = OpenCache> + Send + 'static,
{
    let open: Open = Box::new(move |namespace, listener| Box::pin(open(namespace, listener)));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let case = async {
        let namespace = namespace();
        let first = Node::open(&open, &namespace).await;
        let second = Node::open(&open, &namespace).await;
        first.meets_generation(1).await;
        let fixture = CacheFixture { first, second, namespace, open };
        case(&fixture).await;
    };
    runtime.expect("a runtime starts").block_on(async {
        tokio::time::timeout(CASE_DEADLINE, case).await.expect("the case ends in time");
    });
}

impl CacheFixture {
    /// Another node.
    pub(crate) async fn another_node(&self) -> Node {
        Node::open(&self.open, &self.namespace).await
    }

    /// A node in a namespace of its own.
    pub(crate) async fn stranger(&self) -> Node {
        Node::open(&self.open, &namespace()).await
    }
}

impl Node {
    pub(crate) async fn open(open: &Open, namespace: &str) -> Self {
        let generations = Arc::new(RecordedGenerations::default());
        let OpenCache { cache, health, keep_alive } = open(namespace.to_owned(), generations.clone()).await;
        let node = Self { cache, health, generations, _keep_alive: keep_alive };
        node.begins_generation(1).await;
        node
    }

    pub(crate) async fn begins_generation(&self, count: usize) {
        until("the node begins a generation", async || {
            self.generations.began() >= count && self.health.check().await.is_ok()
        })
        .await;
    }

    pub(crate) async fn meets_generation(&self, count: usize) {
        self.cache.recheck();
        until("the node meets another's generation", async || self.generations.met() >= count).await;
    }

    pub(crate) async fn look_up(&self, tenant: TenantNumber, name: &str) -> SharedLookup {
        self.cache.look_up(tenant, &key(name)).await
    }

    /// The lease of a key that is not held.
    pub(crate) async fn lease(&self, tenant: TenantNumber, name: &str) -> FillLease {
        match self.look_up(tenant, name).await {
            SharedLookup::Lease(lease) => lease,
            other => panic!("a lease of {name} was expected, and not {other:?}"),
        }
    }

    pub(crate) async fn fill(&self, tenant: TenantNumber, name: &str, lease: FillLease, value: SharedValue) {
        self.cache.fill(tenant, &key(name), lease, value, LONG).await;
    }

    pub(crate) async fn replace(&self, tenant: TenantNumber, name: &str, value: SharedValue) {
        let replacement = Replacement { tenant, key: key(name), value, lifetime: LONG };
        self.cache.replace_all(vec![replacement]).await.expect("replaced");
    }
}

pub(crate) fn tenant(number: i64) -> TenantNumber {
    TenantNumber::new(number).expect("a tenant's number")
}

pub(crate) fn key(name: &str) -> Key {
    Key::new(name.as_bytes()).expect("a key")
}

pub(crate) fn value(version: u64, value: impl Into<Bytes>) -> SharedValue {
    SharedValue { version: Revision::new(version).expect("a revision"), value: Some(value.into()) }
}

pub(crate) fn absence(version: u64) -> SharedValue {
    SharedValue { version: Revision::new(version).expect("a revision"), value: None }
}

pub(crate) fn held(value: SharedValue) -> SharedLookup {
    SharedLookup::Held(value)
}
