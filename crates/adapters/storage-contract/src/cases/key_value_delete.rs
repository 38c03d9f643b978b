//! Key-values: deleted.

use tenantry_domain::Precondition;
use tenantry_ports::KeyValueWriteError;

use crate::fixture::Fixture;
use crate::recorded_commits::Commit;
use crate::samples::{key, preconditions, revision, unknown_tenant};

pub async fn a_deleted_key_is_absent_and_its_deletion_takes_a_revision(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put(tenant, "key", "value").await;
    let kept = s.put(tenant, "kept", "value").await.entry;
    assert_eq!(s.key_values.delete(tenant, key("key"), Precondition::default()).await, Ok(revision(3)));
    assert_eq!(s.entry(tenant, "key").await, None);
    assert_eq!(s.entry(tenant, "kept").await, Some(kept));
    assert_eq!(s.next_revision(tenant).await, revision(4));
}

pub async fn a_deletion_happens_only_if_its_precondition_holds(s: &Fixture) {
    let tenant = s.tenant().await;
    for at in 0..36 {
        let entry = s.put(tenant, "key", "value").await.entry;
        let now = entry.meta.revision;
        let precondition = preconditions(now.get())[at].clone();
        let deleted = s.key_values.delete(tenant, key("key"), precondition.clone()).await;
        if precondition.holds(Some(now.get())) {
            assert_eq!(deleted, Ok(revision(now.get() + 1)), "{precondition:?} at {now}");
            assert_eq!(s.entry(tenant, "key").await, None);
        } else {
            let refused = Err(KeyValueWriteError::PreconditionFailed { current: Some(now) });
            assert_eq!(deleted, refused, "{precondition:?} at {now}");
            assert_eq!(s.entry(tenant, "key").await, Some(entry));
        }
    }
}

pub async fn an_absent_key_is_not_found_or_fails_a_precondition_that_asks_for_it(s: &Fixture) {
    let tenant = s.tenant().await;
    for precondition in preconditions(1) {
        let expected = if precondition.holds(None) {
            KeyValueWriteError::KeyNotFound
        } else {
            KeyValueWriteError::PreconditionFailed { current: None }
        };
        let deleted = s.key_values.delete(tenant, key("key"), precondition.clone()).await;
        assert_eq!(deleted, Err(expected), "{precondition:?}");
    }
    assert_eq!(s.next_revision(tenant).await, revision(1), "a refused deletion took a revision");
}

pub async fn a_key_cannot_be_deleted_twice(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put(tenant, "key", "value").await;
    s.key_values.delete(tenant, key("key"), Precondition::default()).await.unwrap();
    let again = s.key_values.delete(tenant, key("key"), Precondition::default()).await;
    assert_eq!(again, Err(KeyValueWriteError::KeyNotFound));
}

pub async fn a_key_is_not_deleted_for_another_tenant(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    let entry = s.put(one, "key", "value").await.entry;
    let deleted = s.key_values.delete(other, key("key"), Precondition::default()).await;
    assert_eq!(deleted, Err(KeyValueWriteError::KeyNotFound));
    assert_eq!(s.entry(one, "key").await, Some(entry));
}

pub async fn a_deletion_for_an_unknown_tenant_is_refused(s: &Fixture) {
    for precondition in [Precondition::default(), Precondition::revision(1)] {
        let deleted = s.key_values.delete(unknown_tenant(), key("key"), precondition).await;
        assert_eq!(deleted, Err(KeyValueWriteError::TenantNotFound));
    }
}

pub async fn a_deletion_tells_the_listener_before_it_answers_and_a_refused_one_does_not(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put(tenant, "key", "value").await;
    s.commits.take();
    s.key_values.delete(tenant, key("key"), Precondition::revision(9)).await.unwrap_err();
    s.key_values.delete(tenant, key("absent"), Precondition::default()).await.unwrap_err();
    assert_eq!(s.commits.take(), []);
    s.key_values.delete(tenant, key("key"), Precondition::default()).await.unwrap();
    let told = Commit::KeyValue { tenant, key: key("key"), revision: revision(2), entry: None };
    assert_eq!(s.commits.take(), [told]);
}
