//! Who is let in.

use mockall::predicate::eq;
use tenantry_domain::Caller;
use tenantry_ports::{LoadTicket, MockNearCache};

use super::*;
use crate::access_key::CachedGrant;
use crate::samples::{knowing, pause};

const ACTIVE: Option<TenantStatus> = Some(TenantStatus::Active);

fn caller(key: &AccessKey) -> Caller {
    Caller { key_id: key.id, owner: key.owner, scopes: key.scopes }
}

/// What storage says of the key decides, however it is asked for: anew, from the cache, or at once.
async fn ask(
    text: &str,
    key: &AccessKey,
    tenant_status: Option<TenantStatus>,
) -> Result<Caller, AccessError> {
    let asked = service(holding(key.clone(), tenant_status)).authenticate(text).await;
    let known = CachedGrant::from(Some(AccessGrant { key: key.clone(), tenant_status }));
    let cached = || {
        let keys = Arc::new(MockAccessKeyRepository::new());
        AccessService::new(keys, knowing(known.clone()), clock_at(time(NOW)))
    };
    assert_eq!(cached().authenticate(text).await, asked);
    assert_eq!(cached().authenticate_cached(text), Some(asked.clone()));
    asked
}

#[tokio::test]
async fn a_key_that_is_good_says_who_is_calling() {
    let (secret, key) = tenants_key();
    assert_eq!(ask(secret.expose(), &key, ACTIVE).await, Ok(caller(&key)));
}

#[tokio::test]
async fn an_administrators_key_is_good_without_a_tenant() {
    let secret = secret(KeyKind::Admin);
    let key = access_key(&secret, KeyOwner::Admin);
    assert_eq!(ask(secret.expose(), &key, None).await, Ok(caller(&key)));
}

#[tokio::test]
async fn text_that_is_no_key_is_refused_before_anything_is_looked_up() {
    let (secret, _) = tenants_key();
    let mistyped = secret.expose().replace(&secret.expose()[20..21], "_");
    for text in ["", "Bearer", &mistyped, &secret.expose()[1..]] {
        let nothing_is_asked = AccessService::new(
            Arc::new(MockAccessKeyRepository::new()),
            Arc::new(MockNearCache::new()),
            clock_at(time(NOW)),
        );
        assert_eq!(nothing_is_asked.authenticate_cached(text), Some(Err(AccessError::Malformed)));
        assert_eq!(nothing_is_asked.authenticate(text).await, Err(AccessError::Malformed));
    }
}

#[tokio::test]
async fn a_key_that_is_not_known_or_was_revoked_is_refused() {
    let (secret, _) = tenants_key();
    let mut keys = MockAccessKeyRepository::new();
    keys.expect_find_grant().returning(|_| Ok(None));
    assert_eq!(service(keys).authenticate(secret.expose()).await, Err(AccessError::Unknown));
    let keys = Arc::new(MockAccessKeyRepository::new());
    let knows_it_is_absent = AccessService::new(keys, knowing(CachedGrant::from(None)), clock_at(time(NOW)));
    assert_eq!(knows_it_is_absent.authenticate(secret.expose()).await, Err(AccessError::Unknown));
}

#[tokio::test]
async fn a_wrong_secret_is_refused_like_a_key_that_is_not_known() {
    let (_, key) = tenants_key();
    let forged = SecretKey::from_entropy(KeyKind::Tenant, [7; 16], [10; 32]);
    assert_eq!(forged.presented().unwrap().id, key.id, "only the secret differs");
    for status in TenantStatus::ALL {
        assert_eq!(ask(forged.expose(), &key, Some(status)).await, Err(AccessError::Unknown));
    }
    let expired = AccessKey { expires_at: Some(time(1)), ..key };
    assert_eq!(ask(forged.expose(), &expired, ACTIVE).await, Err(AccessError::Unknown));
}

#[tokio::test]
async fn a_key_whose_kind_does_not_fit_its_owner_is_refused() {
    let (secret_of_tenant, key) = tenants_key();
    let risen = AccessKey { owner: KeyOwner::Admin, ..key };
    assert_eq!(ask(secret_of_tenant.expose(), &risen, None).await, Err(AccessError::Unknown));
    let secret_of_admin = secret(KeyKind::Admin);
    let fallen = access_key(&secret_of_admin, KeyOwner::Tenant(number(7)));
    assert_eq!(ask(secret_of_admin.expose(), &fallen, ACTIVE).await, Err(AccessError::Unknown));
}

