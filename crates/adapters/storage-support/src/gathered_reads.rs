//! Gathered reads: those of one kind that wait when a query of that kind has ended are read by the next.
//!
//! A lone read is carried out at once. Those that come while a query is under way wait for it, and then share one,
//! because a query costs far more than a key in it: several small ones at the same time would take more of the machine
//! and answer later. A key that several of them ask for is looked up once. One query that takes long is not waited for:
//! then another reader begins.

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use r2d2::ManageConnection;
use tenantry_ports::StorageError;
use tokio::task::yield_now;
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

/// Reads what stands under the keys, each of which is another: as many answers as keys, in their order.
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
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
{
    /// Reads with `query`, on the threads of `pool` and within its limits.
    ///
    /// `query` is given each key once, and answers as many values, in their order.
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
        if let Some(sender) = self.wait_in_line(key, reply)? {
            // What this thread has at hand already comes along: many requests that arrived together are one query then,
            // and a reader is woken once for all of them.
            yield_now().await;
            drop(sender);
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

    /// Has a read wait. Whoever is to send for a reader gets what does so when it is dropped.
    fn wait_in_line(
        &self,
        key: K,
        reply: Reply<Result<V, StorageError>>,
    ) -> Result<Option<Sender<M, K, V>>, StorageError> {
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
        let sends = begins && !std::mem::replace(&mut state.is_awaited, true);
        Ok(sends.then(|| Sender(Arc::clone(&self.shared))))
    }
}

/// Sends for a reader when it is dropped, also where the read that was to do it is given up.
struct Sender<M, K, V>(Arc<Shared<M, K, V>>)
where
    M: ManageConnection,
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static;

impl<M, K, V> Drop for Sender<M, K, V>
where
    M: ManageConnection,
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
{
    fn drop(&mut self) {
        Shared::send_for(&self.0);
    }
}

impl<M, K, V> Shared<M, K, V>
where
    M: ManageConnection,
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
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
        let (keys, replies) = each_key_once(taken);
        let read = connection.and_then(|connection| (shared.query)(connection, &keys));
        let read = read.and_then(|values| match values.len() == keys.len() {
            true => Ok(values),
            false => Err(StorageError::Failed("a query answered for other keys than asked".to_owned())),
        });
        let is_good = read.is_ok();
        answer_all(replies.into_iter().map(|(place, reply)| {
            let answer = read.as_ref().map(|values| values[place].clone());
            (reply, answer.map_err(StorageError::clone))
        }));
        is_good
    }

    fn state(&self) -> MutexGuard<'_, State<K, V>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reply, and the place of its answer.
type Placed<V> = (usize, Reply<Result<V, StorageError>>);

/// A query that is being carried out. When it is over, however it ends, those that wait are the next.
struct UnderWay<'a, M, K, V>(&'a Arc<Shared<M, K, V>>)
where
    M: ManageConnection,
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static;

impl<M, K, V> Drop for UnderWay<'_, M, K, V>
where
    M: ManageConnection,
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
{
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

/// The keys that are asked for, each once, and of each reply the place of its key among them.
fn each_key_once<K: Clone + Eq + Hash, V>(taken: Vec<Waiting<K, V>>) -> (Vec<K>, Vec<Placed<V>>) {
    let mut keys = Vec::with_capacity(taken.len());
    let mut places = HashMap::with_capacity(taken.len());
    let placed = taken.into_iter().map(|Waiting { key, reply }| {
        let place = *places.entry(key).or_insert_with_key(|key| {
            keys.push(key.clone());
            keys.len() - 1
        });
        (place, reply)
    });
    let placed = placed.collect();
    (keys, placed)
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
