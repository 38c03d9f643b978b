//! What each tenant may have of the workers of a process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tenantry_domain::TenantNumber;

/// How many jobs each tenant has under way.
pub(super) struct Shares {
    most: usize,
    under_way: Mutex<HashMap<TenantNumber, usize>>,
}

/// A tenant's place, until it is dropped.
pub(super) struct Share<'a> {
    shares: &'a Shares,
    tenant: TenantNumber,
}

impl Shares {
    /// At most so many a tenant, and at least one.
    pub(super) fn new(most: usize) -> Self {
        Self { most: most.max(1), under_way: Mutex::default() }
    }

    /// A place for a job of the tenant, unless it has all that it may have.
    pub(super) fn enter(&self, tenant: TenantNumber) -> Option<Share<'_>> {
        let mut under_way = self.under_way();
        let count = under_way.entry(tenant).or_default();
        if *count == self.most {
            return None;
        }
        *count += 1;
        Some(Share { shares: self, tenant })
    }

    /// No code that can panic runs between two changes of it, so a poisoned lock guards a sound one.
    fn under_way(&self) -> MutexGuard<'_, HashMap<TenantNumber, usize>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        let mut under_way = self.shares.under_way();
        if let Some(count) = under_way.get_mut(&self.tenant) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.tenant);
            }
        }
    }
}

#[test]
fn a_tenant_has_so_many_places_and_others_have_theirs() {
    let (one, other) = (TenantNumber::new(1).unwrap(), TenantNumber::new(2).unwrap());
    let shares = Shares::new(2);
    let first = shares.enter(one);
    let second = shares.enter(one);
    assert!(first.is_some() && second.is_some() && shares.enter(one).is_none());
    assert!(shares.enter(other).is_some());
    drop(first);
    assert!(shares.enter(one).is_some());
    drop(second);
    assert!(shares.under_way().is_empty(), "who has none takes no room");
}
