//! Where reads wait for a thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tenantry_ports::StorageError;

/// A read, whatever its types are.
pub(super) trait Read<C>: Send {
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool;

    /// Runs and answers it; where no connection could be had, only answers. `false`: the connection may be
    /// broken.
    fn run(self: Box<Self>, connection: Result<&mut C, StorageError>) -> bool;
}

/// Says which read it is, as long as it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// A bounded queue, first come first served.
pub(super) struct Queue<C> {
    max_waiting: usize,
    state: Mutex<State<C>>,
    wake: Condvar,
}

struct State<C> {
    waiting: VecDeque<(Ticket, Box<dyn Read<C>>)>,
    next_ticket: u64,
    /// Threads that have no read in hand: idle, woken, or only just started.
    free_threads: usize,
    idle_threads: usize,
    /// How many of the idle threads were woken and have not come back yet: no use in waking more than idle.
    woken_threads: usize,
    closed: bool,
}

impl<C> Queue<C> {
    /// A queue that so many threads will serve.
    pub(super) fn new(max_waiting: usize, threads: usize) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            next_ticket: 0,
            free_threads: threads,
            idle_threads: 0,
            woken_threads: 0,
            closed: false,
        };
        Self { max_waiting, state: Mutex::new(state), wake: Condvar::new() }
    }

    /// Adds a read, unless too many wait, and sees to it that a free thread takes it.
    pub(super) fn push(&self, read: Box<dyn Read<C>>) -> Result<Ticket, StorageError> {
        self.add(read, true)
    }

    /// As [`push`](Self::push), for one of the threads that is about to ask for its [`next`](Self::next) read: no
    /// other is woken for it.
    pub(super) fn push_for_next(&self, read: Box<dyn Read<C>>) -> Result<Ticket, StorageError> {
        self.add(read, false)
    }

    fn add(&self, read: Box<dyn Read<C>>, wakes: bool) -> Result<Ticket, StorageError> {
        let mut state = self.state();
        if state.waiting.len() >= self.max_waiting {
            return Err(StorageError::Unavailable("too many reads are waiting".to_owned()));
        }
        let ticket = Ticket(state.next_ticket);
        state.next_ticket += 1;
        state.waiting.push_back((ticket, read));
        let wakes = wakes && state.idle_threads > state.woken_threads;
        state.woken_threads += usize::from(wakes);
        drop(state);
        if wakes {
            self.wake.notify_one();
        }
        Ok(ticket)
    }

    /// Takes the read out, if it still waits for others to end. What a free thread is on its way to stays: it
    /// is the machine that is late then, not the readers that are too few.
    pub(super) fn give_up(&self, ticket: Ticket) -> bool {
        let mut state = self.state();
        let place = state.waiting.iter().position(|(waiting, _)| *waiting == ticket);
        let place = place.filter(|place| *place >= state.free_threads);
        place.is_some_and(|place| state.waiting.remove(place).is_some())
    }

    /// Waits for the next read; `before_idling` is called before it has to wait. Nothing once the queue is
    /// closed. `has_read`: whether the calling thread comes back from a read.
    pub(super) fn next(&self, has_read: bool, mut before_idling: impl FnMut()) -> Option<Box<dyn Read<C>>> {
        let mut state = self.state();
        state.free_threads += usize::from(has_read);
        let mut is_prepared = false;
        loop {
            if state.closed {
                return None;
            }
            if let Some((_, read)) = state.waiting.pop_front() {
                state.free_threads -= 1;
                return Some(read);
            }
            if !is_prepared {
                drop(state);
                before_idling();
                is_prepared = true;
                state = self.state();
                continue;
            }
            state.idle_threads += 1;
            state = self.wake.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle_threads -= 1;
            state.woken_threads = state.woken_threads.saturating_sub(1);
        }
    }

    /// Ends all waiting: of the threads, and of the reads, which are dropped.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        let dropped = std::mem::take(&mut state.waiting);
        drop(state);
        drop(dropped);
        self.wake.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State<C>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nothing;

    impl Read<()> for Nothing {
        fn is_wanted(&self) -> bool {
            true
        }

        fn run(self: Box<Self>, _: Result<&mut (), StorageError>) -> bool {
            true
        }
    }

    #[test]
    fn a_read_that_a_thread_is_free_for_is_not_given_up_however_late_that_one_comes() {
        let queue = Queue::new(10, 2);
        let tickets = [(); 3].map(|()| queue.push(Box::new(Nothing)).unwrap());
        let given_up = tickets.map(|ticket| queue.give_up(ticket));
        assert_eq!(given_up, [false, false, true], "there are two threads, and neither has come yet");

        assert!(queue.next(false, || {}).is_some());
        let ticket = queue.push(Box::new(Nothing)).unwrap();
        assert!(queue.give_up(ticket), "one thread reads, and the other will take what is before it");
        assert!(queue.next(true, || {}).is_some());
        let ticket = queue.push(Box::new(Nothing)).unwrap();
        assert!(!queue.give_up(ticket), "the thread that has not come yet takes it");
        assert!(queue.next(false, || {}).is_some());
        let ticket = queue.push(Box::new(Nothing)).unwrap();
        assert!(queue.give_up(ticket), "both read");
    }
}