#[tokio::test]
async fn a_key_is_good_until_it_expires_and_not_a_moment_longer() {
    let (secret, key) = tenants_key();
    for (end, expected) in
        [(NOW - 1, Err(AccessError::Expired)), (NOW, Err(AccessError::Expired)), (NOW + 1, Ok(caller(&key)))]
    {
        let key = AccessKey { expires_at: Some(time(end)), ..key.clone() };
        assert_eq!(ask(secret.expose(), &key, ACTIVE).await, expected, "{end}");
    }
}

#[tokio::test]
async fn a_suspended_tenants_key_is_refused() {
    let (secret, key) = tenants_key();
    let asked = ask(secret.expose(), &key, Some(TenantStatus::Suspended)).await;
    assert_eq!(asked, Err(AccessError::TenantSuspended));
}

#[tokio::test]
async fn a_deleted_tenants_key_is_refused_like_a_key_that_is_not_known() {
    let (secret, key) = tenants_key();
    let expired = AccessKey { expires_at: Some(time(1)), ..key.clone() };
    for key in [key, expired] {
        for status in [Some(TenantStatus::Deleting), None] {
            assert_eq!(ask(secret.expose(), &key, status).await, Err(AccessError::Unknown));
        }
    }
}

#[tokio::test]
async fn storage_that_fails_is_not_taken_for_a_refusal() {
    let mut keys = MockAccessKeyRepository::new();
    keys.expect_find_grant().return_const(Err(down()));
    let asked = service(keys).authenticate(tenants_key().0.expose()).await;
    assert_eq!(asked, Err(AccessError::Storage(down())));
}

#[tokio::test]
async fn without_storage_an_unknown_key_is_left_open() {
    let service = service(MockAccessKeyRepository::new());
    assert_eq!(service.authenticate_cached(tenants_key().0.expose()), None);
}

#[tokio::test]
async fn what_storage_says_is_kept_also_that_there_is_no_such_key() {
    let (secret, key) = tenants_key();
    for found in [Some(AccessGrant { key: key.clone(), tenant_status: ACTIVE }), None] {
        let is_known = found.is_some();
        let mut keys = MockAccessKeyRepository::new();
        keys.expect_find_grant().once().with(eq(key.id)).return_once(|_| Ok(found));
        let mut cache = MockNearCache::<_, CachedGrant>::new();
        cache.expect_get().with(eq(key.id)).returning(|_| None);
        cache.expect_ticket().with(eq(key.id)).return_const(LoadTicket(5));
        cache.expect_last_known().returning(|_| None);
        let presented = secret.presented().unwrap();
        cache
            .expect_fill()
            .once()
            .withf(move |id, grant, ticket| {
                *id == presented.id
                    && grant.matching(&presented).is_some() == is_known
                    && *ticket == LoadTicket(5)
            })
            .return_const(());
        let service = AccessService::new(Arc::new(keys), Arc::new(cache), clock_at(time(NOW)));
        assert_eq!(service.authenticate(secret.expose()).await.is_ok(), is_known);
    }
}

#[test]
fn two_who_show_the_same_unknown_key_are_one_look_up() {
    let (secret, key) = tenants_key();
    let grant = AccessGrant { key: key.clone(), tenant_status: ACTIVE };
    let (pause, mut paused) = pause();
    let mut keys = MockAccessKeyRepository::new();
    keys.expect_find_grant().once().return_once(move |_| {
        paused.wait();
        Ok(Some(grant))
    });
    let service = service(keys);
    pause.share(|| service.authenticate(secret.expose()), &Ok(caller(&key)));
}

#[test]
fn a_cached_grant_weighs_more_than_an_absence() {
    let (_, key) = tenants_key();
    let known = CachedGrant::from(Some(AccessGrant { key: key.clone(), tenant_status: ACTIVE }));
    let absent = CachedGrant::from(None);
    assert!(CachedGrant::weigh(&key.id, &known) > CachedGrant::weigh(&key.id, &absent));
    assert_eq!(CachedGrant::version(&known), CachedGrant::version(&absent));
}
