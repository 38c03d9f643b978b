//! Gathered reads: those of one kind that wait when a reader becomes free are read by one query.
//!
//! There is no timer. A lone read is carried out at once; the more come while all readers are busy, the more
//! of them share a query.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use r2d2::ManageConnection;
use tenantry_ports::StorageError;
use tokio::sync::oneshot;

use crate::read_pool::{ReadPool, Submitter};

/// How many are read by one query: more than these gain nothing, and would keep the first waiting.
const MAX_GATHERED: usize = 256;

/// Reads of one kind, by their keys, on the threads of a [`ReadPool`].
pub struct GatheredReads<M: ManageConnection, K, V> {
    shared: Arc<Shared<M, K, V>>,
    max_waiting: usize,
    wait: Duration,
}

/// Reads what stands under the keys: as many answers as keys, in their order.
type Query<M, K, V> =
    dyn Fn(&mut <M as ManageConnection>::Connection, &[K]) -> Result<Vec<V>, StorageError> + Send + Sync;

struct Shared<M: ManageConnection, K, V> {
    state: Mutex<State<K, V>>,
    submitter: Submitter<M::Connection>,
    query: Box<Query<M, K, V>>,
}

struct State<K, V> {
    waiting: Vec<Waiting<K, V>>,
    /// Whether somebody is on the way who will take all that wait.
    is_awaited: bool,
}

struct Waiting<K, V> {
    key: K,
    reply: oneshot::Sender<Result<V, StorageError>>,
}

impl<M, K, V> GatheredReads<M, K, V>
where
    M: ManageConnection,
    K: Send + 'static,
    V: Send + 'static,
{
    /// Reads with `query`, on the threads of `pool` and within its limits.
    ///
    /// `query` answers as many values as it is given keys, in their order.
    pub fn new<Q>(pool: &ReadPool<M>, query: Q) -> Self
    where
        Q: Fn(&mut M::Connection, &[K]) -> Result<Vec<V>, StorageError> + Send + Sync + 'static,
    {
        let state = Mutex::new(State { waiting: Vec::new(), is_awaited: false });
        let limits = pool.limits();
        let shared = Shared { state, submitter: pool.submitter(), query: Box::new(query) };
        Self { shared: Arc::new(shared), max_waiting: limits.waiting, wait: limits.wait }
    }

    /// What stands under the key. Dropping the future before its turn gives it up.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when too many reads wait, when no answer came in time, and when no
    /// connection can be had; else what the query failed with, for all that it was to read.
    pub async fn read(&self, key: K) -> Result<V, StorageError> {
        let (reply, answer) = oneshot::channel();
        {
            let mut state = self.shared.state();
            if state.waiting.len() >= self.max_waiting {
                state.waiting.retain(|waiting| !waiting.reply.is_closed());
                if state.waiting.len() >= self.max_waiting {
                    return Err(unavailable("too many reads are waiting"));
                }
            }
            state.waiting.push(Waiting { key, reply });
            if !std::mem::replace(&mut state.is_awaited, true) {
                drop(state);
                Shared::send_for(&self.shared);
            }
        }
        match tokio::time::timeout(self.wait, answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(unavailable("storage is shutting down"))),
            Err(_) => Err(unavailable("the database did not answer in time")),
        }
    }
}

impl<M, K, V> Shared<M, K, V>
where
    M: ManageConnection,
    K: Send + 'static,
    V: Send + 'static,
{
    /// Has the next reader that becomes free take all that wait.
    fn send_for(shared: &Arc<Self>) {
        let taker = Arc::clone(shared);
        let sent = shared.submitter.submit(move |connection| Self::take(&taker, connection));
        if let Err(error) = sent {
            let mut state = shared.state();
            state.is_awaited = false;
            let refused = std::mem::take(&mut state.waiting);
            drop(state);
            answer_all(refused, &error);
        }
    }

    fn take(shared: &Arc<Self>, connection: Result<&mut M::Connection, StorageError>) -> bool {
        let mut state = shared.state();
        state.waiting.retain(|waiting| !waiting.reply.is_closed());
        let taken = state.waiting.len().min(MAX_GATHERED);
        let taken: Vec<_> = state.waiting.drain(..taken).collect();
        state.is_awaited = !state.waiting.is_empty();
        let more = state.is_awaited;
        drop(state);
        if more {
            Self::send_for(shared);
        }
        if taken.is_empty() {
            return true;
        }
        let (keys, replies): (Vec<K>, Vec<_>) =
            taken.into_iter().map(|waiting| (waiting.key, waiting.reply)).unzip();
        let read = connection.and_then(|connection| (shared.query)(connection, &keys));
        let read = read.and_then(|values| match values.len() == keys.len() {
            true => Ok(values),
            false => Err(StorageError::Failed("a query answered for other keys than asked".to_owned())),
        });
        let is_good = read.is_ok();
        match read {
            Ok(values) => {
                for (reply, value) in replies.into_iter().zip(values) {
                    // Whoever asked may have stopped waiting.
                    let _ = reply.send(Ok(value));
                }
            }
            Err(error) => {
                for reply in replies {
                    let _ = reply.send(Err(error.clone()));
                }
            }
        }
        is_good
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer_all<K, V>(waiting: Vec<Waiting<K, V>>, error: &StorageError) {
    for Waiting { reply, .. } in waiting {
        let _ = reply.send(Err(error.clone()));
    }
}

fn unavailable(why: &str) -> StorageError {
    StorageError::Unavailable(why.to_owned())
}
