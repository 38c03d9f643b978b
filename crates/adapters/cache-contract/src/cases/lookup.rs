//! What is held comes back as it was, to whom it belongs.

use std::time::Duration;

use tenantry_ports::{Replacement, SharedLookup};

use crate::cache_fixture::{CacheFixture, absence, held, key, tenant, value};
use crate::wait::until;

/// "The tenant is the first argument … and no method ever shows … another tenant's."
pub async fn another_tenant_sees_nothing(f: &CacheFixture) {
    f.first.replace(tenant(1), "k", value(5, "v")).await;
    f.first.replace(tenant(12), "k", absence(6)).await;
    for other in [2, 11, 21, i64::MAX] {
        assert!(matches!(f.second.look_up(tenant(other), "k").await, SharedLookup::Lease(_)), "{other}");
    }
    assert_eq!(f.second.look_up(tenant(1), "k").await, held(value(5, "v")));
    assert_eq!(f.second.look_up(tenant(12), "k").await, held(absence(6)));
}

/// A namespace is another cache.
pub async fn another_namespace_sees_nothing(f: &CacheFixture) {
    f.first.replace(tenant(1), "k", value(5, "v")).await;
    let stranger = f.stranger().await;
    assert!(matches!(stranger.look_up(tenant(1), "k").await, SharedLookup::Lease(_)));
    assert_eq!(f.first.look_up(tenant(1), "k").await, held(value(5, "v")));
}

/// Keys are any text of up to 512 bytes.
pub async fn keys_are_told_apart_by_their_bytes(f: &CacheFixture) {
    let (long, longer) = ("x".repeat(511), "x".repeat(512));
    let wide = "\u{1F980}".repeat(128);
    let keys = [
        "a",
        "A",
        "a ",
        " a",
        "a\n",
        "a\r\n",
        "a\tb",
        "a:b",
        "1:a",
        "ä",
        "a\u{308}",
        "#",
        "{a}b",
        "\u{7f}",
        "generation",
        "../a",
        &long,
        &longer,
        &wide,
    ];
    let name = |n: usize| format!("value {n}");
    for (n, key) in keys.iter().enumerate() {
        f.first.replace(tenant(1), key, value(n as u64 + 1, name(n))).await;
    }
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(f.second.look_up(tenant(1), key).await, held(value(n as u64 + 1, name(n))), "{key:?}");
    }
}

/// A value is any bytes; none at all is not an absence.
pub async fn any_bytes_come_back_as_they_were(f: &CacheFixture) {
    let all: Vec<u8> = (0..=255).chain(*b"\r\nEND\r\nVA 3\r\n$-1\r\n").collect();
    for (version, bytes) in [(1, all), (2, Vec::new()), (3, vec![0; 100_000])] {
        f.first.replace(tenant(1), "k", value(version, bytes.clone())).await;
        assert_eq!(f.second.look_up(tenant(1), "k").await, held(value(version, bytes)));
    }
}

/// `lifetime`: "how long it may be held at most".
pub async fn what_has_lived_its_time_is_held_no_more(f: &CacheFixture) {
    let short = Duration::from_secs(1);
    let change = Replacement { tenant: tenant(1), key: key("put"), value: value(5, "v"), lifetime: short };
    f.first.cache.replace_all(vec![change]).await.expect("replaced");
    let lease = f.first.lease(tenant(1), "read").await;
    f.first.cache.fill(tenant(1), &key("read"), lease, value(5, "v"), short).await;
    for name in ["put", "read"] {
        until("its time is over", async || {
            matches!(f.second.look_up(tenant(1), name).await, SharedLookup::Lease(_))
        })
        .await;
    }
}

/// `HealthProbe`: "nothing works without it" does not hold of a cache.
pub async fn a_cache_that_is_up_says_so_and_is_not_needed(f: &CacheFixture) {
    assert_eq!(f.first.health.check().await, Ok(()));
    assert!(!f.first.health.is_needed());
    assert!(!f.first.health.name().is_empty());
}
