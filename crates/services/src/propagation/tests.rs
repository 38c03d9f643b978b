use futures_util::FutureExt as _;
use mockall::Sequence;
use mockall::predicate::eq;
use tenantry_domain::KeyId;
use tenantry_ports::{BusError, CacheError, Change, MockChangeBus, MockSharedCache};

use super::*;
use crate::samples::{Haste, Standstill, entry, key, number, propagation, revision};

fn subject(name: &str) -> Subject {
    Subject::KeyValue(number(7), key(name))
}

fn cached(at: u64) -> Option<CachedEntry> {
    Some(CachedEntry { revision: revision(at), entry: Some(entry(at, None)) })
}

fn told(name: &str, at: u64) -> Change {
    Change::KeyValue { tenant: number(7), key: key(name), revision: revision(at) }
}

fn down() -> BusError {
    BusError::Unavailable("down".to_owned())
}

/// Polls `run` once: it carries what it can without waiting.
fn carry_on(propagation: &Propagation) {
    assert_eq!(propagation.run().now_or_never(), None, "it was not told to finish");
}

/// A bus that is told, at the start, that it may be anything, and then what the test says.
fn bus_after_start() -> MockChangeBus {
    let mut bus = MockChangeBus::new();
    bus.expect_announce().once().with(eq(vec![Change::Anything])).returning(|_| Ok(()));
    bus
}

/// What is replaced in the shared cache: key, version, and whether there is a value.
fn replaced(replacements: &[Replacement]) -> Vec<(String, u64, bool)> {
    let each = replacements.iter();
    each.map(|replacement| {
        let SharedValue { version, value } = &replacement.value;
        (replacement.key.to_string(), version.get(), value.is_some())
    })
    .collect()
}

#[test]
fn a_change_goes_into_the_shared_cache_and_then_onto_the_bus() {
    let mut order = Sequence::new();
    let (mut shared, mut bus) = (MockSharedCache::new(), bus_after_start());
    shared
        .expect_replace_all()
        .once()
        .in_sequence(&mut order)
        .withf(|all| replaced(all) == [("k".to_owned(), 5, true), ("gone".to_owned(), 6, false)])
        .returning(|_| Ok(()));
    bus.expect_announce()
        .once()
        .in_sequence(&mut order)
        .with(eq(vec![told("k", 5), told("gone", 6)]))
        .returning(|_| Ok(()));
    let propagation = propagation(Some(Arc::new(shared)), Some(Arc::new(bus)), Standstill);
    carry_on(&propagation);
    propagation.push(subject("k"), cached(5));
    propagation.push(subject("gone"), Some(CachedEntry { revision: revision(6), entry: None }));
    carry_on(&propagation);
}

#[test]
fn keys_and_tenants_are_told_and_never_leave_the_process() {
    let id = KeyId::parse("0123456789ab").unwrap();
    let mut bus = bus_after_start();
    bus.expect_announce()
        .once()
        .with(eq(vec![Change::AccessKey(id), Change::Tenant(number(7))]))
        .returning(|_| Ok(()));
    let propagation = propagation(Some(Arc::new(MockSharedCache::new())), Some(Arc::new(bus)), Standstill);
    carry_on(&propagation);
    propagation.push(Subject::AccessKey(id), None);
    propagation.push(Subject::Tenant(number(7)), None);
    carry_on(&propagation);
}

#[test]
fn of_several_changes_of_one_key_the_newest_is_carried() {
    let (mut shared, mut bus) = (MockSharedCache::new(), bus_after_start());
    shared
        .expect_replace_all()
        .once()
        .withf(|all| replaced(all) == [("k".to_owned(), 6, true)])
        .returning(|_| Ok(()));
    bus.expect_announce().once().with(eq(vec![told("k", 6)])).returning(|_| Ok(()));
    let propagation = propagation(Some(Arc::new(shared)), Some(Arc::new(bus)), Standstill);
    carry_on(&propagation);
    for at in [5, 6, 4] {
        propagation.push(subject("k"), cached(at));
    }
    carry_on(&propagation);
}

