//! Reading, deciding and writing, while others do the same.

use std::sync::atomic::{AtomicU64, Ordering};

use tenantry_domain::RevisionSet;
use tenantry_ports::{TenantUpdate, TenantWriteError};

use super::*;

const ALWAYS: Precondition = Precondition { if_match: None, if_none_match: None };

/// Storage that holds this tenant and takes one change of it, which must be `expected`; answers as storage
/// does.
fn changing(
    tenant: Tenant,
    expected: impl Fn(&TenantUpdate) -> bool + Send + 'static,
) -> MockTenantRepository {
    let mut tenants = holding(tenant.clone());
    tenants
        .expect_update()
        .once()
        .withf(move |number, version, update| (number.get(), *version) == (7, 3) && expected(update))
        .returning(move |_, version, update| {
            let TenantUpdate { name, info, status } = update;
            Ok(Tenant { name, info, status, version: version + 1, ..tenant.clone() })
        });
    tenants
}

/// Storage in which others change the tenant before each of the first `conflicts` writes.
fn contended(conflicts: u64) -> MockTenantRepository {
    let mut tenants = MockTenantRepository::new();
    let version = Arc::new(AtomicU64::new(3));
    let read = Arc::clone(&version);
    tenants.expect_find().returning(move |_| {
        Ok(Some(Tenant { version: read.load(Ordering::Relaxed), ..acme(TenantStatus::Active) }))
    });
    tenants.expect_update().returning(move |_, expected, update| {
        if version.load(Ordering::Relaxed) < 3 + conflicts {
            let current = version.fetch_add(1, Ordering::Relaxed) + 1;
            return Err(TenantWriteError::VersionConflict { current });
        }
        assert_eq!(expected, version.load(Ordering::Relaxed), "each try is of the version that was read");
        Ok(Tenant { version: expected + 1, status: update.status, ..acme(TenantStatus::Active) })
    });
    tenants
}

#[tokio::test]
async fn a_replacement_changes_name_and_info_and_keeps_the_status() {
    let tenants = changing(acme(TenantStatus::Suspended), |update| {
        (update.name.as_str(), update.info.as_str()) == ("new", "{}")
            && update.status == TenantStatus::Suspended
    });
    let changed = service(tenants).replace(&tenant_ref("7_acme"), named("new"), &ALWAYS).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.version), ("new", 4));
}

