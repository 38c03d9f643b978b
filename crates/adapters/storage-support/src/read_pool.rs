//! Bounded offload: blocking reads on threads of their own, each with a pooled connection.
//!
//! The threads are ours and not the runtime's blocking pool. With a semaphore before `spawn_blocking`,
//! each read that ends wakes a waiting task, which then wakes a thread: two switches a read, which cost
//! four times what the read itself does. Here a thread that ends a read takes the next from the queue.

mod queue;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use r2d2::{ManageConnection, Pool, PooledConnection};
use tenantry_ports::StorageError;
use tokio::sync::oneshot;

use queue::{Queue, Read};

/// How reads wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadLimits {
    /// How many reads may wait; more are refused at once.
    pub waiting: usize,
    /// How long one may wait for others to end, while all threads read.
    pub wait: Duration,
}

/// How long to wait in the end for reads that have begun. One that is stuck, in a database that does not answer, is
/// left behind.
const PATIENCE: Duration = Duration::from_secs(10);

/// Threads that read: one for each connection of a pool.
pub struct ReadPool<M: ManageConnection> {
    queue: Arc<Queue<M::Connection>>,
    threads: Vec<JoinHandle<()>>,
    /// Disconnected when all threads have ended.
    ended: Mutex<mpsc::Receiver<()>>,
    limits: ReadLimits,
}

impl<M: ManageConnection> ReadPool<M> {
    /// Starts as many threads as the pool may have connections. A thread holds a connection only while it
    /// has something to read.
    ///
    /// # Errors
    /// A thread could not be started.
    pub fn start(thread_name: &str, connections: &Pool<M>, limits: ReadLimits) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(limits.waiting, connections.max_size() as usize));
        let (ends, ended) = mpsc::channel();
        let mut pool = Self { queue, threads: Vec::new(), ended: Mutex::new(ended), limits };
        for _ in 0..connections.max_size() {
            let (queue, connections) = (Arc::clone(&pool.queue), connections.clone());
            let ends: mpsc::Sender<()> = ends.clone();
            let thread = thread::Builder::new().name(thread_name.to_owned());
            pool.threads.push(thread.spawn(move || {
                serve(&queue, &connections);
                drop(ends);
            })?);
        }
        Ok(pool)
    }

    /// How reads wait here.
    pub(crate) fn limits(&self) -> ReadLimits {
        self.limits
    }

    /// What hands in reads that wait for nobody in particular.
    pub(crate) fn submitter(&self) -> Submitter<M::Connection> {
        Submitter(Arc::clone(&self.queue))
    }

    /// Runs `work` on a thread with a connection. Dropping the future before `work` has begun gives it up;
    /// after that `work` learns of it from its [`Caller`].
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when too many reads wait, when its turn did not come in time, and when
    /// no connection can be had; [`StorageError::Failed`] when `work` panicked; else what `work` failed with.
    pub async fn read<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut M::Connection, &Caller<'_>) -> Result<T, StorageError> + Send + 'static,
    {
        let (reply, mut answer) = oneshot::channel();
        let ticket = self.queue.push(Box::new(Work { work, reply }))?;
        let in_time = tokio::time::timeout(self.limits.wait, &mut answer).await;
        let answer = match in_time {
            Ok(answer) => answer,
            Err(_) if self.queue.give_up(ticket) => {
                return Err(StorageError::Unavailable("no reader became free in time".to_owned()));
            }
            // It has begun, or a free thread is about to: the bound is on waiting for others.
            Err(_) => answer.await,
        };
        answer.unwrap_or_else(|_| Err(StorageError::Unavailable("storage is shutting down".to_owned())))
    }
}

impl<M: ManageConnection> Drop for ReadPool<M> {
    fn drop(&mut self) {
        self.queue.close();
        // The last owner may be what a read held: no thread can wait for itself.
        let own = self.threads.iter().any(|thread| thread.thread().id() == thread::current().id());
        let patience = if own { Duration::ZERO } else { PATIENCE };
        let ended = self.ended.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(patience);
        if ended == Err(mpsc::RecvTimeoutError::Timeout) {
            if !own {
                tracing::error!("a reading thread is stuck, and left behind");
            }
            return;
        }
        for thread in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("a reading thread has panicked");
            }
        }
    }
}

/// Hands in reads that are not given up.
pub(crate) struct Submitter<C>(Arc<Queue<C>>);

impl<C: 'static> Submitter<C> {
    /// Has `work` run on a thread with a connection, or with the reason why none can be had. It answers whether
    /// the connection is still good.
    pub(crate) fn submit(
        &self,
        work: impl FnOnce(Result<&mut C, StorageError>) -> bool + Send + 'static,
    ) -> Result<(), StorageError> {
        self.0.push(Box::new(Submitted(work))).map(drop)
    }

    /// As [`submit`](Self::submit), from work that is about to end: its thread goes on with what waits longest.
    pub(crate) fn submit_next(
        &self,
        work: impl FnOnce(Result<&mut C, StorageError>) -> bool + Send + 'static,
    ) -> Result<(), StorageError> {
        self.0.push_for_next(Box::new(Submitted(work))).map(drop)
    }
}

struct Submitted<F>(F);

impl<C, F: FnOnce(Result<&mut C, StorageError>) -> bool + Send> Read<C> for Submitted<F> {
    fn is_wanted(&self) -> bool {
        true
    }

    fn run(self: Box<Self>, connection: Result<&mut C, StorageError>) -> bool {
        // Whoever waits for the answer learns of a panic by its being dropped.
        catch_unwind(AssertUnwindSafe(|| (self.0)(connection))).unwrap_or(false)
    }
}

/// Whoever waits for a read.
pub struct Caller<'a>(&'a dyn Fn() -> bool);

impl Caller<'_> {
    /// Whether nobody waits for the answer any more. Long reads ask now and then.
    #[must_use]
    pub fn has_gone(&self) -> bool {
        self.0()
    }
}

struct Work<T, F> {
    work: F,
    reply: oneshot::Sender<Result<T, StorageError>>,
}

impl<C, T, F> Read<C> for Work<T, F>
where
    T: Send,
    F: FnOnce(&mut C, &Caller<'_>) -> Result<T, StorageError> + Send,
{
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn run(self: Box<Self>, connection: Result<&mut C, StorageError>) -> bool {
        let Self { work, reply } = *self;
        let answer = connection.and_then(|connection| {
            let has_gone = || reply.is_closed();
            catch_unwind(AssertUnwindSafe(|| work(connection, &Caller(&has_gone))))
                .unwrap_or_else(|_| Err(StorageError::Failed("a read panicked".to_owned())))
        });
        let is_good = answer.is_ok();
        // Whoever asked may have stopped waiting.
        let _ = reply.send(answer);
        is_good
    }
}

/// Reads one after another until the queue is closed.
fn serve<M: ManageConnection>(queue: &Queue<M::Connection>, connections: &Pool<M>) {
    let mut held: Option<PooledConnection<M>> = None;
    let mut has_read = false;
    while let Some(read) = queue.next(has_read, || held = None) {
        has_read = true;
        if !read.is_wanted() {
            continue;
        }
        let connection = match &mut held {
            Some(connection) => Ok(connection),
            None => connections.get().map(|connection| held.insert(connection)).map_err(|error| {
                StorageError::Unavailable(format!("no connection for reading can be had: {error}"))
            }),
        };
        // After an error the pool looks at the connection, and makes another where it is broken.
        if !read.run(connection.map(|connection| &mut **connection)) {
            held = None;
        }
    }
}
