//! Tenants: listed.

use tenantry_domain::{PageLimit, Tenant, TenantFilter, TenantNumber, TenantStatus};

use crate::fixture::Fixture;
use crate::samples::unknown_tenant;
use crate::walk::{PAGE_SIZES, limit, walk};

const NAMES: [&str; 11] =
    ["acme", "Acme", "acme-two", "a_me", "axme", "a.me", "ACME", "zebra", "acm", "0", "acme"];

/// Tenants of all names and statuses.
async fn varied_tenants(s: &Fixture) -> Vec<Tenant> {
    let mut tenants = Vec::new();
    for (at, name) in NAMES.iter().enumerate() {
        let tenant = s.tenant_named(name).await;
        let status = TenantStatus::ALL[at % 3];
        tenants.push(match status {
            TenantStatus::Active => tenant,
            _ => s.set_status(tenant.number, status).await,
        });
    }
    tenants
}

/// Walks the list in pages of every size and compares it with the tenants of which `shown` holds.
async fn assert_shows(s: &Fixture, all: &[Tenant], filter: &TenantFilter, shown: impl Fn(&Tenant) -> bool) {
    let expected: Vec<_> = all.iter().filter(|tenant| shown(tenant)).cloned().collect();
    for size in PAGE_SIZES {
        let listed = walk(
            limit(size),
            |tenant: &Tenant| tenant.number,
            async |after, limit| s.tenants.list(filter.clone(), after, limit).await.unwrap(),
        )
        .await;
        assert_eq!(listed, expected, "{filter:?} in pages of {size}");
    }
}

pub async fn tenants_are_listed_once_each_by_number_in_pages_of_any_size(s: &Fixture) {
    let all = varied_tenants(s).await;
    assert_shows(s, &all, &TenantFilter::default(), |_| true).await;
}

pub async fn without_tenants_the_list_is_empty_and_ends(s: &Fixture) {
    assert_shows(s, &[], &TenantFilter::default(), |_| true).await;
}

pub async fn a_list_by_status_shows_only_tenants_of_that_status(s: &Fixture) {
    let all = varied_tenants(s).await;
    for status in TenantStatus::ALL {
        let filter = TenantFilter { status: Some(status), name_prefix: None };
        assert_shows(s, &all, &filter, |tenant| tenant.status == status).await;
    }
}

pub async fn a_list_by_name_prefix_goes_by_the_letter_and_knows_no_wildcards(s: &Fixture) {
    let all = varied_tenants(s).await;
    for prefix in ["", "a", "A", "acme", "acme-", "a_", "a.", "_", "%", "a%", "?", "*", "'", "\\", "zz", "é"]
    {
        let filter = TenantFilter { status: None, name_prefix: Some(prefix.to_owned()) };
        assert_shows(s, &all, &filter, |tenant| tenant.name.as_str().starts_with(prefix)).await;
    }
}

pub async fn a_list_by_status_and_name_prefix_shows_tenants_of_both(s: &Fixture) {
    let all = varied_tenants(s).await;
    for status in TenantStatus::ALL {
        let filter = TenantFilter { status: Some(status), name_prefix: Some("ac".to_owned()) };
        let shown = |tenant: &Tenant| tenant.status == status && tenant.name.as_str().starts_with("ac");
        assert_shows(s, &all, &filter, shown).await;
    }
}

pub async fn a_list_behind_a_number_that_is_gone_goes_on_behind_its_place(s: &Fixture) {
    let (first, gone) = s.two_tenants().await;
    let last = s.tenant().await;
    s.delete_and_erase(gone).await;
    let numbers = async |after: TenantNumber| -> Vec<TenantNumber> {
        let page = s.tenants.list(TenantFilter::default(), Some(after), PageLimit::MAX).await.unwrap();
        page.items.iter().map(|tenant| tenant.number).collect()
    };
    assert_eq!(numbers(first).await, [last]);
    assert_eq!(numbers(gone).await, [last]);
    assert_eq!(numbers(last).await, []);
    assert_eq!(numbers(unknown_tenant()).await, []);
}

pub async fn deleting_names_only_tenants_being_deleted_lowest_first_up_to_the_limit(s: &Fixture) {
    let all = varied_tenants(s).await;
    let expected: Vec<_> =
        all.iter().filter(|t| t.status == TenantStatus::Deleting).map(|t| t.number).collect();
    assert_eq!(expected.len(), 3);
    assert_eq!(s.tenants.deleting(PageLimit::MAX).await.unwrap(), expected);
    assert_eq!(s.tenants.deleting(limit(2)).await.unwrap(), expected[..2]);
    s.delete_and_erase(expected[0]).await;
    assert_eq!(s.tenants.deleting(limit(2)).await.unwrap(), expected[1..]);
}

pub async fn deleting_names_nobody_where_none_is_being_deleted(s: &Fixture) {
    let tenant = s.tenant().await;
    s.set_status(tenant, TenantStatus::Suspended).await;
    assert_eq!(s.tenants.deleting(PageLimit::default()).await.unwrap(), []);
}
