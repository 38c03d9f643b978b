//! Unit-testing the business services with mocks: no database, no server, no sleep.
//!
//! Each function below is a test as you would write it. Enable the feature `mocks` of `tenantry-ports` in
//! your `[dev-dependencies]`; every port then has a mock by [mockall](https://docs.rs/mockall), and a
//! service takes them in place of real adapters. A mock without an expectation fails the test when it is
//! called, so what a test does not mention must not happen.
//!
//! Run them: `cargo run -p tenantry-services --example unit_test_with_mocks`, or as tests:
//! `cargo test -p tenantry-services --examples`.

use std::error::Error;
use std::sync::Arc;

use mockall::Sequence;
use mockall::predicate::{always, eq};
use tenantry_domain::{
    AccessKey, AccessKeyName, ContentType, JsonObject, Key, KeyKind, KeyOwner, Precondition, Scope,
    SecretKey, Tenant, TenantName, TenantNumber, TenantRef, TenantStatus, Timestamp,
};
use tenantry_ports::{
    AccessGrant, LoadTicket, MockAccessKeyRepository, MockClock, MockKeyValueRepository, MockNearCache,
    MockTenantRepository, NewValue, StorageError, TenantWriteError,
};
use tenantry_services::{AccessError, AccessService, KeyValueError, KeyValueService, TenantService};

type Outcome = Result<(), Box<dyn Error>>;
type Test = fn() -> Outcome;

fn main() -> Outcome {
    let tests: [(&str, Test); 4] = [
        ("a value that is too large never reaches storage", a_value_that_is_too_large_never_reaches_storage),
        ("a suspension that lost a race is tried again", a_suspension_that_lost_a_race_is_tried_again),
        ("a key is refused from its end on", a_key_is_refused_from_its_end_on),
        ("a failure of storage is not an absence", a_failure_of_storage_is_not_an_absence),
    ];
    for (name, test) in tests {
        test()?;
        println!("ok: {name}");
    }
    Ok(())
}

/// What must *not* happen needs no expectation: these mocks fail the test whatever is called.
#[cfg_attr(test, test)]
fn a_value_that_is_too_large_never_reaches_storage() -> Outcome {
    let service = KeyValueService::new(
        Arc::new(MockKeyValueRepository::new()),
        Arc::new(MockNearCache::new()),
        Arc::new(MockClock::new()),
        4,
    );
    let value = NewValue { bytes: "12345".into(), content_type: ContentType::plain_text(), ttl: None };
    let put = service.put(acme()?.number, Key::new(b"greeting")?, value, Precondition::default());
    assert_eq!(wait_for(put)?, Err(KeyValueError::TooLarge { limit: 4 }));
    Ok(())
}

/// A sequence of expectations plays a race that a real database would show once in a thousand runs.
#[cfg_attr(test, test)]
fn a_suspension_that_lost_a_race_is_tried_again() -> Outcome {
    let before = acme()?;
    let renamed = Tenant { name: TenantName::new("apex").ok_or("a name")?, version: 4, ..before.clone() };
    let (number, read_first, read_again) = (before.number, before, renamed.clone());

    let (mut tenants, mut order) = (MockTenantRepository::new(), Sequence::new());
    tenants.expect_find().once().in_sequence(&mut order).return_once(|_| Ok(Some(read_first)));
    // Somebody renames the tenant between our read and our write.
    tenants
        .expect_update()
        .once()
        .in_sequence(&mut order)
        .with(eq(number), eq(3), always())
        .returning(|_, _, _| Err(TenantWriteError::VersionConflict { current: 4 }));
    tenants.expect_find().once().in_sequence(&mut order).return_once(|_| Ok(Some(read_again)));
    // The second try is of the tenant as it stands now: the new name survives.
    tenants
        .expect_update()
        .once()
        .in_sequence(&mut order)
        .withf(|_, version, update| *version == 4 && update.name.as_str() == "apex")
        .returning(move |_, _, update| Ok(Tenant { status: update.status, version: 5, ..renamed.clone() }));

    let service = TenantService::new(Arc::new(tenants), Arc::new(MockNearCache::new()));
    let suspended = wait_for(service.suspend(&TenantRef::from(number), &Precondition::default()))??;
    assert_eq!((suspended.status, suspended.version), (TenantStatus::Suspended, 5));
    Ok(())
}

