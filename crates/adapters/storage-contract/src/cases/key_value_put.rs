//! Key-values: put and found.

use std::sync::Arc;

use bytes::Bytes;
use tenantry_domain::{ContentType, Entry, EntryMeta, Key, Precondition, TimeToLive};
use tenantry_ports::{KeyValueWriteError, NewValue, PutOutcome};

use crate::fixture::Fixture;
use crate::recorded_commits::Commit;
use crate::samples::{AWKWARD_TEXTS, key, preconditions, revision, unknown_tenant, value};

pub async fn a_key_that_was_absent_is_created_with_version_1(s: &Fixture) {
    let tenant = s.tenant().await;
    let put = s.put(tenant, "key", "value").await;
    let meta = EntryMeta {
        key: key("key"),
        content_type: ContentType::octet_stream(),
        size: 5,
        version: 1,
        revision: revision(1),
        created_at: s.now(),
        updated_at: s.now(),
        expires_at: None,
    };
    let entry = Arc::new(Entry { meta, value: "value".into() });
    assert_eq!(put, PutOutcome { entry: entry.clone(), created: true });
    assert_eq!(s.entry(tenant, "key").await, Some(entry));
}

pub async fn a_key_that_was_there_takes_its_next_version_and_keeps_created_at(s: &Fixture) {
    let tenant = s.tenant().await;
    let first = s.put(tenant, "key", "first").await.entry;
    let now = s.clock.advance_seconds(1);
    let content_type = ContentType::new("text/html; charset=\"utf-8\"").unwrap();
    let second = NewValue { content_type: content_type.clone(), ..value("the second") };
    let put = s.put_new(tenant, "key", second).await;
    let meta = EntryMeta {
        content_type,
        size: 10,
        version: 2,
        revision: revision(2),
        updated_at: now,
        ..first.meta.clone()
    };
    let entry = Arc::new(Entry { meta, value: "the second".into() });
    assert_eq!(put, PutOutcome { entry: entry.clone(), created: false });
    assert_eq!(s.entry(tenant, "key").await, Some(entry));
}

pub async fn a_key_that_comes_back_is_a_new_one(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put(tenant, "key", "first").await;
    s.put(tenant, "key", "second").await;
    s.key_values.delete(tenant, key("key"), Precondition::default()).await.unwrap();
    let now = s.clock.advance_seconds(1);
    let put = s.put(tenant, "key", "third").await;
    assert!(put.created);
    let meta = &put.entry.meta;
    assert_eq!((meta.version, meta.revision, meta.created_at), (1, revision(4), now));
}

pub async fn every_write_of_a_tenant_takes_its_next_revision(s: &Fixture) {
    let tenant = s.tenant().await;
    let none = Precondition::default;
    assert_eq!(s.put(tenant, "one", "1").await.entry.meta.revision, revision(1));
    assert_eq!(s.put(tenant, "other", "1").await.entry.meta.revision, revision(2));
    assert_eq!(s.put(tenant, "one", "1").await.entry.meta.revision, revision(3));
    let (incremented, _) = s.key_values.increment(tenant, key("other"), 1, None, none()).await.unwrap();
    assert_eq!(incremented.entry.meta.revision, revision(4));
    assert_eq!(s.key_values.delete(tenant, key("one"), none()).await, Ok(revision(5)));
    let (made, _) = s.key_values.increment(tenant, key("made"), 1, Some(1), none()).await.unwrap();
    assert_eq!(made.entry.meta.revision, revision(6));
    assert_eq!(s.next_revision(tenant).await, revision(7));
}

pub async fn each_tenant_has_revisions_of_its_own(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    for _ in 0..3 {
        s.put(one, "key", "value").await;
    }
    assert_eq!(s.put(other, "key", "value").await.entry.meta.revision, revision(1));
    assert_eq!(s.put(one, "key", "value").await.entry.meta.revision, revision(4));
}

pub async fn one_key_of_two_tenants_is_two_entries(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    let held = s.put(one, "key", "one's").await.entry;
    let others = s.put(other, "key", "the other's").await;
    assert!(others.created);
    assert_eq!(s.entry(one, "key").await, Some(held));
    assert_eq!(s.entry(other, "key").await, Some(others.entry));
}

pub async fn a_key_is_not_found_for_another_tenant(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    s.put(one, "key", "value").await;
    assert_eq!(s.entry(other, "key").await, None);
    assert_eq!(s.entry(unknown_tenant(), "key").await, None);
    assert_eq!(s.entry(one, "another").await, None);
}

pub async fn a_put_for_an_unknown_tenant_is_refused(s: &Fixture) {
    for precondition in [Precondition::default(), Precondition::absent(), Precondition::revision(1)] {
        let refused = s.key_values.put(unknown_tenant(), key("key"), value("value"), precondition).await;
        assert_eq!(refused, Err(KeyValueWriteError::TenantNotFound));
    }
    assert_eq!(s.entry(unknown_tenant(), "key").await, None);
    assert_eq!(s.commits.take(), []);
}

