//! Where writes wait for the writer.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tenantry_ports::StorageError;

use super::job::Job;
use super::{Batch, QueueLimits};

pub(super) type Jobs<B> = Vec<Waiting<B>>;

/// A write with what it claims and the weight that it states.
pub(super) struct Waiting<B: Batch> {
    pub(super) claim: Option<B::Claim>,
    pub(super) weight: usize,
    pub(super) job: Box<dyn Job<B>>,
}

/// A bounded queue that is always emptied whole.
pub(super) struct Queue<B: Batch> {
    limits: QueueLimits,
    state: Mutex<State<B>>,
    wake_writer: Condvar,
}

struct State<B: Batch> {
    waiting: Jobs<B>,
    /// Writes and bytes that are accepted and not yet answered, those in the writer's hands included.
    open_writes: usize,
    open_bytes: usize,
    writer_idles: bool,
    closed: bool,
}

impl<B: Batch> Queue<B> {
    pub(super) fn new(limits: QueueLimits) -> Self {
        let state =
            State { waiting: Vec::new(), open_writes: 0, open_bytes: 0, writer_idles: false, closed: false };
        Self { limits, state: Mutex::new(state), wake_writer: Condvar::new() }
    }

    /// Adds a write, unless the queue is full or closed.
    pub(super) fn push(
        &self,
        claim: Option<B::Claim>,
        weight: usize,
        job: Box<dyn Job<B>>,
    ) -> Result<(), StorageError> {
        let refused = |why: &str| Err(StorageError::Unavailable(why.to_owned()));
        let mut state = self.state();
        if state.closed {
            return refused("storage is shutting down");
        }
        let bytes = state.open_bytes.saturating_add(weight);
        if state.open_writes >= self.limits.writes || state.open_writes > 0 && bytes > self.limits.bytes {
            return refused("too many writes are waiting");
        }
        state.open_writes += 1;
        state.open_bytes = bytes;
        state.waiting.push(Waiting { claim, weight, job });
        let writer_idles = std::mem::take(&mut state.writer_idles);
        drop(state);
        if writer_idles {
            self.wake_writer.notify_one();
        }
        Ok(())
    }

    /// Waits until somebody waits, and swaps everybody into `jobs`, which is empty. `false` once the queue is
    /// closed and empty.
    pub(super) fn take_all(&self, jobs: &mut Jobs<B>) -> bool {
        let mut state = self.state();
        while state.waiting.is_empty() {
            if state.closed {
                return false;
            }
            state.writer_idles = true;
            state = self.wake_writer.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.writer_idles = false;
        std::mem::swap(&mut state.waiting, jobs);
        true
    }

    /// Gives back the room of writes that are about to be answered: whoever has the answer finds it free.
    pub(super) fn give_back(&self, jobs: &[Waiting<B>]) {
        let bytes: usize = jobs.iter().map(|waiting| waiting.weight).sum();
        let mut state = self.state();
        state.open_writes -= jobs.len();
        state.open_bytes -= bytes;
    }

    /// Refuses whatever comes from now on.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.wake_writer.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State<B>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
