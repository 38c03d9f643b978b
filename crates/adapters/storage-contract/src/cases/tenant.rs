//! Tenants: made, found and changed.

use tenantry_domain::{NewTenant, Tenant, TenantName, TenantStatus};
use tenantry_ports::{TenantUpdate, TenantWriteError};

use crate::fixture::Fixture;
use crate::recorded_commits::Commit;
use crate::samples::{AWKWARD_TEXTS, object, unknown_tenant};
use crate::wait::at_once;

fn update(name: &str) -> TenantUpdate {
    TenantUpdate {
        name: TenantName::new(name).unwrap(),
        info: object(r#"{"changed": true}"#),
        status: TenantStatus::Suspended,
    }
}

pub async fn a_new_tenant_is_active_of_version_1_and_made_now(s: &Fixture) {
    let info = object(r#"{"plan": "gold", "seats": 12345678901234567890, "nested": {"a": [1, null]}}"#);
    let name = TenantName::new("Acme.Corp_1-x").unwrap();
    let tenant = s.tenants.create(NewTenant { name: name.clone(), info: info.clone() }).await.unwrap();
    let expected = Tenant {
        number: tenant.number,
        name,
        status: TenantStatus::Active,
        info,
        version: 1,
        created_at: s.now(),
        updated_at: s.now(),
        erasure: None,
    };
    assert_eq!(tenant, expected);
    assert_eq!(s.tenants.find(tenant.number).await.unwrap(), Some(expected));
}

pub async fn each_new_tenants_number_is_larger_than_any_before(s: &Fixture) {
    let mut last = 0;
    for _ in 0..5 {
        let number = s.tenant().await.get();
        assert!(number > last, "{number} came after {last}");
        last = number;
    }
}

pub async fn the_number_of_an_erased_tenant_is_never_given_again(s: &Fixture) {
    let (first, last) = s.two_tenants().await;
    s.delete_and_erase(last).await;
    let next = s.tenant().await;
    assert!(next > last, "{next} came after {last}");
    for tenant in [first, next] {
        s.delete_and_erase(tenant).await;
    }
    assert!(s.tenant().await > next, "with no tenant left, the numbers start again");
}

pub async fn tenants_made_at_once_get_numbers_of_their_own(s: &Fixture) {
    let make = |_| {
        let s = s.clone();
        async move { s.tenant().await }
    };
    let mut numbers = at_once((0..64).map(make)).await;
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len(), 64);
}

pub async fn tenants_may_have_the_same_name(s: &Fixture) {
    let (one, other) = (s.tenant_named("twin").await, s.tenant_named("twin").await);
    assert_ne!(one.number, other.number);
    assert_eq!(s.tenant_now(one.number).await, one);
    assert_eq!(s.tenant_now(other.number).await, other);
}

pub async fn a_name_of_64_characters_is_kept(s: &Fixture) {
    let tenant = s.tenant_named(&"N".repeat(64)).await;
    assert_eq!(s.tenant_now(tenant.number).await.name.as_str(), "N".repeat(64));
}

pub async fn a_tenants_info_is_kept_as_the_value_that_it_was(s: &Fixture) {
    let name = TenantName::new("info").unwrap();
    for text in AWKWARD_TEXTS {
        let info = object(&serde_json::json!({ text: [text, { text: 1.5e-7 }] }).to_string());
        let tenant = s.tenants.create(NewTenant { name: name.clone(), info: info.clone() }).await.unwrap();
        assert_eq!(tenant.info, info);
        assert_eq!(s.tenant_now(tenant.number).await.info, info);
    }
}

pub async fn a_tenant_is_found_whatever_its_status(s: &Fixture) {
    let tenant = s.tenant().await;
    for status in [TenantStatus::Active, TenantStatus::Suspended, TenantStatus::Deleting] {
        let updated = s.set_status(tenant, status).await;
        assert_eq!(updated.status, status);
        assert_eq!(s.tenants.find(tenant).await.unwrap(), Some(updated));
    }
}

pub async fn an_unknown_number_finds_no_tenant(s: &Fixture) {
    s.tenant().await;
    assert_eq!(s.tenants.find(unknown_tenant()).await.unwrap(), None);
}

pub async fn an_update_changes_the_tenant_and_takes_its_next_version(s: &Fixture) {
    let created = s.tenant_named("before").await;
    let now = s.clock.advance_seconds(5);
    let updated = s.tenants.update(created.number, 1, update("after")).await.unwrap();
    let expected = Tenant {
        name: TenantName::new("after").unwrap(),
        info: object(r#"{"changed": true}"#),
        status: TenantStatus::Suspended,
        version: 2,
        updated_at: now,
        ..created
    };
    assert_eq!(updated, expected);
    assert_eq!(s.tenant_now(expected.number).await, expected);
}

pub async fn updated_at_never_falls_when_the_clock_is_set_back(s: &Fixture) {
    let tenant = s.tenant().await;
    let late = s.clock.advance_seconds(60);
    s.tenants.update(tenant, 1, update("late")).await.unwrap();
    s.clock.advance_seconds(-3600);
    let updated = s.tenants.update(tenant, 2, update("early")).await.unwrap();
    assert!(updated.updated_at >= late, "{} fell below {late}", updated.updated_at);
    assert_eq!(s.tenant_now(tenant).await, updated);
}

pub async fn an_update_of_another_version_is_refused_with_the_one_that_stands(s: &Fixture) {
    let created = s.tenant_named("before").await;
    s.commits.take();
    for expected_version in [0, 2, u64::from(u32::MAX)] {
        let refused = s.tenants.update(created.number, expected_version, update("after")).await;
        assert_eq!(refused, Err(TenantWriteError::VersionConflict { current: 1 }));
    }
    assert_eq!(s.tenant_now(created.number).await, created);
    assert_eq!(s.commits.take(), []);
}

pub async fn an_update_of_an_unknown_tenant_is_not_found(s: &Fixture) {
    let refused = s.tenants.update(unknown_tenant(), 1, update("nobody")).await;
    assert_eq!(refused, Err(TenantWriteError::NotFound));
    assert_eq!(s.tenants.find(unknown_tenant()).await.unwrap(), None);
}

pub async fn an_update_of_an_erased_tenant_is_not_found(s: &Fixture) {
    let tenant = s.tenant().await;
    s.delete_and_erase(tenant).await;
    let refused = s.tenants.update(tenant, 2, update("nobody")).await;
    assert_eq!(refused, Err(TenantWriteError::NotFound));
}

pub async fn of_updates_at_once_of_one_version_one_succeeds(s: &Fixture) {
    let tenant = s.tenant().await;
    let attempt = |n: usize| {
        let s = s.clone();
        async move { s.tenants.update(tenant, 1, update(&format!("by-{n}"))).await }
    };
    let answers = at_once((0..32).map(attempt)).await;
    let winners: Vec<_> = answers.iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(&s.tenant_now(tenant).await, winners[0]);
    let refused = answers.iter().filter_map(|answer| answer.as_ref().err());
    refused.for_each(|error| assert_eq!(*error, TenantWriteError::VersionConflict { current: 2 }));
}

pub async fn an_update_leaves_other_tenants_as_they_are(s: &Fixture) {
    let (one, other) = (s.tenant_named("one").await, s.tenant_named("other").await);
    s.clock.advance_seconds(1);
    s.tenants.update(one.number, 1, update("changed")).await.unwrap();
    assert_eq!(s.tenant_now(other.number).await, other);
}

pub async fn an_update_tells_the_listener_before_it_answers(s: &Fixture) {
    let tenant = s.tenant().await;
    s.commits.take();
    s.tenants.update(tenant, 1, update("changed")).await.unwrap();
    assert_eq!(s.commits.take(), [Commit::Tenant(tenant)]);
}
