//! Only what is newer takes the place of what is older.

use futures_util::future::join_all;
use tenantry_ports::{Replacement, SharedLookup};

use crate::cache_fixture::{CacheFixture, LONG, absence, held, key, tenant, value};

/// `replace_all`: "makes each of the keys what it has become".
pub async fn a_newer_value_replaces_an_older_one(f: &CacheFixture) {
    f.first.replace(tenant(1), "k", value(5, "v")).await;
    f.second.replace(tenant(1), "k", value(6, "w")).await;
    assert_eq!(f.first.look_up(tenant(1), "k").await, held(value(6, "w")));
}

/// `replace_all`: "unless something newer is held".
pub async fn an_older_value_never_replaces_a_newer_one(f: &CacheFixture) {
    f.first.replace(tenant(1), "k", value(6, "w")).await;
    for older in [5, 1] {
        f.second.replace(tenant(1), "k", value(older, "v")).await;
        assert_eq!(f.first.look_up(tenant(1), "k").await, held(value(6, "w")));
    }
}

/// Versions are numbers of up to 63 bits, and not texts or floats.
pub async fn versions_compare_as_numbers(f: &CacheFixture) {
    let versions = [9, 10, 99, 100, (1 << 53) + 1, (1 << 53) + 2, (1 << 63) - 2, (1 << 63) - 1];
    for version in versions {
        f.first.replace(tenant(1), "k", value(version, version.to_string())).await;
        assert_eq!(f.first.look_up(tenant(1), "k").await, held(value(version, version.to_string())));
    }
    for version in versions {
        f.first.replace(tenant(1), "k", value(version, "older or the same")).await;
    }
    let last = (1 << 63) - 1;
    assert_eq!(f.first.look_up(tenant(1), "k").await, held(value(last, last.to_string())));
}

/// A deletion is a change like any other: an older value does not bring the key back.
pub async fn a_deletion_is_held_as_an_absence_that_is_newer(f: &CacheFixture) {
    f.first.replace(tenant(1), "k", value(5, "v")).await;
    f.first.replace(tenant(1), "k", absence(6)).await;
    f.second.replace(tenant(1), "k", value(5, "v")).await;
    assert_eq!(f.second.look_up(tenant(1), "k").await, held(absence(6)));
    f.second.replace(tenant(1), "k", value(7, "again")).await;
    assert_eq!(f.first.look_up(tenant(1), "k").await, held(value(7, "again")));
}

/// What was read as absent gives way to any change.
pub async fn an_absence_that_was_read_gives_way_to_the_first_change(f: &CacheFixture) {
    let lease = f.first.lease(tenant(1), "k").await;
    f.first.fill(tenant(1), "k", lease, absence(0)).await;
    f.second.replace(tenant(1), "k", value(1, "v")).await;
    assert_eq!(f.first.look_up(tenant(1), "k").await, held(value(1, "v")));
}

/// Changes of several nodes arrive in any order.
pub async fn of_changes_at_once_the_newest_stays(f: &CacheFixture) {
    let versions = (1..=100).map(|n| n * 37 % 101);
    let changes = versions.map(|version| {
        let node = if version % 2 == 0 { &f.first } else { &f.second };
        node.replace(tenant(1), "k", value(version, version.to_string()))
    });
    join_all(changes).await;
    assert_eq!(f.first.look_up(tenant(1), "k").await, held(value(100, "100")));
}

/// `replace_all` takes many, also several versions of one key.
pub async fn many_are_replaced_in_one_call(f: &CacheFixture) {
    let names: Vec<_> = (0..1_000).map(|n| format!("key {n}")).collect();
    let change = |name: &String, version| Replacement {
        tenant: tenant(1),
        key: key(name),
        value: value(version, name.clone()),
        lifetime: LONG,
    };
    let all = names.iter().flat_map(|name| [change(name, 2), change(name, 1)]);
    f.first.cache.replace_all(all.collect()).await.expect("replaced");
    for name in names.iter().step_by(99) {
        assert_eq!(f.second.look_up(tenant(1), name).await, held(value(2, name.clone())));
    }
    f.first.cache.replace_all(Vec::new()).await.expect("nothing to do");
}

/// `replace_all`: "what the cache cannot hold … it must not hold an older value of either".
pub async fn a_value_that_is_too_large_leaves_nothing_older_behind(f: &CacheFixture) {
    f.first.replace(tenant(1), "k", value(5, "v")).await;
    let large = vec![b'x'; 64 << 20];
    f.first.replace(tenant(1), "k", value(6, large.clone())).await;
    let told = f.second.look_up(tenant(1), "k").await;
    let is_true = told == held(value(6, large)) || !matches!(told, SharedLookup::Held(_));
    assert!(is_true, "an older value is held");
    f.second.replace(tenant(1), "k", value(5, "v")).await;
    let told = f.first.look_up(tenant(1), "k").await;
    assert_ne!(told, held(value(5, "v")), "an older value came back");
    f.second.replace(tenant(1), "k", value(7, "small")).await;
    assert_eq!(f.first.look_up(tenant(1), "k").await, held(value(7, "small")));
}
