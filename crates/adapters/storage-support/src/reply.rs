//! Where an answer goes, in two steps: first it is laid down, then whoever waits for it is woken.
//!
//! A channel of the runtime does both at once. For a batch that is the wrong order: the first answer wakes a
//! thread, which finds that one alone, goes back to sleep, and is woken again for the next, a call of the
//! system each time. Here all answers of a batch are laid down before anybody is woken.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// A place for one answer: who gives it and who waits for it.
pub(crate) fn reply<T>() -> (Reply<T>, Answer<T>) {
    let place = Arc::new(Mutex::new(Place { answer: None, waker: None, is_abandoned: false }));
    (Reply(Arc::clone(&place)), Answer(place))
}

struct Place<T> {
    answer: Option<T>,
    waker: Option<Waker>,
    /// There will be no answer.
    is_abandoned: bool,
}

/// Gives the answer. Dropped without one, it lets go who waits.
pub(crate) struct Reply<T>(Arc<Mutex<Place<T>>>);

/// Waits for the answer; nothing where there will be none.
pub(crate) struct Answer<T>(Arc<Mutex<Place<T>>>);

impl<T> Reply<T> {
    /// Lays the answer down. Whoever waits for it has the waker, and is to be woken then.
    pub(crate) fn lay_down(self, answer: T) -> Option<Waker> {
        let mut place = lock(&self.0);
        place.answer = Some(answer);
        place.waker.take()
    }

    /// Whether somebody still waits for it.
    pub(crate) fn is_wanted(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

impl<T> Drop for Reply<T> {
    fn drop(&mut self) {
        let mut place = lock(&self.0);
        place.is_abandoned = true;
        let waker = place.waker.take();
        drop(place);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Future for Answer<T> {
    type Output = Option<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut place = lock(&self.0);
        if let Some(answer) = place.answer.take() {
            return Poll::Ready(Some(answer));
        }
        if place.is_abandoned {
            return Poll::Ready(None);
        }
        match &mut place.waker {
            Some(waker) => waker.clone_from(context.waker()),
            empty => *empty = Some(context.waker().clone()),
        }
        Poll::Pending
    }
}

/// Nothing that runs under the lock can panic and leave it half done.
fn lock<T>(place: &Mutex<Place<T>>) -> MutexGuard<'_, Place<T>> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}
