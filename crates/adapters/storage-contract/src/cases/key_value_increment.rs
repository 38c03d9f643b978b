//! Key-values: incremented.

use std::sync::Arc;

use tenantry_domain::{ContentType, Entry, EntryMeta, IncrementError, Precondition, TenantNumber};
use tenantry_ports::{KeyValueWriteError, NewValue, PutOutcome};

use crate::fixture::Fixture;
use crate::recorded_commits::Commit;
use crate::samples::{key, preconditions, revision, unknown_tenant, value, value_for};

type Incremented = Result<(PutOutcome, i64), KeyValueWriteError>;

async fn increment(
    s: &Fixture,
    tenant: TenantNumber,
    name: &str,
    by: i64,
    initial: Option<i64>,
) -> Incremented {
    s.key_values.increment(tenant, key(name), by, initial, Precondition::default()).await
}

pub async fn an_increment_adds_and_keeps_the_content_type_and_the_end(s: &Fixture) {
    let tenant = s.tenant().await;
    let content_type = ContentType::new("application/json").unwrap();
    let first = s.put_new(tenant, "key", NewValue { content_type, ..value_for("40", 60) }).await.entry;
    let now = s.clock.advance_seconds(1);
    let (outcome, number) = increment(s, tenant, "key", 2, Some(7)).await.unwrap();
    let meta = EntryMeta { version: 2, revision: revision(2), updated_at: now, ..first.meta.clone() };
    let entry = Arc::new(Entry { meta, value: "42".into() });
    assert_eq!((outcome, number), (PutOutcome { entry: entry.clone(), created: false }, 42));
    assert_eq!(s.entry(tenant, "key").await, Some(entry));
}

pub async fn an_absent_key_becomes_initial_to_which_nothing_is_added(s: &Fixture) {
    let tenant = s.tenant().await;
    let (outcome, number) = increment(s, tenant, "key", 5, Some(-100)).await.unwrap();
    let meta = EntryMeta {
        key: key("key"),
        content_type: ContentType::plain_text(),
        size: 4,
        version: 1,
        revision: revision(1),
        created_at: s.now(),
        updated_at: s.now(),
        expires_at: None,
    };
    let entry = Arc::new(Entry { meta, value: "-100".into() });
    assert_eq!((outcome, number), (PutOutcome { entry: entry.clone(), created: true }, -100));
    assert_eq!(s.entry(tenant, "key").await, Some(entry));
}

pub async fn an_absent_key_without_initial_is_not_found(s: &Fixture) {
    let tenant = s.tenant().await;
    assert_eq!(increment(s, tenant, "key", 1, None).await, Err(KeyValueWriteError::KeyNotFound));
    assert_eq!(s.entry(tenant, "key").await, None);
    assert_eq!(s.next_revision(tenant).await, revision(1));
}

pub async fn numbers_of_64_bits_are_added_in_decimal(s: &Fixture) {
    let tenant = s.tenant().await;
    for (held, by, expected) in [
        ("0", 1, 1),
        ("1", -2, -1),
        ("007", 1, 8),
        ("99", 1, 100),
        ("100", -1, 99),
        ("-5", 5, 0),
        ("9223372036854775806", 1, i64::MAX),
        ("-9223372036854775807", -1, i64::MIN),
        ("-1", i64::MAX, i64::MAX - 1),
        ("9223372036854775807", i64::MIN, -1),
    ] {
        s.put(tenant, "key", held).await;
        let (outcome, number) = increment(s, tenant, "key", by, None).await.unwrap();
        assert_eq!(number, expected, "{held} and {by}");
        assert_eq!(outcome.entry.value, expected.to_string().into_bytes(), "{held} and {by}");
        assert_eq!(outcome.entry.meta.size, u64::try_from(expected.to_string().len()).unwrap());
    }
}

pub async fn what_is_no_integer_is_not_incremented(s: &Fixture) {
    let tenant = s.tenant().await;
    let mut held = 0;
    for bytes in ["", "-", "abc", "1.5", "+1", " 1", "1 ", "0x1", "1e3", "\0", "١", "12345678901234567890"] {
        let entry = s.put(tenant, "key", bytes).await.entry;
        held += 1;
        let refused = increment(s, tenant, "key", 1, Some(1)).await;
        assert_eq!(refused, Err(KeyValueWriteError::Increment(IncrementError::NotAnInteger)), "{bytes:?}");
        assert_eq!(s.entry(tenant, "key").await, Some(entry));
    }
    assert_eq!(s.next_revision(tenant).await, revision(held + 1), "a refused increment took a revision");
}

