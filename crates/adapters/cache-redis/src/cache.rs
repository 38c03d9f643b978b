//! The shared cache in Redis.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::future::join_all;
use redis::{RedisResult, cmd};
use tenantry_cache_support::{Link, Peer, Stored, Times, Touch, keep, look, random_u64};
use tenantry_domain::{Key, TenantNumber};
use tenantry_ports::{
    CacheError, FillLease, HealthProbe, Replacement, SharedCache, SharedCacheListener, SharedLookup,
    SharedValue, StorageError,
};
use tokio::time::timeout;

use crate::ca::RedisCa;
use crate::connection::Connection;
use crate::scripts::Scripts;
use crate::servers::Servers;
use crate::url::RedisUrl;

/// How long one reader may read storage for all.
const LEASE_MS: u64 = 1_000;

/// How Redis is used, for the cache and the bus alike.
#[derive(Debug, Clone)]
pub struct RedisOptions {
    /// Where it is.
    pub url: RedisUrl,
    /// Over TLS: by whom it is trusted. Nothing: by the system's authorities.
    pub ca: Option<RedisCa>,
    /// What all keys and channels begin with: 1 to 32 of `A-Z a-z 0-9 . _ -`.
    pub namespace: String,
    /// How long an answer may take before Redis counts as down.
    pub timeout: Duration,
    /// How long connecting may take.
    pub connect_timeout: Duration,
}

/// The shared cache in Redis. It does nothing until it [runs](Self::run).
pub struct RedisCache {
    server: Server,
    link: Link<Connection>,
    scripts: Arc<Scripts>,
    timeout: Duration,
}

struct Server {
    servers: Servers,
    scripts: Arc<Scripts>,
}

impl RedisCache {
    /// A cache that is not connected yet.
    #[must_use]
    pub fn new(options: RedisOptions) -> Self {
        let (timeout, scripts) = (options.timeout, Arc::new(Scripts::new()));
        let server = Server { servers: Servers::new(options), scripts: Arc::clone(&scripts) };
        Self { server, link: Link::new(), scripts, timeout }
    }

    /// Keeps in touch with Redis, as long as it is polled. To be called once, in a tokio runtime.
    pub async fn run(&self, listener: Arc<dyn SharedCacheListener>) {
        keep(&self.link, &self.server, self.times(), listener.as_ref()).await;
    }

    /// Looks at Redis once, and changes nothing. Whether nodes have used it under this namespace.
    ///
    /// # Errors
    /// Why it could not be used.
    pub async fn inspect(&self) -> Result<bool, String> {
        Ok(look(&self.server, self.times()).await?.is_some())
    }

    fn times(&self) -> Times {
        Times { connect: self.server.servers.options.connect_timeout, answer: self.timeout }
    }

    fn name_of(&self, tenant: TenantNumber, key: &Key) -> String {
        format!("{}:{tenant}:{key}", self.server.servers.options.namespace)
    }

    /// The answer of Redis if it comes in time.
    async fn in_time<T>(&self, answer: impl Future<Output = RedisResult<T>>) -> Result<T, String> {
        match timeout(self.timeout, answer).await {
            Ok(answer) => answer.map_err(|error| error.to_string()),
            Err(_) => Err("it does not answer in time".to_owned()),
        }
    }

    async fn ask(&self, touch: &Touch<Connection>, name: &str) -> RedisResult<SharedLookup> {
        let mut connection = touch.connection.clone();
        let held: Option<Bytes> = cmd("GET").arg(name).query_async(&mut connection).await?;
        if let Some(stored) = believed(held, touch.generation) {
            return Ok(stored.told());
        }
        let lease = FillLease { token: random_u64(), generation: touch.generation };
        let mut invocation = self.scripts.lease.prepare_invoke();
        invocation.key(name).arg(Stored::digits(lease.generation));
        invocation.arg(Stored::token_digits(lease.token)).arg(LEASE_MS);
        match invocation.invoke_async::<Option<Bytes>>(&mut connection).await? {
            None => Ok(SharedLookup::Lease(lease)),
            // Somebody was faster. What cannot be read is left alone; it ends by its time to live.
            Some(held) => Ok(believed(Some(held), 0).map_or(SharedLookup::Unknown, Stored::told)),
        }
    }

