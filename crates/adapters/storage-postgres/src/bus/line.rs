//! The thread that is on the bus, with its connection.

use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text};
use tenantry_ports::{Change, ChangeText, NodeId};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::error::PostgresError;
use crate::session::{Access, Connector, quoted};
use crate::static_query::static_query;

/// How often to speak with the server, so that one that only stopped answering is noticed.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// How long to wait between two looks whether something has come: libpq's socket cannot be waited for without unsafe
/// code, and a look is one system call. The wait is short where much comes, and grows while nothing does.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// What the thread says. The first is [`Sign::Alive`], when this node is on the bus, or a fault.
#[derive(Debug)]
pub(super) enum Sign {
    /// The server has answered.
    Alive,
    /// A node has announced this; it may be this one.
    Heard(String),
    /// It is over, and why.
    Fault(String),
}

/// What is to be announced.
#[derive(Debug)]
pub(super) struct Announcement {
    pub(super) changes: Vec<Change>,
    /// To be told when all nodes are about to receive it; dropped where that is not certain.
    pub(super) done: oneshot::Sender<()>,
}

/// A thread's work. It is over when nobody listens to it any more.
pub(super) struct Line {
    pub(super) connector: Arc<Connector>,
    pub(super) channel: String,
    /// The number of an advisory lock that each node on the bus shares, from before it hears until it is gone.
    pub(super) lock: i64,
    pub(super) node: NodeId,
    pub(super) announcements: Receiver<Announcement>,
    pub(super) signs: UnboundedSender<Sign>,
}

impl Line {
    pub(super) fn run(self) {
        if let Err(error) = self.stay() {
            self.say(Sign::Fault(self.connector.url.scrub(&error.to_string())));
        }
    }

    fn stay(&self) -> Result<(), PostgresError> {
        let mut connection = self.connector.connect(Access::Bus)?;
        let (lock, channel) = (self.lock, quoted(&self.channel));
        connection.batch_execute(&format!("SELECT pg_advisory_lock_shared({lock}); LISTEN {channel}"))?;
        let mut spoke = self.is_alive();
        let mut is_alone = false;
        let mut pause = SHORTEST_PAUSE;
        while !self.signs.is_closed() {
            match self.announcements.recv_timeout(pause) {
                Ok(announcement) => {
                    is_alone = self.announce(&mut connection, announcement, is_alone)?;
                    spoke = self.is_alive();
                }
                Err(RecvTimeoutError::Timeout) if spoke.elapsed() >= HEARTBEAT => {
                    connection.batch_execute("SELECT 1")?;
                    spoke = self.is_alive();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let has_heard = self.hear(&mut connection)?;
            pause = if has_heard { SHORTEST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
        }
        Ok(())
    }

    /// In one transaction, and so in one round trip: PostgreSQL hands on all of it when that is committed.
    ///
    /// Where no other node is on the bus there is nobody to tell: whoever joins later forgets what it holds, and finds
    /// what was committed before. Nobody else shares the lock then, so it can be had alone; and one who asks for it
    /// meanwhile waits until this transaction ends. `was_alone`: whether it was so the last time; answers whether it is.
    fn announce(
        &self,
        connection: &mut PgConnection,
        announcement: Announcement,
        was_alone: bool,
    ) -> Result<bool, PostgresError> {
        let Announcement { changes, done } = announcement;
        let lock = self.lock;
        let mut is_alone = was_alone && IsAlone { lock, life: PhantomData }.get_result(connection)?;
        if !is_alone {
            let texts = ChangeText::encode(self.node, &changes);
            let announce = Announce { channel: &self.channel, texts: &texts, lock, life: PhantomData };
            is_alone = announce.execute(connection)? < texts.len();
        }
        // Whoever has stopped waiting need not be told.
        let _ = done.send(());
        Ok(is_alone)
    }

    /// Hands on what has come. Whether anything has.
    fn hear(&self, connection: &mut PgConnection) -> Result<bool, PostgresError> {
        let mut has_heard = false;
        for notification in connection.notifications_iter() {
            self.say(Sign::Heard(notification?.payload));
            has_heard = true;
        }
        Ok(has_heard)
    }

    fn is_alive(&self) -> Instant {
        self.say(Sign::Alive);
        Instant::now()
    }

    /// Should nobody listen any more, the thread is about to end.
    fn say(&self, sign: Sign) {
        let _ = self.signs.send(sign);
    }
}

static_query! {
    /// Whether no other node is on the bus.
    IsAlone<'a> {
        "SELECT pg_try_advisory_xact_lock(" lock: i64 as BigInt;
        ")"
    } -> Bool
}

static_query! {
    /// Announces texts, each of fewer than 8,000 bytes, unless no other node is on the bus; answers a row for each.
    Announce<'a> {
        "SELECT pg_notify(" channel: &'a str as Text,
        ", said) FROM unnest(" texts: &'a [String] as Array<Text>,
        ") AS said WHERE NOT pg_try_advisory_xact_lock(" lock: i64 as BigInt;
        ")"
    } -> Text
}
