//! The invalidation bus over PostgreSQL's `LISTEN` and `NOTIFY`, for nodes that share a database and no Redis.
//!
//! One connection hears and announces, and a thread of its own holds it (`bus/line.rs`), because libpq blocks. The
//! task here tells the listener, and watches that the thread says something: one that is stuck, because the server
//! is frozen, is left alone until the server goes on or the connection is cut, and nothing of it is heard any more.

mod line;
#[cfg(test)]
mod tests;

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use tenantry_ports::{BusError, BusListener, Change, ChangeBus, ChangeText, NodeId};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::options::PostgresOptions;
use crate::session::{Connector, Purpose};
use line::{Announcement, Line, Sign};

/// How long the server may say nothing until the bus counts as lost. The thread speaks with it each half second.
const SILENCE: Duration = Duration::from_millis(1300);

/// How long joining may take. libpq gives up a connection that is not made within two seconds, for each address.
const JOIN_WITHIN: Duration = Duration::from_secs(10);

/// How long to wait before another attempt to join: the first time, and at most.
const FIRST_BACK_OFF: Duration = Duration::from_millis(50);
const LAST_BACK_OFF: Duration = Duration::from_secs(1);

/// How many threads there may be, with those that are stuck. When all are, the first that goes on makes room.
const MAX_THREADS: usize = 4;

/// The invalidation bus of one schema of a PostgreSQL database. It does nothing until it [runs](Self::run), and then
/// takes one connection beside those of the storage.
pub struct PostgresBus {
    connector: Arc<Connector>,
    channel: String,
    lock: i64,
    node: NodeId,
    silence: Duration,
    announce_within: Duration,
    /// While this node is on the bus.
    joined: Mutex<Option<FarEnd>>,
    threads: Arc<Semaphore>,
}

/// How the thread that is on the bus is reached, and the task that listens to it.
#[derive(Clone)]
struct FarEnd {
    announcements: Sender<Announcement>,
    signs: UnboundedSender<Sign>,
}

impl PostgresBus {
    /// A bus that this node is not on yet, for all that open the same schema of the same database. An announcement
    /// may take `answer_wait`.
    #[must_use]
    pub fn new(options: &PostgresOptions) -> Self {
        Self {
            connector: Arc::new(Connector::new(options, Purpose::Serve)),
            channel: channel(&options.schema),
            lock: lock(&options.schema),
            // The half of it that is left to chance.
            node: NodeId(Uuid::now_v7().as_u64_pair().1),
            silence: SILENCE,
            announce_within: options.answer_wait,
            joined: Mutex::new(None),
            threads: Arc::new(Semaphore::new(MAX_THREADS)),
        }
    }

    /// The same with another time that the server may say nothing until the bus counts as lost, in place of
    /// 1.3 seconds. More than two seconds is not what [`ChangeBus`] promises: it is for machines that stand still
    /// at times, as those do that run tests.
    #[must_use]
    pub fn with_silence(self, silence: Duration) -> Self {
        Self { silence, ..self }
    }

    /// Stays on the bus, as long as it is polled. To be called once, in a tokio runtime.
    pub async fn run(&self, listener: Arc<dyn BusListener>) {
        let place = &self.connector.url;
        let mut back_off = FIRST_BACK_OFF;
        let mut is_told = false;
        loop {
            let fault = match self.join().await {
                Ok((far_end, signs)) => {
                    self.set_joined(Some(far_end));
                    listener.joined();
                    tracing::info!(bus = %place, "other nodes' changes are heard of");
                    (back_off, is_told) = (FIRST_BACK_OFF, false);
                    let fault = self.stay(signs, listener.as_ref()).await;
                    self.set_joined(None);
                    listener.lost();
                    fault
                }
                Err(fault) => fault,
            };
            if !is_told {
                tracing::warn!(bus = %place, %fault, "other nodes' changes are not heard of; what is held in memory is short-lived");
                is_told = true;
            }
            sleep(back_off).await;
            back_off = (back_off * 2).min(LAST_BACK_OFF);
        }
    }

    /// Starts a thread, and waits until it hears.
    async fn join(&self) -> Result<(FarEnd, UnboundedReceiver<Sign>), String> {
        let room = Arc::clone(&self.threads).acquire_owned().await.map_err(|error| error.to_string())?;
        let (announcements, to_announce) = mpsc::channel();
        let (signs, mut heard) = unbounded_channel();
        let line = Line {
            connector: Arc::clone(&self.connector),
            channel: self.channel.clone(),
            lock: self.lock,
            node: self.node,
            announcements: to_announce,
            signs: signs.clone(),
        };
        let run = move || {
            line.run();
            drop(room);
        };
        thread::Builder::new()
            .name("postgres-bus".to_owned())
            .spawn(run)
            .map_err(|error| error.to_string())?;
        match timeout(JOIN_WITHIN, heard.recv()).await {
            Ok(Some(Sign::Fault(fault))) => Err(fault),
            Ok(Some(_)) => Ok((FarEnd { announcements, signs }, heard)),
            Ok(None) | Err(_) => Err("it does not answer in time".to_owned()),
        }
    }

    /// Hears what comes. Answers why nothing comes any more.
    async fn stay(&self, mut signs: UnboundedReceiver<Sign>, listener: &dyn BusListener) -> String {
        loop {
            match timeout(self.silence, signs.recv()).await {
                Ok(Some(Sign::Alive)) => {}
                Ok(Some(Sign::Heard(text))) => ChangeText::deliver(&text, self.node, listener),
                Ok(Some(Sign::Fault(fault))) => return fault,
                Ok(None) => return "the connection was lost".to_owned(),
                Err(_) => return "it does not answer in time".to_owned(),
            }
        }
    }

    fn set_joined(&self, far_end: Option<FarEnd>) {
        *self.joined.lock().unwrap_or_else(PoisonError::into_inner) = far_end;
    }
}

#[async_trait]
impl ChangeBus for PostgresBus {
    async fn announce(&self, changes: Vec<Change>) -> Result<(), BusError> {
        let unavailable = |fault: &str| BusError::Unavailable(fault.to_owned());
        let joined = self.joined.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(far_end) = joined else {
            return Err(unavailable("this node is not on it"));
        };
        let (done, announced) = oneshot::channel();
        let announcement = Announcement { changes, done };
        if far_end.announcements.send(announcement).is_err() {
            return Err(unavailable("the connection was lost"));
        }
        match timeout(self.announce_within, announced).await {
            Ok(Ok(())) => Ok(()),
            // The thread has said why.
            Ok(Err(_)) => Err(unavailable("the connection was lost")),
            Err(_) => {
                // The task may be gone already; then so is the bus.
                let _ = far_end.signs.send(Sign::Fault("an announcement took too long".to_owned()));
                Err(unavailable("it does not answer in time"))
            }
        }
    }
}

/// The channel of a schema, whose name may be longer than a channel's. Should two schemas have the same, their nodes
/// forget a little more than they must.
fn channel(schema: &str) -> String {
    format!("tenantry_changes_{:016x}", fnv_1a(schema))
}

/// The number of the lock that the nodes on a schema's bus share. Should somebody else have the same, more is announced
/// than must be.
fn lock(schema: &str) -> i64 {
    fnv_1a(&format!("tenantry.bus.{schema}")).cast_signed()
}

fn fnv_1a(text: &str) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    text.bytes().fold(0xcbf2_9ce4_8422_2325, step)
}
