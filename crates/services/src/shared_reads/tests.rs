use std::sync::Mutex;

use futures_util::FutureExt as _;
use mockall::predicate::{always, eq};
use tenantry_domain::Entry;
use tenantry_ports::{FillLease, MockSharedCache};

use super::*;
use crate::propagation::Subject;
use crate::samples::{Haste, Standstill, down, entry, key, number, propagation, revision};

const LEASE: FillLease = FillLease { token: 3, generation: 4 };

/// Reads the key `k` of tenant 7, of which storage says this, if it is asked at all.
fn load(
    shared: MockSharedCache,
    storage: Option<Result<Option<Arc<Entry>>, StorageError>>,
) -> Result<CachedEntry, StorageError> {
    let reads = SharedReads::over(&propagation(Some(Arc::new(shared)), None, Haste::default())).unwrap();
    let read = async { storage.expect("storage is not to be asked") };
    reads.load(number(7), &key("k"), read).now_or_never().unwrap()
}

fn telling(told: SharedLookup) -> MockSharedCache {
    let mut shared = MockSharedCache::new();
    shared.expect_look_up().once().with(eq(number(7)), eq(key("k"))).return_const(told);
    shared
}

fn held_entry(at: u64) -> SharedLookup {
    let value = Some(shared_entry::encode(&entry(at, None)));
    SharedLookup::Held(SharedValue { version: revision(at), value })
}

#[test]
fn what_the_shared_cache_holds_is_known_without_storage() {
    assert_eq!(load(telling(held_entry(5)), None), Ok(Some(entry(5, None)).into()));
    let absent = SharedLookup::Held(SharedValue { version: revision(6), value: None });
    assert_eq!(load(telling(absent), None), Ok(CachedEntry { revision: revision(6), entry: None }));
}

#[test]
fn what_is_not_understood_is_read_from_storage() {
    let rubbish = SharedValue { version: revision(5), value: Some("rubbish".into()) };
    let known = load(telling(SharedLookup::Held(rubbish)), Some(Ok(Some(entry(5, None)))));
    assert_eq!(known, Ok(Some(entry(5, None)).into()));
}

#[test]
fn who_has_the_lease_reads_storage_and_fills_the_shared_cache() {
    for found in [Some(entry(5, None)), None] {
        let filled = SharedValue {
            version: revision(if found.is_some() { 5 } else { 0 }),
            value: found.as_deref().map(shared_entry::encode),
        };
        let mut shared = telling(SharedLookup::Lease(LEASE));
        shared
            .expect_fill()
            .once()
            .with(eq(number(7)), eq(key("k")), eq(LEASE), eq(filled), always())
            .return_const(());
        assert_eq!(load(shared, Some(Ok(found.clone()))), Ok(found.into()));
    }
}

#[test]
fn storage_that_fails_fills_nothing() {
    assert_eq!(load(telling(SharedLookup::Lease(LEASE)), Some(Err(down()))), Err(down()));
}

#[test]
fn a_cache_that_is_down_is_passed_by_and_not_filled() {
    let known = load(telling(SharedLookup::Unknown), Some(Ok(None)));
    assert_eq!(known, Ok(None.into()));
}

#[test]
fn who_finds_another_reading_waits_for_what_that_one_fills() {
    let mut shared = MockSharedCache::new();
    let mut told = vec![held_entry(5), SharedLookup::Busy, SharedLookup::Busy];
    shared.expect_look_up().times(3).returning(move |_, _| told.pop().unwrap());
    assert_eq!(load(shared, None), Ok(Some(entry(5, None)).into()));
}

#[test]
fn who_has_waited_for_250_ms_reads_storage_and_fills_nothing() {
    let mut shared = MockSharedCache::new();
    shared.expect_look_up().times(8).return_const(SharedLookup::Busy);
    let timer = Arc::new(Haste::default());
    let limits = crate::samples::SMALL;
    let clock = crate::samples::clock_at(crate::samples::time(1));
    let propagation = Arc::new(Propagation::new(Some(Arc::new(shared)), None, clock, timer.clone(), &limits));
    let reads = SharedReads::over(&propagation).unwrap();
    let known = reads.load(number(7), &key("k"), async { Ok(None) }).now_or_never();
    assert_eq!(known, Some(Ok(None.into())));
    let pauses = timer.0.lock().unwrap();
    assert_eq!(pauses.iter().sum::<Duration>(), Duration::from_millis(250));
    assert!(pauses.is_sorted(), "{pauses:?}");
}

#[test]
fn while_a_change_of_the_key_is_pending_storage_is_read_and_the_shared_cache_is_not_asked() {
    let propagation = propagation(Some(Arc::new(MockSharedCache::new())), None, Standstill);
    propagation.push(Subject::KeyValue(number(7), key("k")), Some(Some(entry(6, None)).into()));
    let reads = SharedReads::over(&propagation).unwrap();
    let known = reads.load(number(7), &key("k"), async { Ok(Some(entry(6, None))) }).now_or_never();
    assert_eq!(known, Some(Ok(Some(entry(6, None)).into())));
}

#[test]
fn the_lease_comes_before_the_read() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let (mut shared, log) = (MockSharedCache::new(), Arc::clone(&order));
    shared.expect_look_up().returning(move |_, _| {
        log.lock().unwrap().push("lease");
        SharedLookup::Lease(LEASE)
    });
    shared.expect_fill().return_const(());
    let reads = SharedReads::over(&propagation(Some(Arc::new(shared)), None, Standstill)).unwrap();
    let read = async {
        order.lock().unwrap().push("read");
        Ok(None)
    };
    reads.load(number(7), &key("k"), read).now_or_never().unwrap().unwrap();
    assert_eq!(*order.lock().unwrap(), ["lease", "read"]);
}
