//! Writing, and lists. No write touches the cache: the mocks would say so.

use bytes::Bytes;
use mockall::predicate::eq;
use tenantry_domain::{ContentType, IncrementError, Page, PageLimit};
use tenantry_ports::{EntryQuery, KeyValueWriteError, ListedEntry, MockNearCache, NewValue, PutOutcome};

use super::*;

fn value(bytes: usize) -> NewValue {
    NewValue { bytes: Bytes::from(vec![b'x'; bytes]), content_type: ContentType::plain_text(), ttl: None }
}

fn outcome() -> PutOutcome {
    PutOutcome { entry: entry(5, None), created: true }
}

/// A service whose cache must not be touched.
fn writer(entries: MockKeyValueRepository) -> KeyValueService {
    KeyValueService::new(Arc::new(entries), Arc::new(MockNearCache::new()), clock_at(time(NOW)), 8)
}

fn refusals() -> Vec<(KeyValueWriteError, KeyValueError)> {
    let current = Some(revision(3));
    vec![
        (KeyValueWriteError::TenantNotFound, KeyValueError::TenantNotFound),
        (KeyValueWriteError::KeyNotFound, KeyValueError::KeyNotFound),
        (KeyValueWriteError::PreconditionFailed { current }, KeyValueError::PreconditionFailed { current }),
        (
            KeyValueWriteError::Increment(IncrementError::Overflow),
            KeyValueError::Increment(IncrementError::Overflow),
        ),
        (KeyValueWriteError::Storage(down()), KeyValueError::Storage(down())),
    ]
}

#[tokio::test]
async fn a_put_reaches_storage_as_it_is() {
    let mut entries = MockKeyValueRepository::new();
    let precondition = Precondition::revision(3);
    entries
        .expect_put()
        .once()
        .with(eq(number(7)), eq(key("k")), eq(value(8)), eq(precondition.clone()))
        .return_once(|_, _, _, _| Ok(outcome()));
    assert_eq!(writer(entries).put(number(7), key("k"), value(8), precondition).await, Ok(outcome()));
}

#[tokio::test]
async fn a_value_that_is_too_large_does_not_reach_storage() {
    let put = writer(MockKeyValueRepository::new()).put(number(7), key("k"), value(9), ALWAYS).await;
    assert_eq!(put, Err(KeyValueError::TooLarge { limit: 8 }));
}

#[tokio::test]
async fn a_delete_reaches_storage_as_it_is() {
    let mut entries = MockKeyValueRepository::new();
    let precondition = Precondition::revision(3);
    entries
        .expect_delete()
        .once()
        .with(eq(number(7)), eq(key("k")), eq(precondition.clone()))
        .return_once(|_, _, _| Ok(revision(6)));
    assert_eq!(writer(entries).delete(number(7), key("k"), precondition).await, Ok(revision(6)));
}

#[tokio::test]
async fn an_increment_reaches_storage_as_it_is() {
    let mut entries = MockKeyValueRepository::new();
    let precondition = Precondition::revision(3);
    entries
        .expect_increment()
        .once()
        .with(eq(number(7)), eq(key("k")), eq(-2), eq(Some(40)), eq(precondition.clone()))
        .return_once(|_, _, _, _, _| Ok((outcome(), 40)));
    let sum = writer(entries).increment(number(7), key("k"), -2, Some(40), precondition).await;
    assert_eq!(sum, Ok((outcome(), 40)));
}

#[tokio::test]
async fn what_storage_answers_to_a_write_is_passed_on() {
    for (answer, expected) in refusals() {
        let mut entries = MockKeyValueRepository::new();
        let (put, delete, increment) = (answer.clone(), answer.clone(), answer);
        entries.expect_put().return_once(|_, _, _, _| Err(put));
        entries.expect_delete().return_once(|_, _, _| Err(delete));
        entries.expect_increment().return_once(|_, _, _, _, _| Err(increment));
        let (service, tenant) = (writer(entries), number(7));
        let put = service.put(tenant, key("k"), value(1), ALWAYS).await;
        assert_eq!(put.unwrap_err(), expected);
        assert_eq!(service.delete(tenant, key("k"), ALWAYS).await.unwrap_err(), expected);
        let sum = service.increment(tenant, key("k"), 1, None, ALWAYS).await;
        assert_eq!(sum.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn a_list_is_asked_for_as_it_was_ordered() {
    let query = EntryQuery {
        prefix: "k".to_owned(),
        after: Some(key("j")),
        limit: PageLimit::MAX,
        keys_only: true,
        max_value_bytes: 1 << 20,
    };
    let page =
        Page { items: vec![ListedEntry { meta: entry(5, None).meta.clone(), value: None }], more: true };
    for (answer, expected) in
        [(Ok(page.clone()), Ok(page)), (Err(down()), Err(KeyValueError::Storage(down())))]
    {
        let mut entries = MockKeyValueRepository::new();
        entries.expect_list().once().with(eq(number(7)), eq(query.clone())).return_once(|_, _| answer);
        assert_eq!(writer(entries).list(number(7), query.clone()).await, expected);
    }
}

#[tokio::test]
async fn entries_whose_end_has_come_are_removed_by_storage() {
    for answer in [Ok(3), Err(down())] {
        let mut entries = MockKeyValueRepository::new();
        entries.expect_remove_expired().once().with(eq(100)).return_const(answer.clone());
        assert_eq!(writer(entries).remove_expired(100).await, answer);
    }
}
