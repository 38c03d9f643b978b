//! Doing things at once, giving up on them, and waiting for what must come: without sleeps.

use std::future::Future;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::task::noop_waker_ref;

/// How long something that must happen may take before it counts as not happening.
const DEADLINE: Duration = Duration::from_secs(20);

/// Runs the futures as tasks of their own, all at once, and answers in their order.
pub(crate) async fn at_once<F>(futures: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send + 'static> + Send + 'static,
{
    let tasks: Vec<_> = futures.into_iter().map(tokio::spawn).collect();
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        answers.push(task.await.expect("no task panicked"));
    }
    answers
}

/// Begins a future and stops waiting for it, as a caller does whose own caller hung up.
pub(crate) fn begin_and_drop(future: impl Future) {
    let mut future = Box::pin(future);
    let first: Poll<_> = future.as_mut().poll(&mut Context::from_waker(noop_waker_ref()));
    drop((first, future));
}

/// Waits until the condition holds.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    let wait = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    assert!(
        tokio::time::timeout(DEADLINE, wait).await.is_ok(),
        "in {DEADLINE:?} it did not come that {what}"
    );
}
