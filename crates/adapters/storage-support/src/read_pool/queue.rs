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
    idle_threads: usize,
    /// How many of the idle threads were woken and have not come back yet: no use in waking more than idle.
    woken_threads: usize,
    closed: bool,
}

impl<C> Queue<C> {
    pub(super) fn new(max_waiting: usize) -> Self {
        let state = State {
            waiting: VecDeque::new(),
            next_ticket: 0,
            idle_threads: 0,
            woken_threads: 0,
            closed: false,
        };
        Self { max_waiting, state: Mutex::new(state), wake: Condvar::new() }
    }

    /// Adds a read, unless too many wait.
    pub(super) fn push(&self, read: Box<dyn Read<C>>) -> Result<Ticket, StorageError> {
        let mut state = self.state();
        if state.waiting.len() >= self.max_waiting {
            return Err(StorageError::Unavailable("too many reads are waiting".to_owned()));
        }
        let ticket = Ticket(state.next_ticket);
        state.next_ticket += 1;
        state.waiting.push_back((ticket, read));
        let wakes = state.idle_threads > state.woken_threads;
        state.woken_threads += usize::from(wakes);
        drop(state);
        if wakes {
            self.wake.notify_one();
        }
        Ok(ticket)
    }

    /// Takes the read out, if it still waits.
    pub(super) fn give_up(&self, ticket: Ticket) -> bool {
        let mut state = self.state();
        let place = state.waiting.iter().position(|(waiting, _)| *waiting == ticket);
        place.is_some_and(|place| state.waiting.remove(place).is_some())
    }

    /// Waits for the next read; `before_idling` is called before it has to wait. Nothing once the queue is
    /// closed.
    pub(super) fn next(&self, mut before_idling: impl FnMut()) -> Option<Box<dyn Read<C>>> {
        let mut state = self.state();
        let mut is_prepared = false;
        loop {
            if state.closed {
                return None;
            }
            if let Some((_, read)) = state.waiting.pop_front() {
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
