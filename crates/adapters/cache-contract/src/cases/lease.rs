//! One reader of all nodes fills what is not held.

use std::time::Duration;

use futures_util::future::join_all;
use tenantry_ports::{FillLease, SharedLookup};

use crate::cache_fixture::{CacheFixture, absence, held, key, tenant, value};
use crate::wait::until;

/// `look_up`: `Lease`, `Busy`.
pub async fn what_is_not_held_is_leased_to_one_of_all_nodes(f: &CacheFixture) {
    let all = (0..20).map(|n| if n % 2 == 0 { &f.first } else { &f.second });
    let told = join_all(all.map(|node| node.look_up(tenant(1), "k"))).await;
    let leases = told.iter().filter(|told| matches!(told, SharedLookup::Lease(_))).count();
    let busy = told.iter().filter(|told| **told == SharedLookup::Busy).count();
    assert_eq!((leases, busy), (1, 19), "{told:?}");
}

/// `fill`: "keeps what was read".
pub async fn what_the_holder_of_the_lease_has_read_is_held(f: &CacheFixture) {
    let lease = f.first.lease(tenant(1), "k").await;
    f.first.fill(tenant(1), "k", lease, value(5, "v")).await;
    assert_eq!(f.first.look_up(tenant(1), "k").await, held(value(5, "v")));
    assert_eq!(f.second.look_up(tenant(1), "k").await, held(value(5, "v")));
}

/// `SharedValue`: an absence that was read has version 0.
pub async fn an_absence_that_was_read_is_held(f: &CacheFixture) {
    let lease = f.first.lease(tenant(1), "k").await;
    f.first.fill(tenant(1), "k", lease, absence(0)).await;
    assert_eq!(f.second.look_up(tenant(1), "k").await, held(absence(0)));
}

/// `fill`: "does nothing where the lease is lost".
pub async fn who_has_not_the_lease_fills_nothing(f: &CacheFixture) {
    let lease = f.first.lease(tenant(1), "k").await;
    let other = FillLease { token: lease.token ^ 1, ..lease };
    f.second.fill(tenant(1), "k", other, value(5, "v")).await;
    f.second.fill(tenant(1), "never asked for", other, value(5, "v")).await;
    assert_eq!(f.first.look_up(tenant(1), "k").await, SharedLookup::Busy);
    assert!(matches!(f.first.look_up(tenant(1), "never asked for").await, SharedLookup::Lease(_)));
}

/// `FillLease`: lost "when another fills it".
pub async fn a_lease_fills_once(f: &CacheFixture) {
    let lease = f.first.lease(tenant(1), "k").await;
    f.first.fill(tenant(1), "k", lease, value(5, "v")).await;
    f.first.fill(tenant(1), "k", lease, value(6, "w")).await;
    assert_eq!(f.second.look_up(tenant(1), "k").await, held(value(5, "v")));
}

/// `replace_all`: "takes away the leases of these keys".
pub async fn a_change_takes_the_lease_away(f: &CacheFixture) {
    let lease = f.first.lease(tenant(1), "k").await;
    f.second.replace(tenant(1), "k", value(5, "new")).await;
    f.first.fill(tenant(1), "k", lease, value(4, "old")).await;
    assert_eq!(f.first.look_up(tenant(1), "k").await, held(value(5, "new")));

    let lease = f.first.lease(tenant(1), "gone").await;
    f.second.replace(tenant(1), "gone", absence(6)).await;
    f.first.fill(tenant(1), "gone", lease, value(4, "old")).await;
    assert_eq!(f.first.look_up(tenant(1), "gone").await, held(absence(6)));
}

/// `FillLease`: lost "after about a second".
pub async fn a_lease_that_nobody_uses_ends(f: &CacheFixture) {
    let lost = f.first.lease(tenant(1), "k").await;
    let began = std::time::Instant::now();
    until("the key is leased again", async || {
        matches!(f.second.look_up(tenant(1), "k").await, SharedLookup::Lease(_))
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    f.first.fill(tenant(1), "k", lost, value(5, "v")).await;
    assert_eq!(f.first.look_up(tenant(1), "k").await, SharedLookup::Busy);
}

/// `look_up`, `fill`: what is held has the tenant's number first.
pub async fn a_lease_is_the_tenants_own(f: &CacheFixture) {
    let lease = f.first.lease(tenant(1), "k").await;
    f.first.cache.fill(tenant(2), &key("k"), lease, value(5, "v"), crate::cache_fixture::LONG).await;
    assert!(matches!(f.second.look_up(tenant(2), "k").await, SharedLookup::Lease(_)));
}