pub async fn a_sum_that_does_not_fit_is_refused(s: &Fixture) {
    let tenant = s.tenant().await;
    for (held, by) in
        [("9223372036854775807", 1), ("-9223372036854775808", -1), ("-2", i64::MIN), ("1", i64::MAX)]
    {
        let entry = s.put(tenant, "key", held).await.entry;
        let refused = increment(s, tenant, "key", by, None).await;
        assert_eq!(refused, Err(KeyValueWriteError::Increment(IncrementError::Overflow)), "{held} and {by}");
        assert_eq!(s.entry(tenant, "key").await, Some(entry));
    }
    assert_eq!(s.next_revision(tenant).await, revision(5), "a refused increment took a revision");
}

pub async fn an_increment_happens_only_if_its_precondition_holds(s: &Fixture) {
    let tenant = s.tenant().await;
    let mut current = s.put(tenant, "key", "0").await.entry;
    let mut count = 0;
    for at in 0..36 {
        let now = current.meta.revision;
        let precondition = preconditions(now.get())[at].clone();
        let answer = s.key_values.increment(tenant, key("key"), 1, Some(7), precondition.clone()).await;
        if precondition.holds(Some(now.get())) {
            let (outcome, number) =
                answer.unwrap_or_else(|error| panic!("{precondition:?} at {now}: {error}"));
            count += 1;
            assert_eq!((number, outcome.entry.meta.revision), (count, revision(now.get() + 1)));
            current = outcome.entry;
        } else {
            let refused = Err(KeyValueWriteError::PreconditionFailed { current: Some(now) });
            assert_eq!(answer, refused, "{precondition:?} at {now}");
        }
        assert_eq!(s.entry(tenant, "key").await, Some(current.clone()));
    }
}

pub async fn an_absent_key_becomes_initial_only_if_the_precondition_holds(s: &Fixture) {
    let tenant = s.tenant().await;
    for (at, precondition) in preconditions(1).into_iter().enumerate() {
        let name = format!("key {at}");
        let answer = s.key_values.increment(tenant, key(&name), 1, Some(7), precondition.clone()).await;
        if precondition.holds(None) {
            assert_eq!(answer.map(|(outcome, number)| (outcome.created, number)), Ok((true, 7)));
        } else {
            let refused = Err(KeyValueWriteError::PreconditionFailed { current: None });
            assert_eq!(answer, refused, "{precondition:?}");
            assert_eq!(s.entry(tenant, &name).await, None);
        }
    }
}

pub async fn a_key_is_not_incremented_for_another_tenant(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    let entry = s.put(one, "key", "1").await.entry;
    assert_eq!(increment(s, other, "key", 1, None).await, Err(KeyValueWriteError::KeyNotFound));
    let (outcome, number) = increment(s, other, "key", 1, Some(10)).await.unwrap();
    assert_eq!((outcome.created, number), (true, 10));
    assert_eq!(s.entry(one, "key").await, Some(entry));
}

pub async fn an_increment_for_an_unknown_tenant_is_refused(s: &Fixture) {
    for initial in [None, Some(1)] {
        let refused = increment(s, unknown_tenant(), "key", 1, initial).await;
        assert_eq!(refused, Err(KeyValueWriteError::TenantNotFound));
    }
}

pub async fn an_increment_tells_the_listener_before_it_answers_and_a_refused_one_does_not(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put(tenant, "text", "text").await;
    s.commits.take();
    increment(s, tenant, "text", 1, None).await.unwrap_err();
    increment(s, tenant, "absent", 1, None).await.unwrap_err();
    assert_eq!(s.commits.take(), []);
    for (number, initial) in [(2, Some(1)), (3, None)] {
        let (outcome, _) = increment(s, tenant, "key", 1, initial).await.unwrap();
        let told = Commit::KeyValue {
            tenant,
            key: key("key"),
            revision: revision(number),
            entry: Some(outcome.entry),
        };
        assert_eq!(s.commits.take(), [told]);
    }
}

pub async fn an_increment_counts_on_from_a_value_that_was_put(s: &Fixture) {
    let tenant = s.tenant().await;
    increment(s, tenant, "key", 1, Some(1)).await.unwrap();
    s.put_new(tenant, "key", value("41")).await;
    assert_eq!(increment(s, tenant, "key", 1, Some(1)).await.unwrap().1, 42);
}