#[test]
fn a_change_is_pending_until_the_shared_cache_has_it() {
    let mut shared = MockSharedCache::new();
    shared.expect_replace_all().returning(|_| Ok(()));
    let propagation = propagation(Some(Arc::new(shared)), None, Standstill);
    let is_pending = |name| propagation.is_pending(number(7), &key(name));
    propagation.push(subject("k"), cached(5));
    assert!(is_pending("k") && !is_pending("j") && !propagation.is_pending(number(8), &key("k")));
    let batch = propagation.lock().take().unwrap();
    assert!(is_pending("k"), "while it is carried");
    propagation.carry(batch).now_or_never().unwrap();
    assert!(!is_pending("k"));
}

#[test]
fn whoever_waits_is_let_go_when_what_was_queued_is_carried() {
    let mut shared = MockSharedCache::new();
    shared.expect_replace_all().returning(|_| Ok(()));
    let propagation = propagation(Some(Arc::new(shared)), None, Standstill);
    assert_eq!(propagation.settled().now_or_never(), Some(()), "nothing is queued");
    propagation.push(subject("k"), cached(5));
    let mut settled = Box::pin(propagation.settled());
    assert_eq!((&mut settled).now_or_never(), None);
    carry_on(&propagation);
    assert_eq!(settled.now_or_never(), Some(()));
}

#[test]
fn nobody_waits_for_longer_than_the_limit() {
    let timer = Arc::new(Haste::default());
    let propagation = Propagation::new(
        None,
        None,
        crate::samples::clock_at(crate::samples::time(1)),
        timer.clone(),
        &crate::samples::SMALL,
    );
    propagation.push(subject("k"), cached(5));
    assert_eq!(propagation.settled().now_or_never(), Some(()));
    assert_eq!(*timer.0.lock().unwrap(), [Duration::from_millis(250)]);
}

#[test]
fn whoever_waits_is_let_go_also_when_it_could_not_be_carried() {
    let (mut shared, mut bus) = (MockSharedCache::new(), MockChangeBus::new());
    shared.expect_replace_all().returning(|_| Err(CacheError::Unavailable("down".to_owned())));
    bus.expect_announce().returning(|_| Err(down()));
    let propagation = propagation(Some(Arc::new(shared)), Some(Arc::new(bus)), Standstill);
    propagation.push(subject("k"), cached(5));
    let settled = propagation.settled();
    carry_on(&propagation);
    assert_eq!(settled.now_or_never(), Some(()));
}

#[test]
fn others_are_told_also_when_the_shared_cache_is_down() {
    let (mut shared, mut bus) = (MockSharedCache::new(), bus_after_start());
    shared.expect_replace_all().once().returning(|_| Err(CacheError::Unavailable("down".to_owned())));
    bus.expect_announce().once().with(eq(vec![told("k", 5)])).returning(|_| Ok(()));
    let propagation = propagation(Some(Arc::new(shared)), Some(Arc::new(bus)), Standstill);
    carry_on(&propagation);
    propagation.push(subject("k"), cached(5));
    carry_on(&propagation);
}

#[test]
fn what_the_shared_cache_has_missed_stays_pending_until_it_is_back_and_has_it() {
    let mut order = Sequence::new();
    let mut shared = MockSharedCache::new();
    let unavailable = || CacheError::Unavailable("down".to_owned());
    shared.expect_replace_all().times(2).in_sequence(&mut order).returning(move |_| Err(unavailable()));
    shared
        .expect_replace_all()
        .once()
        .in_sequence(&mut order)
        .withf(|all| {
            let mut all = replaced(all);
            all.sort();
            all == [("j".to_owned(), 7, true), ("k".to_owned(), 6, true)]
        })
        .returning(|_| Ok(()));
    let propagation = propagation(Some(Arc::new(shared)), None, Standstill);
    let is_pending = |name| propagation.is_pending(number(7), &key(name));
    propagation.push(subject("k"), cached(5));
    carry_on(&propagation);
    propagation.push(subject("k"), cached(6));
    propagation.push(subject("j"), cached(7));
    carry_on(&propagation);
    assert!(is_pending("k") && is_pending("j"));
    assert_eq!(propagation.settled().now_or_never(), Some(()), "nobody waits for what is lost");
    propagation.shared_cache_is_back();
    assert!(is_pending("k") && is_pending("j"));
    carry_on(&propagation);
    assert!(!is_pending("k") && !is_pending("j"));
}

