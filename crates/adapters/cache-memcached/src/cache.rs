//! The shared cache in memcached.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::join_all;
use tenantry_cache_support::{Link, Stored, Times, keep, look};
use tenantry_domain::{Key, TenantNumber};
use tenantry_ports::{
    CacheError, FillLease, HealthProbe, Replacement, SharedCache, SharedCacheListener, SharedLookup,
    SharedValue, StorageError,
};
use tokio::time::timeout;

use crate::client::ClientError;
use crate::place::{Place, server_of};
use crate::server::Server;
use crate::url::MemcachedUrl;

/// How memcached is used.
#[derive(Debug, Clone)]
pub struct MemcachedOptions {
    /// Where it is.
    pub url: MemcachedUrl,
    /// What all keys begin with: 1 to 32 of `A-Z a-z 0-9 . _ -`.
    pub namespace: String,
    /// How long an answer may take before a server counts as down.
    pub timeout: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
}

/// The shared cache in memcached. It does nothing until it [runs](Self::run).
///
/// Each server has generations of its own, and while one is down, its keys are read from storage and no other
/// server holds them.
pub struct MemcachedCache {
    servers: Vec<Server>,
    names: Vec<String>,
    namespace: String,
    times: Times,
}

impl MemcachedCache {
    /// A cache that is not connected yet.
    #[must_use]
    pub fn new(options: MemcachedOptions) -> Self {
        let MemcachedOptions { url, namespace, timeout, connect_timeout } = options;
        let server = |name: &String| Server {
            link: Link::new(),
            name: name.clone(),
            login: url.login.clone(),
            namespace: namespace.clone(),
            connect_timeout,
        };
        Self {
            servers: url.servers.iter().map(server).collect(),
            names: url.servers,
            namespace,
            times: Times { connect: connect_timeout, answer: timeout },
        }
    }

    /// Keeps in touch with the servers, as long as it is polled. To be called once, in a tokio runtime.
    pub async fn run(&self, listener: Arc<dyn SharedCacheListener>) {
        join_all(self.servers.iter().map(|server| keep(&server.link, server, self.times, listener.as_ref())))
            .await;
    }

    /// Looks at each server once, and changes nothing. Whether nodes have used all of them under this namespace.
    ///
    /// # Errors
    /// Which servers could not be used, and why.
    pub async fn inspect(&self) -> Result<bool, String> {
        let looked = join_all(self.servers.iter().map(|server| look(server, self.times))).await;
        let faults = self.servers.iter().zip(&looked);
        let faults =
            faults.filter_map(|(server, look)| Some(format!("{}: {}", server.name, look.as_ref().err()?)));
        let faults: Vec<_> = faults.collect();
        match faults.is_empty() {
            true => Ok(looked.iter().all(|look| matches!(look, Ok(Some(_))))),
            false => Err(faults.join("; ")),
        }
    }

    fn place_of(&self, tenant: TenantNumber, key: &Key) -> (&Server, Place) {
        let place = Place::of(&self.namespace, tenant, key);
        (&self.servers[server_of(&self.names, &place.name)], place)
    }

    /// The answer of a server if it comes in time.
    async fn in_time<T>(&self, answer: impl Future<Output = Result<T, ClientError>>) -> Result<T, String> {
        match timeout(self.times.answer, answer).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err("it does not answer in time".to_owned()),
        }
    }

    async fn replace(&self, Replacement { tenant, key, value, lifetime }: Replacement) -> Result<(), String> {
        let (server, place) = self.place_of(tenant, &key);
        let replaced = match server.link.to_change() {
            Some(touch) => {
                let new = Stored::of(value, touch.generation);
                self.in_time(server.replace(&touch, &place, new, lifetime)).await
            }
            None => Err("it is down".to_owned()),
        };
        replaced.map_err(|fault| {
            server.link.change_lost();
            format!("{}: {fault}", server.name)
        })
    }
}

#[async_trait]
impl SharedCache for MemcachedCache {
    async fn look_up(&self, tenant: TenantNumber, key: &Key) -> SharedLookup {
        let (server, place) = self.place_of(tenant, key);
        let Some(touch) = server.link.to_read() else { return SharedLookup::Unknown };
        self.in_time(server.look_up(&touch, &place)).await.unwrap_or_else(|_| {
            server.link.read_failed(&touch);
            SharedLookup::Unknown
        })
    }

    async fn fill(
        &self,
        tenant: TenantNumber,
        key: &Key,
        lease: FillLease,
        value: SharedValue,
        lifetime: Duration,
    ) {
        let (server, place) = self.place_of(tenant, key);
        let Some(touch) = server.link.to_read() else { return };
        let new = Stored::of(value, lease.generation);
        if self.in_time(server.fill(&touch, &place, lease, new, lifetime)).await.is_err() {
            server.link.read_failed(&touch);
        }
    }

    async fn replace_all(&self, replacements: Vec<Replacement>) -> Result<(), CacheError> {
        // All are sent before the first is answered; and one server's fault does not keep others from theirs.
        let replaced = join_all(replacements.into_iter().map(|replacement| self.replace(replacement))).await;
        replaced.into_iter().collect::<Result<(), _>>().map_err(CacheError::Unavailable)
    }

    fn distrust(&self) {
        self.servers.iter().for_each(|server| server.link.change_lost());
    }

    fn recheck(&self) {
        self.servers.iter().for_each(|server| server.link.recheck());
    }
}

#[async_trait]
impl HealthProbe for MemcachedCache {
    fn name(&self) -> &'static str {
        "memcached"
    }

    /// Without it reads go to storage.
    fn is_needed(&self) -> bool {
        false
    }

    /// It answers at once: somebody looks after the connections all the time.
    async fn check(&self) -> Result<(), StorageError> {
        let down = self.servers.iter().filter(|server| !server.link.is_up());
        let down: Vec<_> = down.map(|server| server.name.as_str()).collect();
        if down.is_empty() {
            return Ok(());
        }
        Err(StorageError::Unavailable(format!("{} is down", down.join(", "))))
    }
}