pub async fn a_put_happens_only_if_its_precondition_holds(s: &Fixture) {
    let tenant = s.tenant().await;
    let mut current = s.put(tenant, "key", "value").await.entry;
    for at in 0..36 {
        let precondition = preconditions(current.meta.revision.get())[at].clone();
        let now = current.meta.revision;
        let put = s.key_values.put(tenant, key("key"), value(at.to_string()), precondition.clone()).await;
        if precondition.holds(Some(now.get())) {
            let put = put.unwrap_or_else(|error| panic!("{precondition:?} at {now}: {error}"));
            assert_eq!(put.entry.meta.revision, revision(now.get() + 1), "a refused put took a revision");
            current = put.entry;
        } else {
            let refused = Err(KeyValueWriteError::PreconditionFailed { current: Some(now) });
            assert_eq!(put, refused, "{precondition:?} at {now}");
        }
        assert_eq!(s.entry(tenant, "key").await, Some(current.clone()));
    }
}

pub async fn a_put_of_an_absent_key_happens_only_if_its_precondition_holds(s: &Fixture) {
    let tenant = s.tenant().await;
    let mut next = 1;
    for (at, precondition) in preconditions(1).into_iter().enumerate() {
        let name = format!("key {at}");
        let put = s.key_values.put(tenant, key(&name), value("value"), precondition.clone()).await;
        if precondition.holds(None) {
            let put = put.unwrap_or_else(|error| panic!("{precondition:?}: {error}"));
            assert!(put.created);
            assert_eq!(put.entry.meta.revision, revision(next));
            next += 1;
        } else {
            let refused = Err(KeyValueWriteError::PreconditionFailed { current: None });
            assert_eq!(put, refused, "{precondition:?}");
            assert_eq!(s.entry(tenant, &name).await, None);
        }
    }
}

pub async fn a_put_tells_the_listener_before_it_answers_and_a_refused_one_does_not(s: &Fixture) {
    let tenant = s.tenant().await;
    s.commits.take();
    let entry = s.put(tenant, "key", "value").await.entry;
    let told = Commit::KeyValue { tenant, key: key("key"), revision: revision(1), entry: Some(entry) };
    assert_eq!(s.commits.take(), [told]);
    let refused = s.key_values.put(tenant, key("key"), value("value"), Precondition::absent()).await;
    assert_eq!(refused, Err(KeyValueWriteError::PreconditionFailed { current: Some(revision(1)) }));
    assert_eq!(s.commits.take(), []);
}

pub async fn a_value_may_be_empty_a_mebibyte_or_any_bytes(s: &Fixture) {
    let tenant = s.tenant().await;
    let all_bytes: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
    let large: Vec<u8> = all_bytes.iter().copied().cycle().take(1024 * 1024).collect();
    for (name, bytes) in [("empty", vec![]), ("nul", vec![0]), ("all", all_bytes), ("large", large)] {
        let size = u64::try_from(bytes.len()).unwrap();
        let bytes = Bytes::from(bytes);
        let put = s.put(tenant, name, bytes.clone()).await.entry;
        let found = s.entry(tenant, name).await.unwrap();
        assert!(put.value == bytes && found.value == bytes, "the value '{name}' was changed");
        assert_eq!((put.meta.size, found.meta.size), (size, size));
    }
}

pub async fn keys_are_told_apart_by_their_bytes(s: &Fixture) {
    let tenant = s.tenant().await;
    let (longest, four_bytes) = ("k".repeat(Key::MAX_BYTES), "\u{1f980}".repeat(Key::MAX_BYTES / 4));
    let almost = format!("{}l", "k".repeat(Key::MAX_BYTES - 1));
    let names =
        ["key", "KEY", "key ", " key", "\u{e9}", "e\u{301}", "ß", "ss", "a/b", "a\\b", "1", "01", "1.0"];
    let names: Vec<&str> =
        names.iter().chain(&AWKWARD_TEXTS).copied().chain([&*longest, &*almost, &*four_bytes]).collect();
    for name in &names {
        assert!(s.put(tenant, name, (*name).to_owned()).await.created, "{name:?} was taken for another key");
    }
    for name in &names {
        let entry = s.entry(tenant, name).await.unwrap();
        assert_eq!((entry.meta.key.as_str(), &entry.value[..]), (*name, name.as_bytes()));
    }
}

pub async fn a_content_type_is_kept_as_it_was_sent(s: &Fixture) {
    let tenant = s.tenant().await;
    let longest = format!("a/{}", "b".repeat(253));
    for text in [longest.as_str(), "Text/PLAIN;  q=\"it's \\\" 100%_\"", "a/b"] {
        let content_type = ContentType::new(text).unwrap();
        s.put_new(tenant, "key", NewValue { content_type, ..value("x") }).await;
        assert_eq!(s.entry(tenant, "key").await.unwrap().meta.content_type.as_str(), text);
    }
}

pub async fn a_time_to_live_says_when_the_value_ends(s: &Fixture) {
    let tenant = s.tenant().await;
    for seconds in [1, 60, TimeToLive::MAX_SECONDS] {
        let end = s.now().plus_seconds(i64::try_from(seconds).unwrap());
        assert_eq!(s.put_for(tenant, "key", seconds).await.entry.meta.expires_at, Some(end));
        assert_eq!(s.entry(tenant, "key").await.unwrap().meta.expires_at, Some(end));
    }
}
