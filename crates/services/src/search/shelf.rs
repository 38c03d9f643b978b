//! Where snapshots are kept, and where new ones are ordered.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
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
    slots: RwLock<Slots>,
    orders: Mutex<Orders>,
    pub(super) builder: AtomicWaker,
    limits: ShelfLimits,
    timer: Arc<dyn Timer>,
}

#[derive(Default)]
struct Slots {
    held: HashMap<TenantNumber, Arc<Slot>>,
    /// The tenant whose first snapshot is in the making: what it is told meanwhile may not be in it.
    making: Option<TenantNumber>,
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
    /// The order before was one that somebody waited for, though others had waited longer.
    has_gone_ahead: bool,
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
        let tenants: Vec<TenantNumber> = {
            let slots = self.read();
            slots.held.keys().copied().chain(slots.making).collect()
        };
        for tenant in tenants {
            self.order(tenant, None);
        }
    }

    /// The tenant is not what it was, or is gone: its snapshot is made anew when it is asked for, and one that is in the
    /// making is not kept. It does not block.
    pub(crate) fn forget(&self, tenant: TenantNumber) {
        let mut slots = self.write();
        slots.held.remove(&tenant);
        slots.making.take_if(|making| *making == tenant);
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

    /// The longest waiting order; at every other time, the first that somebody waits for. One for a tenant that has none,
    /// and for which nobody waits, was for what is forgotten.
    pub(super) fn next_order(&self) -> Option<Order> {
        loop {
            let (tenant, waiting) = self.orders().take()?;
            let mut slots = self.write();
            let compare = match slots.held.get(&tenant) {
                Some(slot) => {
                    let held = slot.snapshot.revision();
                    (held.get() >= slot.told.load(Ordering::Acquire)).then_some(held)
                }
                None if waiting.is_empty() => continue,
                None => {
                    slots.making = Some(tenant);
                    None
                }
            };
            return Some(Order { tenant, compare, waiting });
        }
    }

    /// The tenant's snapshot, if it is the one of that revision, which storage has now.
    pub(super) fn confirm(
        &self,
        tenant: TenantNumber,
        revision: CatalogRevision,
    ) -> Option<Arc<SearchSnapshot>> {
        let slot = self.slot(tenant).filter(|slot| slot.snapshot.revision() == revision)?;
        slot.checked_ms.store(self.now_ms(), Ordering::Relaxed);
        Some(Arc::clone(&slot.snapshot))
    }

    /// Storage is away: everybody who waits learns of it now, and not when the orders before theirs have failed too.
    pub(super) fn refuse_all(&self, error: &StorageError) {
        let waiting = std::mem::take(&mut self.orders().waiting);
        for wait in waiting.into_values().flatten() {
            // Whoever has gone needs no answer.
            let _ = wait.send(Err(error.clone()));
        }
    }

    /// What was in the making was not made; it is ordered again for a tenant that has an older one.
    pub(super) fn give_up(&self, tenant: TenantNumber) {
        self.write().making = None;
        if self.slot(tenant).is_some() {
            self.order(tenant, None);
        }
    }

    /// Puts a snapshot in its place, unless a newer one is there or the tenant was forgotten meanwhile, and lets go of
    /// the least recently used ones.
    pub(super) fn put(&self, tenant: TenantNumber, snapshot: Arc<SearchSnapshot>) {
        let now = self.now_ms();
        let mut slots = self.write();
        let is_first = slots.making.take() == Some(tenant);
        let slots = &mut slots.held;
        let (mut told, mut used) = (0, now);
        match slots.get(&tenant) {
            Some(held) if held.snapshot.revision() > snapshot.revision() => return,
            Some(held) => {
                told = held.told.load(Ordering::Acquire);
                used = held.used_ms.load(Ordering::Relaxed);
            }
            None if is_first => {}
            None => return,
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

    /// Whether a snapshot is held that is older, and then it is noted what is wanted; or the first one is in the making,
    /// which may be older.
    fn is_older(&self, tenant: TenantNumber, revision: CatalogRevision) -> bool {
        let slots = self.read();
        let Some(slot) = slots.held.get(&tenant) else { return slots.making == Some(tenant) };
        slot.told.fetch_max(revision.get(), Ordering::AcqRel);
        slot.snapshot.revision() < revision
    }

    fn slot(&self, tenant: TenantNumber) -> Option<Arc<Slot>> {
        self.read().held.get(&tenant).cloned()
    }

    /// No code that can panic runs between two changes of the slots, so a poisoned lock guards sound ones.
    fn read(&self) -> RwLockReadGuard<'_, Slots> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Slots> {
        self.slots.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn orders(&self) -> MutexGuard<'_, Orders> {
        self.orders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        millis(self.timer.elapsed())
    }
}

impl Orders {
    /// The order that is next, and who waits for it.
    fn take(&mut self) -> Option<(TenantNumber, Vec<oneshot::Sender<Made>>)> {
        let mut ahead = 0;
        if !self.has_gone_ahead && !self.waiting.is_empty() {
            ahead = self.queue.iter().position(|tenant| self.waiting.contains_key(tenant)).unwrap_or(0);
        }
        let tenant = self.queue.remove(ahead)?;
        self.has_gone_ahead = ahead > 0;
        self.queued.remove(&tenant);
        Some((tenant, self.waiting.remove(&tenant).unwrap_or_default()))
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
