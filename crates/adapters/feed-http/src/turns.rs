//! How many feeds are read at the same moment.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turns of a source: reading takes a processor, and whoever serves needs some too.
#[derive(Debug, Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

impl Turns {
    /// So many, and at least one.
    pub(crate) fn new(count: usize) -> Self {
        Self(Arc::new(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS))))
    }

    /// One who reads, and has no turn yet. To be called in a tokio runtime.
    pub(crate) fn reader(&self) -> Arc<Reader> {
        Arc::new(Reader { turns: Arc::clone(&self.0), runtime: Handle::current(), turn: Mutex::default() })
    }
}

/// Who reads, on a thread that may block.
pub(crate) struct Reader {
    turns: Arc<Semaphore>,
    runtime: Handle,
    turn: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Reader {
    /// Waits for a turn, and has it until what is answered is dropped.
    pub(crate) fn begin(&self) -> Working<'_> {
        self.take();
        Working(self)
    }

    /// Waits for something else, which may take long, and lets others read meanwhile.
    pub(crate) fn while_waiting<T>(&self, wait: impl FnOnce() -> T) -> T {
        self.set(None);
        let done = wait();
        self.take();
        done
    }

    fn take(&self) {
        let turn = self.runtime.block_on(Arc::clone(&self.turns).acquire_owned());
        // Nobody closes the semaphore.
        self.set(turn.ok());
    }

    fn set(&self, turn: Option<OwnedSemaphorePermit>) {
        *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = turn;
    }
}

/// It is this one's turn.
pub(crate) struct Working<'a>(&'a Reader);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn at_a_moment_only_so_many_read_and_who_waits_lets_another_go_on() {
        let turns = Turns::new(1);
        let (one, another) = (turns.reader(), turns.reader());
        let both = tokio::task::spawn_blocking(move || {
            let working = one.begin();
            let (told, hear) = mpsc::channel();
            let other = std::thread::spawn(move || {
                let _working = another.begin();
                told.send(()).unwrap();
            });
            assert!(hear.recv_timeout(Duration::from_millis(50)).is_err(), "two read at once");
            one.while_waiting(|| hear.recv()).unwrap();
            other.join().unwrap();
            drop(working);
        });
        both.await.unwrap();
        assert_eq!(turns.0.available_permits(), 1);
    }
}
