//! The invalidation bus over Redis's publish and subscribe.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::MultiplexedConnection;
use redis::{PushInfo, PushKind, Value, pipe};
use tenantry_cache_support::random_u64;
use tenantry_ports::{BusError, BusListener, Change, ChangeBus, ChangeText, NodeId};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};

use crate::cache::RedisOptions;
use crate::connection::connect_bus;
use crate::servers::{Servers, answers_for};

/// How often to ask whether the server is there, so that one that only stopped answering is noticed.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// How long to wait before another attempt to connect: the first time, and at most.
const FIRST_BACK_OFF: Duration = Duration::from_millis(50);
const LAST_BACK_OFF: Duration = Duration::from_secs(1);

/// The invalidation bus over one channel of Redis. It does nothing until it [runs](Self::run).
pub struct RedisBus {
    servers: Servers,
    node: NodeId,
    /// While this node is on the bus.
    joined: Mutex<Option<MultiplexedConnection>>,
    trouble: Notify,
}

impl RedisBus {
    /// A bus that this node is not on yet.
    #[must_use]
    pub fn new(options: RedisOptions) -> Self {
        Self {
            servers: Servers::new(options),
            node: NodeId(random_u64()),
            joined: Mutex::new(None),
            trouble: Notify::new(),
        }
    }

    /// Stays on the bus, as long as it is polled. To be called once, in a tokio runtime.
    pub async fn run(&self, listener: Arc<dyn BusListener>) {
        let mut back_off = FIRST_BACK_OFF;
        let mut is_told = false;
        loop {
            let fault = match self.join_in_time().await {
                Ok((connection, pushes)) => {
                    self.set_joined(Some(connection.clone()));
                    listener.joined();
                    tracing::info!(bus = %self.servers.options.url, "other nodes' changes are heard of");
                    (back_off, is_told) = (FIRST_BACK_OFF, false);
                    let fault = self.stay(connection, pushes, listener.as_ref()).await;
                    self.set_joined(None);
                    listener.lost();
                    fault
                }
                Err(fault) => fault,
            };
            if !is_told {
                tracing::warn!(bus = %self.servers.options.url, %fault, "other nodes' changes are not heard of; what is held in memory is short-lived");
                is_told = true;
            }
            sleep(back_off).await;
            back_off = (back_off * 2).min(LAST_BACK_OFF);
        }
    }

    /// Joins the bus once, hears nothing, and changes nothing.
    ///
    /// # Errors
    /// Why it could not be joined.
    pub async fn inspect(&self) -> Result<(), String> {
        self.join_in_time().await.map(|_| ())
    }

    async fn join_in_time(&self) -> Result<(MultiplexedConnection, UnboundedReceiver<PushInfo>), String> {
        let joined = timeout(self.servers.options.connect_timeout, self.join()).await;
        joined.unwrap_or_else(|_| Err("it does not answer in time".to_owned()))
    }

    async fn join(&self) -> Result<(MultiplexedConnection, UnboundedReceiver<PushInfo>), String> {
        let (sender, pushes) = unbounded_channel();
        let channel = self.channel();
        let connected = connect_bus(&self.servers, &channel, sender);
        let mut connection = connected.await.map_err(|error| error.to_string())?;
        connection.subscribe(channel).await.map_err(|error| error.to_string())?;
        Ok((connection, pushes))
    }

    /// Hears what comes. Answers why nothing comes any more.
    async fn stay(
        &self,
        connection: MultiplexedConnection,
        mut pushes: UnboundedReceiver<PushInfo>,
        listener: &dyn BusListener,
    ) -> String {
        let mut heartbeat = std::pin::pin!(self.heartbeat(connection));
        loop {
            tokio::select! {
                biased;
                push = pushes.recv() => match push {
                    Some(push) if push.kind == PushKind::Message => self.hear(&push, listener),
                    Some(push) if push.kind != PushKind::Disconnection => {}
                    _ => return "the connection was lost".to_owned(),
                },
                fault = &mut heartbeat => return fault,
                () = self.trouble.notified() => return "an announcement failed".to_owned(),
            }
        }
    }

    /// Asks again and again. Answers why there was no good answer; in a Cluster also where the node is not the one
    /// any more that carries the bus.
    async fn heartbeat(&self, mut connection: MultiplexedConnection) -> String {
        let channel = self.channel();
        loop {
            sleep(HEARTBEAT).await;
            match timeout(self.servers.options.timeout, answers_for(&mut connection, &channel)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return error.to_string(),
                Err(_) => return "it does not answer in time".to_owned(),
            }
        }
    }

    /// A message is the channel and what was said.
    fn hear(&self, push: &PushInfo, listener: &dyn BusListener) {
        let text = match push.data.last() {
            Some(Value::BulkString(bytes)) => String::from_utf8_lossy(bytes),
            _ => "".into(),
        };
        ChangeText::deliver(&text, self.node, listener);
    }

    fn channel(&self) -> String {
        format!("{}:changes", self.servers.options.namespace)
    }

    fn set_joined(&self, connection: Option<MultiplexedConnection>) {
        *self.joined.lock().unwrap_or_else(PoisonError::into_inner) = connection;
    }
}

#[async_trait]
impl ChangeBus for RedisBus {
    async fn announce(&self, changes: Vec<Change>) -> Result<(), BusError> {
        let joined = self.joined.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(mut connection) = joined else {
            return Err(BusError::Unavailable("this node is not on it".to_owned()));
        };
        let mut announcements = pipe();
        for text in ChangeText::encode(self.node, &changes) {
            announcements.publish(self.channel(), text).ignore();
        }
        let fault =
            match timeout(self.servers.options.timeout, announcements.query_async(&mut connection)).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it does not answer in time".to_owned(),
            };
        self.trouble.notify_one();
        Err(BusError::Unavailable(fault))
    }
}
