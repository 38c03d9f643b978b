//! Two nodes over one Redis, or one memcached with Redis's bus. The servers are those of the environment.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tenantry_cache_memcached::MemcachedUrl;
use tenantry_cache_redis::{RedisBus, RedisUrl};

use super::super::{Bus, run};
use super::node::{Node, Storage, settings};
use crate::config::CacheSettings;

/// Nothing that these tests wait for takes as long as this, unless it never comes.
const DEADLINE: Duration = Duration::from_secs(20);

struct Two {
    first: Node,
    second: Node,
    storage: Storage,
}

fn server(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        panic!("{variable} is not set: run `cargo xtask test`, which starts a server, or set it to a server's URL")
    })
}

fn over_redis() -> CacheSettings {
    let mut settings = settings();
    settings.redis_url = Some(RedisUrl::parse(&server("TENANTRY_TEST_REDIS_URL")).unwrap());
    settings.namespace = uuid::Uuid::now_v7().simple().to_string();
    // Machines that run tests stand still at times.
    settings.timeout_ms = 5_000;
    settings
}

async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition().await {
        assert!(Instant::now() < end, "this never came to be: {what}");
        tokio::task::yield_now().await;
    }
}

impl Two {
    async fn over_redis() -> Self {
        let settings = over_redis();
        Self::start(|| (settings.clone(), None)).await
    }

    async fn over_memcached() -> Self {
        let redis = over_redis();
        let mut settings = redis.clone();
        settings.redis_url = None;
        settings.memcached_url = Some(MemcachedUrl::parse(&server("TENANTRY_TEST_MEMCACHED_URL")).unwrap());
        Self::start(|| {
            let bus = Arc::new(RedisBus::new(redis.redis_options().unwrap()));
            let run = run(bus.clone(), |bus, listener| async move { bus.run(listener).await });
            (settings.clone(), Some(Bus { bus, run }))
        })
        .await
    }

    async fn start(parts: impl Fn() -> (CacheSettings, Option<Bus>)) -> Self {
        let storage = Storage::default();
        let node = || {
            let (settings, bus) = parts();
            Node::start(&settings, &storage, bus)
        };
        let (first, second) = (node(), node());
        let two = Self { first, second, storage };
        for node in [&two.first, &two.second] {
            let health = node.caches.health().unwrap();
            until("the shared cache is up", async || health.check().await.is_ok()).await;
        }
        // What one node reads from storage the other gets from the shared cache, once both believe the same.
        until("both nodes share what they read", async || {
            let name = uuid::Uuid::now_v7().to_string();
            two.first.get(&name).await;
            let before = two.storage.reads.load(Ordering::SeqCst);
            two.second.get(&name).await;
            two.storage.reads.load(Ordering::SeqCst) == before
        })
        .await;
        two
    }

    async fn stop(self) {
        self.first.stop().await;
        self.second.stop().await;
    }

    async fn each_sees_what_the_other_writes(&self) {
        for n in 0..200 {
            let (writer, reader) =
                if n % 2 == 0 { (&self.first, &self.second) } else { (&self.second, &self.first) };
            reader.get("k").await;
            let put = writer.put("k", &format!("{n}")).await;
            assert_eq!(writer.get("k").await, put, "on the node that wrote");
            until("the other node sees it", async || reader.get("k").await == put).await;
            writer.caches.key_values.clear();
            assert_eq!(writer.get("k").await, put, "from the shared cache");
        }
    }

    async fn a_cold_key_is_read_from_storage_once(&self) {
        for n in 0..10 {
            let name = format!("cold {n}");
            let before = self.storage.reads.load(Ordering::SeqCst);
            let nodes = (0..1_000).map(|n| if n % 2 == 0 { &self.first } else { &self.second });
            let read = join_all(nodes.map(|node| node.get(&name))).await;
            assert_eq!(read, vec![0; 1_000]);
            assert_eq!(self.storage.reads.load(Ordering::SeqCst) - before, 1, "of {name}");
        }
    }
}

#[actix_web::test]
async fn over_redis_each_node_sees_what_the_other_writes() {
    let two = Two::over_redis().await;
    two.each_sees_what_the_other_writes().await;
    two.stop().await;
}

#[actix_web::test]
async fn over_memcached_each_node_sees_what_the_other_writes() {
    let two = Two::over_memcached().await;
    two.each_sees_what_the_other_writes().await;
    two.stop().await;
}

#[actix_web::test]
async fn over_redis_a_thousand_readers_of_a_cold_key_are_one_read_of_storage() {
    let two = Two::over_redis().await;
    two.a_cold_key_is_read_from_storage_once().await;
    two.stop().await;
}

#[actix_web::test]
async fn over_memcached_a_thousand_readers_of_a_cold_key_are_one_read_of_storage() {
    let two = Two::over_memcached().await;
    two.a_cold_key_is_read_from_storage_once().await;
    two.stop().await;
}
