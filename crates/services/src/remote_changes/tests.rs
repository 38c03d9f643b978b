use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use mockall::predicate::eq;
use tenantry_domain::{Key, KeyId, TenantNumber};
use tenantry_ports::{MockChangeBus, MockNearCache, MockSharedCache, MockTimer};

use super::*;
use crate::access_key::CachedGrant;
use crate::key_value::CachedEntry;
use crate::samples::{Standstill, is_of_tenant_7_alone, key, number, propagation, revision, shelf};
use crate::tenant::CachedTenant;

/// Three caches that must not be touched, but as the test says; and a shared cache that must not either.
#[derive(Default)]
struct World {
    access: MockNearCache<KeyId, CachedGrant>,
    tenants: MockNearCache<TenantNumber, CachedTenant>,
    key_values: MockNearCache<(TenantNumber, Key), CachedEntry>,
    shared: MockSharedCache,
}

impl World {
    fn expect_everything_forgotten(&mut self, times: usize) {
        self.access.expect_clear().times(times).return_const(());
        self.tenants.expect_clear().times(times).return_const(());
        self.key_values.expect_clear().times(times).return_const(());
    }

    fn remote(self) -> RemoteChanges {
        self.remote_with(ages(), propagation_over(MockSharedCache::new()))
    }

    fn remote_over_shared(mut self) -> RemoteChanges {
        let shared = std::mem::take(&mut self.shared);
        self.remote_with(ages(), propagation_over(shared))
    }

    fn remote_with(self, ages: Arc<Ages>, propagation: Arc<Propagation>) -> RemoteChanges {
        let (access, tenants) = (Arc::new(self.access), Arc::new(self.tenants));
        RemoteChanges::new(access, tenants, Arc::new(self.key_values), shelf(), ages, propagation)
    }
}

fn ages() -> Arc<Ages> {
    Arc::new(Ages::new(Arc::new(Standstill), Duration::from_secs(10)))
}

fn propagation_over(shared: MockSharedCache) -> Arc<Propagation> {
    propagation(Some(Arc::new(shared)), None, Standstill)
}

#[test]
fn what_another_node_has_changed_is_forgotten() {
    let mut world = World::default();
    let id = KeyId::parse("0123456789ab").unwrap();
    world.key_values.expect_outdate().once().with(eq((number(7), key("k"))), eq(5)).return_const(());
    world.access.expect_remove().once().with(eq(id)).return_const(());
    let remote = world.remote();
    remote.changed(Change::KeyValue { tenant: number(7), key: key("k"), revision: revision(5) });
    remote.changed(Change::AccessKey(id));
}

#[test]
fn a_tenant_that_another_node_has_changed_is_forgotten_and_so_are_its_grants() {
    let mut world = World::default();
    world.tenants.expect_remove().once().with(eq(number(7))).return_const(());
    world.access.expect_remove_where().once().withf(is_of_tenant_7_alone).return_const(());
    world.remote().changed(Change::Tenant(number(7)));
}

#[test]
fn when_it_may_be_anything_everything_is_forgotten_and_a_new_generation_is_looked_for() {
    let mut world = World::default();
    world.expect_everything_forgotten(1);
    world.shared.expect_recheck().once().return_const(());
    world.remote_over_shared().changed(Change::Anything);
}

#[test]
fn when_the_bus_is_joined_or_lost_everything_is_forgotten() {
    let mut world = World::default();
    world.expect_everything_forgotten(2);
    let remote = world.remote();
    remote.joined();
    remote.lost();
}

#[test]
fn what_is_held_is_long_lived_only_while_the_bus_is_joined() {
    let now_ms = Arc::new(AtomicU64::new(0));
    let (mut timer, time) = (MockTimer::new(), Arc::clone(&now_ms));
    timer.expect_elapsed().returning(move || Duration::from_millis(time.load(Ordering::SeqCst)));
    let ages = Arc::new(Ages::new(Arc::new(timer), Duration::from_secs(10)));
    let mut world = World::default();
    world.expect_everything_forgotten(2);
    let remote = world.remote_with(Arc::clone(&ages), propagation_over(MockSharedCache::new()));
    let is_believed = |age_ms| {
        now_ms.store(age_ms, Ordering::SeqCst);
        !ages.is_past(0)
    };
    assert!(is_believed(500) && !is_believed(501));
    remote.joined();
    assert!(is_believed(10_000) && !is_believed(10_001));
    remote.lost();
    assert!(is_believed(500) && !is_believed(501));
}

#[test]
fn a_new_generation_of_this_node_is_told_to_the_others() {
    let mut world = World::default();
    world.key_values.expect_clear().once().return_const(());
    let mut bus = MockChangeBus::new();
    bus.expect_announce().times(2).with(eq(vec![Change::Anything])).returning(|_| Ok(()));
    let propagation = propagation(None, Some(Arc::new(bus)), Standstill);
    assert_eq!(propagation.run().now_or_never(), None, "the first is told at the start");
    world.remote_with(ages(), Arc::clone(&propagation)).began_generation();
    assert_eq!(propagation.run().now_or_never(), None);
}

#[test]
fn a_new_generation_of_another_node_makes_key_values_forgotten() {
    let mut world = World::default();
    world.key_values.expect_clear().once().return_const(());
    world.remote().met_generation();
}
