use std::future::ready;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use futures_util::future::join_all;
use mockall::Sequence;
use tenantry_ports::MockNearCache;
use tokio::sync::oneshot;

use super::*;

type Cache = MockNearCache<&'static str, u32>;

/// A cache that holds nothing and is never told of a change.
fn cache() -> Cache {
    let mut cache = Cache::new();
    cache.expect_ticket().return_const(LoadTicket(7));
    cache.expect_last_known().return_const(None);
    cache
}

fn read_through(cache: Cache) -> ReadThrough<&'static str, u32> {
    ReadThrough::new(Arc::new(cache))
}

async fn told(told: oneshot::Receiver<u32>) -> Result<u32, StorageError> {
    Ok(told.await.unwrap())
}

#[tokio::test]
async fn what_is_read_is_kept_under_the_ticket_from_before_the_read() {
    let mut order = Sequence::new();
    let mut cache = Cache::new();
    cache.expect_ticket().once().in_sequence(&mut order).return_const(LoadTicket(7));
    let mut storage = tenantry_ports::MockClock::new();
    let now = tenantry_domain::Timestamp::from_micros(1);
    storage.expect_now().once().in_sequence(&mut order).return_const(now);
    cache
        .expect_fill()
        .withf(|key, value, ticket| (*key, *value, *ticket) == ("k", 5, LoadTicket(7)))
        .once()
        .in_sequence(&mut order)
        .return_const(());
    let read = move |_| {
        tenantry_ports::Clock::now(&storage);
        ready(Ok(5))
    };
    assert_eq!(read_through(cache).load("k", |_| true, read).await, Ok(5));
}

#[tokio::test]
async fn what_is_not_to_be_kept_is_answered_and_not_kept() {
    let loaded = read_through(cache()).load("k", |value| *value > 5, |_| ready(Ok(5))).await;
    assert_eq!(loaded, Ok(5));
}

#[tokio::test]
async fn a_thousand_readers_are_one_read() {
    let mut cache = cache();
    cache.expect_fill().once().return_const(());
    let cached = read_through(cache);
    let reads = Arc::new(AtomicUsize::new(0));
    let (end, told_end) = oneshot::channel();
    let told_end = Arc::new(Mutex::new(Some(told_end)));
    let mut readers: Vec<_> = (0..1000)
        .map(|_| {
            let (reads, told_end) = (Arc::clone(&reads), Arc::clone(&told_end));
            Box::pin(cached.load(
                "k",
                |_| true,
                move |_| {
                    reads.fetch_add(1, Ordering::Relaxed);
                    told(told_end.lock().unwrap().take().unwrap())
                },
            ))
        })
        .collect();
    assert!(readers.iter_mut().all(|reader| reader.now_or_never().is_none()));
    end.send(5).unwrap();
    assert!(join_all(readers).await.iter().all(|read| *read == Ok(5)));
    assert_eq!(reads.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_reader_who_comes_after_a_change_does_not_join_a_read_from_before_it() {
    // What the cache does: each change that it is told of counts up the ticket.
    let epoch = Arc::new(AtomicU64::new(0));
    let mut cache = Cache::new();
    let tickets = Arc::clone(&epoch);
    cache.expect_ticket().returning(move |_| LoadTicket(tickets.load(Ordering::SeqCst)));
    cache.expect_fill().return_const(());
    let cached = read_through(cache);

    let (old, told_old) = oneshot::channel();
    let mut before = Box::pin(cached.load("k", |_| true, move |_| told(told_old)));
    assert!((&mut before).now_or_never().is_none(), "a read is under way");

    epoch.fetch_add(1, Ordering::SeqCst);
    let after = cached.load("k", |_| true, |_| ready(Ok(2))).now_or_never();
    assert_eq!(after, Some(Ok(2)), "the write was acknowledged: it must be seen");

    old.send(1).unwrap();
    assert_eq!(before.await, Ok(1), "who came before it may see what was before it");
}

#[tokio::test]
async fn an_error_is_told_to_all_and_not_kept() {
    let mut cache = cache();
    cache.expect_fill().once().return_const(());
    let cached = read_through(cache);
    let down = StorageError::Unavailable("down".to_owned());
    let fails = |error: &StorageError| {
        let error = error.clone();
        move |_| async {
            tokio::task::yield_now().await;
            Err(error)
        }
    };
    let readers = [cached.load("k", |_| true, fails(&down)), cached.load("k", |_| true, fails(&down))];
    assert_eq!(join_all(readers).await, [Err(down.clone()), Err(down)]);
    assert_eq!(cached.load("k", |_| true, |_| ready(Ok(5))).await, Ok(5));
}

#[tokio::test]
async fn a_read_that_panics_fails_for_all_and_the_next_one_works() {
    let mut cache = cache();
    cache.expect_fill().once().return_const(());
    let cached = read_through(cache);
    let panics = |_| async {
        tokio::task::yield_now().await;
        std::panic::resume_unwind(Box::new("on purpose"))
    };
    let readers = [cached.load("k", |_| true, panics), cached.load("k", |_| true, panics)];
    for read in join_all(readers).await {
        assert!(matches!(read, Err(StorageError::Failed(_))));
    }
    assert_eq!(cached.load("k", |_| true, |_| ready(Ok(5))).await, Ok(5));
}

#[tokio::test]
async fn a_reader_who_leaves_does_not_take_the_read_with_it() {
    let mut cache = cache();
    cache.expect_fill().once().return_const(());
    let cached = read_through(cache);
    let (end, told_end) = oneshot::channel();
    let mut first = Box::pin(cached.load("k", |_| true, move |_| told(told_end)));
    let mut second = Box::pin(cached.load("k", |_| true, |_| ready(Ok(99))));
    assert!((&mut first).now_or_never().is_none());
    assert!((&mut second).now_or_never().is_none(), "it waits for the first one's read");
    drop(first);
    end.send(5).unwrap();
    assert_eq!(second.await, Ok(5));
}

#[tokio::test]
async fn while_storage_is_away_what_is_known_goes_on_to_be_answered() {
    let mut cache = Cache::new();
    cache.expect_ticket().return_const(LoadTicket(7));
    cache.expect_last_known().return_const(Some(5));
    // Kept anew, so that the next reader need not wait to hear that storage is away.
    cache
        .expect_fill()
        .once()
        .withf(|key, value, ticket| (*key, *value, ticket.0) == ("k", 5, 7))
        .return_const(());
    let cached = read_through(cache);
    let away = || ready(Err(StorageError::Unavailable("away".to_owned())));
    assert_eq!(cached.load("k", |_| true, move |_| away()).await, Ok(5));
    let broken = || ready(Err(StorageError::Failed("broken".to_owned())));
    assert!(cached.load("k", |_| true, move |_| broken()).await.is_err(), "a fault is no reason to go on");
}
