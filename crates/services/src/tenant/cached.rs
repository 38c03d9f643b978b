//! What the cache of tenants holds.

use std::mem::size_of;
use std::sync::Arc;

use tenantry_domain::{Tenant, TenantName, TenantNumber, TenantRef, TenantStatus};
use tenantry_ports::NearCache;

/// The cache of tenants.
pub type TenantCache = dyn NearCache<TenantNumber, CachedTenant>;

/// What is known of a tenant: what it takes to resolve a reference to it, or that it is absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedTenant(Option<Arc<KnownTenant>>);

#[derive(Debug, PartialEq, Eq)]
struct KnownTenant {
    name: TenantName,
    status: TenantStatus,
    version: u64,
}

impl CachedTenant {
    /// About how many bytes this takes in a cache.
    #[must_use]
    pub fn weigh(_: &TenantNumber, cached: &Self) -> u32 {
        let known = cached.0.as_ref().map_or(0, |known| size_of::<KnownTenant>() + known.name.as_str().len());
        u32::try_from(size_of::<TenantNumber>() + size_of::<Self>() + known).unwrap_or(u32::MAX)
    }

    /// Of two values of one tenant the one with the higher version is the newer.
    #[must_use]
    pub fn version(cached: &Self) -> u64 {
        cached.0.as_ref().map_or(0, |known| known.version)
    }

    pub(super) fn is_present(&self) -> bool {
        self.0.is_some()
    }

    pub(super) fn is_suspended(&self) -> bool {
        self.0.as_ref().is_some_and(|known| known.status == TenantStatus::Suspended)
    }

    /// Whether the tenant is the one that `named` means, and its data may be reached.
    pub(super) fn is_usable_as(&self, named: &TenantRef) -> bool {
        self.0.as_ref().is_some_and(|known| {
            known.status != TenantStatus::Deleting
                && named.name.as_ref().is_none_or(|name| *name == known.name)
        })
    }
}

impl From<Option<&Tenant>> for CachedTenant {
    /// What was read from storage.
    fn from(tenant: Option<&Tenant>) -> Self {
        Self(tenant.map(|tenant| {
            Arc::new(KnownTenant {
                name: tenant.name.clone(),
                status: tenant.status,
                version: tenant.version,
            })
        }))
    }
}
