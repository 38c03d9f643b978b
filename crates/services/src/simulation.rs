//! Two nodes over one storage, one shared cache and one bus, in any interleaving: a scheduler with a seed polls
//! everything that is under way, one step at a time, and each I/O stops half way at least once.
//!
//! What must hold in every one: on the node that wrote nobody reads what is older than an acknowledged write, also
//! while the shared cache is out of reach and the first level forgets at will. On the other node the same, as long
//! as the shared cache is in reach.

mod near;
mod scheduler;
mod shared;
mod storage;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tenantry_domain::{ContentType, Precondition};
use tenantry_ports::{BusError, BusListener, Change, ChangeBus, NewValue, Timer};

use crate::aged::Ages;
use crate::coherence::CacheCoherence;
use crate::key_value::{KeyValueError, KeyValueService};
use crate::propagation::{Propagation, PropagationLimits};
use crate::remote_changes::RemoteChanges;
use crate::samples::{clock_at, key, number, shelf, time};
use near::TestNear;
use scheduler::{Chance, Scheduler};
use shared::{Servers, TestShared};
use storage::TestStorage;

const KEYS: [&str; 3] = ["a", "b", "c"];

/// Pauses of readers pass; the limit on how long a writer waits does not come.
struct TestTimer(Chance);

#[async_trait]
impl Timer for TestTimer {
    fn elapsed(&self) -> Duration {
        Duration::ZERO
    }

    async fn pause(&self, duration: Duration) {
        if duration >= Duration::from_secs(3600) {
            std::future::pending::<()>().await;
        }
        self.0.steps().await;
    }
}

/// Whoever announces reaches the others before it is answered.
struct TestBus {
    own: usize,
    listeners: Arc<Mutex<Vec<Arc<RemoteChanges>>>>,
    chance: Chance,
}

#[async_trait]
impl ChangeBus for TestBus {
    async fn announce(&self, changes: Vec<Change>) -> Result<(), BusError> {
        self.chance.steps().await;
        let listeners = self.listeners.lock().unwrap().clone();
        for (_, listener) in listeners.iter().enumerate().filter(|(node, _)| *node != self.own) {
            changes.iter().cloned().for_each(|change| listener.changed(change));
        }
        self.chance.steps().await;
        Ok(())
    }
}

struct Node {
    service: KeyValueService,
    propagation: Arc<Propagation>,
    shared: Arc<TestShared>,
    near: Arc<TestNear>,
}

/// The highest revision that was acknowledged of each key, by any node and by each.
#[derive(Default)]
struct Acknowledged {
    by_any: HashMap<&'static str, u64>,
    by_node: HashMap<(usize, &'static str), u64>,
}

struct World {
    chance: Chance,
    storage: Arc<TestStorage>,
    nodes: Vec<Arc<Node>>,
    acknowledged: Arc<Mutex<Acknowledged>>,
    /// Whether what one node has acknowledged must be seen on the other at once.
    is_in_reach: bool,
}

impl World {
    fn new(seed: u64, is_in_reach: bool) -> Self {
        let chance = Chance::new(seed);
        let (storage, servers) = (Arc::new(TestStorage::default()), Arc::new(Servers::default()));
        let listeners = Arc::new(Mutex::new(Vec::new()));
        let nodes = (0..2).map(|own| {
            let near = Arc::new(TestNear::new(chance.clone()));
            let shared = Arc::new(TestShared::new(Arc::clone(&servers), chance.clone()));
            let bus = TestBus { own, listeners: Arc::clone(&listeners), chance: chance.clone() };
            let timer = Arc::new(TestTimer(chance.clone()));
            let limits = PropagationLimits {
                max_changes: 100,
                max_bytes: 1 << 20,
                settle_within: Duration::from_secs(3600),
                lifetime: Duration::from_secs(60),
            };
            let clock = clock_at(time(100));
            let propagation = Arc::new(Propagation::new(
                Some(shared.clone()),
                Some(Arc::new(bus)),
                clock.clone(),
                timer.clone(),
                &limits,
            ));
            let (access, tenants) = (Arc::new(near::Nothing), Arc::new(near::Nothing));
            let coherence = CacheCoherence::new(access.clone(), tenants.clone(), near.clone(), shelf())
                .among_nodes(Arc::clone(&propagation));
            let ages = Arc::new(Ages::new(timer, Duration::from_secs(10)));
            let remote =
                RemoteChanges::new(access, tenants, near.clone(), shelf(), ages, Arc::clone(&propagation));
            let remote = Arc::new(remote);
            shared.listen(remote.clone());
            listeners.lock().unwrap().push(remote);
            let entries = storage.of_node(Arc::new(coherence), chance.clone());
            let service = KeyValueService::new(Arc::new(entries), near.clone(), clock, 100)
                .among_nodes(Arc::clone(&propagation));
            Arc::new(Node { service, propagation, shared, near })
        });
        let nodes = nodes.collect();
        Self { chance, storage, nodes, acknowledged: Arc::default(), is_in_reach }
    }

