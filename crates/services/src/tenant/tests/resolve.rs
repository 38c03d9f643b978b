//! Which tenant a request is about.

use mockall::predicate::eq;
use tenantry_domain::{Caller, KeyId, KeyOwner, ScopeSet, TenantNumber, TenantRef};
use tenantry_ports::{LoadTicket, MockNearCache};

use super::*;
use crate::samples::pause;
use crate::tenant::CachedTenant;

fn caller(owner: KeyOwner) -> Caller {
    Caller { key_id: KeyId::parse("0123456789ab").unwrap(), owner, scopes: ScopeSet::all() }
}

const ADMIN: KeyOwner = KeyOwner::Admin;

fn acmes() -> KeyOwner {
    KeyOwner::Tenant(number(7))
}

async fn resolve(
    tenants: MockTenantRepository,
    owner: KeyOwner,
    named: Option<&str>,
) -> Result<TenantNumber, TenantError> {
    let named: Option<TenantRef> = named.map(tenant_ref);
    service(tenants).resolve(&caller(owner), named.as_ref()).await
}

#[tokio::test]
async fn a_tenants_key_means_its_own_tenant_and_nothing_is_looked_up() {
    for named in [None, Some("7")] {
        assert_eq!(resolve(MockTenantRepository::new(), acmes(), named).await, Ok(number(7)));
    }
}

#[tokio::test]
async fn a_tenants_key_may_name_its_own_tenant_by_its_id() {
    let active = || holding(acme(TenantStatus::Active));
    assert_eq!(resolve(active(), acmes(), Some("7_acme")).await, Ok(number(7)));
    assert_eq!(resolve(active(), acmes(), Some("7_other")).await, Err(TenantError::NotFound));
}

#[tokio::test]
async fn a_tenants_key_cannot_see_whether_another_tenant_exists() {
    for named in ["8", "8_other"] {
        assert_eq!(
            resolve(MockTenantRepository::new(), acmes(), Some(named)).await,
            Err(TenantError::NotFound)
        );
    }
}

#[tokio::test]
async fn an_administrator_must_name_a_tenant() {
    assert_eq!(resolve(MockTenantRepository::new(), ADMIN, None).await, Err(TenantError::TenantRequired));
}

#[tokio::test]
async fn an_administrator_reaches_a_tenant_that_is_active_or_suspended() {
    for status in [TenantStatus::Active, TenantStatus::Suspended] {
        for named in ["7", "7_acme"] {
            assert_eq!(resolve(holding(acme(status)), ADMIN, Some(named)).await, Ok(number(7)));
        }
    }
}

#[tokio::test]
async fn an_administrator_does_not_reach_a_tenant_that_is_absent_or_being_deleted() {
    for (status, named) in [
        (TenantStatus::Active, "8"),
        (TenantStatus::Active, "7_other"),
        (TenantStatus::Deleting, "7"),
        (TenantStatus::Deleting, "7_acme"),
    ] {
        assert_eq!(resolve(holding(acme(status)), ADMIN, Some(named)).await, Err(TenantError::NotFound));
    }
}

#[tokio::test]
async fn a_tenant_that_is_known_is_not_looked_up() {
    let mut cache = MockNearCache::new();
    let known = CachedTenant::from(Some(&acme(TenantStatus::Active)));
    cache.expect_get().once().with(eq(number(7))).return_const(Some(known));
    let service = TenantService::new(Arc::new(MockTenantRepository::new()), Arc::new(cache));
    assert_eq!(service.resolve(&caller(ADMIN), Some(&tenant_ref("7_acme"))).await, Ok(number(7)));
}

#[tokio::test]
async fn a_tenant_that_was_looked_up_is_kept_but_an_absence_is_not() {
    let mut cache = MockNearCache::new();
    cache.expect_get().return_const(None);
    cache.expect_ticket().return_const(LoadTicket(5));
    cache.expect_last_known().returning(|_| None);
    let kept = CachedTenant::from(Some(&acme(TenantStatus::Active)));
    cache.expect_fill().once().with(eq(number(7)), eq(kept), eq(LoadTicket(5))).return_const(());
    let service = TenantService::new(Arc::new(holding(acme(TenantStatus::Active))), Arc::new(cache));
    assert_eq!(service.resolve(&caller(ADMIN), Some(&tenant_ref("7"))).await, Ok(number(7)));
    // Number 8 may be the next tenant's, and nobody tells the cache of a new tenant.
    assert_eq!(service.resolve(&caller(ADMIN), Some(&tenant_ref("8"))).await, Err(TenantError::NotFound));
}

#[test]
fn two_who_name_the_same_unknown_tenant_are_one_look_up() {
    let (pause, mut paused) = pause();
    let mut tenants = MockTenantRepository::new();
    tenants.expect_find().once().return_once(move |_| {
        paused.wait();
        Ok(Some(acme(TenantStatus::Active)))
    });
    let (service, admin, named) = (service(tenants), caller(ADMIN), tenant_ref("7"));
    pause.share(|| service.resolve(&admin, Some(&named)), &Ok(number(7)));
}

#[tokio::test]
async fn storage_that_fails_is_not_taken_for_an_absence() {
    let mut tenants = MockTenantRepository::new();
    tenants.expect_find().return_const(Err(down()));
    assert_eq!(resolve(tenants, ADMIN, Some("7")).await, Err(TenantError::Storage(down())));
}

#[tokio::test]
async fn an_opened_tenant_is_reached_without_a_key_while_it_is_active() {
    let resolve = async |status, opened: &str, named: Option<&str>| {
        let named = named.map(tenant_ref);
        service(holding(acme(status))).resolve_opened(&tenant_ref(opened), named.as_ref()).await
    };
    for opened in ["7", "7_acme"] {
        for named in [None, Some("7"), Some("7_acme")] {
            assert_eq!(resolve(TenantStatus::Active, opened, named).await, Ok(number(7)));
        }
        assert_eq!(resolve(TenantStatus::Active, opened, Some("8")).await, Err(TenantError::NotFound));
        assert_eq!(resolve(TenantStatus::Active, opened, Some("7_other")).await, Err(TenantError::NotFound));
        assert_eq!(resolve(TenantStatus::Suspended, opened, None).await, Err(TenantError::Suspended));
        assert_eq!(resolve(TenantStatus::Deleting, opened, None).await, Err(TenantError::NotFound));
    }
    assert_eq!(resolve(TenantStatus::Active, "7_other", None).await, Err(TenantError::NotFound));
    assert_eq!(resolve(TenantStatus::Active, "8", None).await, Err(TenantError::NotFound));
}
