//! Where snapshots are kept, and where new ones are ordered.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use futures_channel::oneshot;
use futures_util::task::AtomicWaker;
use tenantry_domain::{CatalogRevision, TenantNumber};
use tenantry_ports::{StorageError, Timer};

use super::snapshot::SearchSnapshot;

/// What a snapshot came to, for each who waits for it.
pub(super) type Made = Result<Arc<SearchSnapshot>, StorageError>;

/// How much is kept.
#[derive(Debug, Clone)]
pub struct ShelfLimits {
    /// All snapshots together; the least recently used leave. One that is larger by itself is kept alone.
    pub max_bytes: usize,
    /// How often a snapshot that is used is compared with storage, in case a change by another node was not heard
    /// of. Nothing where this node is the only one.
    pub recheck: Option<Duration>,
}

/// The snapshots of this node, one a tenant.
pub struct SnapshotShelf {
    slots: RwLock<HashMap<TenantNumber, Arc<Slot>>>,
    orders: Mutex<Orders>,
    pub(super) builder: AtomicWaker,
    limits: ShelfLimits,
    timer: Arc<dyn Timer>,
}

/// A snapshot and what is known of it.
struct Slot {
    snapshot: Arc<SearchSnapshot>,
    /// The highest revision that this node was told of.
    told: AtomicU64,
    /// When it was last given out, and last found to be what storage has; milliseconds.
    used_ms: AtomicU64,
    checked_ms: AtomicU64,
}

/// Tenants whose snapshot is to be made or compared, the longest waiting first, each once.
#[derive(Default)]
struct Orders {
    queue: VecDeque<TenantNumber>,
    queued: HashSet<TenantNumber>,
    waiting: HashMap<TenantNumber, Vec<oneshot::Sender<Made>>>,
    finishing: bool,
}

/// What the builder is to do for a tenant.
pub(super) struct Order {
    pub(super) tenant: TenantNumber,
    /// The revision that is held, if storage need only be asked whether it still stands.
    pub(super) compare: Option<CatalogRevision>,
    pub(super) waiting: Vec<oneshot::Sender<Made>>,
}

impl SnapshotShelf {
    /// An empty shelf.
    #[must_use]
    pub fn new(limits: ShelfLimits, timer: Arc<dyn Timer>) -> Self {
        Self {
            slots: RwLock::default(),
            orders: Mutex::default(),
            builder: AtomicWaker::new(),
            limits,
            timer,
        }
    }