    /// Each node carries its changes, keeps in touch, and has two who write and two who read.
    fn run(self) {
        let mut scheduler = Scheduler::new(self.chance.clone());
        for node in &self.nodes {
            let carrier = Arc::clone(node);
            scheduler.in_background(async move { carrier.propagation.run().await });
            let keeper = Arc::clone(node);
            scheduler.in_background(async move { keeper.shared.keep().await });
        }
        // As the app does before it serves.
        let nodes = self.nodes.clone();
        scheduler.run_until(|| nodes.iter().all(|node| node.shared.is_up()));
        for (number, node) in self.nodes.iter().enumerate() {
            for _ in 0..2 {
                scheduler.spawn(self.writer(number, Arc::clone(node)));
                scheduler.spawn(self.reader(number, Arc::clone(node)));
            }
            if !self.is_in_reach {
                let (victim, chance) = (Arc::clone(node), self.chance.clone());
                scheduler.spawn(async move {
                    for _ in 0..4 {
                        chance.many_steps().await;
                        victim.shared.cut_off();
                        chance.many_steps().await;
                        victim.shared.within_reach();
                    }
                });
            }
        }
        scheduler.run();
    }

    fn writer(&self, number_of_node: usize, node: Arc<Node>) -> impl Future<Output = ()> + Send + use<> {
        let (chance, acknowledged) = (self.chance.clone(), Arc::clone(&self.acknowledged));
        async move {
            for _ in 0..8 {
                let name = KEYS[chance.below(KEYS.len())];
                let value = NewValue {
                    bytes: Bytes::from_static(b"v"),
                    content_type: ContentType::plain_text(),
                    ttl: None,
                };
                let revision = if chance.below(4) == 0 {
                    match node.service.delete(number(7), key(name), Precondition::default()).await {
                        Ok(revision) => revision,
                        Err(KeyValueError::KeyNotFound) => continue,
                        Err(error) => panic!("{error}"),
                    }
                } else {
                    let put = node.service.put(number(7), key(name), value, Precondition::default()).await;
                    put.unwrap().entry.meta.revision
                };
                let mut acknowledged = acknowledged.lock().unwrap();
                let Acknowledged { by_any, by_node } = &mut *acknowledged;
                for last in
                    [by_any.entry(name).or_default(), by_node.entry((number_of_node, name)).or_default()]
                {
                    *last = (*last).max(revision.get());
                }
            }
        }
    }

    fn reader(&self, number_of_node: usize, node: Arc<Node>) -> impl Future<Output = ()> + Send + use<> {
        let (chance, acknowledged) = (self.chance.clone(), Arc::clone(&self.acknowledged));
        let (storage, is_in_reach) = (Arc::clone(&self.storage), self.is_in_reach);
        async move {
            for _ in 0..30 {
                if chance.below(3) == 0 {
                    node.near.forget_something();
                }
                chance.steps().await;
                let name = KEYS[chance.below(KEYS.len())];
                let least = {
                    let acknowledged = acknowledged.lock().unwrap();
                    let by_node = acknowledged.by_node.get(&(number_of_node, name)).copied();
                    let by_any = acknowledged.by_any.get(name).copied().filter(|_| is_in_reach);
                    by_node.max(by_any).unwrap_or_default()
                };
                match node.service.get(number(7), key(name)).await {
                    Ok(entry) => {
                        let read = entry.meta.revision.get();
                        assert!(read >= least, "{name}: {read} was read after {least} was acknowledged");
                    }
                    Err(KeyValueError::KeyNotFound) => {
                        let was_absent = storage.was_absent_since(&key(name), least);
                        assert!(was_absent, "{name}: an absence was read after {least} was acknowledged");
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        }
    }
}

fn explore(seeds: std::ops::Range<u64>, is_in_reach: bool) {
    for seed in seeds {
        let outcome = std::panic::catch_unwind(|| World::new(seed, is_in_reach).run());
        assert!(outcome.is_ok(), "seed {seed}");
    }
}

#[test]
fn while_the_shared_cache_is_in_reach_no_node_reads_what_is_older_than_an_acknowledged_write() {
    explore(0..400, true);
}

#[test]
fn while_it_comes_and_goes_the_node_that_wrote_reads_nothing_older() {
    explore(0..400, false);
}
