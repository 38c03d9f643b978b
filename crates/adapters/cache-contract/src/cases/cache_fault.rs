//! A server that fails is a miss, and never brings back what is old.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join;
use tenantry_ports::{Replacement, SharedLookup};

use crate::cache_fixture::{LONG, Node, held, key, tenant, value};
use crate::fault_fixture::CacheFaultFixture;
use crate::wait::until;

/// A write that cannot be carried is told so in time. With the adapters' limits it is a fifth of this.
const SOON: Duration = Duration::from_secs(2);

impl Node {
    async fn is_up(&self) -> bool {
        self.health.check().await.is_ok()
    }

    /// Changes the key to version 2 while the server does not take it.
    async fn loses_a_change(&self) {
        let change = Replacement { tenant: tenant(1), key: key("k"), value: value(2, "new"), lifetime: LONG };
        let began = Instant::now();
        assert!(self.cache.replace_all(vec![change]).await.is_err());
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
        assert_eq!(self.look_up(tenant(1), "k").await, SharedLookup::Unknown, "from before the answer on");
    }

    /// Comes up again and at no moment believes version 1.
    async fn comes_up_and_believes_nothing_old(&self) {
        let old = held(value(1, "old"));
        until("the node is up again", async || {
            let told = self.look_up(tenant(1), "k").await;
            assert_ne!(told, old, "the cache brought back what is old");
            self.is_up().await && told != SharedLookup::Unknown
        })
        .await;
        assert_ne!(self.look_up(tenant(1), "k").await, old);
    }
}

impl CacheFaultFixture {
    /// Both nodes have version 1, and then lose the server.
    async fn lose(&self, fail: impl FnOnce()) {
        self.first.replace(tenant(1), "k", value(1, "old")).await;
        for node in [&self.first, &self.second] {
            assert_eq!(node.look_up(tenant(1), "k").await, held(value(1, "old")));
        }
        fail();
        self.first.loses_a_change().await;
        let began = Instant::now();
        until("the other node notices too", async || !self.second.is_up().await).await;
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    }

    /// Waits until both know the newest generation: each then believes what the other fills.
    async fn both_believe_the_same(&self) {
        let count = AtomicU64::new(0);
        until("both nodes believe each other", async || {
            let name = format!("probe {}", count.fetch_add(1, Ordering::SeqCst));
            for (one, other) in [(&self.first, &self.second), (&self.second, &self.first)] {
                let name = format!("{name} {:p}", Arc::as_ptr(&one.cache));
                let SharedLookup::Lease(lease) = one.look_up(tenant(1), &name).await else { return false };
                one.fill(tenant(1), &name, lease, value(1, "v")).await;
                if other.look_up(tenant(1), &name).await != held(value(1, "v")) {
                    return false;
                }
            }
            true
        })
        .await;
    }

    async fn both_come_up_and_believe_nothing_old(&self) {
        join(self.first.comes_up_and_believes_nothing_old(), self.second.comes_up_and_believes_nothing_old())
            .await;
    }
}

/// A cache that was frozen goes on with what it held.
pub async fn a_server_that_freezes_is_passed_by_and_nothing_old_is_believed_afterwards(
    f: &CacheFaultFixture,
) {
    f.lose(|| f.server.borrow_mut().freeze()).await;
    f.server.borrow_mut().thaw();
    f.both_come_up_and_believe_nothing_old().await;
}

/// A cache that was killed starts with what it had on disk, if it keeps anything there.
pub async fn a_server_that_is_killed_is_passed_by_and_nothing_old_is_believed_afterwards(
    f: &CacheFaultFixture,
) {
    f.lose(|| f.server.borrow_mut().kill()).await;
    f.server.borrow_mut().restart();
    f.both_come_up_and_believe_nothing_old().await;
}

