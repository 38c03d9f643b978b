//! The job queue.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use lapin::Acker;
use lapin::message::Delivery as Message;
use lapin::options::{BasicAckOptions, BasicNackOptions};
use lapin::types::ShortString;
use tenantry_ports::{Delivery, DeliveryTag, HealthProbe, Job, JobQueue, QueueError, StorageError};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use crate::link::{self, Link, unavailable};
use crate::message::{self, Notes};
use crate::topology::Topology;
use crate::url::RabbitMqUrl;

/// How long it may take to connect and to make the queues.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long to wait before another attempt to connect: twice as long after each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How RabbitMQ is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RabbitMqOptions {
    /// Where it is.
    pub url: RabbitMqUrl,
    /// What the names of all queues begin with.
    pub namespace: String,
    /// How many jobs this process works on at the same time; 0: it only publishes.
    pub prefetch: u16,
    /// How long RabbitMQ may take to answer.
    pub timeout: Duration,
}

/// A [`JobQueue`] in RabbitMQ. Nothing is connected before [`run`](Self::run) is polled.
pub struct RabbitMqQueue {
    options: RabbitMqOptions,
    topology: Topology,
    state: Mutex<State>,
    arrived: Notify,
}

#[derive(Default)]
struct State {
    link: Option<Arc<Link>>,
    /// How many connections there were: deliveries of one that is gone cannot be settled any more.
    connections: u64,
    waiting: VecDeque<Arrival>,
    held: HashMap<DeliveryTag, Arrival>,
}

/// A job that has arrived and is not settled.
struct Arrival {
    tag: DeliveryTag,
    acker: Acker,
    job: Job,
    deliveries: u32,
}

impl RabbitMqQueue {
    /// The queue of that installation.
    #[must_use]
    pub fn new(options: RabbitMqOptions) -> Self {
        let topology = Topology::new(&options.namespace);
        Self { options, topology, state: Mutex::default(), arrived: Notify::new() }
    }

    /// Whether RabbitMQ lets this user in. Nothing is made there.
    ///
    /// # Errors
    /// When it does not, or does not answer within 5 seconds.
    pub async fn inspect(options: &RabbitMqOptions) -> Result<(), QueueError> {
        match timeout(CONNECT_WITHIN, link::look(options)).await {
            Ok(looked) => looked.map_err(unavailable),
            Err(_) => Err(unavailable("it does not answer")),
        }
    }

