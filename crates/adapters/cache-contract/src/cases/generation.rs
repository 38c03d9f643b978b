//! What may be old is not believed.

use tenantry_ports::SharedLookup;

use crate::cache_fixture::{CacheFixture, absence, held, tenant, value};

/// "A node that lost touch (… its own start) begins a new generation before it believes anything."
pub async fn a_node_that_starts_believes_nothing_that_was_held_before(f: &CacheFixture) {
    f.first.replace(tenant(1), "k", value(5, "v")).await;
    let third = f.another_node().await;
    assert!(matches!(third.look_up(tenant(1), "k").await, SharedLookup::Lease(_)));
}

/// "No node believes an entry of an older generation than the newest that it knows."
pub async fn a_node_that_meets_a_generation_believes_nothing_older(f: &CacheFixture) {
    f.first.replace(tenant(1), "k", value(5, "v")).await;
    f.first.cache.distrust();
    f.first.begins_generation(2).await;
    f.second.meets_generation(1).await;
    assert!(matches!(f.second.look_up(tenant(1), "k").await, SharedLookup::Lease(_)));
}

/// "A node looks for a newer generation at least every second": also when nobody tells it to.
pub async fn a_generation_is_met_without_being_told_to_look(f: &CacheFixture) {
    let met = f.second.generations.met();
    f.first.cache.distrust();
    crate::wait::until("the generation is met", async || f.second.generations.met() > met).await;
}

/// `distrust`: "from this call until a new generation has begun the cache is down for this node".
pub async fn a_cache_that_is_distrusted_is_down_until_a_new_generation(f: &CacheFixture) {
    f.first.replace(tenant(1), "k", value(5, "v")).await;
    f.first.cache.distrust();
    let told = f.first.look_up(tenant(1), "k").await;
    assert!(!matches!(told, SharedLookup::Held(_)), "{told:?}");
    f.first.begins_generation(2).await;
    assert!(matches!(f.first.look_up(tenant(1), "k").await, SharedLookup::Lease(_)));
}

/// `FillLease`: "what it fills is of that generation, however long the read took".
pub async fn what_a_lease_of_an_older_generation_fills_is_not_believed(f: &CacheFixture) {
    let lease = f.second.lease(tenant(1), "k").await;
    f.first.cache.distrust();
    f.first.begins_generation(2).await;
    f.second.meets_generation(1).await;
    f.second.fill(tenant(1), "k", lease, value(5, "v")).await;
    let told = f.first.look_up(tenant(1), "k").await;
    assert!(matches!(told, SharedLookup::Lease(_)), "{told:?}");
}

/// A value of an older generation still keeps out what is older than itself.
pub async fn what_is_not_believed_still_keeps_out_what_is_older(f: &CacheFixture) {
    f.first.replace(tenant(1), "k", value(6, "w")).await;
    f.first.cache.distrust();
    f.first.begins_generation(2).await;
    let lease = f.first.lease(tenant(1), "k").await;
    f.first.replace(tenant(1), "k", value(5, "v")).await;
    assert_ne!(f.first.look_up(tenant(1), "k").await, held(value(5, "v")));
    f.first.fill(tenant(1), "k", lease, value(6, "w")).await;
    assert_eq!(f.first.look_up(tenant(1), "k").await, held(value(6, "w")));
}

/// An absence that was read takes the newest version that is known, for a change that was before it.
pub async fn an_absence_that_is_read_anew_keeps_out_what_is_older(f: &CacheFixture) {
    f.first.replace(tenant(1), "k", absence(6)).await;
    f.first.cache.distrust();
    f.first.begins_generation(2).await;
    let lease = f.first.lease(tenant(1), "k").await;
    f.first.fill(tenant(1), "k", lease, absence(0)).await;
    f.first.replace(tenant(1), "k", value(5, "v")).await;
    assert_eq!(f.first.look_up(tenant(1), "k").await, held(absence(6)));
}

/// What is stored anew in the new generation is believed, of the same version too.
pub async fn the_same_version_is_believed_again_once_it_was_stored_anew(f: &CacheFixture) {
    f.first.replace(tenant(1), "k", value(6, "w")).await;
    f.first.cache.distrust();
    f.first.begins_generation(2).await;
    f.first.replace(tenant(1), "k", value(6, "w")).await;
    assert_eq!(f.first.look_up(tenant(1), "k").await, held(value(6, "w")));
}
