use futures_util::FutureExt as _;
use mockall::predicate::eq;
use tenantry_ports::{Change, MockChangeBus, MockNearCache, MockSharedCache};

use super::*;
use crate::access_key::CachedGrant;
use crate::samples::{Standstill, entry, is_of_tenant_7_alone, key, number, propagation, revision, shelf};
use crate::tenant::CachedTenant;

/// Three caches that must not be touched, but as the test says.
#[derive(Default)]
struct Caches {
    access: MockNearCache<KeyId, CachedGrant>,
    tenants: MockNearCache<TenantNumber, CachedTenant>,
    key_values: MockNearCache<(TenantNumber, Key), CachedEntry>,
}

impl Caches {
    fn coherence(self) -> CacheCoherence {
        let (access, tenants) = (Arc::new(self.access), Arc::new(self.tenants));
        CacheCoherence::new(access, tenants, Arc::new(self.key_values), shelf())
    }
}

#[test]
fn a_key_value_that_was_put_or_is_gone_is_known_at_once() {
    for put in [Some(entry(5, None)), None] {
        let mut caches = Caches::default();
        let known = CachedEntry { revision: revision(5), entry: put.clone() };
        caches.key_values.expect_replace().once().with(eq((number(7), key("k"))), eq(known)).return_const(());
        caches.coherence().key_value_changed(number(7), &key("k"), revision(5), put);
    }
}

#[test]
fn a_key_value_of_which_nobody_knows_whether_it_changed_is_forgotten() {
    let mut caches = Caches::default();
    caches.key_values.expect_remove().once().with(eq((number(7), key("k")))).return_const(());
    caches.coherence().key_value_in_doubt(number(7), &key("k"));
}

#[test]
fn an_access_key_that_was_made_or_revoked_is_forgotten() {
    let id = KeyId::parse("0123456789ab").unwrap();
    let mut caches = Caches::default();
    caches.access.expect_remove().once().with(eq(id)).return_const(());
    caches.coherence().access_key_changed(id);
}

#[test]
fn a_tenant_that_changed_is_forgotten_and_so_are_its_grants() {
    let mut caches = Caches::default();
    caches.tenants.expect_remove().once().with(eq(number(7))).return_const(());
    caches.access.expect_remove_where().once().withf(is_of_tenant_7_alone).return_const(());
    caches.coherence().tenant_changed(number(7));
}

#[test]
fn among_nodes_a_change_is_pending_before_the_first_level_is_told_of_it() {
    let propagation = propagation(Some(Arc::new(MockSharedCache::new())), None, Standstill);
    let (mut caches, seen) = (Caches::default(), Arc::clone(&propagation));
    caches.key_values.expect_replace().once().returning(move |(tenant, key), _| {
        assert!(seen.is_pending(tenant, &key));
    });
    let coherence = caches.coherence().among_nodes(propagation);
    coherence.key_value_changed(number(7), &key("k"), revision(5), None);
}

#[test]
fn among_nodes_others_are_told_of_keys_and_tenants() {
    let id = KeyId::parse("0123456789ab").unwrap();
    let mut bus = MockChangeBus::new();
    bus.expect_announce().once().with(eq(vec![Change::Anything])).returning(|_| Ok(()));
    let changes = vec![Change::AccessKey(id), Change::Tenant(number(7))];
    bus.expect_announce().once().with(eq(changes)).returning(|_| Ok(()));
    let propagation = propagation(None, Some(Arc::new(bus)), Standstill);
    assert_eq!(propagation.run().now_or_never(), None);
    let mut caches = Caches::default();
    caches.access.expect_remove().return_const(());
    caches.access.expect_remove_where().return_const(());
    caches.tenants.expect_remove().return_const(());
    let coherence = caches.coherence().among_nodes(Arc::clone(&propagation));
    coherence.access_key_changed(id);
    coherence.tenant_changed(number(7));
    assert_eq!(propagation.run().now_or_never(), None);
}
