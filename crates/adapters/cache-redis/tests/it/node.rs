//! A node's cache, and what it says.

use std::sync::Arc;
use std::time::Duration;

use tenantry_cache_contract::{OpenCache, RecordedGenerations, until};
use tenantry_cache_redis::RedisOptions;
use tenantry_domain::{Key, Revision, TenantNumber};
use tenantry_ports::{CacheError, Replacement, SharedLookup, SharedValue};

use crate::open;

pub(crate) struct Node {
    open: OpenCache,
    pub(crate) generations: Arc<RecordedGenerations>,
}

impl Node {
    pub(crate) fn start(options: RedisOptions) -> Self {
        let generations = Arc::new(RecordedGenerations::default());
        Self { open: open::cache(options, generations.clone()), generations }
    }

    /// One that is up.
    pub(crate) async fn up(options: RedisOptions) -> Self {
        let node = Self::start(options);
        node.comes_up().await;
        node
    }

    pub(crate) async fn comes_up(&self) {
        until("the node is up", async || self.is_up().await).await;
    }

    pub(crate) async fn is_up(&self) -> bool {
        self.open.health.check().await.is_ok()
    }

    /// Puts version 1, and waits until the other, which has begun a generation later, sees it.
    pub(crate) async fn is_believed_by(&self, other: &Self, key: &str) {
        until("one node believes the other", async || {
            self.put(key, 1).await.is_ok() && other.version(key).await == Some(1)
        })
        .await;
    }

    /// What its health says of a cache that is down.
    pub(crate) async fn refusal(&self) -> String {
        self.open.health.check().await.expect_err("it is down").to_string()
    }

    pub(crate) async fn put(&self, key: &str, version: u64) -> Result<(), CacheError> {
        let change = Replacement {
            tenant: tenant(),
            key: name(key),
            value: value(version),
            lifetime: Duration::from_secs(300),
        };
        self.open.cache.replace_all(vec![change]).await
    }

    pub(crate) async fn look_up(&self, key: &str) -> SharedLookup {
        self.open.cache.look_up(tenant(), &name(key)).await
    }

    /// The version that is held.
    pub(crate) async fn version(&self, key: &str) -> Option<u64> {
        match self.look_up(key).await {
            SharedLookup::Held(held) => Some(held.version.get()),
            _ => None,
        }
    }
}

fn tenant() -> TenantNumber {
    TenantNumber::new(1).expect("a tenant's number")
}

fn name(key: &str) -> Key {
    Key::new(key.as_bytes()).expect("a key")
}

fn value(version: u64) -> SharedValue {
    SharedValue {
        version: Revision::new(version).expect("a revision"),
        value: Some(version.to_string().into()),
    }
}
