//! What the cache of access keys holds, and whom it lets in.

use std::mem::size_of;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use tenantry_domain::{
    Caller, KeyHash, KeyId, KeyKind, KeyOwner, PresentedKey, ScopeSet, TenantNumber, TenantStatus, Timestamp,
};
use tenantry_ports::{AccessGrant, NearCache};

use super::error::AccessError;
use super::uses::NEVER;

/// The cache of access keys.
pub type AccessCache = dyn NearCache<KeyId, CachedGrant>;

/// What is known of a key id: whom it lets in, or that there is no such key.
#[derive(Debug, Clone)]
pub struct CachedGrant(Option<Arc<Grant>>);

/// What of an [`AccessGrant`] counts on each request.
#[derive(Debug)]
pub(super) struct Grant {
    owner: KeyOwner,
    scopes: ScopeSet,
    hash: KeyHash,
    expires_at: Option<Timestamp>,
    tenant_status: Option<TenantStatus>,
    last_noted: AtomicI64,
}

impl CachedGrant {
    /// About how many bytes this takes in a cache.
    #[must_use]
    pub fn weigh(_: &KeyId, cached: &Self) -> u32 {
        let grant = cached.0.as_ref().map_or(0, |_| size_of::<Grant>());
        u32::try_from(size_of::<KeyId>() + size_of::<Self>() + grant).unwrap_or(u32::MAX)
    }

    /// Grants have no versions: a change makes the cache forget them.
    #[must_use]
    pub fn version(_: &Self) -> u64 {
        0
    }

    /// Whether it is of one of this tenant's keys: then it holds the tenant's status.
    pub(crate) fn is_of(&self, tenant: TenantNumber) -> bool {
        self.0.as_ref().is_some_and(|grant| grant.owner == KeyOwner::Tenant(tenant))
    }

    /// The grant, if the key that is presented is the one it was made for.
    pub(super) fn matching(&self, presented: &PresentedKey) -> Option<&Grant> {
        let grant = self.0.as_deref()?;
        let kind = match grant.owner {
            KeyOwner::Admin => KeyKind::Admin,
            KeyOwner::Tenant(_) => KeyKind::Tenant,
        };
        // The comparison of hashes takes the same time whatever they are.
        (grant.hash == presented.hash && kind == presented.kind).then_some(grant)
    }
}

impl Grant {
    /// Lets the key in at `now`, or says why not.
    pub(super) fn admit(&self, key_id: KeyId, now: Timestamp) -> Result<Caller, AccessError> {
        match (self.owner, self.tenant_status) {
            (KeyOwner::Tenant(_), None | Some(TenantStatus::Deleting)) => return Err(AccessError::Unknown),
            _ if self.expires_at.is_some_and(|end| end <= now) => return Err(AccessError::Expired),
            (KeyOwner::Tenant(_), Some(TenantStatus::Suspended)) => return Err(AccessError::TenantSuspended),
            (KeyOwner::Tenant(_), Some(TenantStatus::Active)) | (KeyOwner::Admin, _) => {}
        }
        Ok(Caller { key_id, owner: self.owner, scopes: self.scopes })
    }

    /// When a use of the key was last noted, in microseconds since 1970.
    pub(super) fn last_noted(&self) -> &AtomicI64 {
        &self.last_noted
    }
}

impl From<Option<AccessGrant>> for CachedGrant {
    /// What was read from storage.
    fn from(grant: Option<AccessGrant>) -> Self {
        Self(grant.map(|AccessGrant { key, tenant_status }| {
            Arc::new(Grant {
                owner: key.owner,
                scopes: key.scopes,
                hash: key.hash,
                expires_at: key.expires_at,
                tenant_status,
                last_noted: AtomicI64::new(key.last_used_at.map_or(NEVER, Timestamp::as_micros)),
            })
        }))
    }
}
