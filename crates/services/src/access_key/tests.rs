mod authentication;
mod keys;
mod uses;

use std::sync::Arc;

use tenantry_domain::{AccessKey, KeyKind, KeyOwner, SecretKey, TenantStatus, Timestamp};
use tenantry_ports::{AccessGrant, MockAccessKeyRepository, StorageError};

use super::{AccessError, AccessKeyError, AccessService};
use crate::samples::{access_key, clock_at, down, forgetful, number, secret, time};

/// The time at which all of this happens.
const NOW: i64 = 1_000;

fn service(keys: MockAccessKeyRepository) -> AccessService {
    AccessService::new(Arc::new(keys), forgetful(), clock_at(time(NOW)))
}

/// A tenant's key, which is stored, and what is stored of it.
fn tenants_key() -> (SecretKey, AccessKey) {
    let secret = secret(KeyKind::Tenant);
    let key = access_key(&secret, KeyOwner::Tenant(number(7)));
    (secret, key)
}

/// Storage that holds one key.
fn holding(key: AccessKey, tenant_status: Option<TenantStatus>) -> MockAccessKeyRepository {
    let mut keys = MockAccessKeyRepository::new();
    keys.expect_find_grant().returning(move |id| {
        Ok(Some(AccessGrant { key: key.clone(), tenant_status }).filter(|grant| grant.key.id == id))
    });
    keys
}
