//! Gathered reads: those of one kind that wait when a query of that kind has ended are read by the next.
//!
//! A lone read is carried out at once. Those that come while a query is under way wait for it, and then share one,
//! because a query costs far more than a key in it: several small ones at the same time would take more of the machine
//! and answer later. One that takes long is not waited for: then another reader begins.

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use r2d2::ManageConnection;
use tenantry_ports::StorageError;
use tokio::time::timeout;

use crate::read_pool::{ReadPool, Submitter};
use crate::reply::{Reply, reply};

/// How many are read by one query: more than these gain nothing, and would keep the first waiting.
const MAX_GATHERED: usize = 256;

/// How long a read waits for a query that is under way, before another reader takes it. A query of a few hundred keys
/// that are in memory is shorter; one that waits for a disk may be longer.
const LONG_QUERY: Duration = Duration::from_millis(2);

/// Reads of one kind, by their keys, on the threads of a [`ReadPool`].
pub struct GatheredReads<M: ManageConnection, K, V> {
    shared: Arc<Shared<M, K, V>>,
    max_waiting: usize,
    wait: Duration,
    long_query: Duration,
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
    /// Queries that are being carried out.
    under_way: usize,
}

struct Waiting<K, V> {
    key: K,
    reply: Reply<Result<V, StorageError>>,
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
        let state = Mutex::new(State { waiting: Vec::new(), is_awaited: false, under_way: 0 });
        let limits = pool.limits();
        let shared = Shared { state, submitter: pool.submitter(), query: Box::new(query) };
        let (max_waiting, wait) = (limits.waiting, limits.wait);
        Self { shared: Arc::new(shared), max_waiting, wait, long_query: LONG_QUERY }
    }

    /// What stands under the key. Dropping the future before its turn gives it up.
    ///
    /// # Errors
    /// [`StorageError::Unavailable`] when too many reads wait, when no answer came in time, and when no
    /// connection can be had; else what the query failed with, for all that it was to read.
    pub async fn read(&self, key: K) -> Result<V, StorageError> {
        let (reply, mut answer) = reply();
        {
            let mut state = self.shared.state();
            if state.waiting.len() >= self.max_waiting {
                state.waiting.retain(|waiting| waiting.reply.is_wanted());
                if state.waiting.len() >= self.max_waiting {
                    return Err(unavailable("too many reads are waiting"));
                }
            }
            state.waiting.push(Waiting { key, reply });
            // More than one query can read are no reason to wait for one.
            let begins = state.under_way == 0 || state.waiting.len() >= MAX_GATHERED;
            if begins && !std::mem::replace(&mut state.is_awaited, true) {
                drop(state);
                Shared::send_for(&self.shared);
            }
        }
        let soon = self.long_query.min(self.wait);
        let answered = match timeout(soon, &mut answer).await {
            Ok(answered) => Ok(answered),
            Err(_) => {
                Shared::hurry(&self.shared);
                timeout(self.wait - soon, answer).await
            }
        };
        match answered {
            Ok(answer) => answer.unwrap_or_else(|| Err(unavailable("storage is shutting down"))),
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
        shared.sent(shared.submitter.submit(move |connection| Self::take(&taker, connection)));
    }

    /// The same from a reader that is about to be free.
    fn go_on(shared: &Arc<Self>) {
        let taker = Arc::clone(shared);
        shared.sent(shared.submitter.submit_next(move |connection| Self::take(&taker, connection)));
    }

    /// Where nobody could be sent for, those that wait are answered so.
    fn sent(&self, sent: Result<(), StorageError>) {
        if let Err(error) = sent {
            let mut state = self.state();
            state.is_awaited = false;
            let refused = std::mem::take(&mut state.waiting);
            drop(state);
            answer_all(refused.into_iter().map(|waiting| (waiting.reply, Err(error.clone()))));
        }
    }

    /// Has those that wait taken, though a query is under way.
    fn hurry(shared: &Arc<Self>) {
        let mut state = shared.state();
        if !state.waiting.is_empty() && !std::mem::replace(&mut state.is_awaited, true) {
            drop(state);
            Self::send_for(shared);
        }
    }

    fn take(shared: &Arc<Self>, connection: Result<&mut M::Connection, StorageError>) -> bool {
        let mut state = shared.state();
        state.waiting.retain(|waiting| waiting.reply.is_wanted());
        let taken = state.waiting.len().min(MAX_GATHERED);
        let taken: Vec<_> = state.waiting.drain(..taken).collect();
        state.is_awaited = state.waiting.len() >= MAX_GATHERED;
        state.under_way += 1;
        let more = state.is_awaited;
        drop(state);
        let _under_way = UnderWay(shared);
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
            Ok(values) => answer_all(replies.into_iter().zip(values.into_iter().map(Ok))),
            Err(error) => answer_all(replies.into_iter().map(|reply| (reply, Err(error.clone())))),
        }
        is_good
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A query that is being carried out. When it is over, however it ends, those that wait are the next.
struct UnderWay<'a, M: ManageConnection, K: Send + 'static, V: Send + 'static>(&'a Arc<Shared<M, K, V>>);

impl<M: ManageConnection, K: Send + 'static, V: Send + 'static> Drop for UnderWay<'_, M, K, V> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.under_way -= 1;
        let begins = state.under_way == 0 && !state.waiting.is_empty();
        if begins && !std::mem::replace(&mut state.is_awaited, true) {
            drop(state);
            Shared::go_on(self.0);
        }
    }
}

/// Lays all answers down, and only then wakes those who wait for them: see [`reply`](crate::reply).
fn answer_all<V>(answers: impl Iterator<Item = (Reply<V>, V)>) {
    let waiting: Vec<Waker> = answers.filter_map(|(reply, answer)| reply.lay_down(answer)).collect();
    for waker in waiting {
        waker.wake();
    }
}

fn unavailable(why: &str) -> StorageError {
    StorageError::Unavailable(why.to_owned())
}