    async fn replace(
        &self,
        touch: &Touch<Connection>,
        name: &str,
        value: SharedValue,
        lifetime: Duration,
    ) -> RedisResult<()> {
        let mut connection = touch.connection.clone();
        let mut invocation = self.scripts.replace.prepare_invoke();
        add_value(invocation.key(name), touch.generation, value, lifetime);
        invocation.invoke_async(&mut connection).await
    }
}

/// Whose arguments are `generation, version, kind, value, lifetime ms`.
fn add_value(
    invocation: &mut redis::ScriptInvocation<'_>,
    generation: u64,
    SharedValue { version, value }: SharedValue,
    lifetime: Duration,
) {
    let kind = if value.is_some() { "E" } else { "A" };
    // Redis takes no lifetime of 0.
    let lifetime_ms = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX).clamp(1, 1 << 40);
    invocation.arg(Stored::digits(generation)).arg(Stored::digits(version.get())).arg(kind);
    invocation.arg(value.unwrap_or_default().as_ref()).arg(lifetime_ms);
}

/// What is held, if it is understood and of this generation or a newer one.
fn believed(held: Option<Bytes>, generation: u64) -> Option<Stored> {
    Stored::parse(&held?).filter(|stored| stored.generation >= generation)
}

#[async_trait]
impl SharedCache for RedisCache {
    async fn look_up(&self, tenant: TenantNumber, key: &Key) -> SharedLookup {
        let Some(touch) = self.link.to_read() else { return SharedLookup::Unknown };
        let name = self.name_of(tenant, key);
        self.in_time(self.ask(&touch, &name)).await.unwrap_or_else(|_| {
            self.link.read_failed(&touch);
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
        let Some(touch) = self.link.to_read() else { return };
        let name = self.name_of(tenant, key);
        let mut connection = touch.connection.clone();
        let mut invocation = self.scripts.fill.prepare_invoke();
        add_value(invocation.key(name), lease.generation, value, lifetime);
        invocation.arg(Stored::token_digits(lease.token));
        if self.in_time(invocation.invoke_async::<()>(&mut connection)).await.is_err() {
            self.link.read_failed(&touch);
        }
    }

    async fn replace_all(&self, replacements: Vec<Replacement>) -> Result<(), CacheError> {
        let outcome = match self.link.to_change() {
            None => Err("it is down".to_owned()),
            Some(touch) => {
                // All are sent before the first is answered.
                let all =
                    replacements.into_iter().map(async |Replacement { tenant, key, value, lifetime }| {
                        self.replace(&touch, &self.name_of(tenant, &key), value, lifetime).await
                    });
                self.in_time(async { join_all(all).await.into_iter().collect::<RedisResult<()>>() }).await
            }
        };
        outcome.map_err(|fault| {
            self.link.change_lost();
            CacheError::Unavailable(fault)
        })
    }

    fn distrust(&self) {
        self.link.change_lost();
    }

    fn recheck(&self) {
        self.link.recheck();
    }
}

impl Server {
    fn generation_name(&self) -> String {
        format!("{}:generation", self.servers.options.namespace)
    }
}

impl Peer for Server {
    type Connection = Connection;

    fn name(&self) -> String {
        self.servers.options.url.to_string()
    }

    async fn connect(&self) -> Result<Connection, String> {
        Connection::open(&self.servers).await.map_err(|error| error.to_string())
    }

    async fn begin_generation(&self, connection: &Connection, at_least: u64) -> Result<u64, String> {
        let mut invocation = self.scripts.begin_generation.prepare_invoke();
        invocation.key(self.generation_name()).arg(at_least);
        invocation.invoke_async(&mut connection.clone()).await.map_err(|error| error.to_string())
    }

    async fn generation(&self, connection: &Connection) -> Result<Option<u64>, String> {
        connection.stands().await.map_err(|error| error.to_string())?;
        let mut connection = connection.clone();
        let current = cmd("GET").arg(self.generation_name()).query_async(&mut connection).await;
        current.map_err(|error| error.to_string())
    }
}

#[async_trait]
impl HealthProbe for RedisCache {
    fn name(&self) -> &'static str {
        "redis"
    }

    /// Without it reads go to storage.
    fn is_needed(&self) -> bool {
        false
    }

    /// It answers at once: somebody looks after the connection all the time.
    async fn check(&self) -> Result<(), StorageError> {
        if self.link.is_up() {
            return Ok(());
        }
        Err(StorageError::Unavailable(format!("{} is down", self.server.servers.options.url)))
    }
}