    /// The tenant's snapshot, if there is one.
    pub(super) fn get(&self, tenant: TenantNumber) -> Option<Arc<SearchSnapshot>> {
        let slot = self.slot(tenant)?;
        let now = self.now_ms();
        slot.used_ms.store(now, Ordering::Relaxed);
        if let Some(recheck) = self.limits.recheck {
            let checked = slot.checked_ms.load(Ordering::Relaxed);
            let is_due = now.saturating_sub(checked) >= millis(recheck);
            // Only one of those who see that it is due orders it.
            if is_due
                && slot
                    .checked_ms
                    .compare_exchange(checked, now, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
            {
                self.order(tenant, None);
            }
        }
        Some(Arc::clone(&slot.snapshot))
    }

    /// The tenant's catalog has this revision now: if an older one is held, a new snapshot is made. It does not block.
    pub(crate) fn outdate(&self, tenant: TenantNumber, revision: CatalogRevision) {
        if self.is_older(tenant, revision) {
            self.order(tenant, None);
        }
    }

    /// Any catalog may have changed: every snapshot is compared with storage. It does not block.
    pub(crate) fn doubt_all(&self) {
        let tenants: Vec<TenantNumber> = self.read().keys().copied().collect();
        for tenant in tenants {
            self.order(tenant, None);
        }
    }

    /// The tenant is not what it was, or is gone: its snapshot is made anew when it is asked for. It does not block.
    pub(crate) fn forget(&self, tenant: TenantNumber) {
        self.slots.write().unwrap_or_else(PoisonError::into_inner).remove(&tenant);
    }

    /// As [`outdate`](Self::outdate), with what the next snapshot comes to; nothing where this revision is held, or
    /// none at all.
    pub(super) fn outdate_and_wait(
        &self,
        tenant: TenantNumber,
        revision: CatalogRevision,
    ) -> Option<oneshot::Receiver<Made>> {
        self.is_older(tenant, revision).then(|| self.order_and_wait(tenant))
    }

    /// What the tenant's next snapshot comes to.
    pub(super) fn order_and_wait(&self, tenant: TenantNumber) -> oneshot::Receiver<Made> {
        let (made, wait) = oneshot::channel();
        self.order(tenant, Some(made));
        wait
    }

    /// The longest waiting order.
    pub(super) fn next_order(&self) -> Option<Order> {
        let mut orders = self.orders();
        let tenant = orders.queue.pop_front()?;
        orders.queued.remove(&tenant);
        let waiting = orders.waiting.remove(&tenant).unwrap_or_default();
        drop(orders);
        let slot = self.slot(tenant);
        let compare = slot.and_then(|slot| {
            let held = slot.snapshot.revision();
            (held.get() >= slot.told.load(Ordering::Acquire)).then_some(held)
        });
        Some(Order { tenant, compare, waiting })
    }

    /// Orders again what could not be made, for those who have one already.
    pub(super) fn reorder_if_held(&self, tenant: TenantNumber) {
        if self.slot(tenant).is_some() {
            self.order(tenant, None);
        }
    }

    /// Puts a snapshot in its place, unless a newer one is there, and lets go of the least recently used ones.
    pub(super) fn put(&self, tenant: TenantNumber, snapshot: Arc<SearchSnapshot>) {
        let now = self.now_ms();
        let mut slots = self.slots.write().unwrap_or_else(PoisonError::into_inner);
        let (mut told, mut used) = (0, now);
        if let Some(held) = slots.get(&tenant) {
            if held.snapshot.revision() > snapshot.revision() {
                return;
            }
            told = held.told.load(Ordering::Acquire);
            used = held.used_ms.load(Ordering::Relaxed);
        }
        let slot = Slot {
            snapshot,
            told: AtomicU64::new(told),
            used_ms: AtomicU64::new(used),
            checked_ms: AtomicU64::new(now),
        };
        slots.insert(tenant, Arc::new(slot));
        let mut bytes: usize = slots.values().map(|slot| slot.snapshot.bytes()).sum();
        while bytes > self.limits.max_bytes && slots.len() > 1 {
            let others = slots.iter().filter(|(other, _)| **other != tenant);
            let Some(oldest) = others.min_by_key(|(_, slot)| slot.used_ms.load(Ordering::Relaxed)) else {
                break;
            };
            let oldest = *oldest.0;
            bytes -= slots.remove(&oldest).map_or(0, |slot| slot.snapshot.bytes());
        }
    }

    /// No more snapshots are made.
    pub fn finish(&self) {
        let mut orders = self.orders();
        orders.finishing = true;
        orders.queue.clear();
        orders.waiting.clear();
        drop(orders);
        self.builder.wake();
    }

    pub(super) fn is_finishing(&self) -> bool {
        self.orders().finishing
    }

    pub(super) fn timer(&self) -> &dyn Timer {
        self.timer.as_ref()
    }

    fn order(&self, tenant: TenantNumber, wait: Option<oneshot::Sender<Made>>) {
        let mut orders = self.orders();
        if orders.finishing {
            // Whoever waits learns of it by the sender that is dropped.
            return;
        }
        if let Some(wait) = wait {
            let waiting = orders.waiting.entry(tenant).or_default();
            waiting.retain(|wait| !wait.is_canceled());
            waiting.push(wait);
        }
        if orders.queued.insert(tenant) {
            orders.queue.push_back(tenant);
        }
        drop(orders);
        self.builder.wake();
    }

    /// Whether a snapshot is held that is older; if so it is noted what is wanted.
    fn is_older(&self, tenant: TenantNumber, revision: CatalogRevision) -> bool {
        let Some(slot) = self.slot(tenant) else { return false };
        slot.told.fetch_max(revision.get(), Ordering::AcqRel);
        slot.snapshot.revision() < revision
    }

    fn slot(&self, tenant: TenantNumber) -> Option<Arc<Slot>> {
        self.read().get(&tenant).cloned()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, HashMap<TenantNumber, Arc<Slot>>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        millis(self.timer.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