    /// Connects, and does so again whenever the connection is lost, as long as it is polled.
    pub async fn run(&self) {
        let mut pause = FIRST_PAUSE;
        let mut is_told = false;
        loop {
            let why = match timeout(CONNECT_WITHIN, Link::connect(&self.options, &self.topology)).await {
                Ok(Ok((link, mut consumer))) => {
                    tracing::info!(server = %self.options.url, "RabbitMQ carries the jobs");
                    (pause, is_told) = (FIRST_PAUSE, false);
                    let link = Arc::new(link);
                    self.begin(Arc::clone(&link));
                    while let Some(message) = link.next(&mut consumer).await {
                        self.receive(&link, message).await;
                    }
                    self.end();
                    "the connection was lost".to_owned()
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "it does not answer".to_owned(),
            };
            if !is_told {
                tracing::warn!(
                    server = %self.options.url, why,
                    "RabbitMQ is not available: jobs stand in the database, and wait"
                );
                is_told = true;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn begin(&self, link: Arc<Link>) {
        let mut state = self.state();
        state.connections += 1;
        state.link = Some(link);
    }

    /// What arrived and was not settled is delivered again, to whoever is connected then.
    fn end(&self) {
        let mut state = self.state();
        state.link = None;
        state.waiting.clear();
        state.held.clear();
    }

    async fn receive(&self, link: &Link, message: Message) {
        let Some((job, deliveries, left)) = message::read(&message) else {
            tracing::warn!("RabbitMQ has delivered what is no job of this version: it is set aside");
            let payload = String::from_utf8_lossy(&message.data).into_owned();
            let notes = Notes { reason: Some("it cannot be read".to_owned()), ..Notes::default() };
            let _ = self.replace(link, &message.acker, self.topology.aside(), &payload, &notes).await;
            return;
        };
        if !left.is_zero() {
            let (queue, left) = self.topology.delayed(left);
            let notes = Notes { deliveries: deliveries - 1, left, reason: None };
            let _ = self.replace(link, &message.acker, queue, &job.to_string(), &notes).await;
            return;
        }
        let mut state = self.state();
        let tag = DeliveryTag(format!("{}.{}", state.connections, message.delivery_tag));
        state.waiting.push_back(Arrival { tag, acker: message.acker, job, deliveries });
        drop(state);
        self.arrived.notify_one();
    }

    /// Publishes a message in place of one that was delivered. In between both are there, and never none.
    async fn replace(
        &self,
        link: &Link,
        old: &Acker,
        queue: ShortString,
        payload: &str,
        notes: &Notes,
    ) -> Result<(), QueueError> {
        link.publish(queue, payload, notes.properties()).await?;
        link.within_limit(old.ack(BasicAckOptions::default())).await?;
        Ok(())
    }

    /// Moves a delivered job to another queue. Where that takes no more, it is delivered again at once.
    async fn move_to(
        &self,
        link: &Link,
        arrival: &Arrival,
        queue: ShortString,
        notes: &Notes,
    ) -> Result<(), QueueError> {
        let moved = self.replace(link, &arrival.acker, queue, &arrival.job.to_string(), notes).await;
        if moved.is_err() {
            let _ = link.within_limit(arrival.acker.nack(requeue())).await;
        }
        moved
    }

    fn link(&self) -> Result<Arc<Link>, QueueError> {
        self.state().link.clone().ok_or_else(|| unavailable("there is no connection"))
    }

    /// The delivery, which is about to be settled.
    fn release(&self, tag: &DeliveryTag) -> Result<(Arc<Link>, Arrival), QueueError> {
        let mut state = self.state();
        let arrival = state.held.remove(tag);
        match (state.link.clone(), arrival) {
            (Some(link), Some(arrival)) => Ok((link, arrival)),
            _ => Err(unavailable("the delivery's connection is gone, and the job is delivered again")),
        }
    }

    fn take(&self) -> Option<Delivery> {
        let mut state = self.state();
        let arrival = state.waiting.pop_front()?;
        let delivery =
            Delivery { tag: arrival.tag.clone(), job: arrival.job, deliveries: arrival.deliveries };
        state.held.insert(arrival.tag.clone(), arrival);
        Some(delivery)
    }

    /// No code that can panic runs between two changes of the state, so a poisoned lock guards a sound one.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn requeue() -> BasicNackOptions {
    BasicNackOptions { requeue: true, ..BasicNackOptions::default() }
}

#[async_trait]
impl JobQueue for RabbitMqQueue {
    async fn publish(&self, job: Job) -> Result<(), QueueError> {
        let properties = Notes::default().properties();
        self.link()?.publish(self.topology.jobs(), &job.to_string(), properties).await
    }

    async fn next(&self, wait: Duration) -> Result<Option<Delivery>, QueueError> {
        let end = Instant::now() + wait;
        loop {
            if let Some(delivery) = self.take() {
                return Ok(Some(delivery));
            }
            if timeout_at(end, self.arrived.notified()).await.is_err() {
                // Somebody may have been told of an arrival and have stopped waiting.
                return match self.take() {
                    Some(delivery) => Ok(Some(delivery)),
                    None => self.link().map(|_| None),
                };
            }
        }
    }

    async fn keep(&self, tag: &DeliveryTag) -> Result<(), QueueError> {
        // RabbitMQ knows by the connection that its worker lives.
        match self.state().held.contains_key(tag) {
            true => Ok(()),
            false => Err(unavailable("the delivery's connection is gone, and the job is delivered again")),
        }
    }

    async fn complete(&self, tag: &DeliveryTag) -> Result<(), QueueError> {
        let (link, arrival) = self.release(tag)?;
        link.within_limit(arrival.acker.ack(BasicAckOptions::default())).await?;
        Ok(())
    }

    async fn put_back(&self, tag: &DeliveryTag, delay: Duration) -> Result<(), QueueError> {
        let (link, arrival) = self.release(tag)?;
        if delay.is_zero() {
            link.within_limit(arrival.acker.nack(requeue())).await?;
            return Ok(());
        }
        let (queue, left) = self.topology.delayed(delay);
        let notes = Notes { deliveries: arrival.deliveries, left, reason: None };
        self.move_to(&link, &arrival, queue, &notes).await
    }

    async fn set_aside(&self, tag: &DeliveryTag, reason: &str) -> Result<(), QueueError> {
        let (link, arrival) = self.release(tag)?;
        let notes =
            Notes { deliveries: arrival.deliveries, reason: Some(reason.to_owned()), ..Notes::default() };
        self.move_to(&link, &arrival, self.topology.aside(), &notes).await
    }
}

#[async_trait]
impl HealthProbe for RabbitMqQueue {
    fn name(&self) -> &'static str {
        "rabbitmq"
    }

    /// Without it jobs wait, and everything else goes on.
    fn is_needed(&self) -> bool {
        false
    }

    async fn check(&self) -> Result<(), StorageError> {
        self.link().map(drop).map_err(|error| StorageError::Unavailable(error.to_string()))
    }
}