#[test]
fn of_changes_that_are_told_out_of_order_and_lost_the_newest_is_carried_in_the_end() {
    let mut order = Sequence::new();
    let mut shared = MockSharedCache::new();
    let unavailable = || CacheError::Unavailable("down".to_owned());
    shared.expect_replace_all().times(2).in_sequence(&mut order).returning(move |_| Err(unavailable()));
    shared
        .expect_replace_all()
        .once()
        .in_sequence(&mut order)
        .withf(|all| replaced(all) == [("k".to_owned(), 6, true)])
        .returning(|_| Ok(()));
    let propagation = propagation(Some(Arc::new(shared)), None, Standstill);
    for at in [6, 5] {
        propagation.push(subject("k"), cached(at));
        carry_on(&propagation);
    }
    propagation.shared_cache_is_back();
    carry_on(&propagation);
}

#[test]
fn an_older_change_that_waits_gives_way_to_a_newer_one_that_was_lost() {
    let propagation = propagation(Some(Arc::new(MockSharedCache::new())), None, Standstill);
    propagation.push(subject("k"), cached(6));
    let batch = propagation.lock().take().unwrap();
    propagation.push(subject("k"), cached(5));
    propagation.lock().carried(batch, false, true);
    let batch = propagation.lock().take().unwrap();
    assert_eq!(batch.key_values().map(|(_, _, cached)| cached.revision).collect::<Vec<_>>(), [revision(6)]);
}

#[test]
fn more_than_may_be_lost_is_given_up() {
    let mut shared = MockSharedCache::new();
    shared.expect_replace_all().returning(|_| Err(CacheError::Unavailable("down".to_owned())));
    shared.expect_distrust().once().return_const(());
    let propagation = propagation(Some(Arc::new(shared)), None, Standstill);
    for name in ["a", "b", "c", "d"] {
        propagation.push(subject(name), cached(5));
        carry_on(&propagation);
    }
    assert!(!propagation.is_pending(number(7), &key("a")));
}

#[test]
fn what_could_not_be_told_is_owed_until_the_others_know_that_it_may_be_anything() {
    let mut order = Sequence::new();
    let mut bus = MockChangeBus::new();
    let anything = || eq(vec![Change::Anything]);
    bus.expect_announce().once().in_sequence(&mut order).with(anything()).returning(|_| Ok(()));
    bus.expect_announce()
        .once()
        .in_sequence(&mut order)
        .with(eq(vec![told("k", 5)]))
        .returning(|_| Err(down()));
    bus.expect_announce().times(2).in_sequence(&mut order).with(anything()).returning(|_| Err(down()));
    bus.expect_announce().once().in_sequence(&mut order).with(anything()).returning(|_| Ok(()));
    bus.expect_announce().once().in_sequence(&mut order).with(eq(vec![told("k", 6)])).returning(|_| Ok(()));
    // In haste the pause between two attempts is over at once.
    let propagation = propagation(None, Some(Arc::new(bus)), Haste::default());
    carry_on(&propagation);
    propagation.push(subject("k"), cached(5));
    carry_on(&propagation);
    propagation.push(subject("k"), cached(6));
    carry_on(&propagation);
}

