//! A writer over a fake engine, which shows what it was told.

use std::sync::{Arc, Mutex, mpsc};

use crate::group_commit::*;

/// What the fake engine has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) committed: Vec<u32>,
    pub(crate) commits: usize,
    pub(crate) claims: Vec<Vec<char>>,
    pub(crate) announced: Vec<u32>,
    pub(crate) closed: bool,
    /// What the next steps of that name fail with.
    pub(crate) next_begin: Option<StorageError>,
    pub(crate) next_commit: Option<StorageError>,
    pub(crate) announce_panics: bool,
}

/// A fake engine: a transaction is a list of numbers.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) seen: Arc<Mutex<Seen>>,
    pub(crate) pending: Vec<u32>,
    pub(crate) staged: Vec<u32>,
    unannounced: Vec<u32>,
}

impl Batch for Ledger {
    type Claim = char;

    fn begin(&mut self, claims: &[char]) -> Result<(), StorageError> {
        assert!(self.pending.is_empty() && self.staged.is_empty(), "the transaction before was ended");
        let mut seen = self.seen.lock().unwrap();
        seen.claims.push(claims.to_vec());
        seen.next_begin.take().map_or(Ok(()), Err)
    }

    fn flush(&mut self) -> Result<(), StorageError> {
        let staged = std::mem::take(&mut self.staged);
        match staged.iter().max() {
            Some(&UNREACHABLE) => Err(StorageError::Unavailable("the connection is lost".to_owned())),
            Some(&BAD) => Err(StorageError::Failed("one of them is bad".to_owned())),
            _ => {
                self.pending.extend(staged);
                Ok(())
            }
        }
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        let mut seen = self.seen.lock().unwrap();
        if let Some(error) = seen.next_commit.take() {
            return Err(error);
        }
        seen.commits += 1;
        seen.committed.extend_from_slice(&self.pending);
        self.unannounced.append(&mut self.pending);
        Ok(())
    }

    fn rollback(&mut self) {
        self.pending.clear();
        self.staged.clear();
    }

    fn announce(&mut self) {
        let mut seen = self.seen.lock().unwrap();
        seen.announced.append(&mut self.unannounced);
        if std::mem::take(&mut seen.announce_panics) {
            drop(seen);
            panic!("a listener's fault");
        }
    }

    fn close(&mut self) {
        self.seen.lock().unwrap().closed = true;
    }
}

pub(crate) struct Rig {
    pub(crate) commit: GroupCommit<Ledger>,
    pub(crate) seen: Arc<Mutex<Seen>>,
}

/// Staged numbers with which a flush fails.
pub(crate) const BAD: u32 = 1000;
pub(crate) const UNREACHABLE: u32 = 1001;

pub(crate) const WIDE: QueueLimits = QueueLimits { writes: 1000, bytes: 1_000_000 };

impl Rig {
    pub(crate) fn new(limits: QueueLimits) -> Self {
        let ledger = Ledger::default();
        let seen = Arc::clone(&ledger.seen);
        Self { commit: GroupCommit::start("test-writer", ledger, limits).unwrap(), seen }
    }

    /// Keeps the writer busy until the answer is dropped: what is handed in meanwhile is one batch.
    pub(crate) fn hold(&self) -> Hold {
        let (release, held) = mpsc::channel::<()>();
        let (started, starts) = mpsc::channel();
        let held = Mutex::new(held);
        let write = self.commit.write(None, 0, (), move |(), _| {
            started.send(()).unwrap();
            // Ends when the other side is dropped.
            let _ = held.lock().unwrap().recv();
            Ok(())
        });
        drop(write);
        starts.recv().unwrap();
        Hold(release)
    }

    /// Hands in a write that adds the number.
    pub(crate) fn add(
        &self,
        number: u32,
    ) -> impl Future<Output = Result<(u32, usize), StorageError>> + Send + use<> {
        self.commit.write(None, 1, number, |number, ledger| {
            ledger.pending.push(*number);
            Ok(ledger.pending.len())
        })
    }

    /// Hands in a write that adds the number, and then fails.
    pub(crate) fn add_and_fail(
        &self,
        number: u32,
    ) -> impl Future<Output = Result<(u32, ()), StorageError>> + Send + use<> {
        self.commit.write(None, 1, number, |number, ledger| {
            ledger.pending.push(*number);
            Err(StorageError::Failed(format!("{number} is bad")))
        })
    }

    /// Hands in a write that stages the number, and is answered with its place among those of its batch.
    pub(crate) fn stage(
        &self,
        number: u32,
    ) -> impl Future<Output = Result<(u32, usize), StorageError>> + Send + use<> {
        let stage = |number: &u32, ledger: &mut Ledger| {
            ledger.staged.push(*number);
            Ok(())
        };
        let place = |number: &u32, ledger: &Ledger| ledger.pending.iter().position(|one| one == number);
        self.commit.write_staged(None, 1, number, stage, move |number, (), ledger| {
            place(number, ledger).ok_or_else(|| StorageError::Failed("it is not there".to_owned()))
        })
    }

    pub(crate) fn committed(&self) -> Vec<u32> {
        self.seen.lock().unwrap().committed.clone()
    }
}

pub(crate) struct Hold(mpsc::Sender<()>);

impl Hold {
    pub(crate) fn release(self) {
        drop(self.0);
    }
}

pub(crate) fn unavailable<T>(answer: &Result<T, StorageError>) -> bool {
    matches!(answer, Err(StorageError::Unavailable(_)))
}
