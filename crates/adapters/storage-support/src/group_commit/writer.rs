//! The writing thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use tenantry_ports::StorageError;

use super::Batch;
use super::job::panicked;
use super::queue::{Jobs, Queue};

/// How much room the list of a batch keeps for the next: more than that is a burst's, and given back.
const KEPT_ROOM: usize = 4096;

/// Carries out batch after batch until the queue is closed and empty.
pub(super) fn run<B: Batch>(queue: &Queue<B>, mut batch: B) {
    let mut jobs = Vec::new();
    while queue.take_all(&mut jobs) {
        carry_out(queue, &mut batch, &mut jobs);
        jobs.shrink_to(KEPT_ROOM);
    }
    guarded("closing the storage", || batch.close());
}

/// Carries out and answers all of `jobs`. Where one fails, the transaction is rolled back and the others
/// are tried again without it; where that happens twice, each of the rest gets a transaction of its own.
fn carry_out<B: Batch>(queue: &Queue<B>, batch: &mut B, jobs: &mut Jobs<B>) {
    for _ in 0..2 {
        attempt(queue, batch, jobs);
        if jobs.is_empty() {
            return;
        }
    }
    for job in jobs.drain(..) {
        attempt(queue, batch, &mut vec![job]);
    }
}

/// One transaction with all of `jobs`, which are answered and gone afterwards; or, if one of them fails,
/// that one alone is.
fn attempt<B: Batch>(queue: &Queue<B>, batch: &mut B, jobs: &mut Jobs<B>) {
    if let Err(error) = fallible(|| batch.begin()) {
        return answer_all(queue, jobs, Some(&error));
    }
    if let Some(culprit) = jobs.iter_mut().position(|waiting| !waiting.job.run(batch)) {
        guarded("undoing a transaction", || batch.rollback());
        return answer_all(queue, &mut vec![jobs.remove(culprit)], None);
    }
    if let Err(error) = fallible(|| batch.commit()) {
        guarded("undoing a transaction", || batch.rollback());
        return answer_all(queue, jobs, Some(&error));
    }
    guarded("telling what was committed", || batch.announce());
    answer_all(queue, jobs, None);
}

/// Lays all answers down, and only then wakes those who wait for them: see [`reply`](super::reply).
fn answer_all<B>(queue: &Queue<B>, jobs: &mut Jobs<B>, befallen: Option<&StorageError>) {
    queue.give_back(jobs);
    let waiting: Vec<Waker> = jobs.drain(..).filter_map(|waiting| waiting.job.answer(befallen)).collect();
    for waker in waiting {
        waker.wake();
    }
}

/// Runs a step, and makes an error of a panic.
fn fallible(step: impl FnOnce() -> Result<(), StorageError>) -> Result<(), StorageError> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

/// Runs a step that has nobody to tell of a panic, but must not end the writer by it.
fn guarded(what: &str, step: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(step)) {
        tracing::error!(error = %panicked(&*panic), "{what} panicked");
    }
}