/// Time is a port like any other, so a test says what time it is.
#[cfg_attr(test, test)]
fn a_key_is_refused_from_its_end_on() -> Outcome {
    let end = Timestamp::parse_rfc3339("2030-01-01T00:00:00Z").ok_or("a time")?;
    let secret = SecretKey::from_entropy(KeyKind::Tenant, [1; 16], [2; 32]);
    let presented = secret.presented()?;
    let key = AccessKey {
        id: presented.id,
        owner: KeyOwner::Tenant(acme()?.number),
        name: AccessKeyName::from_stored("ci".to_owned()),
        scopes: [Scope::KvRead].into_iter().collect(),
        hash: presented.hash,
        created_at: Timestamp::from_micros(0),
        expires_at: Some(end),
        last_used_at: None,
    };
    for (now, is_let_in) in [(Timestamp::from_micros(end.as_micros() - 1), true), (end, false)] {
        let mut keys = MockAccessKeyRepository::new();
        let grant = AccessGrant { key: key.clone(), tenant_status: Some(TenantStatus::Active) };
        keys.expect_find_grant().once().with(eq(key.id)).return_once(|_| Ok(Some(grant)));
        let mut clock = MockClock::new();
        clock.expect_now().return_const(now);

        let service = AccessService::new(Arc::new(keys), Arc::new(empty_cache()), Arc::new(clock));
        let caller = wait_for(service.authenticate(secret.expose()))?;
        assert_eq!(
            caller.map(|caller| caller.owner),
            match is_let_in {
                true => Ok(key.owner),
                false => Err(AccessError::Expired),
            }
        );
    }
    Ok(())
}

/// Failures are as easy to play as successes.
#[cfg_attr(test, test)]
fn a_failure_of_storage_is_not_an_absence() -> Outcome {
    let down = StorageError::Unavailable("the disk is away".to_owned());
    let (mut entries, answer) = (MockKeyValueRepository::new(), down.clone());
    entries.expect_find().once().return_once(|_, _| Err(answer));
    let mut cache = MockNearCache::new();
    cache.expect_get().returning(|_| None);
    cache.expect_ticket().return_const(LoadTicket(1));
    cache.expect_last_known().returning(|_| None);
    // There is no `expect_fill`: what was not read must not be kept.

    let service = KeyValueService::new(Arc::new(entries), Arc::new(cache), Arc::new(MockClock::new()), 1024);
    let got = wait_for(service.get(acme()?.number, Key::new(b"greeting")?))?;
    assert_eq!(got, Err(KeyValueError::Storage(down)));
    Ok(())
}

fn acme() -> Result<Tenant, Box<dyn Error>> {
    Ok(Tenant {
        number: TenantNumber::new(7).ok_or("a number")?,
        name: TenantName::new("acme").ok_or("a name")?,
        status: TenantStatus::Active,
        info: JsonObject::empty(),
        version: 3,
        created_at: Timestamp::from_micros(0),
        updated_at: Timestamp::from_micros(0),
        erasure: None,
    })
}

/// A cache that knows nothing and takes what it is given.
fn empty_cache<K: Send + Sync + 'static, V: Send + Sync + 'static>() -> MockNearCache<K, V> {
    let mut cache = MockNearCache::new();
    cache.expect_get().returning(|_| None);
    cache.expect_ticket().return_const(LoadTicket(1));
    cache.expect_last_known().returning(|_| None);
    cache.expect_fill().return_const(());
    cache
}

/// The services bring no runtime; any will do. Mocks answer at once, so this is the smallest there is.
fn wait_for<F: Future>(future: F) -> Result<F::Output, Box<dyn Error>> {
    use futures_util::FutureExt as _;
    future.now_or_never().ok_or_else(|| "mocks answer at once".into())
}
