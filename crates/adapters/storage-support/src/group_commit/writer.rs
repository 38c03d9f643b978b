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
        guarded("settling a batch", || batch.settle());
        jobs.shrink_to(KEPT_ROOM);
    }
    guarded("closing the storage", || batch.close());
}

/// Carries out and answers all of `jobs`. Where one fails, the transaction is rolled back and the others
/// are tried again without it; where that happens twice, each of the rest gets a transaction of its own.
/// Where it is not known which one fails, halves are tried.
fn carry_out<B: Batch>(queue: &Queue<B>, batch: &mut B, jobs: &mut Jobs<B>) {
    for _ in 0..2 {
        if attempt(queue, batch, jobs) == Attempt::Halve {
            return halve(queue, batch, jobs);
        }
        if jobs.is_empty() {
            return;
        }
    }
    for job in jobs.drain(..) {
        // One alone is never halved.
        attempt(queue, batch, &mut vec![job]);
    }
}

/// Tries both halves of `jobs`, one after the other.
fn halve<B: Batch>(queue: &Queue<B>, batch: &mut B, jobs: &mut Jobs<B>) {
    let mut second = jobs.split_off(jobs.len() / 2);
    carry_out(queue, batch, jobs);
    carry_out(queue, batch, &mut second);
}

/// What is to be done after an attempt with the jobs that are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Attempt {
    /// They are tried again, if there are any.
    Again,
    /// One of them made it fail, and it is not known which.
    Halve,
}

/// One transaction with all of `jobs`, which are answered and gone afterwards; or, if one of them fails,
/// that one alone is; or, if it is not known which one fails, none is.
fn attempt<B: Batch>(queue: &Queue<B>, batch: &mut B, jobs: &mut Jobs<B>) -> Attempt {
    let claims = claims(jobs);
    if let Err(error) = fallible(|| batch.begin(&claims)) {
        return answer_all(queue, jobs, Some(&error));
    }
    if let Some(culprit) = jobs.iter_mut().position(|waiting| !waiting.job.run(batch)) {
        return undo_for(queue, batch, jobs, culprit);
    }
    if let Err(error) = fallible(|| batch.flush()) {
        guarded("undoing a transaction", || batch.rollback());
        if jobs.len() > 1 && !matches!(error, StorageError::Unavailable(_)) {
            return Attempt::Halve;
        }
        return answer_all(queue, jobs, Some(&error));
    }
    if let Some(culprit) = jobs.iter_mut().position(|waiting| !waiting.job.finish(batch)) {
        return undo_for(queue, batch, jobs, culprit);
    }
    if let Err(error) = fallible(|| batch.commit()) {
        guarded("undoing a transaction", || batch.rollback());
        return answer_all(queue, jobs, Some(&error));
    }
    guarded("telling what was committed", || batch.announce());
    answer_all(queue, jobs, None)
}

/// What the jobs claim, each once and in ascending order.
fn claims<B: Batch>(jobs: &Jobs<B>) -> Vec<B::Claim> {
    let mut claims: Vec<_> = jobs.iter().filter_map(|waiting| waiting.claim).collect();
    claims.sort_unstable();
    claims.dedup();
    claims
}

/// Undoes the transaction, and answers the one that failed.
fn undo_for<B: Batch>(queue: &Queue<B>, batch: &mut B, jobs: &mut Jobs<B>, culprit: usize) -> Attempt {
    guarded("undoing a transaction", || batch.rollback());
    answer_all(queue, &mut vec![jobs.remove(culprit)], None)
}

/// Lays all answers down, and only then wakes those who wait for them: see [`reply`](crate::reply).
fn answer_all<B: Batch>(queue: &Queue<B>, jobs: &mut Jobs<B>, befallen: Option<&StorageError>) -> Attempt {
    queue.give_back(jobs);
    let waiting: Vec<Waker> = jobs.drain(..).filter_map(|waiting| waiting.job.answer(befallen)).collect();
    for waker in waiting {
        waker.wake();
    }
    Attempt::Again
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
