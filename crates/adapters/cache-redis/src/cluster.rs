//! A connection to a whole Cluster that hides no outage.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use redis::aio::ConnectionLike as _;
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{RoutingInfo, SingleNodeRoutingInfo};
use redis::{
    Cmd, ConnectionInfo, ErrorKind, FromRedisValue as _, Pipeline, ProtocolVersion, PushInfo, PushKind,
    RedisError, RedisFuture, RedisResult, cmd,
};

use crate::cache::RedisOptions;

/// A Cluster, to whose nodes the client connects, and connects anew where one was lost. What it got in place of such a
/// node may be a replica without the last changes: so from the loss of one on nothing succeeds any more, as if there
/// were one connection and it had broken.
#[derive(Clone)]
pub(crate) struct Cluster {
    connection: ClusterConnection,
    fate: Arc<Fate>,
}

#[derive(Default)]
struct Fate {
    has_lost_a_node: AtomicBool,
    /// It rises whenever slots get another owner.
    epoch: AtomicU64,
}

impl Cluster {
    pub(crate) async fn connect(nodes: &[ConnectionInfo], options: &RedisOptions) -> RedisResult<Self> {
        let fate = Arc::new(Fate::default());
        let watched = Arc::clone(&fate);
        let watch = move |push: PushInfo| -> Result<(), ()> {
            if push.kind == PushKind::Disconnection {
                watched.has_lost_a_node.store(true, Ordering::SeqCst);
            }
            Ok(())
        };
        let mut builder = ClusterClient::builder(nodes.to_vec())
            .use_protocol(ProtocolVersion::RESP3)
            .connection_timeout(per_node(options.connect_timeout))
            .response_timeout(options.connect_timeout)
            .push_sender(watch)
            // One more attempt where slots have moved; what takes longer is a miss.
            .retries(1);
        if let Some(ca) = &options.ca {
            builder = builder.certs(ca.certificates());
        }
        let connection = builder.build()?.get_async_connection().await?;
        let cluster = Self { connection, fate };
        let epoch = cluster.current_epoch().await?;
        cluster.fate.epoch.store(epoch, Ordering::SeqCst);
        Ok(cluster)
    }

    /// Whether all slots are still with whom they were. One that was moved by force has no less lost changes than one
    /// whose node was lost.
    pub(crate) async fn stands(&self) -> RedisResult<()> {
        if self.current_epoch().await? > self.fate.epoch.load(Ordering::SeqCst) {
            return Err(RedisError::from((ErrorKind::Io, "slots of the Cluster have moved")));
        }
        self.fate.is_whole()
    }

    pub(crate) fn ask<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, redis::Value> {
        let Self { connection, fate } = self;
        let answer = connection.req_packed_command(cmd);
        Box::pin(async move { answer.await.and_then(|answer| fate.is_whole().map(|()| answer)) })
    }

    pub(crate) fn ask_all<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<redis::Value>> {
        let Self { connection, fate } = self;
        let answers = connection.req_packed_commands(pipeline, offset, count);
        Box::pin(async move { answers.await.and_then(|answers| fate.is_whole().map(|()| answers)) })
    }

    pub(crate) fn db(&self) -> i64 {
        self.connection.get_db()
    }

    async fn current_epoch(&self) -> RedisResult<u64> {
        let mut command = cmd("CLUSTER");
        command.arg("INFO");
        let anyone = RoutingInfo::SingleNode(SingleNodeRoutingInfo::Random);
        let info = self.connection.clone().route_command(command, anyone).await?;
        epoch_in(&String::from_redis_value(info)?)
            .ok_or_else(|| RedisError::from((ErrorKind::Parse, "the Cluster does not tell its epoch")))
    }
}

impl Fate {
    fn is_whole(&self) -> RedisResult<()> {
        if self.has_lost_a_node.load(Ordering::SeqCst) {
            return Err(RedisError::from((ErrorKind::Io, "a node of the Cluster was lost")));
        }
        Ok(())
    }
}

/// A node that says nothing is waited for twice, among those that were named and among those that they know; and there
/// must be time left.
fn per_node(connect_timeout: Duration) -> Duration {
    connect_timeout / 4
}

fn epoch_in(info: &str) -> Option<u64> {
    info.lines().find_map(|line| line.strip_prefix("cluster_current_epoch:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_is_found_in_what_a_node_tells() {
        let info = "cluster_state:ok\r\ncluster_current_epoch:12\r\ncluster_my_epoch:3\r\n";
        assert_eq!(epoch_in(info), Some(12));
        assert_eq!(epoch_in("cluster_state:ok\r\n"), None);
    }
}
