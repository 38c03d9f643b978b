mod needs_servers;
mod node;

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use node::{Node, Storage, key, settings, tenant};
use tenantry_cache_memcached::MemcachedUrl;
use tenantry_cache_redis::RedisUrl;
use tenantry_ports::{BusListener, MockChangeBus};
use tenantry_services::CachedEntry;
use tokio::sync::watch;

use super::{Bus, Run};

/// Nobody listens there.
const NOWHERE: &str = "redis://127.0.0.1:1";
const NOWHERE_MEMCACHED: &str = "memcached://127.0.0.1:1";

#[actix_web::test]
async fn a_node_that_is_alone_carries_nothing_and_waits_for_nobody() {
    let node = Node::start(&settings(), &Storage::default(), None);
    assert!(node.caches.propagation().is_none() && node.caches.health().is_none());
    let put = node.put("k", "v").await;
    assert_eq!(node.get("k").await, put);
    node.stop().await;
}

#[actix_web::test]
async fn a_shared_cache_that_is_down_is_a_miss_and_no_error() {
    let mut settings = settings();
    settings.redis_url = Some(RedisUrl::parse(NOWHERE).unwrap());
    let node = Node::start(&settings, &Storage::default(), None);
    let began = Instant::now();
    for n in 0..20 {
        let key = format!("k{n}");
        let put = node.put(&key, "v").await;
        assert_eq!(node.get(&key).await, put);
        node.caches.key_values.clear();
        assert_eq!(node.get(&key).await, put);
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let health = node.caches.health().unwrap();
    assert_eq!((health.name(), health.is_needed()), ("redis", false));
    assert!(health.check().await.is_err());
    node.stop().await;
}

/// What is known is answered while the database is away. Nothing tells such a node ever that it hears of changes.
#[actix_web::test]
async fn a_node_with_memcached_and_no_bus_is_alone_and_knows_what_it_holds_from_the_start() {
    let mut settings = settings();
    settings.memcached_url = Some(MemcachedUrl::parse(NOWHERE_MEMCACHED).unwrap());
    // Of no age, if they had one.
    settings.near_max_age_ms = 0;
    let node = Node::start(&settings, &Storage::default(), None);
    let put = node.put("k", "v").await;
    let known = node.caches.key_values.last_known(&(tenant(), key("k")));
    assert_eq!(known.map(|known| CachedEntry::version(&known)), Some(put));
    node.stop().await;
}

#[actix_web::test]
async fn whoever_is_to_write_waits_until_the_node_is_on_the_bus() {
    let (join, joins) = watch::channel(false);
    let run: Run<dyn BusListener> = Arc::new(move |listener| {
        let mut joins = joins.clone();
        Box::pin(async move {
            joins.wait_for(|joins| *joins).await.unwrap();
            listener.joined();
        })
    });
    let mut bus = MockChangeBus::new();
    bus.expect_announce().returning(|_| Ok(()));
    let node = Node::start(&settings(), &Storage::default(), Some(Bus { bus: Arc::new(bus), run }));
    let mut is_up = Box::pin(node.caches.until_up());
    assert_eq!((&mut is_up).now_or_never(), None);
    join.send_replace(true);
    is_up.await;
    node.stop().await;
}