#[tokio::test]
async fn new_info_leaves_the_name_and_the_status_as_they_are() {
    let info: &RawValue = serde_json::from_str(r#"{"plan":"new"}"#).unwrap();
    let tenants = changing(acme(TenantStatus::Suspended), |update| {
        (update.name.as_str(), update.info.as_str()) == ("acme", r#"{"plan":"new"}"#)
            && update.status == TenantStatus::Suspended
    });
    let changed = service(tenants).replace_info(&tenant_ref("7"), Some(info), &ALWAYS).await.unwrap();
    assert_eq!((changed.name.as_str(), changed.version), ("acme", 4));
}

#[tokio::test]
async fn info_that_is_no_object_is_refused() {
    let info: &RawValue = serde_json::from_str("[1]").unwrap();
    let tenants = holding(acme(TenantStatus::Active));
    let refused = service(tenants).replace_info(&tenant_ref("7"), Some(info), &ALWAYS).await;
    let Err(TenantError::Invalid(violations)) = refused else { panic!("{refused:?}") };
    assert_eq!(violations.as_slice()[0].pointer, "/tenant_info");
}

#[tokio::test]
async fn a_patch_changes_what_it_names_and_keeps_the_status() {
    let tenants = changing(acme(TenantStatus::Suspended), |update| {
        (update.name.as_str(), update.info.as_str()) == ("acme", r#"{"plan":"gold","seats":6}"#)
            && update.status == TenantStatus::Suspended
    });
    let patch = r#"{"tenant_info":{"seats":6}}"#;
    let changed = service(tenants).patch(&tenant_ref("7"), patch, &ALWAYS).await.unwrap();
    assert_eq!(changed.version, 4);
}

#[tokio::test]
async fn what_breaks_a_rule_is_not_written() {
    let service = service(holding(acme(TenantStatus::Active)));
    let replaced = service.replace(&tenant_ref("7"), named(""), &ALWAYS).await;
    assert!(matches!(replaced, Err(TenantError::Invalid(_))), "{replaced:?}");
    let patched = service.patch(&tenant_ref("7"), r#"{"name":""}"#, &ALWAYS).await;
    assert!(matches!(patched, Err(TenantError::Invalid(_))), "{patched:?}");
}

#[tokio::test]
async fn a_change_of_status_keeps_everything_else() {
    for (from, to) in [
        (TenantStatus::Active, TenantStatus::Suspended),
        (TenantStatus::Suspended, TenantStatus::Active),
        (TenantStatus::Active, TenantStatus::Deleting),
        (TenantStatus::Suspended, TenantStatus::Deleting),
    ] {
        let service = service(changing(acme(from), move |update| {
            let TenantUpdate { name, info, status } = update;
            *name == acme(from).name && *info == acme(from).info && *status == to
        }));
        let changed = change_status(&service, to, &ALWAYS).await.unwrap();
        assert_eq!((changed.status, changed.version), (to, 4));
    }
}

async fn change_status(
    service: &TenantService,
    to: TenantStatus,
    precondition: &Precondition,
) -> Result<Tenant, TenantError> {
    let tenant = tenant_ref("7");
    match to {
        TenantStatus::Active => service.activate(&tenant, precondition).await,
        TenantStatus::Suspended => service.suspend(&tenant, precondition).await,
        TenantStatus::Deleting => service.delete(&tenant, precondition).await,
    }
}

#[tokio::test]
async fn a_tenant_that_has_the_status_already_is_answered_and_not_written() {
    for status in TenantStatus::ALL {
        let service = service(holding(acme(status)));
        assert_eq!(change_status(&service, status, &ALWAYS).await, Ok(acme(status)));
    }
}

#[tokio::test]
async fn a_tenant_that_is_being_deleted_is_changed_no_more() {
    let service = service(holding(acme(TenantStatus::Deleting)));
    let tenant = tenant_ref("7");
    // Also where the precondition does not hold: without it the answer would be the same.
    for precondition in [ALWAYS, Precondition::revision(99)] {
        let deleting = Err(TenantError::Deleting);
        assert_eq!(service.replace(&tenant, named("new"), &precondition).await, deleting);
        assert_eq!(service.patch(&tenant, "{}", &precondition).await, deleting);
        assert_eq!(service.suspend(&tenant, &precondition).await, deleting);
        assert_eq!(service.activate(&tenant, &precondition).await, deleting);
    }
}

#[tokio::test]
async fn nothing_is_done_where_the_precondition_does_not_hold() {
    let failed = Err(TenantError::PreconditionFailed { current: 3 });
    for status in [TenantStatus::Active, TenantStatus::Suspended] {
        let service = service(holding(acme(status)));
        let tenant = tenant_ref("7");
        for precondition in [Precondition::revision(2), Precondition::absent()] {
            // What was sent is not even looked at.
            assert_eq!(service.replace(&tenant, named(""), &precondition).await, failed);
            assert_eq!(service.patch(&tenant, "[]", &precondition).await, failed);
            for to in TenantStatus::ALL {
                assert_eq!(change_status(&service, to, &precondition).await, failed);
            }
        }
    }
    let deleted = service(holding(acme(TenantStatus::Deleting)));
    assert_eq!(deleted.delete(&tenant_ref("7"), &Precondition::revision(2)).await, failed);
}

#[tokio::test]
async fn a_change_whose_precondition_holds_is_made() {
    for precondition in
        [Precondition::revision(3), Precondition { if_match: Some(RevisionSet::Any), if_none_match: None }]
    {
        let tenants = changing(acme(TenantStatus::Active), |_| true);
        assert!(service(tenants).suspend(&tenant_ref("7"), &precondition).await.is_ok());
    }
}

#[tokio::test]
async fn a_tenant_that_is_absent_or_has_another_name_is_not_changed() {
    let service = service(holding(acme(TenantStatus::Active)));
    for reference in ["8", "7_other"] {
        let tenant = tenant_ref(reference);
        let precondition = Precondition::revision(99);
        assert_eq!(service.delete(&tenant, &precondition).await, Err(TenantError::NotFound));
    }
}

#[tokio::test]
async fn a_change_that_comes_too_late_is_made_anew_of_what_stands_then() {
    for conflicts in [1, 7] {
        let service = service(contended(conflicts));
        let changed = service.suspend(&tenant_ref("7"), &ALWAYS).await.unwrap();
        assert_eq!((changed.status, changed.version), (TenantStatus::Suspended, 4 + conflicts));
    }
}

#[tokio::test]
async fn a_change_that_comes_too_late_eight_times_is_given_up() {
    let service = service(contended(8));
    assert_eq!(service.suspend(&tenant_ref("7"), &ALWAYS).await, Err(TenantError::Contended));
    let changed = service.suspend(&tenant_ref("7"), &ALWAYS).await.unwrap();
    assert_eq!(changed.version, 12, "the eighth try was the last");
}

#[tokio::test]
async fn a_precondition_is_asked_again_of_what_stands_then() {
    let lost = service(contended(1)).suspend(&tenant_ref("7"), &Precondition::revision(3)).await;
    assert_eq!(lost, Err(TenantError::PreconditionFailed { current: 4 }));
    let any = Precondition { if_match: Some(RevisionSet::Any), if_none_match: None };
    assert!(service(contended(1)).suspend(&tenant_ref("7"), &any).await.is_ok());
}

#[tokio::test]
async fn what_storage_answers_to_a_write_is_passed_on() {
    for (answer, expected) in [
        (TenantWriteError::NotFound, TenantError::NotFound),
        (TenantWriteError::Storage(down()), TenantError::Storage(down())),
    ] {
        let mut tenants = holding(acme(TenantStatus::Active));
        tenants.expect_update().once().return_const(Err(answer));
        assert_eq!(service(tenants).suspend(&tenant_ref("7"), &ALWAYS).await, Err(expected));
    }
}
