//! Carries what this node has changed to the other nodes: into the shared cache, and onto the bus.
//!
//! # Why nothing old is read where a change is acknowledged
//! The storage adapter's thread hands each change to [`push`](Propagation::push) *before* the first level is told
//! of it, and the change counts as [pending](Propagation::is_pending) until the shared cache has it. A read of
//! this node that finds nothing at the first level passes the shared cache by while the key is pending. So it
//! never brings back what the shared cache held before the change:
//! - it looked before the change was pushed: the first level is told afterwards, and the read's ticket is void;
//! - it looked while the change was pending: it went to storage;
//! - it looked afterwards: the shared cache had the change, or a later one.
//!
//! A change that did not reach the shared cache stays pending, and is carried when that is back. A new generation
//! alone would not do: another node may carry an *earlier* change of the key after it has met that generation.
//! (Changes that are given up, since too many wait, rest on the generation alone.)
//!
//! Other nodes are told on the bus after the shared cache was changed, so that whoever forgets a value at the
//! first level finds no older one at the second. What could not be told is owed: as soon as the bus works again
//! they are told that it may be anything. A node that starts owes that as well, for what its former run has
//! committed and not announced.

mod queue;
#[cfg(test)]
mod tests;

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{poll_fn, select};
use futures_util::task::AtomicWaker;
use tenantry_domain::{Key, TenantNumber};
use tenantry_ports::{ChangeBus, Clock, Replacement, SharedCache, SharedValue, Timer};

use crate::key_value::CachedEntry;
use crate::lifetimes::Lifetimes;
use crate::shared_entry;
pub(crate) use queue::Subject;
use queue::{Batch, Queue};

/// How long to wait until what is owed is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// How much may wait to be carried, and how long others wait for it.
#[derive(Debug, Clone)]
pub struct PropagationLimits {
    /// The most changes that wait. With more, they are given up, and the shared cache begins anew.
    pub max_changes: usize,
    /// The same by the bytes of their values.
    pub max_bytes: usize,
    /// The longest that a write waits until its change is carried.
    pub settle_within: Duration,
    /// How long the shared cache holds a value, give or take a fifth.
    pub lifetime: Duration,
}

/// Carries this node's changes to the others, one batch after another.
pub struct Propagation {
    shared: Option<Arc<dyn SharedCache>>,
    bus: Option<Arc<dyn ChangeBus>>,
    timer: Arc<dyn Timer>,
    settle_within: Duration,
    lifetimes: Lifetimes,
    queue: Mutex<Queue>,
    runner: AtomicWaker,
}

impl Propagation {
    /// Carries changes into `shared` and onto `bus`. Nothing is carried but while it [runs](Self::run).
    #[must_use]
    pub fn new(
        shared: Option<Arc<dyn SharedCache>>,
        bus: Option<Arc<dyn ChangeBus>>,
        clock: Arc<dyn Clock>,
        timer: Arc<dyn Timer>,
        limits: &PropagationLimits,
    ) -> Self {
        Self {
            queue: Mutex::new(Queue::new(limits.max_changes, limits.max_bytes, bus.is_some())),
            shared,
            bus,
            timer,
            settle_within: limits.settle_within,
            lifetimes: Lifetimes::new(limits.lifetime, clock),
            runner: AtomicWaker::new(),
        }
    }

    /// Carries changes until it is [finished](Self::finish). To be called once.
    pub async fn run(&self) {
        while let Some(batch) = self.next().await {
            self.carry(batch).await;
        }
    }

    /// What is queued is still carried, and what could not be is tried again; then [`run`](Self::run) ends. As long as
    /// the shared cache or the bus is down it does not, so whoever waits for that should not do so for ever.
    pub fn finish(&self) {
        self.lock().finish();
        self.runner.wake();
    }

    /// Waits until everything that this node has changed so far was carried to the others, or for the limit of
    /// that. Dropping this future changes nothing.
    pub(crate) async fn settled(&self) {
        let Some(carried) = self.lock().when_carried() else { return };
        select(carried, self.timer.pause(self.settle_within)).await;
    }

    /// Something was committed; `entry` is what a key-value is now. It does not block.
    pub(crate) fn push(&self, subject: Subject, entry: Option<CachedEntry>) {
        let mut queue = self.lock();
        if !queue.push(subject, entry) {
            // First the shared cache, so that it is not believed when the changes are pending no more.
            if let Some(shared) = &self.shared {
                shared.distrust();
            }
            queue.give_up();
        }
        drop(queue);
        self.runner.wake();
    }

    /// The shared cache is back: what it has missed is carried into it, and others are to be told that it may be
    /// anything.
    pub(crate) fn shared_cache_is_back(&self) {
        let mut queue = self.lock();
        queue.retry_lost();
        queue.owe_anything();
        drop(queue);
        self.runner.wake();
    }

    /// Something may have been committed or not, and nobody can say what stands: the shared cache begins anew,
    /// and others are told that it may be anything. It does not block.
    pub(crate) fn doubt(&self) {
        if let Some(shared) = &self.shared {
            shared.distrust();
        }
        self.lock().owe_anything();
        self.runner.wake();
    }

    /// Whether the shared cache may not have the key's last change yet.
    pub(crate) fn is_pending(&self, tenant: TenantNumber, key: &Key) -> bool {
        self.lock().is_pending(&Subject::KeyValue(tenant, key.clone()))
    }

    pub(crate) fn shared(&self) -> Option<&Arc<dyn SharedCache>> {
        self.shared.as_ref()
    }

    pub(crate) fn timer(&self) -> &dyn Timer {
        self.timer.as_ref()
    }

    pub(crate) fn lifetimes(&self) -> &Lifetimes {
        &self.lifetimes
    }

    async fn next(&self) -> Option<Batch> {
        let work = poll_fn(|context| self.poll_work(context));
        if self.lock().is_only_owing() {
            select(pin!(work), self.timer.pause(RETRY)).await;
        } else {
            work.await;
        }
        self.lock().take()
    }

    fn poll_work(&self, context: &Context<'_>) -> Poll<()> {
        self.runner.register(context.waker());
        if self.lock().has_work() { Poll::Ready(()) } else { Poll::Pending }
    }

    async fn carry(&self, batch: Batch) {
        let replacements = self.replacements(&batch);
        let replaced = match &self.shared {
            Some(shared) if !replacements.is_empty() => shared.replace_all(replacements).await.is_ok(),
            _ => true,
        };
        let changes = batch.changes();
        let told = match &self.bus {
            Some(bus) if !changes.is_empty() => bus.announce(changes).await.is_ok(),
            _ => true,
        };
        self.lock().carried(batch, replaced, told);
    }

    /// Nothing where there is no shared cache.
    fn replacements(&self, batch: &Batch) -> Vec<Replacement> {
        if self.shared.is_none() {
            return Vec::new();
        }
        let entries = batch.key_values();
        entries
            .map(|(tenant, key, cached)| {
                let value = cached.entry.as_deref().map(shared_entry::encode);
                Replacement {
                    tenant,
                    key: key.clone(),
                    value: SharedValue { version: cached.revision, value },
                    lifetime: self.lifetimes.of(cached),
                }
            })
            .collect()
    }

    /// No code that can panic runs between two changes of the queue, so a poisoned lock guards a sound queue.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for what a node has changed, where there is more than one node.
pub(crate) async fn settled(propagation: Option<&Arc<Propagation>>) {
    if let Some(propagation) = propagation {
        propagation.settled().await;
    }
}
