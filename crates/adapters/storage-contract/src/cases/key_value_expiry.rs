//! Key-values: their end, by the storage's clock.

use std::collections::BTreeSet;

use tenantry_domain::{ContentType, Precondition, TenantNumber, TimeToLive};
use tenantry_ports::{EntryQuery, KeyValueWriteError};

use crate::fixture::Fixture;
use crate::recorded_commits::Commit;
use crate::samples::{key, revision, value, value_for};
use crate::walk::limit;

/// A tenant whose one write was `key`, which ends at this very moment.
async fn tenant_with_ended_key(s: &Fixture) -> TenantNumber {
    let tenant = s.tenant().await;
    s.put_for(tenant, "key", 10).await;
    s.clock.advance_seconds(10);
    tenant
}

pub async fn a_value_is_there_to_its_last_microsecond_and_then_absent(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put_for(tenant, "key", 10).await;
    s.clock.advance_micros(9_999_999);
    assert!(s.entry(tenant, "key").await.is_some());
    assert_eq!(s.all_entries(tenant).await.len(), 1);
    s.clock.advance_micros(1);
    assert_eq!(s.entry(tenant, "key").await, None);
    assert_eq!(s.all_entries(tenant).await, []);
}

pub async fn ended_values_do_not_count_in_a_page_or_in_whether_more_comes(s: &Fixture) {
    let tenant = s.tenant().await;
    for name in ["a", "b", "d", "e", "g"] {
        s.put_for(tenant, name, 10).await;
    }
    for name in ["c", "f"] {
        s.put(tenant, name, "value").await;
    }
    s.clock.advance_seconds(10);
    for (size, expected, more) in
        [(1, vec!["c"], true), (2, vec!["c", "f"], false), (3, vec!["c", "f"], false)]
    {
        let (prefix, after) = (String::new(), None);
        let query =
            EntryQuery { prefix, after, limit: limit(size), keys_only: true, max_value_bytes: u64::MAX };
        let page = s.key_values.list(tenant, query).await.unwrap();
        let names: Vec<_> = page.items.iter().map(|entry| entry.meta.key.as_str()).collect();
        assert_eq!((names, page.more), (expected, more), "in pages of {size}");
    }
}

pub async fn an_ended_key_can_be_created_anew(s: &Fixture) {
    let tenant = tenant_with_ended_key(s).await;
    let refused = s.key_values.put(tenant, key("key"), value("new"), Precondition::revision(1)).await;
    assert_eq!(refused, Err(KeyValueWriteError::PreconditionFailed { current: None }));
    let put = s.key_values.put(tenant, key("key"), value("new"), Precondition::absent()).await.unwrap();
    let meta = &put.entry.meta;
    assert!(put.created);
    assert_eq!((meta.version, meta.revision, meta.created_at), (1, revision(2), s.now()));
    assert_eq!(meta.expires_at, None);
    assert_eq!(s.entry(tenant, "key").await, Some(put.entry));
}

pub async fn a_put_over_an_ended_key_creates_it(s: &Fixture) {
    let tenant = tenant_with_ended_key(s).await;
    let put = s.put(tenant, "key", "new").await;
    assert!(put.created);
    assert_eq!((put.entry.meta.version, put.entry.meta.created_at), (1, s.now()));
    assert_eq!(s.key_values.remove_expired(10).await, Ok(0), "the new value does not end");
    assert_eq!(s.next_revision(tenant).await, revision(3), "one put took one revision");
}

pub async fn an_ended_key_cannot_be_deleted(s: &Fixture) {
    let tenant = tenant_with_ended_key(s).await;
    let deleted = s.key_values.delete(tenant, key("key"), Precondition::default()).await;
    assert_eq!(deleted, Err(KeyValueWriteError::KeyNotFound));
    let deleted = s.key_values.delete(tenant, key("key"), Precondition::revision(1)).await;
    assert_eq!(deleted, Err(KeyValueWriteError::PreconditionFailed { current: None }));
}

pub async fn an_ended_counter_starts_again(s: &Fixture) {
    let tenant = tenant_with_ended_key(s).await;
    let none = Precondition::default;
    let absent = s.key_values.increment(tenant, key("key"), 1, None, none()).await;
    assert_eq!(absent, Err(KeyValueWriteError::KeyNotFound));
    let (outcome, number) = s.key_values.increment(tenant, key("key"), 1, Some(5), none()).await.unwrap();
    assert_eq!((outcome.created, number), (true, 5));
    let meta = &outcome.entry.meta;
    assert_eq!((meta.version, meta.created_at, meta.expires_at), (1, s.now(), None));
    assert_eq!(meta.content_type, ContentType::plain_text());
}

