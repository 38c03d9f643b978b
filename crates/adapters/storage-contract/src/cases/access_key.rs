//! Access keys: made, found, revoked, used.

use tenantry_domain::{AccessKey, AccessKeyName, PageLimit, ScopeSet, TenantStatus, Timestamp};
use tenantry_ports::{AccessGrant, AccessKeyWriteError};

use crate::fixture::Fixture;
use crate::recorded_commits::Commit;
use crate::samples::{AWKWARD_TEXTS, admin_key, key_id, tenant_key, unknown_tenant};
use crate::wait::at_once;

const ID: &str = "abcABC012345";

async fn last_used_at(s: &Fixture, id: &str) -> Option<Timestamp> {
    s.access_keys.find_grant(key_id(id)).await.unwrap().expect("the key is there").key.last_used_at
}

pub async fn a_key_is_found_as_it_was_stored_with_its_tenants_status(s: &Fixture) {
    let (tenant, other) = s.two_tenants().await;
    s.set_status(other, TenantStatus::Deleting).await;
    let expires_at = Some(s.now().next());
    let key = AccessKey { expires_at, scopes: ScopeSet::all(), ..tenant_key(tenant, ID, s.now()) };
    s.access_keys.insert(tenant, key.clone()).await.unwrap();
    for status in [TenantStatus::Active, TenantStatus::Suspended, TenantStatus::Active] {
        s.set_status(tenant, status).await;
        let grant = s.access_keys.find_grant(key.id).await.unwrap();
        assert_eq!(grant, Some(AccessGrant { key: key.clone(), tenant_status: Some(status) }));
    }
}

pub async fn a_key_is_found_also_when_it_is_past_its_time(s: &Fixture) {
    let tenant = s.tenant().await;
    let key = AccessKey { expires_at: Some(s.now()), ..tenant_key(tenant, ID, s.now()) };
    s.access_keys.insert(tenant, key.clone()).await.unwrap();
    s.clock.advance_seconds(1);
    assert_eq!(s.access_keys.find_grant(key.id).await.unwrap().map(|grant| grant.key), Some(key));
}

pub async fn a_keys_name_is_kept_to_the_letter(s: &Fixture) {
    let tenant = s.tenant().await;
    let long = "\u{10ffff}".repeat(100);
    for (at, text) in AWKWARD_TEXTS.iter().copied().chain([long.as_str()]).enumerate() {
        let name = AccessKeyName::from_stored(text.to_owned());
        let key = AccessKey { name, ..tenant_key(tenant, &format!("{at:012}"), s.now()) };
        s.access_keys.insert(tenant, key.clone()).await.unwrap();
        assert_eq!(s.access_keys.find_grant(key.id).await.unwrap().map(|grant| grant.key), Some(key));
    }
}

pub async fn an_unknown_id_finds_no_key_and_the_case_of_its_letters_counts(s: &Fixture) {
    let tenant = s.tenant().await;
    s.access_keys.insert(tenant, tenant_key(tenant, ID, s.now())).await.unwrap();
    for id in ["abcabc012345", "ABCABC012345", "000000000000"] {
        assert_eq!(s.access_keys.find_grant(key_id(id)).await.unwrap(), None);
    }
}

pub async fn a_key_of_an_unknown_tenant_is_refused_and_not_stored(s: &Fixture) {
    let tenant = unknown_tenant();
    let refused = s.access_keys.insert(tenant, tenant_key(tenant, ID, s.now())).await;
    assert_eq!(refused, Err(AccessKeyWriteError::TenantNotFound));
    assert_eq!(s.access_keys.find_grant(key_id(ID)).await.unwrap(), None);
    assert_eq!(s.commits.take(), []);
}

pub async fn a_key_whose_id_another_tenant_has_takes_nothing_from_it(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    let key = tenant_key(one, ID, s.now());
    s.access_keys.insert(one, key.clone()).await.unwrap();
    let refused = s.access_keys.insert(other, tenant_key(other, ID, s.now())).await;
    assert!(refused.is_err(), "one id was given to two keys");
    assert_eq!(s.access_keys.find_grant(key.id).await.unwrap().map(|grant| grant.key), Some(key));
}

pub async fn making_and_revoking_a_key_tells_the_listener_before_it_answers(s: &Fixture) {
    let tenant = s.tenant().await;
    s.commits.take();
    s.access_keys.insert(tenant, tenant_key(tenant, ID, s.now())).await.unwrap();
    assert_eq!(s.commits.take(), [Commit::AccessKey(key_id(ID))]);
    assert!(s.access_keys.revoke(tenant, key_id(ID)).await.unwrap());
    assert_eq!(s.commits.take(), [Commit::AccessKey(key_id(ID))]);
}

