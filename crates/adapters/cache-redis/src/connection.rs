//! Connections to Redis, of whatever kind.

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, PushInfo, RedisFuture, RedisResult, Value};
use tokio::sync::mpsc::UnboundedSender;

use crate::cluster::Cluster;
use crate::servers::{Servers, answers_for};
use crate::url::Kind;

/// A connection on which commands of many wait for their answers at the same time.
#[derive(Clone)]
pub(crate) enum Connection {
    Single(MultiplexedConnection),
    Cluster(Cluster),
}

impl Connection {
    /// To a server, the master, or the whole Cluster.
    pub(crate) async fn open(servers: &Servers) -> RedisResult<Self> {
        choose_cryptography();
        if let Kind::Cluster(nodes) = &servers.options.url.kind {
            return Ok(Self::Cluster(Cluster::connect(nodes, &servers.options).await?));
        }
        let client = servers.owner("").await?;
        Ok(Self::Single(client.get_multiplexed_async_connection_with_config(&servers.limits()).await?))
    }

    /// Fails where it has become another Redis than it was.
    pub(crate) async fn stands(&self) -> RedisResult<()> {
        match self {
            // It would have broken.
            Self::Single(_) => Ok(()),
            Self::Cluster(cluster) => cluster.stands().await,
        }
    }
}

/// To the one server that carries the bus: the server, the master, or that node of the Cluster which owns a key of the
/// channel's name, so that all are on the same. What is pushed over it goes to `pushes`.
pub(crate) async fn connect_bus(
    servers: &Servers,
    channel: &str,
    pushes: UnboundedSender<PushInfo>,
) -> RedisResult<MultiplexedConnection> {
    choose_cryptography();
    let client = servers.owner(channel).await?;
    let config = servers.limits().set_push_sender(pushes);
    let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
    answers_for(&mut connection, channel).await?;
    Ok(connection)
}

/// TLS needs to be told whose cryptography to use; where the process has chosen already, that holds.
fn choose_cryptography() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(cmd),
            Self::Cluster(cluster) => cluster.ask(cmd),
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
            Self::Cluster(cluster) => cluster.ask_all(cmd, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(cluster) => cluster.db(),
        }
    }
}
