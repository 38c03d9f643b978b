//! Work that is done again and again, apart from any request.

use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use tenantry_ports::StorageError;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a step of background work found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// There may be more to do at once.
    More,
    /// There is nothing more to do for now.
    Done,
}

/// Tasks that run, in the actix system of whoever starts them, until they are told to finish.
pub(super) struct Background {
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Background {
    /// None yet.
    pub(super) fn new() -> Self {
        Self { stop: watch::Sender::new(false), tasks: Vec::new() }
    }

    /// Takes `step` at once and then every `interval`, without a pause while it says that there is more.
    pub(super) fn repeat(
        &mut self,
        name: &'static str,
        interval: Duration,
        mut step: impl AsyncFnMut() -> Result<Step, StorageError> + 'static,
    ) {
        let mut stop = self.stop.subscribe();
        self.tasks.push(actix_web::rt::spawn(async move {
            let mut faults = Faults { of: name, standing: None };
            while !*stop.borrow() {
                let outcome = step().await;
                faults.note(outcome.as_ref().err());
                if outcome == Ok(Step::More) {
                    tokio::task::yield_now().await;
                    continue;
                }
                tokio::select! {
                    () = tokio::time::sleep(interval) => {}
                    _ = stop.changed() => {}
                }
            }
        }));
    }

    /// Lets each task end the step that it is in, and waits for that.
    pub(super) async fn finish(self) {
        self.stop.send_replace(true);
        for task in self.tasks {
            if let Err(error) = task.await {
                tracing::error!(%error, "a background task broke down");
            }
        }
    }
}

/// Logs a fault when it begins, when it becomes one of another kind and when it ends: not at every turn.
struct Faults {
    of: &'static str,
    standing: Option<Discriminant<StorageError>>,
}

impl Faults {
    fn note(&mut self, error: Option<&StorageError>) {
        let now = error.map(discriminant);
        match (self.standing, error) {
            (standing, Some(error)) if standing != now => {
                tracing::warn!(task = self.of, %error, "background work failed, and is tried again");
            }
            (Some(_), None) => tracing::info!(task = self.of, "background work goes on again"),
            _ => {}
        }
        self.standing = now;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[actix_web::test]
    async fn a_task_goes_on_after_a_failure_and_ends_when_told() {
        let turns = Rc::new(Cell::new(0));
        let (done, mut told) = watch::channel(());
        let mut background = Background::new();
        let seen = Rc::clone(&turns);
        background.repeat("test", Duration::from_millis(1), async move || {
            seen.set(seen.get() + 1);
            match seen.get() {
                1 => Err(StorageError::Unavailable("busy".to_owned())),
                2 => Ok(Step::More),
                _ => {
                    done.send_replace(());
                    Ok(Step::Done)
                }
            }
        });
        told.changed().await.unwrap();
        background.finish().await;
        assert!(turns.get() >= 3);
        assert_eq!(Rc::strong_count(&turns), 1, "the task is gone");
    }

    #[actix_web::test]
    async fn a_long_pause_does_not_hold_up_the_end() {
        let mut background = Background::new();
        background.repeat("test", Duration::from_secs(3600), async || Ok(Step::Done));
        tokio::task::yield_now().await;
        background.finish().await;
    }
}
