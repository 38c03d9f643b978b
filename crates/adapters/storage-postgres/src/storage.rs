//! The storage as a whole: its writers and its readers.

use std::sync::Arc;
use std::time::Duration;

use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use tenantry_domain::{Entry, Event, EventId, Key, KeyId, TenantNumber, Timestamp};
use tenantry_ports::{AccessGrant, Clock, CommitListener, HealthProbe, StorageError};
use tenantry_storage_support::{Caller, GatheredReads, GroupCommit, QueueLimits, ReadLimits, ReadPool};

use crate::batch::WriteBatch;
use crate::claim::Claim;
use crate::database::{self, OpenError};
use crate::error::PostgresError;
use crate::options::PostgresOptions;
use crate::pulse::Pulse;
use crate::replica::{self, Position, Replica, ReplicaHealth};
use crate::session::{Connector, Purpose, Readers, Session, pool};
use crate::{access_key, event, key_value};

/// How many reads may wait for a reader: a tenth of a second's work, about.
const MAX_WAITING_READS: usize = 4096;

/// How long r2d2 may look for a connection.
const CONNECTION_WAIT: Duration = Duration::from_secs(2);

/// How long to wait in the end for what a writer was handed. What then becomes of it is not known, and it was not
/// acknowledged.
const CLOSE_WAIT: Duration = Duration::from_secs(10);

/// One schema of a PostgreSQL database as the storage of everything. Clones share it.
///
/// When the last clone is dropped it is closed; [`close`](PostgresStorage::close) does so earlier.
#[derive(Clone)]
pub struct PostgresStorage(Arc<Inner>);

struct Inner {
    writers: Vec<Writer>,
    readers: ReadPool<Readers>,
    /// When any reader last heard of the database.
    read_pulse: Arc<Pulse>,
    grants: GatheredReads<Readers, KeyId, Option<AccessGrant>>,
    events: GatheredReads<Readers, (TenantNumber, EventId), Option<Event>>,
    entries: GatheredReads<Readers, (TenantNumber, Key), Option<Arc<Entry>>>,
    positions: GatheredReads<Readers, (), Position>,
    replica: Option<Replica>,
    answer_wait: Duration,
    clock: Arc<dyn Clock>,
}

