//! Which server to connect to.

use std::sync::atomic::{AtomicUsize, Ordering};

use redis::aio::MultiplexedConnection;
use redis::sentinel::{SentinelClientBuilder, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ProtocolVersion, RedisConnectionInfo,
    RedisError, RedisResult, TlsMode, cmd,
};

use crate::ca::RedisCa;
use crate::cache::RedisOptions;
use crate::url::Kind;

/// The servers that the options name, each attempt beginning with the next of them: one that says nothing must not
/// hide the others.
pub(crate) struct Servers {
    pub(crate) options: RedisOptions,
    attempts: AtomicUsize,
}

impl Servers {
    pub(crate) fn new(options: RedisOptions) -> Self {
        Self { options, attempts: AtomicUsize::new(0) }
    }

    /// The server itself, the master, or that node of the Cluster which owns the key `name`.
    pub(crate) async fn owner(&self, name: &str) -> RedisResult<Client> {
        let attempt = self.attempts.fetch_add(1, Ordering::Relaxed);
        match &self.options.url.kind {
            Kind::Single(info) => self.client(info.clone()),
            Kind::Cluster(nodes) => self.owner_in_cluster(&nodes[attempt % nodes.len()], name).await,
            Kind::Sentinel { sentinels, master, redis } => {
                let mut sentinels = sentinels.clone();
                let first = attempt % sentinels.len();
                sentinels.rotate_left(first);
                self.master(&sentinels, master, redis).await
            }
        }
    }

    /// A connection's time limits.
    pub(crate) fn limits(&self) -> AsyncConnectionConfig {
        let limit = Some(self.options.connect_timeout);
        AsyncConnectionConfig::new().set_connection_timeout(limit).set_response_timeout(limit)
    }

    fn client(&self, info: ConnectionInfo) -> RedisResult<Client> {
        match (&self.options.ca, info.addr()) {
            (Some(ca), ConnectionAddr::TcpTls { .. }) => Client::build_with_tls(info, ca.certificates()),
            _ => Client::open(info),
        }
    }

    async fn owner_in_cluster(&self, node: &ConnectionInfo, name: &str) -> RedisResult<Client> {
        let client = self.client(node.clone())?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&self.limits()).await?;
        match answers_for(&mut connection, name).await {
            Ok(()) => Ok(client),
            Err(error) => match moved_to(&error, node.addr()) {
                Some(address) => self.client(node.clone().set_addr(address)),
                None => Err(error),
            },
        }
    }

    async fn master(
        &self,
        sentinels: &[ConnectionInfo],
        master: &str,
        redis: &RedisConnectionInfo,
    ) -> RedisResult<Client> {
        let addresses = sentinels.iter().map(|sentinel| sentinel.addr().clone());
        let mut builder = SentinelClientBuilder::new(addresses, master, SentinelServerType::Master)?
            .set_client_to_sentinel_protocol(ProtocolVersion::RESP3)
            .set_client_to_redis_protocol(ProtocolVersion::RESP3)
            .set_client_to_redis_db(redis.db());
        if let Some(user) = redis.username() {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = redis.password() {
            builder = builder.set_client_to_redis_password(password);
        }
        if sentinels.iter().any(|sentinel| matches!(sentinel.addr(), ConnectionAddr::TcpTls { .. })) {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
            if let Some(certificates) = self.options.ca.as_ref().map(RedisCa::certificates) {
                builder = builder
                    .set_client_to_redis_certificates(certificates.clone())
                    .set_client_to_sentinel_certificates(certificates);
            }
        }
        builder.build()?.async_get_client().await
    }
}

/// Asks for a key of this name: of a Cluster's nodes only the one that owns it answers, and only while the Cluster
/// is whole.
pub(crate) async fn answers_for(connection: &mut MultiplexedConnection, name: &str) -> RedisResult<()> {
    cmd("EXISTS").arg(name).query_async(connection).await
}

/// Whom a node has named in its place. Without a host, it is the node's own.
fn moved_to(error: &RedisError, asked: &ConnectionAddr) -> Option<ConnectionAddr> {
    let (address, _) = error.redirect_node()?;
    let (named, port) = address.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let other = |host: &str| if named.is_empty() { host.to_owned() } else { named.to_owned() };
    match asked.clone() {
        ConnectionAddr::Tcp(host, _) => Some(ConnectionAddr::Tcp(other(&host), port)),
        ConnectionAddr::TcpTls { host, insecure, tls_params, .. } => {
            Some(ConnectionAddr::TcpTls { host: other(&host), port, insecure, tls_params })
        }
        _ => None,
    }
}
