use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::{join_all, ready};
use tokio::sync::oneshot;

use super::*;

/// Work that ends when the sender says so, with the text that it sends.
async fn until_told(end: oneshot::Receiver<&'static str>) -> &'static str {
    end.await.unwrap_or("the sender is gone")
}

#[tokio::test]
async fn all_who_ask_at_once_share_one_piece_of_work() {
    let flights = SingleFlight::new();
    let started = AtomicUsize::new(0);
    let (end, told) = oneshot::channel();
    let mut told = Some(told);
    let waiters: Vec<_> = (0..1000)
        .map(|_| {
            flights.join("id", || {
                started.fetch_add(1, Ordering::Relaxed);
                until_told(told.take().unwrap())
            })
        })
        .collect();
    end.send("done").unwrap();
    assert_eq!(join_all(waiters).await, ["done"; 1000]);
    assert_eq!(started.into_inner(), 1);
}

#[tokio::test]
async fn different_things_are_different_work() {
    let flights = SingleFlight::new();
    let one = flights.join(1, || ready("one"));
    let two = flights.join(2, || ready("two"));
    assert_eq!((one.await, two.await), ("one", "two"));
}

#[tokio::test]
async fn work_that_is_done_is_forgotten() {
    let flights = SingleFlight::new();
    assert_eq!(flights.join("id", || ready(1)).await, 1);
    assert_eq!(flights.count(), 0);
    assert_eq!(flights.join("id", || ready(2)).await, 2);
}

#[tokio::test]
async fn the_others_go_on_when_the_first_waiter_is_dropped() {
    let flights = SingleFlight::new();
    let (end, told) = oneshot::channel();
    let mut first = flights.join("id", || until_told(told));
    let second = flights.join("id", unreachable_work);
    assert!((&mut first).now_or_never().is_none());
    drop(first);
    let second = tokio::spawn(second);
    tokio::task::yield_now().await;
    end.send("done").unwrap();
    assert_eq!(second.await.unwrap(), "done");
}

fn unreachable_work() -> std::future::Ready<&'static str> {
    panic!("the work was under way")
}

#[tokio::test]
async fn work_that_all_have_left_is_dropped_and_forgotten() {
    let flights = SingleFlight::new();
    let (end, told) = oneshot::channel();
    let mut only = flights.join("id", || until_told(told));
    assert!((&mut only).now_or_never().is_none());
    drop(only);
    assert!(end.is_closed(), "the work is dropped");
    assert_eq!(flights.count(), 0);
    assert_eq!(flights.join("id", || ready("anew")).await, "anew");
}

#[tokio::test]
async fn work_that_nobody_ever_waited_for_is_forgotten() {
    let flights = SingleFlight::new();
    drop(flights.join("id", || ready(1)));
    assert_eq!(flights.count(), 0);
}

#[tokio::test]
async fn work_that_panics_is_forgotten() {
    let flights = SingleFlight::new();
    let panics = flights.join("id", || async { resume_unwind(Box::new("on purpose")) });
    assert!(tokio::spawn(panics).await.unwrap_err().is_panic());
    assert_eq!(flights.count(), 0);
    assert_eq!(flights.join("id", || ready(1)).await, 1);
}

#[tokio::test]
async fn a_start_that_panics_leaves_everything_usable() {
    let flights = SingleFlight::new();
    let start = || -> std::future::Ready<i32> { resume_unwind(Box::new("on purpose")) };
    assert!(catch_unwind(AssertUnwindSafe(|| flights.join("id", start))).is_err());
    assert_eq!(flights.join("id", || ready(1)).await, 1);
}

#[tokio::test]
async fn work_that_all_have_left_does_not_take_its_successor_with_it() {
    struct WhenDropped<F: FnMut()>(F);
    impl<F: FnMut()> Drop for WhenDropped<F> {
        fn drop(&mut self) {
            (self.0)();
        }
    }
    let flights = Arc::new(SingleFlight::new());
    let successor = Arc::new(Mutex::new(None));
    let (joining, joined) = (Arc::clone(&flights), Arc::clone(&successor));
    // Nobody waits any more, and the map does not know that yet: here another one comes.
    let as_it_ends = WhenDropped(move || {
        *joined.lock().unwrap() = Some(joining.join("id", || std::future::pending().boxed()));
    });
    drop(flights.join("id", || {
        let work = async move {
            let _held = as_it_ends;
            std::future::pending::<()>().await;
        };
        work.boxed()
    }));
    assert_eq!(flights.count(), 1);
    let successor = successor.lock().unwrap().take().unwrap();
    let joined = flights.join("id", || std::future::pending().boxed());
    assert!(joined.ptr_eq(&successor));
}
