//! Making, listing and revoking keys.

use mockall::predicate::eq;
use tenantry_domain::{
    AccessKeyDraft, AccessKeyName, KeyOwner, Page, PageLimit, PresentedKey, Scope, ScopeSet,
};
use tenantry_ports::{AccessKeyWriteError, KeyPosition};

use super::*;

fn draft() -> AccessKeyDraft {
    AccessKeyDraft {
        name: Some("ci".to_owned()),
        scopes: Some(vec!["kv:read".to_owned()]),
        expires_at: Some(time(NOW + 1)),
    }
}

#[tokio::test]
async fn a_new_key_is_stored_as_its_draft_says_and_its_text_is_told() {
    let mut keys = MockAccessKeyRepository::new();
    keys.expect_insert()
        .once()
        .withf(|tenant, key| *tenant == number(7) && key.owner == KeyOwner::Tenant(number(7)))
        .return_const(Ok(()));
    let (key, secret) = service(keys).create_key(number(7), draft()).await.unwrap();
    assert!(secret.expose().starts_with("tnt_"));
    let PresentedKey { id, hash, .. } = secret.presented().unwrap();
    let expected = AccessKey {
        id,
        owner: KeyOwner::Tenant(number(7)),
        name: AccessKeyName::from_stored("ci".to_owned()),
        scopes: [Scope::KvRead].into_iter().collect(),
        hash,
        created_at: time(NOW),
        expires_at: Some(time(NOW + 1)),
        last_used_at: None,
    };
    assert_eq!(key, expected);
}

#[tokio::test]
async fn what_is_stored_is_the_key_that_is_told() {
    let stored = Arc::new(std::sync::Mutex::new(None));
    let storing = Arc::clone(&stored);
    let mut keys = MockAccessKeyRepository::new();
    keys.expect_insert().returning(move |_, key| {
        *storing.lock().unwrap() = Some(key);
        Ok(())
    });
    let (key, _) = service(keys).create_key(number(7), draft()).await.unwrap();
    assert_eq!(stored.lock().unwrap().take(), Some(key));
}

#[tokio::test]
async fn no_two_keys_are_alike() {
    let mut keys = MockAccessKeyRepository::new();
    keys.expect_insert().return_const(Ok(()));
    let service = service(keys);
    let (_, one) = service.create_key(number(7), draft()).await.unwrap();
    let (_, two) = service.create_key(number(7), draft()).await.unwrap();
    assert_unlike(&one, &two);
}

/// Neither the public id nor the secret may be the same.
fn assert_unlike(one: &SecretKey, two: &SecretKey) {
    let (one, two) = (one.expose(), two.expose());
    assert_ne!(one[4..16], two[4..16]);
    assert_ne!(one[17..60], two[17..60]);
}

#[tokio::test]
async fn a_draft_that_breaks_a_rule_is_not_stored() {
    // It expires now, so it never was good.
    let draft = AccessKeyDraft { expires_at: Some(time(NOW)), ..draft() };
    let refused = service(MockAccessKeyRepository::new()).create_key(number(7), draft).await;
    let Err(AccessKeyError::Invalid(violations)) = refused else { panic!("{refused:?}") };
    assert_eq!(violations.as_slice()[0].pointer, "/expires_at");
}

#[tokio::test]
async fn what_storage_answers_to_a_new_key_is_passed_on() {
    for (answer, expected) in [
        (AccessKeyWriteError::TenantNotFound, AccessKeyError::TenantNotFound),
        (AccessKeyWriteError::Storage(down()), AccessKeyError::Storage(down())),
    ] {
        let mut keys = MockAccessKeyRepository::new();
        keys.expect_insert().return_const(Err(answer));
        let refused = service(keys).create_key(number(7), draft()).await;
        assert_eq!(refused.map(|(key, _)| key), Err(expected));
    }
}

#[tokio::test]
async fn a_list_is_asked_for_as_it_was_ordered() {
    let (_, key) = tenants_key();
    let page = Page { items: vec![key.clone()], more: true };
    let (answer, after) = (page.clone(), KeyPosition { created_at: time(1), id: key.id });
    let mut keys = MockAccessKeyRepository::new();
    keys.expect_list()
        .once()
        .with(eq(number(7)), eq(Some(after)), eq(PageLimit::MAX))
        .return_once(|_, _, _| Ok(answer));
    assert_eq!(service(keys).list_keys(number(7), Some(after), PageLimit::MAX).await, Ok(page));
}

#[tokio::test]
async fn a_key_is_revoked_if_it_is_the_tenants() {
    let (_, key) = tenants_key();
    for (revoked, expected) in [(true, Ok(())), (false, Err(AccessKeyError::KeyNotFound))] {
        let mut keys = MockAccessKeyRepository::new();
        keys.expect_revoke().once().with(eq(number(7)), eq(key.id)).return_const(Ok(revoked));
        assert_eq!(service(keys).revoke_key(number(7), key.id).await, expected);
    }
}

#[tokio::test]
async fn the_first_admin_key_may_do_everything_and_never_expires() {
    let secret = AccessService::generate_admin_key().unwrap();
    assert!(secret.expose().starts_with("tna_"));
    let mut keys = MockAccessKeyRepository::new();
    let expected = AccessKey {
        name: AccessKeyName::first_admin_key(),
        scopes: ScopeSet::all(),
        created_at: time(NOW),
        ..access_key(&secret, KeyOwner::Admin)
    };
    keys.expect_insert_first_admin_key().once().with(eq(expected)).return_const(Ok(true));
    assert_eq!(service(keys).adopt_first_admin_key(&secret).await, Ok(true));
}

#[tokio::test]
async fn there_is_one_first_admin_key() {
    let secret = AccessService::generate_admin_key().unwrap();
    let mut keys = MockAccessKeyRepository::new();
    keys.expect_insert_first_admin_key().return_const(Ok(false));
    assert_eq!(service(keys).adopt_first_admin_key(&secret).await, Ok(false));
}

#[tokio::test]
async fn a_tenants_key_does_not_become_an_administrators() {
    let adopted = service(MockAccessKeyRepository::new()).adopt_first_admin_key(&tenants_key().0).await;
    assert!(matches!(adopted, Err(AccessKeyError::Invalid(_))), "{adopted:?}");
}

#[test]
fn no_two_admin_keys_are_alike() {
    let [one, two] = [0, 1].map(|_| AccessService::generate_admin_key().unwrap());
    assert_unlike(&one, &two);
}

#[tokio::test]
async fn storage_says_whether_there_is_an_admin_key() {
    for answer in [Ok(true), Ok(false), Err(down())] {
        let mut keys = MockAccessKeyRepository::new();
        keys.expect_has_admin_key().return_const(answer.clone());
        assert_eq!(service(keys).has_admin_key().await, answer);
    }
}

#[tokio::test]
async fn storage_that_fails_is_told_as_such() {
    let mut keys = MockAccessKeyRepository::new();
    keys.expect_list().returning(|_, _, _| Err(down()));
    keys.expect_revoke().return_const(Err(down()));
    keys.expect_insert_first_admin_key().return_const(Err(down()));
    let (service, failed) = (service(keys), AccessKeyError::Storage(down()));
    let (_, key) = tenants_key();
    assert_eq!(service.list_keys(number(7), None, PageLimit::MAX).await, Err(failed.clone()));
    assert_eq!(service.revoke_key(number(7), key.id).await, Err(failed.clone()));
    let secret = AccessService::generate_admin_key().unwrap();
    assert_eq!(service.adopt_first_admin_key(&secret).await, Err(failed));
}
