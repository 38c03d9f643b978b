//! One piece of work for all who ask for the same thing at the same time.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, Shared, WeakShared};

/// The pieces of work under way, each under what it is about.
///
/// Whoever waits drives the work, so nothing runs in the background: when one waiter is dropped the others
/// go on, and when the last one is, the work is dropped too.
pub(crate) struct SingleFlight<I: Eq + Hash + Clone, T: Clone>(Arc<Mutex<UnderWay<I, T>>>);

struct UnderWay<I, T: Clone> {
    /// Held weakly: the waiters own the work, and the work must not outlive them here.
    flights: HashMap<I, (u64, WeakShared<BoxFuture<'static, T>>)>,
    next_number: u64,
}

impl<I, T> SingleFlight<I, T>
where
    I: Eq + Hash + Clone + Send + 'static,
    T: Clone + Send + Sync + 'static,
{
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(UnderWay { flights: HashMap::new(), next_number: 0 })))
    }

    /// The work under way about `id`; where there is none, what `start` makes of it. `start` is called
    /// under a lock: it must only build the future.
    pub(crate) fn join<W>(&self, id: I, start: impl FnOnce() -> W) -> Shared<BoxFuture<'static, T>>
    where
        W: Future<Output = T> + Send + 'static,
    {
        let mut under_way = lock(&self.0);
        if let Some(flight) = under_way.flights.get(&id).and_then(|(_, flight)| flight.upgrade()) {
            return flight;
        }
        // Before the landing: if it panics, no landing may ask for the lock that is held here.
        let work = start();
        let number = under_way.next_number;
        under_way.next_number += 1;
        let landing = Landing { under_way: Arc::clone(&self.0), id: id.clone(), number };
        let flight = async move {
            let outcome = work.await;
            drop(landing);
            outcome
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            under_way.flights.insert(id, (number, weak));
        }
        flight
    }

    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        lock(&self.0).flights.len()
    }
}

/// Takes a flight out of the map when it is done, has panicked, or was dropped by all who waited for it.
struct Landing<I: Eq + Hash, T: Clone> {
    under_way: Arc<Mutex<UnderWay<I, T>>>,
    id: I,
    number: u64,
}

impl<I: Eq + Hash, T: Clone> Drop for Landing<I, T> {
    fn drop(&mut self) {
        let flights = &mut lock(&self.under_way).flights;
        // Between the last waiter's end and this lock another may have begun a flight of the same id.
        if flights.get(&self.id).is_some_and(|(number, _)| *number == self.number) {
            flights.remove(&self.id);
        }
    }
}

/// No code that can panic runs between two changes of the map, so a poisoned lock guards a sound map.
fn lock<I, T: Clone>(under_way: &Mutex<UnderWay<I, T>>) -> MutexGuard<'_, UnderWay<I, T>> {
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}