pub async fn a_put_without_a_time_to_live_lives_for_good(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put_for(tenant, "key", 10).await;
    assert_eq!(s.put(tenant, "key", "for good").await.entry.meta.expires_at, None);
    s.clock.advance_seconds(3600);
    assert_eq!(s.key_values.remove_expired(10).await, Ok(0));
    assert!(s.entry(tenant, "key").await.is_some());
}

pub async fn a_put_with_another_time_to_live_ends_by_that_one(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put_for(tenant, "longer", 10).await;
    s.put_for(tenant, "longer", 20).await;
    s.put_for(tenant, "shorter", 20).await;
    s.put_for(tenant, "shorter", 10).await;
    s.clock.advance_seconds(10);
    assert!(s.entry(tenant, "longer").await.is_some());
    assert_eq!(s.entry(tenant, "shorter").await, None);
}

pub async fn an_incremented_value_still_ends(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put_new(tenant, "key", value_for("1", 10)).await;
    s.key_values.increment(tenant, key("key"), 1, None, Precondition::default()).await.unwrap();
    s.clock.advance_seconds(10);
    assert_eq!(s.entry(tenant, "key").await, None);
}

pub async fn remove_expired_removes_only_what_has_ended(s: &Fixture) {
    let tenant = s.tenant().await;
    assert_eq!(s.key_values.remove_expired(10).await, Ok(0));
    s.put_for(tenant, "first", 10).await;
    s.put_for(tenant, "later", 20).await;
    s.put(tenant, "for good", "value").await;
    s.clock.advance_micros(9_999_999);
    assert_eq!(s.key_values.remove_expired(10).await, Ok(0));
    s.clock.advance_micros(1);
    assert_eq!(s.key_values.remove_expired(10).await, Ok(1));
    assert_eq!(s.key_values.remove_expired(10).await, Ok(0), "what is removed is removed once");
    assert!(s.entry(tenant, "later").await.is_some());
    assert!(s.entry(tenant, "for good").await.is_some());
}

pub async fn remove_expired_removes_at_most_its_limit(s: &Fixture) {
    let tenant = s.tenant().await;
    for number in 0..5 {
        s.put_for(tenant, &format!("key {number}"), 10).await;
    }
    s.clock.advance_seconds(10);
    assert_eq!(s.key_values.remove_expired(0).await, Ok(0));
    let mut removed = Vec::new();
    for _ in 0..4 {
        removed.push(s.key_values.remove_expired(2).await.unwrap());
    }
    assert_eq!(removed, [2, 2, 1, 0]);
}

pub async fn each_removed_key_takes_a_revision_of_its_tenant_and_tells_the_listener(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    for name in ["a", "b", "c"] {
        s.put_for(one, name, 10).await;
    }
    s.put_for(other, "a", 10).await;
    s.put(other, "for good", "value").await;
    s.clock.advance_seconds(10);
    s.commits.take();
    assert_eq!(s.key_values.remove_expired(100).await, Ok(4));
    let mut told: BTreeSet<(i64, u64)> = BTreeSet::new();
    let mut keys: BTreeSet<(i64, String)> = BTreeSet::new();
    for commit in s.commits.take() {
        let Commit::KeyValue { tenant, key, revision, entry: None } = commit else {
            panic!("the listener was told of {commit:?}");
        };
        assert!(told.insert((tenant.get(), revision.get())), "one revision was told twice");
        keys.insert((tenant.get(), key.as_str().to_owned()));
    }
    let (one_number, other_number) = (one.get(), other.get());
    assert_eq!(told, [(one_number, 4), (one_number, 5), (one_number, 6), (other_number, 3)].into());
    let name = |tenant, name: &str| (tenant, name.to_owned());
    assert_eq!(
        keys,
        [name(one_number, "a"), name(one_number, "b"), name(one_number, "c"), name(other_number, "a")].into()
    );
    assert_eq!(s.next_revision(one).await, revision(7));
    assert_eq!(s.next_revision(other).await, revision(4));
}

pub async fn a_value_of_100_years_is_still_there_after_99(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put_for(tenant, "key", TimeToLive::MAX_SECONDS).await;
    s.clock.advance_seconds(99 * 31_557_600);
    assert!(s.entry(tenant, "key").await.is_some());
    s.clock.advance_seconds(31_557_600);
    assert_eq!(s.entry(tenant, "key").await, None);
}