/// "A node looks for a newer generation at least every second."
pub async fn a_freeze_that_only_one_node_has_noticed_is_soon_known_to_the_other(f: &CacheFaultFixture) {
    f.first.replace(tenant(1), "k", value(1, "old")).await;
    f.server.borrow_mut().freeze();
    f.first.loses_a_change().await;
    f.server.borrow_mut().thaw();
    let thawed = Instant::now();
    f.first.comes_up_and_believes_nothing_old().await;
    until("the other node believes nothing old", async || {
        let told = f.second.look_up(tenant(1), "k").await;
        told != held(value(1, "old")) && told != SharedLookup::Unknown
    })
    .await;
    assert!(thawed.elapsed() < 2 * SOON, "{:?}", thawed.elapsed());
}

/// "While the cache is down it answers `Unknown` at once."
pub async fn a_server_that_is_down_costs_no_time(f: &CacheFaultFixture) {
    f.server.borrow_mut().freeze();
    f.first.loses_a_change().await;
    let began = Instant::now();
    for n in 0..1_000 {
        assert_eq!(f.first.look_up(tenant(1), &format!("key {n}")).await, SharedLookup::Unknown);
        let change = Replacement { tenant: tenant(1), key: key("k"), value: value(n, "v"), lifetime: LONG };
        assert!(f.first.cache.replace_all(vec![change]).await.is_err());
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

/// Storage for the case below: the version of each key, and nothing else.
struct Versions(Vec<AtomicU64>);

impl Versions {
    fn name(n: usize) -> String {
        format!("key {n}")
    }

    /// One node writes all keys in turn, and carries each change as far as it goes.
    async fn write(&self, node: &Node, until: &AtomicBool) {
        for n in (0..self.0.len()).cycle().take_while(|_| !until.load(Ordering::SeqCst)) {
            let version = self.0[n].fetch_add(1, Ordering::SeqCst) + 1;
            let (key, value) = (key(&Self::name(n)), value(version, version.to_string()));
            let change = Replacement { tenant: tenant(1), key, value, lifetime: LONG };
            let _ = node.cache.replace_all(vec![change]).await;
            tokio::task::yield_now().await;
        }
    }

    /// One node reads all keys in turn, as the services do.
    async fn read(&self, node: &Node, until: &AtomicBool) {
        for n in (0..self.0.len()).cycle().take_while(|_| !until.load(Ordering::SeqCst)) {
            self.read_one(node, n).await;
            tokio::task::yield_now().await;
        }
    }

    async fn read_one(&self, node: &Node, n: usize) -> SharedLookup {
        let told = node.look_up(tenant(1), &Self::name(n)).await;
        if let SharedLookup::Lease(lease) = told {
            let version = self.0[n].load(Ordering::SeqCst);
            tokio::task::yield_now().await;
            node.fill(tenant(1), &Self::name(n), lease, value(version, version.to_string())).await;
        }
        told
    }
}

/// Whatever came between, in the end what is held is what storage has.
pub async fn after_faults_under_load_what_is_held_is_what_storage_has(f: &CacheFaultFixture) {
    let versions = Versions((0..50).map(|_| AtomicU64::new(1)).collect());
    let is_over = AtomicBool::new(false);
    let load = async {
        let writes = join(versions.write(&f.first, &is_over), versions.write(&f.second, &is_over));
        let reads = join(versions.read(&f.first, &is_over), versions.read(&f.second, &is_over));
        join(writes, reads).await;
    };
    let faults = async {
        let both_up = async || f.first.is_up().await && f.second.is_up().await;
        let both_down = async || !f.first.is_up().await && !f.second.is_up().await;
        for _ in 0..2 {
            f.server.borrow_mut().freeze();
            until("both notice the freeze", both_down).await;
            f.server.borrow_mut().thaw();
            until("both are up", both_up).await;
            f.server.borrow_mut().kill();
            until("both notice the kill", both_down).await;
            f.server.borrow_mut().restart();
            until("both are up", both_up).await;
        }
        is_over.store(true, Ordering::SeqCst);
    };
    join(load, faults).await;
    f.both_believe_the_same().await;
    for n in 0..versions.0.len() {
        for node in [&f.first, &f.second] {
            let version = versions.0[n].load(Ordering::SeqCst);
            if let SharedLookup::Held(told) = versions.read_one(node, n).await {
                assert_eq!(told.version.get(), version, "{}", Versions::name(n));
            }
        }
    }
}
