//! Group commit: concurrent writes share a transaction, and each is answered after its commit.
//!
//! There is no timer. A batch is whoever is waiting when the one before has ended: a lone write is
//! committed at once, and the more writes come, the more of them share the cost of one commit.

mod job;
mod queue;
#[cfg(test)]
mod tests;
mod writer;

use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tenantry_ports::StorageError;

use crate::reply::reply;
use job::Write;
use queue::Queue;

/// One transaction after another on the one connection that writes, and what an engine must do for it.
///
/// Its methods are called on the writing thread alone.
pub trait Batch: Send + 'static {
    /// What a write may claim: what nobody else may change while the transaction lasts. An engine with one
    /// writer has no need of it, and says [`Infallible`](std::convert::Infallible).
    type Claim: Copy + Ord + Send + 'static;

    /// Begins a transaction.
    ///
    /// `claims` is what its writes claim, each once and in ascending order: whoever locks them in that order
    /// can't deadlock with another writer that does.
    ///
    /// # Errors
    /// No transaction was begun: every write of the batch is answered with the error.
    fn begin(&mut self, claims: &[Self::Claim]) -> Result<(), StorageError>;

    /// Carries out what writes have staged ([`GroupCommit::write_staged`]), once each write has had its turn.
    ///
    /// # Errors
    /// [`rollback`](Batch::rollback) is called. With [`StorageError::Unavailable`] every write of the batch is
    /// answered so. After any other error it is not known whose fault it is: the batch is halved, and each
    /// half tried again, until the culprit stands alone and is answered with the error.
    fn flush(&mut self) -> Result<(), StorageError> {
        Ok(())
    }

    /// Makes everything since [`begin`](Batch::begin) durable.
    ///
    /// # Errors
    /// Nothing of it counts: [`rollback`](Batch::rollback) is called, and every write of the batch is
    /// answered with the error.
    fn commit(&mut self) -> Result<(), StorageError>;

    /// Undoes everything since [`begin`](Batch::begin), in the database and in memory.
    fn rollback(&mut self);

    /// Tells the listeners what was committed, before anyone is answered.
    fn announce(&mut self);

    /// Called when everyone of a batch is answered: for what nobody need wait for.
    fn settle(&mut self) {}

    /// Called once, after the last batch.
    fn close(&mut self) {}
}

/// How much may wait: beyond that a write is refused at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// The most writes that are accepted and not yet answered.
    pub writes: usize,
    /// The most bytes of such writes, by the weights they state. One write alone may weigh more.
    pub bytes: usize,
}

/// The writing thread and the queue before it.
pub struct GroupCommit<B: Batch> {
    queue: Arc<Queue<B>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Disconnected when the thread ends.
    ended: Mutex<mpsc::Receiver<()>>,
}

impl<B: Batch> GroupCommit<B> {
    /// Starts the writing thread.
    ///
    /// # Errors
    /// The thread could not be started.
    pub fn start(thread_name: &str, batch: B, limits: QueueLimits) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(limits));
        let (ends, ended) = mpsc::channel();
        let thread = thread::Builder::new().name(thread_name.to_owned()).spawn({
            let queue = Arc::clone(&queue);
            move || {
                writer::run(&queue, batch);
                drop::<mpsc::Sender<()>>(ends);
            }
        })?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)), ended: Mutex::new(ended) })
    }

    /// Hands in a write, *before* it returns: dropping the future gives up the answer, not the write.
    ///
    /// `run` works on the batch's transaction; `payload` is what it works with, and comes back with what
    /// `run` answered once that is committed. A refusal is an answer like any other: whoever refuses must
    /// not have changed anything before. `claim` is what the transaction locks for it ([`Batch::begin`]), and
    /// `weight` about how many bytes the write holds while it waits.
    ///
    /// `run` is called again if the transaction was lost through another write of the batch.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] if too much is waiting, or after [`GroupCommit::close`]. Else what
    /// `run`, or the commit, failed with: the write did not happen. Other writes of the batch are not
    /// touched by an error of `run`, nor by a panic.
    pub fn write<P, T, F>(
        &self,
        claim: Option<B::Claim>,
        weight: usize,
        payload: P,
        run: F,
    ) -> impl Future<Output = Result<(P, T), StorageError>> + Send + use<B, P, T, F>
    where
        P: Send + 'static,
        T: Send + 'static,
        F: FnMut(&P, &mut B) -> Result<T, StorageError> + Send + 'static,
    {
        self.write_staged(claim, weight, payload, run, |_, done, _| Ok(done))
    }

    /// As [`write`](GroupCommit::write), in two steps: `stage` hands what is to be written to the batch, which
    /// carries out what many have staged at once ([`Batch::flush`]); `finish` gets what `stage` answered, and
    /// fetches what came of it.
    ///
    /// # Errors
    /// As [`write`](GroupCommit::write).
    pub fn write_staged<P, S, T, F, G>(
        &self,
        claim: Option<B::Claim>,
        weight: usize,
        payload: P,
        stage: F,
        finish: G,
    ) -> impl Future<Output = Result<(P, T), StorageError>> + Send + use<B, P, S, T, F, G>
    where
        P: Send + 'static,
        S: Send + 'static,
        T: Send + 'static,
        F: FnMut(&P, &mut B) -> Result<S, StorageError> + Send + 'static,
        G: FnMut(&P, S, &mut B) -> Result<T, StorageError> + Send + 'static,
    {
        let (reply, answer) = reply();
        let accepted = self.queue.push(claim, weight, Box::new(Write::new(payload, stage, finish, reply)));
        async move {
            accepted?;
            answer.await.unwrap_or_else(|| {
                Err(StorageError::Unavailable("the writer has stopped without an answer".to_owned()))
            })
        }
    }

    /// Lets what was accepted finish, refuses what comes later, and stops the writing thread.
    pub fn close(&self) {
        self.queue.close();
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take_if(|thread| thread.thread().id() != thread::current().id())
            && thread.join().is_err()
        {
            tracing::error!("the writing thread has panicked");
        }
    }

    /// As [`close`](GroupCommit::close), but waits no longer than `patience` for a writing thread that may be
    /// stuck, in a database that does not answer. It is then left behind, and what it still holds may happen or
    /// not. Answers whether nothing was left behind just now.
    pub fn close_within(&self, patience: Duration) -> bool {
        self.queue.close();
        if self.thread.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
            return true;
        }
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(patience);
        if ended == Err(mpsc::RecvTimeoutError::Timeout) {
            let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
            let is_left = thread.take_if(|thread| thread.thread().id() != thread::current().id()).is_some();
            if is_left {
                tracing::error!("the writing thread is stuck, and left behind");
            }
            return false;
        }
        self.close();
        true
    }
}

impl<B: Batch> Drop for GroupCommit<B> {
    fn drop(&mut self) {
        self.queue.close();
        let thread = self.thread.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // The last owner may be something that the writer itself held: no thread can wait for itself.
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id())
            && thread.join().is_err()
        {
            tracing::error!("the writing thread has panicked");
        }
    }
}