impl Inner {
    fn close(&self) {
        for writer in &self.writers {
            writer.commit.close_within(CLOSE_WAIT);
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

struct Writer {
    commit: GroupCommit<WriteBatch>,
    pulse: Arc<Pulse>,
}

impl PostgresStorage {
    /// Waits for the database, brings its tables up to date if the role may, and opens it. Blocks.
    ///
    /// `clock` gives the times that are stored, and `listener` hears of what was committed here: not of what
    /// other nodes commit.
    ///
    /// # Errors
    /// Each case says what to do. The database is then as it was.
    pub fn open(
        options: PostgresOptions,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, OpenError> {
        database::prepare(&options)?;
        Self::over(options, Purpose::Serve, clock, listener)
    }

    /// Opens the schema, which must be there and up to date, to be read whole and moved elsewhere. Nobody serves it
    /// meanwhile. `url` is that of a role that is a member of `tenantry_owner`; other URLs are not used. Blocks.
    ///
    /// # Errors
    /// As [`open`](Self::open); also where another Tenantry serves or moves it.
    pub fn open_for_export(
        options: PostgresOptions,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, OpenError> {
        database::prepare_export(&options)?;
        Self::over(options.for_moving(), Purpose::Export, clock, listener)
    }

    /// Opens the schema as the target of a move: one that is not there yet, an empty one, or one that holds an
    /// unfinished move. Nobody serves it meanwhile. `url` as for [`open_for_export`](Self::open_for_export). Blocks.
    ///
    /// # Errors
    /// As [`open`](Self::open); also where another Tenantry serves or moves it.
    pub fn open_for_import(
        options: PostgresOptions,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, OpenError> {
        database::prepare_import(&options)?;
        Self::over(options.for_moving(), Purpose::Import, clock, listener)
    }

    #[expect(clippy::needless_pass_by_value, reason = "what is opened takes what it is opened with")]
    fn over(
        options: PostgresOptions,
        purpose: Purpose,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, OpenError> {
        let failed = |error: &dyn std::fmt::Display| OpenError::failed(&options.url, error);
        let connector = Arc::new(Connector::new(&options, purpose));
        let limits = QueueLimits { writes: options.max_queued_writes, bytes: options.max_queued_bytes };
        let read_pulse = Arc::new(Pulse::new());
        let mut writers = Vec::new();
        // One more than for all else writes catalogs.
        for number in 0..=options.writers.max(1) {
            let pulse = Arc::new(read_pulse.beside());
            let (connector, clock, listener) =
                (Arc::clone(&connector), Arc::clone(&clock), Arc::clone(&listener));
            let batch = WriteBatch::new(connector, clock, listener, Arc::clone(&pulse));
            let name = format!("postgres-writer-{number}");
            let commit = GroupCommit::start(&name, batch, limits).map_err(|error| failed(&error))?;
            writers.push(Writer { commit, pulse });
        }
        let manager = Readers { connector, pulse: Arc::clone(&read_pulse), refuses_bypassing: false };
        let connections = pool(manager, options.readers, CONNECTION_WAIT);
        let limits = ReadLimits { waiting: MAX_WAITING_READS, wait: options.read_wait };
        let readers =
            ReadPool::start("postgres-reader", &connections, limits).map_err(|error| failed(&error))?;
        let replica = options.read_url.as_ref().map(|url| Replica::start(&options, url, MAX_WAITING_READS));
        let replica = replica.transpose().map_err(|error| failed(&error))?;
        let inner = Inner {
            grants: GatheredReads::new(&readers, |session, ids| {
                Ok(session.run(|connection| access_key::find_grants(connection, ids))?)
            }),
            events: GatheredReads::new(&readers, |session, keys| {
                Ok(session.run(|connection| event::find_all(connection, keys))?)
            }),
            entries: GatheredReads::new(&readers, |session, keys| {
                Ok(session.run(|connection| key_value::find_all(connection, keys))?)
            }),
            positions: GatheredReads::new(&readers, |session, asked| {
                Ok(vec![session.run(replica::position)?; asked.len()])
            }),
            replica,
            writers,
            readers,
            read_pulse,
            answer_wait: options.answer_wait,
            clock,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Finishes the writes that were accepted, and stops the writers. Later writes are answered that storage
    /// is not available; reads still work. Blocks, but not for a database that does not answer.
    pub fn close(&self) {
        self.0.close();
    }

    /// Hands in a write before it returns; see [`GroupCommit::write`].
    pub(crate) fn write<P, T, F>(
        &self,
        claim: Claim,
        weight: usize,
        payload: P,
        run: F,
    ) -> impl Future<Output = Result<(P, T), StorageError>> + Send
    where
        P: Send + 'static,
        T: Send + 'static,
        F: FnMut(&P, &mut WriteBatch) -> Result<T, PostgresError> + Send + 'static,
    {
        self.write_staged(claim, weight, payload, run, |_, done, _| Ok(done))
    }

    /// Hands in a write before it returns; see [`GroupCommit::write_staged`].
    pub(crate) fn write_staged<P, S, T, F, G>(
        &self,
        claim: Claim,
        weight: usize,
        payload: P,
        mut stage: F,
        mut finish: G,
    ) -> impl Future<Output = Result<(P, T), StorageError>> + Send
    where
        P: Send + 'static,
        S: Send + 'static,
        T: Send + 'static,
        F: FnMut(&P, &mut WriteBatch) -> Result<S, PostgresError> + Send + 'static,
        G: FnMut(&P, S, &mut WriteBatch) -> Result<T, PostgresError> + Send + 'static,
    {
        let writer = &self.0.writers[claim.writer(self.0.writers.len() - 1)];
        let answer = writer.commit.write_staged(
            Some(claim),
            weight,
            payload,
            move |payload, batch| Ok(stage(payload, batch)?),
            move |payload, staged, batch| Ok(finish(payload, staged, batch)?),
        );
        let (pulse, limit) = (Arc::clone(&writer.pulse), self.0.answer_wait);
        async move { pulse.watch(limit, answer).await }
    }

    /// Runs `work` on a connection for reading what is no tenant's data: one query.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> Result<T, PostgresError> + Send + 'static,
    {
        let read = self.0.readers.read(move |session, _| Ok(session.run(work)?));
        self.watched(read).await
    }

    /// Runs `work` on a connection for reading this tenant's data.
    pub(crate) async fn read_for<T, F>(&self, tenant: TenantNumber, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> Result<T, PostgresError> + Send + 'static,
    {
        self.read_long(tenant, move |connection, _| work(connection)).await
    }

    /// Runs `work` on a connection for reading the registry of tenants.
    pub(crate) async fn read_for_registry<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> Result<T, PostgresError> + Send + 'static,
    {
        let about = "set_config('tenantry.scope', 'registry', true)".to_owned();
        let read = self.0.readers.read(move |session, _| Ok(in_transaction(session, &about, work)?));
        self.watched(read).await
    }

    /// Runs `work`, which may take long, on a connection for reading this tenant's data: one state of it.
    pub(crate) async fn read_long<T, F>(&self, tenant: TenantNumber, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection, &Turn<'_>) -> Result<T, PostgresError> + Send + 'static,
    {
        let about = about_tenant(tenant);
        let pulse = Arc::clone(&self.0.read_pulse);
        let read = self.0.readers.read(move |session, caller| {
            let turn = Turn::new(caller, &pulse);
            Ok(in_transaction(session, &about, |connection| work(connection, &turn))?)
        });
        self.watched(read).await
    }

    /// As [`read_long`](Self::read_long), on the replica where there is one that has all that was written before.
    pub(crate) async fn read_anywhere<T, F>(&self, tenant: TenantNumber, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: Fn(&mut PgConnection, &Turn<'_>) -> Result<T, PostgresError> + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        if let Some(replica) = self.replica().filter(|replica| replica.is_to_be_tried()) {
            let position = match self.position().await {
                Ok(position) => Some(position),
                Err(error @ StorageError::Unavailable(_)) => return Err(error),
                // A primary that became a replica has no end of its log. It still reads.
                Err(_) => None,
            };
            if let Some(position) = position {
                let there = Arc::clone(&work);
                let read = replica.read(tenant, position, move |connection, turn| there(connection, turn));
                if let Some(done) = read.await {
                    return Ok(done);
                }
            }
        }
        self.read_long(tenant, move |connection, turn| work(connection, turn)).await
    }

    /// How the replica is, if there is one.
    #[must_use]
    pub fn replica_health(&self) -> Option<Arc<dyn HealthProbe>> {
        self.replica()?;
        Some(Arc::new(ReplicaHealth(self.clone())))
    }

    pub(crate) fn replica(&self) -> Option<&Replica> {
        self.0.replica.as_ref()
    }

    /// Where the log ends, asked after this was called.
    pub(crate) async fn position(&self) -> Result<Position, StorageError> {
        self.watched(self.0.positions.read(())).await
    }

    async fn watched<T>(
        &self,
        read: impl Future<Output = Result<T, StorageError>>,
    ) -> Result<T, StorageError> {
        self.0.read_pulse.watch(self.0.answer_wait, read).await
    }

    pub(crate) async fn find_access(&self, key: KeyId) -> Result<Option<AccessGrant>, StorageError> {
        self.watched(self.0.grants.read(key)).await
    }

    pub(crate) async fn find_event(
        &self,
        tenant: TenantNumber,
        event: EventId,
    ) -> Result<Option<Event>, StorageError> {
        self.watched(self.0.events.read((tenant, event))).await
    }

    pub(crate) async fn find_entry(
        &self,
        tenant: TenantNumber,
        key: Key,
    ) -> Result<Option<Arc<Entry>>, StorageError> {
        self.watched(self.0.entries.read((tenant, key))).await
    }

    /// The time now, for reads.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

/// A read's turn, and whoever waits for it.
pub(crate) struct Turn<'a> {
    caller: &'a Caller<'a>,
    pulse: &'a Pulse,
}

impl<'a> Turn<'a> {
    pub(crate) fn new(caller: &'a Caller<'a>, pulse: &'a Pulse) -> Self {
        Self { caller, pulse }
    }

    /// Whether to stop, because nobody waits any more. To be asked after each answer of the database.
    pub(crate) fn is_over(&self) -> bool {
        self.pulse.beat();
        self.caller.has_gone()
    }
}

/// What a transaction is told that is about this tenant.
pub(crate) fn about_tenant(tenant: TenantNumber) -> String {
    format!("set_config('tenantry.tenant', '{tenant}', true)")
}

/// Runs `work` in a transaction of one state of the database, after `about` was told what it is about.
pub(crate) fn in_transaction<T>(
    session: &mut Session,
    about: &str,
    work: impl FnOnce(&mut PgConnection) -> Result<T, PostgresError>,
) -> Result<T, PostgresError> {
    session.run(|connection| {
        connection
            .batch_execute(&format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT {about}"))?;
        let done = work(connection)?;
        connection.batch_execute("COMMIT")?;
        Ok(done)
    })
}
