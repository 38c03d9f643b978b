//! The thread that is on the bus, with its connection.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Text};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use crate::error::PostgresError;
use crate::session::{Access, Connector, quoted};

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

/// What is to be announced, each text of fewer than 8,000 bytes.
#[derive(Debug)]
pub(super) struct Announcement {
    pub(super) texts: Vec<String>,
    /// To be told when all nodes are about to receive it; dropped where that is not certain.
    pub(super) done: oneshot::Sender<()>,
}

/// A thread's work. It is over when nobody listens to it any more.
pub(super) struct Line {
    pub(super) connector: Arc<Connector>,
    pub(super) channel: String,
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
        connection.batch_execute(&format!("LISTEN {}", quoted(&self.channel)))?;
        let mut spoke = self.is_alive();
        let mut pause = SHORTEST_PAUSE;
        while !self.signs.is_closed() {
            match self.announcements.recv_timeout(pause) {
                Ok(announcement) => {
                    self.announce(&mut connection, announcement)?;
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
    fn announce(
        &self,
        connection: &mut PgConnection,
        announcement: Announcement,
    ) -> Result<(), PostgresError> {
        let Announcement { texts, done } = announcement;
        diesel::sql_query("SELECT pg_notify($1, said) FROM unnest($2) AS said")
            .bind::<Text, _>(&self.channel)
            .bind::<Array<Text>, _>(&texts)
            .execute(connection)?;
        // Whoever has stopped waiting need not be told.
        let _ = done.send(());
        Ok(())
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
