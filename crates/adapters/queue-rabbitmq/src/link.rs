//! The connection: how it is made, and what it is while it lasts.

use std::time::Duration;

use futures_util::StreamExt as _;
use lapin::message::Delivery;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};
use tenantry_ports::QueueError;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::queue::RabbitMqOptions;
use crate::topology::Topology;

/// How often either side says that it is there, in seconds. A broker that says nothing for twice as long is given up.
const HEARTBEAT_SECONDS: u16 = 2;

/// AMQP's reply code for a connection that is closed because it is needed no more.
const CLOSED_WELL: u16 = 200;

/// How often to look whether the connection stands, where nothing is consumed that would say so.
const LOOK: Duration = Duration::from_millis(500);

/// A connection, with the channel on which jobs are published.
pub(crate) struct Link {
    connection: Connection,
    publisher: Channel,
    limit: Duration,
    /// Told when an answer did not come: the connection is better made anew.
    given_up: Notify,
}

impl Link {
    /// Connects, makes the queues that are not there, and begins to consume if this is a worker.
    pub(crate) async fn connect(
        options: &RabbitMqOptions,
        topology: &Topology,
    ) -> lapin::Result<(Self, Option<Consumer>)> {
        let connection = open(options).await?;
        let publisher = connection.create_channel().await?;
        publisher.confirm_select(ConfirmSelectOptions::default()).await?;
        topology.declare(&publisher).await?;
        let consumer = match options.prefetch {
            0 => None,
            prefetch => Some(consume(&connection, topology, prefetch).await?),
        };
        let link = Self { connection, publisher, limit: options.timeout, given_up: Notify::new() };
        Ok((link, consumer))
    }

    /// Publishes to a queue, and waits until it is safe there.
    pub(crate) async fn publish(
        &self,
        queue: ShortString,
        payload: &str,
        properties: BasicProperties,
    ) -> Result<(), QueueError> {
        let options = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
        let publish = async {
            let sent =
                self.publisher.basic_publish("".into(), queue, options, payload.as_bytes(), properties);
            sent.await?.await
        };
        match self.within_limit(publish).await? {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Nack(_) => Err(unavailable("its queue takes no more")),
            Confirmation::Ack(Some(_)) | Confirmation::NotRequested => {
                self.give_up();
                Err(unavailable("its queue is not there"))
            }
        }
    }

    /// What RabbitMQ answers; where that does not come in time, the connection is given up.
    pub(crate) async fn within_limit<T>(
        &self,
        asked: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, QueueError> {
        let why = match timeout(self.limit, asked).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => unavailable(error),
            Err(_) => unavailable("it does not answer"),
        };
        self.give_up();
        Err(why)
    }

    fn give_up(&self) {
        self.given_up.notify_one();
    }

    /// The next message; nothing once the connection is gone or given up.
    pub(crate) async fn next(&self, consumer: &mut Option<Consumer>) -> Option<Delivery> {
        let message = async {
            match consumer {
                Some(consumer) => consumer.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            message = message => message?.ok(),
            () = self.given_up.notified() => None,
            () = self.until_closed() => None,
        }
    }

    async fn until_closed(&self) {
        while self.connection.status().connected() && self.publisher.status().connected() {
            tokio::time::sleep(LOOK).await;
        }
    }
}

async fn open(options: &RabbitMqOptions) -> lapin::Result<Connection> {
    choose_cryptography();
    let mut uri = options.url.uri();
    uri.query.heartbeat = Some(HEARTBEAT_SECONDS);
    let named = ConnectionProperties::default().with_connection_name("tenantry".into());
    Connection::connect_uri(uri, named).await
}

/// Whether it can be connected with; changes nothing there.
pub(crate) async fn look(options: &RabbitMqOptions) -> lapin::Result<()> {
    open(options).await?.close(CLOSED_WELL, "".into()).await
}

async fn consume(connection: &Connection, topology: &Topology, prefetch: u16) -> lapin::Result<Consumer> {
    let channel = connection.create_channel().await?;
    channel.basic_qos(prefetch, BasicQosOptions::default()).await?;
    let (options, arguments) = (BasicConsumeOptions::default(), FieldTable::default());
    channel.basic_consume(topology.jobs(), "".into(), options, arguments).await
}

/// TLS needs a cryptography, and the process may have none yet. It has one already where this is not the first.
fn choose_cryptography() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// RabbitMQ is out of reach; for a log and not for a caller.
pub(crate) fn unavailable(why: impl std::fmt::Display) -> QueueError {
    QueueError::Unavailable(format!("RabbitMQ: {why}"))
}
