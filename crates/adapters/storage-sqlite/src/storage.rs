//! The storage as a whole: its writer, its readers, its lock.

use std::fs::File;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel::{Connection as _, SqliteConnection};
use tenantry_domain::{Entry, Event, EventId, Key, KeyId, TenantNumber, Timestamp};
use tenantry_ports::{AccessGrant, Clock, CommitListener, StorageError};
use tenantry_storage_support::{Caller, GatheredReads, GroupCommit, QueueLimits, ReadLimits, ReadPool};

use crate::batch::WriteBatch;
use crate::connection::{self, Access, Readers};
use crate::error::{SqliteError, storage_error};
use crate::export::SqliteExport;
use crate::file::{self, OpenError, Use};
use crate::options::SqliteOptions;
use crate::{access_key, event, key_value};

/// How many reads may wait for a reader: a tenth of a second's work, about.
const MAX_WAITING_READS: usize = 4096;

/// One SQLite file as the storage of everything. Clones share it.
///
/// When the last clone is dropped it is closed; [`close`](SqliteStorage::close) does so earlier.
#[derive(Clone)]
pub struct SqliteStorage(Arc<Inner>);

struct Inner {
    writer: GroupCommit<WriteBatch>,
    readers: Arc<ReadPool<Readers>>,
    grants: Gathered<KeyId, Option<AccessGrant>>,
    events: Gathered<(TenantNumber, EventId), Option<Event>>,
    entries: Gathered<(TenantNumber, Key), Option<Arc<Entry>>>,
    clock: Arc<dyn Clock>,
    /// Held while the writer lives.
    lock: Mutex<Option<File>>,
}

/// Point reads of one kind. Each has its own answer, also where that is an error.
type Gathered<K, T> = GatheredReads<Readers, K, Result<T, StorageError>>;

impl SqliteStorage {
    /// Looks at the file, brings its tables up to date, and opens it; makes it if it is not there. Blocks.
    ///
    /// `clock` gives the times that are stored, and `listener` hears of what was committed.
    ///
    /// # Errors
    /// Each case says what to do. The file is then byte for byte as it was.
    pub fn open(
        options: SqliteOptions,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, OpenError> {
        Self::open_for(Use::Serving, options, clock, listener)
    }

    /// Opens the file as the target of a move: a new or an empty one, or one that holds an unfinished move. Blocks.
    ///
    /// Single commits need not outlive a crash of the machine, until [`close`](Self::close): what is lost then is
    /// brought again. The file stays whole in any case.
    ///
    /// # Errors
    /// As [`open`](Self::open), but that an unfinished move is no reason to refuse.
    pub fn open_for_import(
        options: SqliteOptions,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, OpenError> {
        Self::open_for(Use::Import, options, clock, listener)
    }

    fn open_for(
        purpose: Use,
        options: SqliteOptions,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
    ) -> Result<Self, OpenError> {
        let SqliteOptions { path, readers, read_wait, max_queued_writes, max_queued_bytes } = options;
        let path = path.as_path();
        let (lock, _) = file::prepare(path, purpose)?;
        let failed = |error: &dyn std::fmt::Display| OpenError::failed(path, error);
        let mut connection =
            connection::open(path, Access::ReadWrite, Duration::from_secs(2)).map_err(|e| failed(&e))?;
        connection::prepare_writer(&mut connection).map_err(|e| failed(&e))?;
        if purpose == Use::Import {
            connection::prepare_import(&mut connection).map_err(|e| failed(&e))?;
        }
        let readers = connection::open_readers(path, readers).map_err(|e| failed(&e))?;
        let limits = QueueLimits { writes: max_queued_writes, bytes: max_queued_bytes };
        let batch = WriteBatch::new(connection, Arc::clone(&clock), listener);
        let writer = GroupCommit::start("sqlite-writer", batch, limits).map_err(|e| failed(&e))?;
        let limits = ReadLimits { waiting: MAX_WAITING_READS, wait: read_wait };
        let readers = ReadPool::start("sqlite-reader", &readers, limits).map_err(|e| failed(&e))?;
        let inner = Inner {
            writer,
            grants: gathered(&readers, |connection, key| access_key::find_grant(connection, *key)),
            events: gathered(&readers, |connection, (tenant, id)| event::find(connection, *tenant, *id)),
            entries: gathered(&readers, |connection, (tenant, key)| {
                Ok(key_value::find_any(connection, *tenant, key)?.map(Arc::new))
            }),
            readers: Arc::new(readers),
            clock,
            lock: Mutex::new(Some(lock)),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Finishes the writes that were accepted, folds the log into the file, and stops the writer. Later
    /// writes are answered that storage is not available; reads still work. Blocks.
    pub fn close(&self) {
        self.0.writer.close();
        self.0.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// All that is stored, to be read page by page.
    #[must_use]
    pub fn export(&self) -> SqliteExport {
        SqliteExport::over(Arc::clone(&self.0.readers))
    }

    /// Hands in a write before it returns; see [`GroupCommit::write`].
    pub(crate) fn write<P, T, F>(
        &self,
        weight: usize,
        payload: P,
        mut run: F,
    ) -> impl Future<Output = Result<(P, T), StorageError>> + Send + use<P, T, F>
    where
        P: Send + 'static,
        T: Send + 'static,
        F: FnMut(&P, &mut WriteBatch) -> Result<T, SqliteError> + Send + 'static,
    {
        self.0.writer.write(None, weight, payload, move |payload, batch| Ok(run(payload, batch)?))
    }

    /// Runs `work` on a connection for reading.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection) -> Result<T, SqliteError> + Send + 'static,
    {
        self.0.readers.read(move |connection, _| Ok(work(connection)?)).await
    }

    /// Runs `work`, which may take long, on a connection for reading.
    pub(crate) async fn read_long<T, F>(&self, work: F) -> Result<T, StorageError>
    where
        T: Send + 'static,
        F: FnOnce(&mut SqliteConnection, &Caller<'_>) -> Result<T, SqliteError> + Send + 'static,
    {
        self.0.readers.read(move |connection, caller| Ok(work(connection, caller)?)).await
    }

    pub(crate) async fn find_access(&self, key: KeyId) -> Result<Option<AccessGrant>, StorageError> {
        self.0.grants.read(key).await?
    }

    pub(crate) async fn find_event(
        &self,
        tenant: TenantNumber,
        event: EventId,
    ) -> Result<Option<Event>, StorageError> {
        self.0.events.read((tenant, event)).await?
    }

    /// The entry of that key, also where it has ended.
    pub(crate) async fn find_entry(
        &self,
        tenant: TenantNumber,
        key: Key,
    ) -> Result<Option<Arc<Entry>>, StorageError> {
        self.0.entries.read((tenant, key)).await?
    }

    /// The time now, for reads.
    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

/// Gathers reads that `find` carries out, one after the other in one transaction: the readers' lock of the log is taken
/// and given back by a system call each.
fn gathered<K, T>(
    pool: &ReadPool<Readers>,
    find: impl Fn(&mut SqliteConnection, &K) -> Result<T, SqliteError> + Send + Sync + 'static,
) -> Gathered<K, T>
where
    K: Clone + Eq + Hash + Send + 'static,
    T: Clone + Send + 'static,
{
    GatheredReads::new(pool, move |connection, keys: &[K]| {
        let each = |connection: &mut SqliteConnection| {
            keys.iter().map(|key| Ok(find(connection, key)?)).collect::<Vec<_>>()
        };
        match keys.len() {
            1 => Ok(each(connection)),
            _ => connection.transaction(|connection| Ok(each(connection))).map_err(storage_error),
        }
    })
}
