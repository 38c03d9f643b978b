//! Reads from a replica: only once it has replayed all that the primary had on disk when the read began. So nobody,
//! on whichever node, sees less there than on the primary.

mod inspection;
mod standing;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use diesel::PgConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use tenantry_domain::TenantNumber;
use tenantry_ports::{HealthProbe, StorageError};
use tenantry_storage_support::{ReadLimits, ReadPool};

use crate::error::PostgresError;
use crate::options::PostgresOptions;
use crate::pulse::Pulse;
use crate::session::{Connector, Purpose, Readers, Session, pool};
use crate::storage::{PostgresStorage, Turn, about_tenant, in_transaction};
use crate::url::PostgresUrl;
pub use inspection::{ReplicaInspection, inspect_replica};
use standing::Standing;

/// How long a read waits for the replica to catch up, until it goes to the primary.
const CATCH_UP_WITHIN: Duration = Duration::from_millis(10);

/// The same for whoever asks how the replica is, and how long the answer may take.
const HEALTHY_WITHIN: Duration = Duration::from_secs(1);
const CHECK_WITHIN: Duration = Duration::from_secs(2);

/// Between two looks whether it has.
const LOOK: Duration = Duration::from_millis(1);

/// How long a read waits for a connection to the replica, or for its turn on one.
const TURN_WAIT: Duration = Duration::from_millis(250);

/// How far the primary has its log on disk: each write that was acknowledged is before it.
const WRITTEN: &str = "(pg_current_wal_flush_lsn() - '0/0')::bigint";

/// How far a replica has replayed the log; nothing on a server that is none.
const REPLAYED: &str = "CASE WHEN pg_is_in_recovery() THEN (pg_last_wal_replay_lsn() - '0/0')::bigint END";

/// A replica of the database, and whether it is to be used.
pub(crate) struct Replica {
    readers: ReadPool<Readers>,
    pulse: Arc<Pulse>,
    answer_wait: Duration,
    standing: Standing,
}

/// A place in the primary's log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position(i64);

/// Where the primary's log ends.
pub(crate) fn position(connection: &mut PgConnection) -> Result<Position, PostgresError> {
    Ok(Position(diesel::select(sql::<BigInt>(WRITTEN)).get_result(connection)?))
}

impl Replica {
    /// Starts its readers. Nothing is connected before the first read.
    pub(crate) fn start(
        options: &PostgresOptions,
        url: &PostgresUrl,
        waiting: usize,
    ) -> std::io::Result<Self> {
        let pulse = Arc::new(Pulse::new());
        let connector = Arc::new(Connector { url: url.clone(), ..Connector::new(options, Purpose::Serve) });
        let refuses_bypassing = !options.allow_bypassing_role;
        let readers = Readers { connector, pulse: Arc::clone(&pulse), refuses_bypassing };
        let connections = pool(readers, options.readers, TURN_WAIT);
        let limits = ReadLimits { waiting, wait: TURN_WAIT };
        Ok(Self {
            readers: ReadPool::start("postgres-replica", &connections, limits)?,
            pulse,
            answer_wait: options.answer_wait,
            standing: Standing::new(url.place().to_owned()),
        })
    }

    /// Whether to try it now: not while it rests after a failure.
    pub(crate) fn is_to_be_tried(&self) -> bool {
        self.standing.is_to_be_tried()
    }

    /// Runs `work` there, in one state of this tenant's data that is not before `position`. Nothing: the primary is to
    /// be asked.
    pub(crate) async fn read<T, F>(&self, tenant: TenantNumber, position: Position, work: F) -> Option<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection, &Turn<'_>) -> Result<T, PostgresError> + Send + 'static,
    {
        let (about, pulse) = (about_tenant(tenant), Arc::clone(&self.pulse));
        let read = self.readers.read(move |session, caller| {
            // Before the transaction: its state is that of its first query, and not of that query's end.
            if !has_replayed(session, position, CATCH_UP_WITHIN)? {
                return Ok(None);
            }
            let turn = Turn::new(caller, &pulse);
            Ok(Some(in_transaction(session, &about, |connection| work(connection, &turn))?))
        });
        match self.pulse.watch(self.answer_wait, read).await {
            Ok(Some(done)) => {
                self.standing.is_good();
                Some(done)
            }
            Ok(None) => {
                self.standing.is_behind();
                None
            }
            Err(error) => {
                self.standing.has_failed(&error);
                None
            }
        }
    }

    async fn check(&self, position: Position) -> Result<(), StorageError> {
        let read = self.readers.read(move |session, _| Ok(has_replayed(session, position, HEALTHY_WITHIN)?));
        match self.pulse.watch(self.answer_wait, read).await? {
            true => Ok(()),
            false => Err(StorageError::Unavailable("it lags behind by more than a second".to_owned())),
        }
    }
}

/// Whether the replica has replayed the log up to there, or does so within the time.
fn has_replayed(session: &mut Session, position: Position, within: Duration) -> Result<bool, PostgresError> {
    let end = Instant::now() + within;
    loop {
        let replayed: Option<i64> = session.run(|connection| {
            Ok(diesel::select(sql::<Nullable<BigInt>>(REPLAYED)).get_result(connection)?)
        })?;
        let replayed = replayed.ok_or_else(|| PostgresError::Unreachable("it is no replica".to_owned()))?;
        if replayed >= position.0 {
            return Ok(true);
        }
        if Instant::now() >= end {
            return Ok(false);
        }
        thread::sleep(LOOK);
    }
}

/// How the replica of a storage that has one is.
pub(crate) struct ReplicaHealth(pub(crate) PostgresStorage);

#[async_trait]
impl HealthProbe for ReplicaHealth {
    fn name(&self) -> &'static str {
        "replica"
    }

    fn is_needed(&self) -> bool {
        false
    }

    async fn check(&self) -> Result<(), StorageError> {
        let Some(replica) = self.0.replica() else { return Ok(()) };
        let checked = async { replica.check(self.0.position().await?).await };
        let late = |_| StorageError::Unavailable("it did not answer within 2 seconds".to_owned());
        tokio::time::timeout(CHECK_WITHIN, checked).await.map_err(late)?
    }
}