pub async fn a_revoked_key_is_gone_and_cannot_be_revoked_again(s: &Fixture) {
    let tenant = s.tenant().await;
    for id in [ID, "000000000000"] {
        s.access_keys.insert(tenant, tenant_key(tenant, id, s.now())).await.unwrap();
    }
    assert!(s.access_keys.revoke(tenant, key_id(ID)).await.unwrap());
    assert_eq!(s.access_keys.find_grant(key_id(ID)).await.unwrap(), None);
    assert!(s.access_keys.find_grant(key_id("000000000000")).await.unwrap().is_some());
    s.commits.take();
    assert!(!s.access_keys.revoke(tenant, key_id(ID)).await.unwrap());
    assert_eq!(s.commits.take(), [], "nothing changed");
}

pub async fn a_key_is_not_revoked_for_another_tenant(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    s.access_keys.insert(one, tenant_key(one, ID, s.now())).await.unwrap();
    assert!(s.access_keys.insert_first_admin_key(admin_key("admin0000000", s.now())).await.unwrap());
    assert!(!s.access_keys.revoke(other, key_id(ID)).await.unwrap());
    assert!(!s.access_keys.revoke(other, key_id("admin0000000")).await.unwrap());
    assert!(!s.access_keys.revoke(unknown_tenant(), key_id(ID)).await.unwrap());
    assert!(s.access_keys.find_grant(key_id(ID)).await.unwrap().is_some());
    assert!(s.access_keys.has_admin_key().await.unwrap());
}

pub async fn of_several_who_revoke_a_key_at_once_one_does(s: &Fixture) {
    let tenant = s.tenant().await;
    s.access_keys.insert(tenant, tenant_key(tenant, ID, s.now())).await.unwrap();
    let revoke = |_| {
        let s = s.clone();
        async move { s.access_keys.revoke(tenant, key_id(ID)).await.unwrap() }
    };
    let revoked = at_once((0..16).map(revoke)).await;
    assert_eq!(revoked.iter().filter(|revoked| **revoked).count(), 1);
}

pub async fn a_keys_use_is_noted(s: &Fixture) {
    let tenant = s.tenant().await;
    for id in [ID, "000000000000"] {
        s.access_keys.insert(tenant, tenant_key(tenant, id, s.now())).await.unwrap();
    }
    assert!(s.access_keys.insert_first_admin_key(admin_key("admin0000000", s.now())).await.unwrap());
    let (used, admin_used) = (s.now().plus_seconds(60), s.now().plus_seconds(61));
    s.access_keys.record_use(vec![(key_id(ID), used), (key_id("admin0000000"), admin_used)]).await.unwrap();
    assert_eq!(last_used_at(s, ID).await, Some(used));
    assert_eq!(last_used_at(s, "admin0000000").await, Some(admin_used));
    assert_eq!(last_used_at(s, "000000000000").await, None, "this one was not used");
    let listed = s.access_keys.list(tenant, None, PageLimit::MAX).await.unwrap().items;
    assert!(listed.iter().any(|key| key.id == key_id(ID) && key.last_used_at == Some(used)));
}

pub async fn a_keys_last_use_never_goes_back(s: &Fixture) {
    let tenant = s.tenant().await;
    s.access_keys.insert(tenant, tenant_key(tenant, ID, s.now())).await.unwrap();
    let at = |seconds| (key_id(ID), s.now().plus_seconds(seconds));
    s.access_keys.record_use(vec![at(5), at(20), at(10)]).await.unwrap();
    assert_eq!(last_used_at(s, ID).await, Some(s.now().plus_seconds(20)));
    s.access_keys.record_use(vec![at(19)]).await.unwrap();
    assert_eq!(last_used_at(s, ID).await, Some(s.now().plus_seconds(20)));
    s.access_keys.record_use(vec![at(21)]).await.unwrap();
    assert_eq!(last_used_at(s, ID).await, Some(s.now().plus_seconds(21)));
}

pub async fn uses_noted_at_once_leave_the_latest(s: &Fixture) {
    let tenant = s.tenant().await;
    s.access_keys.insert(tenant, tenant_key(tenant, ID, s.now())).await.unwrap();
    let note = |second: i64| {
        let s = s.clone();
        let used = (key_id(ID), s.now().plus_seconds(second * 37 % 64));
        async move { s.access_keys.record_use(vec![used]).await.unwrap() }
    };
    at_once((0..64).map(note)).await;
    assert_eq!(last_used_at(s, ID).await, Some(s.now().plus_seconds(63)));
}

pub async fn uses_of_keys_that_are_gone_are_passed_over(s: &Fixture) {
    let tenant = s.tenant().await;
    s.access_keys.insert(tenant, tenant_key(tenant, ID, s.now())).await.unwrap();
    let gone = key_id("000000000000");
    s.access_keys.record_use(vec![(gone, s.now()), (key_id(ID), s.now()), (gone, s.now())]).await.unwrap();
    assert_eq!(last_used_at(s, ID).await, Some(s.now()));
    assert_eq!(s.access_keys.find_grant(gone).await.unwrap(), None);
    s.access_keys.record_use(vec![]).await.unwrap();
}
