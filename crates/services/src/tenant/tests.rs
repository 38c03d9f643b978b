mod change;
mod resolve;

use std::sync::Arc;

use serde_json::value::RawValue;
use tenantry_domain::{
    Page, PageLimit, Precondition, Tenant, TenantDraft, TenantFilter, TenantName, TenantStatus,
};
use tenantry_ports::MockTenantRepository;

use super::{TenantError, TenantService};
use crate::samples::{acme, down, forgetful, number, tenant_ref};

pub(super) fn service(tenants: MockTenantRepository) -> TenantService {
    TenantService::new(Arc::new(tenants), forgetful())
}

/// Storage that holds this tenant and nothing else, and is not to be written.
fn holding(tenant: Tenant) -> MockTenantRepository {
    let mut tenants = MockTenantRepository::new();
    tenants
        .expect_find()
        .returning(move |asked| Ok(Some(tenant.clone()).filter(|tenant| tenant.number == asked)));
    tenants
}

fn named(name: &str) -> TenantDraft<'static> {
    TenantDraft { name: Some(name.to_owned()), tenant_info: None }
}

#[tokio::test]
async fn a_new_tenant_is_stored_as_its_draft_says() {
    let mut tenants = MockTenantRepository::new();
    tenants
        .expect_create()
        .once()
        .withf(|new| new.name.as_str() == "acme" && new.info.as_str() == r#"{"plan":"gold"}"#)
        .returning(|_| Ok(acme(TenantStatus::Active)));
    let info: &RawValue = serde_json::from_str(r#"{"plan":"gold"}"#).unwrap();
    let draft = TenantDraft { tenant_info: Some(info), ..named("acme") };
    assert_eq!(service(tenants).create(draft).await, Ok(acme(TenantStatus::Active)));
}

#[tokio::test]
async fn a_draft_that_breaks_a_rule_is_not_stored() {
    let refused = service(MockTenantRepository::new()).create(named("no spaces")).await;
    let Err(TenantError::Invalid(violations)) = refused else { panic!("{refused:?}") };
    assert_eq!(violations.as_slice()[0].pointer, "/name");
}

#[tokio::test]
async fn a_tenant_is_found_by_number_and_by_id_whatever_its_status() {
    for status in TenantStatus::ALL {
        for reference in ["7", "7_acme"] {
            let found = service(holding(acme(status))).get(&tenant_ref(reference)).await;
            assert_eq!(found, Ok(acme(status)));
        }
    }
}

#[tokio::test]
async fn a_tenant_of_another_number_or_name_is_not_found() {
    for reference in ["8", "7_other"] {
        let found = service(holding(acme(TenantStatus::Active))).get(&tenant_ref(reference)).await;
        assert_eq!(found, Err(TenantError::NotFound));
    }
}

#[tokio::test]
async fn a_list_is_asked_for_as_it_was_ordered() {
    let filter = TenantFilter { status: Some(TenantStatus::Active), name_prefix: Some("ac".to_owned()) };
    let page = Page { items: vec![acme(TenantStatus::Active)], more: true };
    let (mut tenants, asked, answer) = (MockTenantRepository::new(), filter.clone(), page.clone());
    tenants
        .expect_list()
        .once()
        .withf(move |filter, after, limit| {
            *filter == asked && *after == Some(number(6)) && *limit == PageLimit::MAX
        })
        .return_once(|_, _, _| Ok(answer));
    assert_eq!(service(tenants).list(filter, Some(number(6)), PageLimit::MAX).await, Ok(page));
}

#[tokio::test]
async fn erasure_takes_one_step_of_the_lowest_deleted_tenant() {
    // Whether or not that was its last step: another tenant may be waiting.
    for gone in [false, true] {
        let mut tenants = MockTenantRepository::new();
        tenants.expect_deleting().once().withf(|limit| limit.get() == 1).returning(|_| Ok(vec![number(4)]));
        tenants
            .expect_erase_some()
            .once()
            .withf(|tenant, max_rows| (*tenant, *max_rows) == (number(4), 500))
            .return_const(Ok(gone));
        assert_eq!(service(tenants).erase_next(500).await, Ok(true));
    }
}

#[tokio::test]
async fn erasure_is_done_when_no_tenant_is_being_deleted() {
    let mut tenants = MockTenantRepository::new();
    tenants.expect_deleting().returning(|_| Ok(Vec::new()));
    assert_eq!(service(tenants).erase_next(500).await, Ok(false));
}

#[tokio::test]
async fn storage_that_fails_is_told_as_such() {
    let mut tenants = MockTenantRepository::new();
    tenants.expect_create().return_const(Err(down()));
    tenants.expect_find().return_const(Err(down()));
    tenants.expect_list().returning(|_, _, _| Err(down()));
    tenants.expect_deleting().return_const(Err(down()));
    let service = service(tenants);
    let failed = TenantError::Storage(down());
    let acme = tenant_ref("7");
    assert_eq!(service.create(named("acme")).await, Err(failed.clone()));
    assert_eq!(service.get(&acme).await, Err(failed.clone()));
    assert_eq!(service.delete(&acme, &Precondition::default()).await, Err(failed.clone()));
    let listed = service.list(TenantFilter::default(), None, PageLimit::default()).await;
    assert_eq!(listed, Err(failed.clone()));
    assert_eq!(service.erase_next(500).await, Err(failed));
}

#[test]
fn a_cached_tenant_weighs_its_name_and_is_as_new_as_its_version() {
    use super::CachedTenant;
    let of = |name: &str| {
        let tenant = Tenant { name: TenantName::new(name).unwrap(), ..acme(TenantStatus::Active) };
        CachedTenant::from(Some(&tenant))
    };
    let (short, long, absent) = (of("a"), of(&"a".repeat(64)), CachedTenant::from(None));
    assert_eq!(CachedTenant::weigh(&number(7), &long) - CachedTenant::weigh(&number(7), &short), 63);
    assert!(CachedTenant::weigh(&number(7), &absent) < CachedTenant::weigh(&number(7), &short));
    assert_eq!((CachedTenant::version(&short), CachedTenant::version(&absent)), (3, 0));
}
