//! How many feeds are read at the same moment.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long one has its turn while others wait: so long that passing it on costs nothing, and so short that whoever has few
/// bytes at a time, and waits for all the others each time, still comes on.
const TURN: Duration = Duration::from_millis(10);

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
    turn: Mutex<Option<Turn>>,
}

struct Turn {
    _permit: OwnedSemaphorePermit,
    since: Instant,
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

    /// Lets others read first, when it has read for so long that it is their turn. They have it in the order in which they
    /// came.
    fn pass_on(&self) {
        let is_over = self.turn().as_ref().is_some_and(|turn| turn.since.elapsed() >= TURN);
        if is_over {
            self.while_waiting(|| ());
        }
    }

    fn take(&self) {
        let permit = self.runtime.block_on(Arc::clone(&self.turns).acquire_owned());
        // Nobody closes the semaphore.
        self.set(permit.ok().map(|permit| Turn { _permit: permit, since: Instant::now() }));
    }

    fn set(&self, turn: Option<Turn>) {
        *self.turn() = turn;
    }

    fn turn(&self) -> MutexGuard<'_, Option<Turn>> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A source that is read by turns, even where nothing comes of what is read.
pub(crate) struct InTurns<R> {
    source: R,
    reader: Arc<Reader>,
}

impl<R> InTurns<R> {
    pub(crate) fn new(source: R, reader: &Arc<Reader>) -> Self {
        Self { source, reader: Arc::clone(reader) }
    }
}

impl<R: Read> Read for InTurns<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.reader.pass_on();
        self.source.read(to)
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
