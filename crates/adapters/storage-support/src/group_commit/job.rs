//! A write that waits, whatever its types are.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

use tenantry_ports::StorageError;

use super::reply::Reply;

/// A write as the queue and the writer see it.
pub(super) trait Job<B>: Send {
    /// Runs it inside the batch's transaction. `false`: it failed or panicked, and the transaction is to
    /// be rolled back.
    fn run(&mut self, batch: &mut B) -> bool;

    /// Lays the answer down: what the last run led to or, where given, what befell the whole batch. Whoever
    /// waits for it is to be woken by the waker.
    fn answer(self: Box<Self>, befallen: Option<&StorageError>) -> Option<Waker>;
}

type Answer<P, T> = Result<(P, T), StorageError>;

/// A write and where its answer goes.
pub(super) struct Write<P, T, F> {
    payload: P,
    run: F,
    outcome: Result<T, StorageError>,
    reply: Reply<Answer<P, T>>,
}

impl<P, T, F> Write<P, T, F> {
    pub(super) fn new(payload: P, run: F, reply: Reply<Answer<P, T>>) -> Self {
        Self { payload, run, outcome: Err(StorageError::Unavailable(String::new())), reply }
    }
}

impl<B, P, T, F> Job<B> for Write<P, T, F>
where
    P: Send,
    T: Send,
    F: FnMut(&P, &mut B) -> Result<T, StorageError> + Send,
{
    fn run(&mut self, batch: &mut B) -> bool {
        let (payload, run) = (&self.payload, &mut self.run);
        // What a panic leaves behind is undone by the rollback that follows.
        self.outcome = catch_unwind(AssertUnwindSafe(|| run(payload, batch)))
            .unwrap_or_else(|panic| Err(panicked(&*panic)));
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

/// What a panic is to whoever waits for an answer.
pub(super) fn panicked(panic: &(dyn Any + Send)) -> StorageError {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    StorageError::Failed(format!("a write panicked: {message}"))
}
