//! Reading, through the cache.

use mockall::predicate::eq;
use tenantry_domain::{Entry, Key, TenantNumber, Timestamp};
use tenantry_ports::{LoadTicket, MockClock, MockNearCache};

use super::*;
use crate::samples::pause;

fn known(expires_at: Option<Timestamp>) -> CachedEntry {
    Some(entry(5, expires_at)).into()
}

async fn both(service: KeyValueService) -> (Option<Option<Arc<Entry>>>, Result<Arc<Entry>, KeyValueError>) {
    (service.get_cached(number(7), &key("k")), service.get(number(7), key("k")).await)
}

#[tokio::test]
async fn what_the_cache_knows_is_answered_without_storage() {
    let answers = both(service_that_knows(known(None))).await;
    assert_eq!(answers, (Some(Some(entry(5, None))), Ok(entry(5, None))));
}

#[tokio::test]
async fn an_absence_that_the_cache_knows_is_answered_without_storage() {
    let answers = both(service_that_knows(None.into())).await;
    assert_eq!(answers, (Some(None), Err(KeyValueError::KeyNotFound)));
}

#[tokio::test]
async fn a_cached_entry_is_absent_from_its_end_on() {
    for (end, is_there) in [(NOW - 1, false), (NOW, false), (NOW + 1, true)] {
        let ends = Some(time(end));
        let found = is_there.then(|| entry(5, ends));
        let answers = both(service_that_knows(known(ends))).await;
        assert_eq!(answers, (Some(found.clone()), found.ok_or(KeyValueError::KeyNotFound)), "{end}");
    }
}

#[tokio::test]
async fn the_clock_is_not_asked_about_an_entry_that_never_ends() {
    let clock = Arc::new(MockClock::new());
    let entries = Arc::new(MockKeyValueRepository::new());
    let service = KeyValueService::new(entries, knowing(known(None)), clock, 8);
    assert_eq!(service.get(number(7), key("k")).await, Ok(entry(5, None)));
}

#[tokio::test]
async fn what_nobody_knows_is_left_open_without_storage() {
    assert_eq!(service(MockKeyValueRepository::new()).get_cached(number(7), &key("k")), None);
}

#[tokio::test]
async fn the_cache_is_asked_for_the_key_of_the_tenant() {
    let mut cache = MockNearCache::new();
    cache.expect_get().once().with(eq((number(7), key("k")))).return_const(Some(known(None)));
    let entries = Arc::new(MockKeyValueRepository::new());
    let service = KeyValueService::new(entries, Arc::new(cache), clock_at(time(NOW)), 8);
    assert!(service.get_cached(number(7), &key("k")).is_some());
}

#[tokio::test]
async fn what_storage_says_is_answered_and_kept_also_an_absence() {
    for (found, kept_at) in [(Some(entry(5, None)), 5), (None, 0)] {
        let mut entries = MockKeyValueRepository::new();
        let answer = found.clone();
        entries.expect_find().once().with(eq(number(7)), eq(key("k"))).return_once(|_, _| Ok(answer));
        let mut cache = MockNearCache::<(TenantNumber, Key), CachedEntry>::new();
        cache.expect_get().returning(|_| None);
        cache.expect_ticket().with(eq((number(7), key("k")))).return_const(LoadTicket(5));
        cache.expect_last_known().returning(|_| None);
        let kept = CachedEntry { revision: revision(kept_at), entry: found.clone() };
        cache
            .expect_fill()
            .once()
            .with(eq((number(7), key("k"))), eq(kept), eq(LoadTicket(5)))
            .return_const(());
        let service = KeyValueService::new(Arc::new(entries), Arc::new(cache), clock_at(time(NOW)), 8);
        let expected = found.ok_or(KeyValueError::KeyNotFound);
        assert_eq!(service.get(number(7), key("k")).await, expected);
    }
}

#[test]
fn two_who_ask_for_the_same_unknown_key_are_one_read() {
    let (pause, mut paused) = pause();
    let mut entries = MockKeyValueRepository::new();
    entries.expect_find().once().return_once(move |_, _| {
        paused.wait();
        Ok(Some(entry(5, None)))
    });
    let service = service(entries);
    pause.share(|| service.get(number(7), key("k")), &Ok(entry(5, None)));
}

#[tokio::test]
async fn storage_that_fails_is_not_taken_for_an_absence() {
    let mut entries = MockKeyValueRepository::new();
    entries.expect_find().returning(|_, _| Err(down()));
    let got = service(entries).get(number(7), key("k")).await;
    assert_eq!(got, Err(KeyValueError::Storage(down())));
}

#[test]
fn a_cached_entry_weighs_its_bytes_and_is_as_new_as_its_revision() {
    let (held, absent) = (known(None), CachedEntry { revision: revision(9), entry: None });
    let at = |text: &str| (number(7), key(text));
    assert!(CachedEntry::weigh(&at("k"), &held) - CachedEntry::weigh(&at("k"), &absent) >= 5);
    let long = CachedEntry::weigh(&at(&"k".repeat(512)), &absent);
    assert_eq!(long - CachedEntry::weigh(&at("k"), &absent), 511);
    assert_eq!((CachedEntry::version(&held), CachedEntry::version(&absent)), (5, 9));
}
