//! A shared cache by the rules of its port, with a server that a node may be cut off from. What was sent to it may
//! arrive late, after the sender has given it up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use tenantry_domain::{Key, Revision, TenantNumber};
use tenantry_ports::{
    CacheError, FillLease, Replacement, SharedCache, SharedCacheListener, SharedLookup, SharedValue,
};

use super::scheduler::Chance;

#[derive(Clone)]
struct Stored {
    generation: u64,
    version: Revision,
    content: Content,
}

#[derive(Clone, PartialEq)]
enum Content {
    Value(Option<Bytes>),
    Lease(u64),
}

/// What is on the server.
#[derive(Default)]
pub(super) struct Servers(Mutex<Held>);

#[derive(Default)]
struct Held {
    stored: HashMap<Key, Stored>,
    generation: u64,
    next_token: u64,
    late: Vec<(Key, Stored)>,
}

/// The server as one node reaches it.
pub(super) struct TestShared {
    servers: Arc<Servers>,
    link: Mutex<Link>,
    chance: Chance,
    listener: OnceLock<Arc<dyn SharedCacheListener>>,
}

#[derive(Default)]
struct Link {
    is_cut: bool,
    is_joining: bool,
    is_up: bool,
    generation: u64,
    epoch: u64,
}

impl Link {
    fn go_down(&mut self) {
        (self.is_up, self.is_joining) = (false, false);
        self.epoch += 1;
    }
}

impl Held {
    fn replace(&mut self, key: &Key, new: Stored) {
        let gives_way = self.stored.get(key).is_none_or(|held| {
            let same = new.version == held.version
                && (matches!(held.content, Content::Lease(_)) || new.generation > held.generation);
            new.version > held.version || same
        });
        if gives_way {
            self.stored.insert(key.clone(), new);
        }
    }
}

impl TestShared {
    pub(super) fn new(servers: Arc<Servers>, chance: Chance) -> Self {
        Self { servers, link: Mutex::default(), chance, listener: OnceLock::new() }
    }

    pub(super) fn listen(&self, listener: Arc<dyn SharedCacheListener>) {
        assert!(self.listener.set(listener).is_ok());
    }

    pub(super) fn cut_off(&self) {
        self.link.lock().unwrap().is_cut = true;
    }

    pub(super) fn within_reach(&self) {
        self.link.lock().unwrap().is_cut = false;
    }

    pub(super) fn is_up(&self) -> bool {
        self.link.lock().unwrap().is_up
    }

    fn is_cut(&self) -> bool {
        self.link.lock().unwrap().is_cut
    }

    /// Brings the link up whenever it is down, and looks for new generations.
    pub(super) async fn keep(&self) {
        loop {
            self.chance.steps().await;
            self.something_arrives_late();
            if self.is_cut() {
                self.link.lock().unwrap().go_down();
                continue;
            }
            if self.link.lock().unwrap().is_up {
                self.look_for_a_generation();
            } else {
                self.join().await;
            }
        }
    }

    fn something_arrives_late(&self) {
        let mut held = self.servers.0.lock().unwrap();
        if !held.late.is_empty() && self.chance.below(8) == 0 {
            let (key, stored) = held.late.remove(0);
            held.replace(&key, stored);
        }
    }

    fn look_for_a_generation(&self) {
        let current = self.servers.0.lock().unwrap().generation;
        let is_new = {
            let mut link = self.link.lock().unwrap();
            std::mem::replace(&mut link.generation, current) < current
        };
        if is_new {
            self.listener.get().unwrap().met_generation();
        }
    }

    async fn join(&self) {
        let epoch = {
            let mut link = self.link.lock().unwrap();
            link.is_joining = true;
            link.epoch
        };
        self.chance.steps().await;
        let generation = {
            let mut held = self.servers.0.lock().unwrap();
            held.generation += 1;
            held.generation
        };
        self.chance.steps().await;
        {
            let mut link = self.link.lock().unwrap();
            if link.epoch != epoch || link.is_cut {
                return link.go_down();
            }
            (link.is_up, link.generation) = (true, generation);
        }
        self.listener.get().unwrap().began_generation();
    }

    fn ask(&self, key: &Key, generation: u64) -> SharedLookup {
        let mut held = self.servers.0.lock().unwrap();
        let known = match held.stored.get(key) {
            Some(stored) if stored.generation >= generation => {
                return match &stored.content {
                    Content::Value(value) => {
                        SharedLookup::Held(SharedValue { version: stored.version, value: value.clone() })
                    }
                    Content::Lease(_) => SharedLookup::Busy,
                };
            }
            Some(old) => old.version,
            None => Revision::default(),
        };
        held.next_token += 1;
        let token = held.next_token;
        let lease = Stored { generation, version: known, content: Content::Lease(token) };
        held.stored.insert(key.clone(), lease);
        SharedLookup::Lease(FillLease { token, generation })
    }
}

#[async_trait]
impl SharedCache for TestShared {
    async fn look_up(&self, _: TenantNumber, key: &Key) -> SharedLookup {
        let (generation, epoch) = {
            let link = self.link.lock().unwrap();
            if !link.is_up {
                return SharedLookup::Unknown;
            }
            (link.generation, link.epoch)
        };
        self.chance.steps().await;
        let told = if self.is_cut() { None } else { Some(self.ask(key, generation)) };
        self.chance.steps().await;
        let mut link = self.link.lock().unwrap();
        match told {
            Some(told) if !link.is_cut => told,
            _ => {
                if link.epoch == epoch {
                    link.go_down();
                }
                SharedLookup::Unknown
            }
        }
    }

    async fn fill(&self, _: TenantNumber, key: &Key, lease: FillLease, value: SharedValue, _: Duration) {
        self.chance.steps().await;
        if self.is_cut() {
            return;
        }
        let mut held = self.servers.0.lock().unwrap();
        let Some(stored) =
            held.stored.get_mut(key).filter(|stored| stored.content == Content::Lease(lease.token))
        else {
            return;
        };
        let is_absence = value.value.is_none();
        let version = if is_absence { value.version.max(stored.version) } else { value.version };
        if version >= stored.version {
            *stored = Stored { generation: lease.generation, version, content: Content::Value(value.value) };
        }
    }

    async fn replace_all(&self, replacements: Vec<Replacement>) -> Result<(), CacheError> {
        for Replacement { key, value, .. } in replacements {
            let generation = {
                let mut link = self.link.lock().unwrap();
                if !link.is_up && !link.is_joining {
                    link.go_down();
                    return Err(CacheError::Unavailable("down".to_owned()));
                }
                link.generation
            };
            let new = Stored { generation, version: value.version, content: Content::Value(value.value) };
            self.chance.steps().await;
            if self.is_cut() {
                if self.chance.below(2) == 0 {
                    self.servers.0.lock().unwrap().late.push((key, new));
                }
                self.link.lock().unwrap().go_down();
                return Err(CacheError::Unavailable("cut off".to_owned()));
            }
            self.servers.0.lock().unwrap().replace(&key, new);
            self.chance.steps().await;
        }
        Ok(())
    }

    fn distrust(&self) {
        self.link.lock().unwrap().go_down();
    }

    fn recheck(&self) {}
}