#[test]
fn more_than_may_wait_is_given_up_and_the_shared_cache_is_not_believed() {
    let long = |at| Some(CachedEntry { revision: revision(at), entry: Some(entry(at, None)) });
    // Of `SMALL`: 3 changes, and 20 bytes, of which each value has 5.
    for names in [&["a", "b", "c", "d"][..], &["a", "a", "b", "c", "d"]] {
        let (mut shared, mut bus) = (MockSharedCache::new(), bus_after_start());
        shared.expect_distrust().once().return_const(());
        bus.expect_announce().once().with(eq(vec![Change::Anything])).returning(|_| Ok(()));
        let propagation = propagation(Some(Arc::new(shared)), Some(Arc::new(bus)), Standstill);
        carry_on(&propagation);
        for name in names {
            propagation.push(subject(name), long(5));
        }
        assert!(!propagation.is_pending(number(7), &key("a")));
        let settled = propagation.settled();
        carry_on(&propagation);
        assert_eq!(settled.now_or_never(), Some(()));
    }
}

#[test]
fn values_of_more_bytes_than_may_wait_are_given_up() {
    let mut shared = MockSharedCache::new();
    shared.expect_distrust().once().return_const(());
    let propagation = propagation(Some(Arc::new(shared)), None, Standstill);
    let mut large = entry(5, None).as_ref().clone();
    large.value = vec![0; 21].into();
    let large = CachedEntry { revision: revision(5), entry: Some(Arc::new(large)) };
    propagation.push(subject("k"), Some(large));
    assert!(!propagation.is_pending(number(7), &key("k")));
}

#[test]
fn when_it_is_told_to_finish_it_carries_what_is_queued_and_ends() {
    let mut shared = MockSharedCache::new();
    shared.expect_replace_all().once().returning(|_| Ok(()));
    let propagation = propagation(Some(Arc::new(shared)), None, Standstill);
    propagation.push(subject("k"), cached(5));
    propagation.finish();
    assert_eq!(propagation.run().now_or_never(), Some(()));
}

/// As in a process that ends before it has come onto the bus.
#[test]
fn when_it_is_told_to_finish_it_tries_until_the_others_are_told() {
    let mut order = Sequence::new();
    let mut bus = MockChangeBus::new();
    bus.expect_announce().times(4).in_sequence(&mut order).returning(|_| Err(down()));
    bus.expect_announce()
        .once()
        .in_sequence(&mut order)
        .with(eq(vec![Change::Anything]))
        .returning(|_| Ok(()));
    let propagation = propagation(None, Some(Arc::new(bus)), Haste::default());
    propagation.push(subject("k"), cached(5));
    propagation.finish();
    assert_eq!(propagation.run().now_or_never(), Some(()));
}

#[test]
fn when_it_is_told_to_finish_it_waits_for_the_shared_cache_that_has_missed_something() {
    let mut order = Sequence::new();
    let mut shared = MockSharedCache::new();
    let unavailable = || CacheError::Unavailable("down".to_owned());
    shared.expect_replace_all().once().in_sequence(&mut order).returning(move |_| Err(unavailable()));
    shared
        .expect_replace_all()
        .once()
        .in_sequence(&mut order)
        .withf(|all| replaced(all) == [("k".to_owned(), 5, true)])
        .returning(|_| Ok(()));
    let propagation = propagation(Some(Arc::new(shared)), None, Standstill);
    propagation.push(subject("k"), cached(5));
    propagation.finish();
    let mut running = Box::pin(propagation.run());
    assert_eq!((&mut running).now_or_never(), None, "the shared cache is down");
    propagation.shared_cache_is_back();
    assert_eq!(running.now_or_never(), Some(()));
}

#[test]
fn a_change_wakes_whoever_runs_it() {
    let mut shared = MockSharedCache::new();
    shared.expect_replace_all().once().returning(|_| Ok(()));
    let propagation = propagation(Some(Arc::new(shared)), None, Standstill);
    std::thread::scope(|threads| {
        let running = threads.spawn(|| {
            tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(propagation.run());
        });
        propagation.push(subject("k"), cached(5));
        propagation.finish();
        running.join().unwrap();
    });
}
