//! A write that waits, whatever its types are.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use tenantry_ports::StorageError;

use crate::reply::Reply;

/// A write as the queue and the writer see it.
pub(super) trait Job<B>: Send {
    /// Runs it inside the batch's transaction. `false`: it failed or panicked, and the transaction is to
    /// be rolled back.
    fn run(&mut self, batch: &mut B) -> bool;

    /// Fetches what came of it, once the batch has carried out what was staged. `false`: as for `run`.
    fn finish(&mut self, batch: &mut B) -> bool;

    /// Lays the answer down: what the last run led to or, where given, what befell the whole batch. Whoever
    /// waits for it is to be woken by the waker.
    fn answer(self: Box<Self>, befallen: Option<&StorageError>) -> Option<Waker>;
}

type Answer<P, T> = Result<(P, T), StorageError>;

/// A write and where its answer goes.
pub(super) struct Write<P, S, T, F, G> {
    payload: P,
    stage: F,
    finish: G,
    staged: Option<S>,
    outcome: Result<T, StorageError>,
    reply: Reply<Answer<P, T>>,
}

impl<P, S, T, F, G> Write<P, S, T, F, G> {
    pub(super) fn new(payload: P, stage: F, finish: G, reply: Reply<Answer<P, T>>) -> Self {
        Self { payload, stage, finish, staged: None, outcome: Err(unanswered()), reply }
    }
}

impl<B, P, S, T, F, G> Job<B> for Write<P, S, T, F, G>
where
    P: Send,
    S: Send,
    T: Send,
    F: FnMut(&P, &mut B) -> Result<S, StorageError> + Send,
    G: FnMut(&P, S, &mut B) -> Result<T, StorageError> + Send,
{
    fn run(&mut self, batch: &mut B) -> bool {
        let (payload, stage) = (&self.payload, &mut self.stage);
        let staged = caught(|| stage(payload, batch));
        self.outcome = Err(staged.as_ref().err().cloned().unwrap_or_else(unanswered));
        self.staged = staged.ok();
        self.staged.is_some()
    }

    fn finish(&mut self, batch: &mut B) -> bool {
        let Some(staged) = self.staged.take() else { return false };
        let (payload, finish) = (&self.payload, &mut self.finish);
        self.outcome = caught(|| finish(payload, staged, batch));
        self.outcome.is_ok()
    }

    fn answer(self: Box<Self>, befallen: Option<&StorageError>) -> Option<Waker> {
        let Self { payload, outcome, reply, .. } = *self;
        let answer = match befallen {
            Some(error) => Err(error.clone()),
            None => outcome.map(|done| (payload, done)),
        };
        reply.lay_down(answer)
    }
}

/// What stands until there is an outcome.
fn unanswered() -> StorageError {
    StorageError::Unavailable("the write was not carried out".to_owned())
}

/// What a panic leaves behind is undone by the rollback that follows.
fn caught<T>(step: impl FnOnce() -> Result<T, StorageError>) -> Result<T, StorageError> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|panic| Err(panicked(&*panic)))
}

/// What a panic is to whoever waits for an answer.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> StorageError {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    StorageError::Failed(format!("a write panicked: {message}"))
}
