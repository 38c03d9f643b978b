use mockall::predicate::eq;
use tenantry_ports::MockNearCache;

use super::*;
use crate::access_key::CachedGrant;
use crate::samples::{entry, key, number, revision};
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
        CacheCoherence::new(Arc::new(self.access), Arc::new(self.tenants), Arc::new(self.key_values))
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
fn a_tenant_that_changed_is_forgotten_and_so_are_all_grants() {
    let mut caches = Caches::default();
    caches.tenants.expect_remove().once().with(eq(number(7))).return_const(());
    caches.access.expect_clear().once().return_const(());
    caches.coherence().tenant_changed(number(7));
}
