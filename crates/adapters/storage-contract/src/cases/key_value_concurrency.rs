//! Key-values: written by many at once.

use std::collections::BTreeMap;

use tenantry_domain::{Precondition, Revision, TenantNumber, TenantStatus};
use tenantry_ports::KeyValueWriteError;

use crate::fixture::Fixture;
use crate::recorded_commits::Commit;
use crate::samples::{key, revision, unknown_tenant, value};
use crate::wait::at_once;

/// The revisions 1 to `count`.
fn first(count: u64) -> Vec<Revision> {
    (1..=count).map(revision).collect()
}

pub async fn puts_at_once_take_revisions_without_gap_or_double_in_each_tenant(s: &Fixture) {
    let mut tenants = Vec::new();
    for _ in 0..4 {
        tenants.push(s.tenant().await);
    }
    let put = |number: usize| {
        let (s, tenant) = (s.clone(), tenants[number % 4]);
        async move {
            (tenant, s.put(tenant, &format!("key {}", number / 4 % 20), "value").await.entry.meta.revision)
        }
    };
    let mut taken: BTreeMap<TenantNumber, Vec<Revision>> = BTreeMap::new();
    for (tenant, revision) in at_once((0..256).map(put)).await {
        taken.entry(tenant).or_default().push(revision);
    }
    for (tenant, mut revisions) in taken {
        revisions.sort();
        assert_eq!(revisions, first(64), "{tenant}");
    }
}

pub async fn puts_at_once_of_one_key_take_versions_in_the_order_of_their_revisions(s: &Fixture) {
    let tenant = s.tenant().await;
    let put = |number: usize| {
        let s = s.clone();
        async move { s.put(tenant, "key", number.to_string()).await }
    };
    let mut outcomes = at_once((0..64).map(put)).await;
    outcomes.sort_by_key(|outcome| outcome.entry.meta.revision);
    for (expected, outcome) in (1..).zip(&outcomes) {
        let meta = &outcome.entry.meta;
        assert_eq!((meta.version, meta.revision.get(), outcome.created), (expected, expected, expected == 1));
    }
    assert_eq!(s.entry(tenant, "key").await.as_ref(), outcomes.last().map(|outcome| &outcome.entry));
}

pub async fn increments_at_once_add_up(s: &Fixture) {
    let tenant = s.tenant().await;
    let increment = |_| {
        let s = s.clone();
        async move {
            s.key_values.increment(tenant, key("key"), 1, Some(1), Precondition::default()).await.unwrap()
        }
    };
    let mut numbers: Vec<_> = at_once((0..128).map(increment)).await.into_iter().map(|(_, n)| n).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=128).collect::<Vec<_>>());
    assert_eq!(s.entry(tenant, "key").await.unwrap().value, "128");
}

pub async fn of_puts_at_once_that_ask_for_absence_one_succeeds(s: &Fixture) {
    let tenant = s.tenant().await;
    let create = |number: usize| {
        let s = s.clone();
        async move {
            s.key_values.put(tenant, key("key"), value(number.to_string()), Precondition::absent()).await
        }
    };
    let answers = at_once((0..64).map(create)).await;
    let winners: Vec<_> = answers.iter().flatten().collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    assert_eq!(s.entry(tenant, "key").await.as_ref(), Some(&winners[0].entry));
    for refused in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(*refused, KeyValueWriteError::PreconditionFailed { current: Some(revision(1)) });
    }
    assert_eq!(s.next_revision(tenant).await, revision(2), "refused puts took revisions");
}

pub async fn of_puts_at_once_that_ask_for_one_revision_one_succeeds(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put(tenant, "key", "first").await;
    let replace = |number: usize| {
        let s = s.clone();
        async move {
            s.key_values.put(tenant, key("key"), value(number.to_string()), Precondition::revision(1)).await
        }
    };
    let answers = at_once((0..64).map(replace)).await;
    assert_eq!(answers.iter().flatten().count(), 1);
    assert_eq!(s.next_revision(tenant).await, revision(3), "refused puts took revisions");
}

pub async fn of_deletions_at_once_one_succeeds(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put(tenant, "key", "value").await;
    let delete = |_| {
        let s = s.clone();
        async move { s.key_values.delete(tenant, key("key"), Precondition::default()).await }
    };
    let answers = at_once((0..32).map(delete)).await;
    assert_eq!(answers.iter().filter(|answer| **answer == Ok(revision(2))).count(), 1);
    assert_eq!(answers.iter().filter(|answer| **answer == Err(KeyValueWriteError::KeyNotFound)).count(), 31);
}

pub async fn a_write_that_fails_among_others_fails_alone_and_takes_no_revision(s: &Fixture) {
    let tenant = s.tenant().await;
    let deleted = s.tenant().await;
    s.set_status(deleted, TenantStatus::Deleting).await;
    s.put(tenant, "text", "no number").await;
    let write = |number: usize| {
        let s = s.clone();
        async move {
            let none = Precondition::default();
            match number % 6 {
                0 => s.key_values.put(unknown_tenant(), key("key"), value("x"), none).await.map(|_| ()),
                1 => s.key_values.put(deleted, key("key"), value("x"), none).await.map(|_| ()),
                2 => s
                    .key_values
                    .put(tenant, key("text"), value("x"), Precondition::absent())
                    .await
                    .map(|_| ()),
                3 => s.key_values.delete(tenant, key("absent"), none).await.map(|_| ()),
                4 => s.key_values.increment(tenant, key("text"), 1, None, none).await.map(|_| ()),
                _ => s.key_values.put(tenant, key("key"), value("x"), none).await.map(|_| ()),
            }
        }
    };
    for (number, answer) in (0..).zip(at_once((0..192).map(write)).await) {
        assert_eq!(answer.is_ok(), number % 6 == 5, "write {number} was answered {answer:?}");
    }
    assert_eq!(s.next_revision(tenant).await, revision(1 + 32 + 1), "refused writes took revisions");
}

pub async fn the_listener_hears_of_every_write_at_once_exactly_once(s: &Fixture) {
    let tenant = s.tenant().await;
    s.commits.take();
    let put = |number: usize| {
        let s = s.clone();
        async move { s.put(tenant, &format!("key {}", number % 5), number.to_string()).await.entry }
    };
    let mut answered = at_once((0..128).map(put)).await;
    let heard = s.commits.take().into_iter().map(|commit| match commit {
        Commit::KeyValue { tenant: of, key, revision, entry: Some(entry) } => {
            assert_eq!((of, &key, revision), (tenant, &entry.meta.key, entry.meta.revision));
            entry
        }
        other => panic!("the listener was told of {other:?}"),
    });
    let mut heard: Vec<_> = heard.collect();
    heard.sort_by_key(|entry| entry.meta.revision);
    answered.sort_by_key(|entry| entry.meta.revision);
    assert_eq!(heard, answered);
}

pub async fn keys_removed_at_once_because_they_ended_are_removed_once(s: &Fixture) {
    let tenant = s.tenant().await;
    for number in 0..40 {
        s.put_for(tenant, &format!("key {number}"), 10).await;
    }
    s.clock.advance_seconds(10);
    let remove = |_| {
        let s = s.clone();
        async move { s.key_values.remove_expired(7).await.unwrap() }
    };
    let mut removed: u32 = at_once((0..8).map(remove)).await.iter().sum();
    // Of some who removed at once another may have taken what they saw.
    for _ in 0..40 {
        removed += s.key_values.remove_expired(7).await.unwrap();
    }
    assert_eq!(removed, 40);
    assert_eq!(s.next_revision(tenant).await, revision(81));
}
