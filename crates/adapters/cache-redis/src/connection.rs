//! Connections to Redis, of whatever kind.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::sentinel::{SentinelClient, SentinelNodeConnectionInfo, SentinelServerType};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, Pipeline, ProtocolVersion, PushInfo, RedisFuture,
    RedisResult, Value,
};
use tokio::sync::mpsc::UnboundedSender;

use crate::url::{Kind, RedisUrl};

/// A connection on which commands of many wait for their answers at the same time.
#[derive(Clone)]
pub(crate) enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

/// To a server, the master, or the whole Cluster.
pub(crate) async fn connect(url: &RedisUrl, timeout: Duration) -> RedisResult<Connection> {
    choose_cryptography();
    match &url.kind {
        Kind::Cluster(nodes) => {
            let client = ClusterClient::builder(nodes.clone())
                .use_protocol(ProtocolVersion::RESP3)
                .connection_timeout(timeout)
                .response_timeout(timeout)
                // One more attempt where slots have moved; what takes longer is a miss.
                .retries(1)
                .build()?;
            Ok(Connection::Cluster(client.get_async_connection().await?))
        }
        _ => {
            let client = single(url, 0).await?;
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(timeout))
                .set_response_timeout(Some(timeout));
            Ok(Connection::Single(client.get_multiplexed_async_connection_with_config(&config).await?))
        }
    }
}

/// To one server that carries the bus: the server, the master, or any node of the Cluster, each attempt another.
/// What is pushed over it goes to `pushes`.
pub(crate) async fn connect_bus(
    url: &RedisUrl,
    timeout: Duration,
    pushes: UnboundedSender<PushInfo>,
    attempts: &AtomicUsize,
) -> RedisResult<MultiplexedConnection> {
    choose_cryptography();
    let client = single(url, attempts.fetch_add(1, Ordering::Relaxed)).await?;
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(timeout))
        .set_response_timeout(Some(timeout))
        .set_push_sender(pushes);
    client.get_multiplexed_async_connection_with_config(&config).await
}

/// TLS needs to be told whose cryptography to use; where the process has chosen already, that holds.
fn choose_cryptography() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

async fn single(url: &RedisUrl, attempt: usize) -> RedisResult<Client> {
    match &url.kind {
        Kind::Single(info) => Client::open(info.clone()),
        Kind::Cluster(nodes) => {
            let node: &ConnectionInfo = &nodes[attempt % nodes.len()];
            Client::open(node.clone())
        }
        Kind::Sentinel { sentinels, master, redis } => {
            let node = SentinelNodeConnectionInfo::default().set_redis_connection_info(redis.clone());
            let sentinels = sentinels.clone();
            SentinelClient::build(sentinels, master, Some(node), SentinelServerType::Master)?
                .async_get_client()
                .await
        }
    }
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        cmd: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(cmd, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(cmd, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}
