//! The writer's side: one transaction after another, and what is kept in memory for them.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Text};
use tenantry_domain::{CatalogRevision, Entry, Key, KeyId, Revision, TenantNumber, TenantStatus, Timestamp};
use tenantry_ports::{Clock, CommitListener, StorageError};
use tenantry_storage_support::Batch;

use crate::claim::Claim;
use crate::counters::{self, Counters};
use crate::doubt::{Doubts, ServerProcess};
use crate::error::PostgresError;
use crate::event_append::StagedAppends;
use crate::key_value_write::StagedWrites;
use crate::pulse::Pulse;
use crate::session::{Access, Connector};
use crate::static_query::static_query;
use crate::tenant::{tenant_number, tenant_status};

/// What the listener is to hear after the commit.
#[derive(Debug)]
pub(crate) enum Change {
    /// See [`CommitListener::key_value_changed`].
    KeyValue { tenant: TenantNumber, key: Key, revision: Revision, entry: Option<Arc<Entry>> },
    /// See [`CommitListener::access_key_changed`].
    AccessKey(KeyId),
    /// See [`CommitListener::tenant_changed`].
    Tenant(TenantNumber),
    /// See [`CommitListener::catalog_changed`].
    Catalog(TenantNumber, CatalogRevision),
}

/// A connection that writes, and the transaction that is open on it.
pub(crate) struct WriteBatch {
    connector: Arc<Connector>,
    /// Nothing where there is none yet, or the last one can't be relied upon.
    connection: Option<PgConnection>,
    /// The server's process for the last connection.
    process: Option<ServerProcess>,
    /// What nobody knows of the last transactions on connections before.
    doubts: Doubts,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn CommitListener>,
    pulse: Arc<Pulse>,
    now: Timestamp,
    locked: HashMap<TenantNumber, Counters>,
    /// Whose catalogs are locked, and whether they may be written: their tenants are not being deleted.
    catalogs: HashMap<TenantNumber, bool>,
    pub(crate) appends: StagedAppends,
    pub(crate) writes: StagedWrites,
    changes: Vec<Change>,
}

impl WriteBatch {
    pub(crate) fn new(
        connector: Arc<Connector>,
        clock: Arc<dyn Clock>,
        listener: Arc<dyn CommitListener>,
        pulse: Arc<Pulse>,
    ) -> Self {
        let now = clock.now();
        Self {
            connector,
            connection: None,
            process: None,
            doubts: Doubts::none(),
            clock,
            listener,
            pulse,
            now,
            locked: HashMap::new(),
            catalogs: HashMap::new(),
            appends: StagedAppends::default(),
            writes: StagedWrites::default(),
            changes: Vec::new(),
        }
    }

    /// The time of the transaction.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// Whether the tenant is there and its data may be written: it is not being deleted. It was claimed.
    pub(crate) fn is_open(&self, tenant: TenantNumber) -> bool {
        self.locked.get(&tenant).is_some_and(|counters| counters.is_open)
    }

    /// The tenant's counters, if its data may be written. It was claimed.
    pub(crate) fn open_counters(&self, tenant: TenantNumber) -> Option<Counters> {
        self.locked.get(&tenant).copied().filter(|counters| counters.is_open)
    }

    /// The tenant's counters were written, and are these from now on.
    pub(crate) fn set_counters(&mut self, tenant: TenantNumber, counters: Counters) {
        self.locked.insert(tenant, counters);
    }

    /// The tenant's status has changed.
    pub(crate) fn set_open(&mut self, tenant: TenantNumber, is_open: bool) {
        if let Some(counters) = self.locked.get_mut(&tenant) {
            counters.is_open = is_open;
        }
    }

    /// As [`is_open`](Self::is_open), for the tenant's catalog.
    pub(crate) fn is_catalog_open(&self, tenant: TenantNumber) -> bool {
        self.catalogs.get(&tenant).copied().unwrap_or_default()
    }

    /// Has the listener told, once it is committed.
    pub(crate) fn tell(&mut self, change: Change) {
        self.changes.push(change);
    }

    /// Runs a query of no tenant's data.
    pub(crate) fn run<T>(
        &mut self,
        work: impl FnOnce(&mut PgConnection) -> Result<T, PostgresError>,
    ) -> Result<T, PostgresError> {
        let connection = self.connection.as_mut().ok_or_else(no_connection)?;
        let done = work(connection);
        self.pulse.beat();
        done
    }

    /// Runs a query of the tenant's data: the policies show nothing else.
    pub(crate) fn run_for<T>(
        &mut self,
        tenant: TenantNumber,
        work: impl FnOnce(&mut PgConnection) -> Result<T, PostgresError>,
    ) -> Result<T, PostgresError> {
        self.run(|connection| {
            set(connection, "tenantry.tenant", &tenant.to_string())?;
            work(connection)
        })
    }

    /// The connection, to be asked of this tenant's data: the policies show nothing else.
    pub(crate) fn connection_for(
        &mut self,
        tenant: TenantNumber,
    ) -> Result<&mut PgConnection, PostgresError> {
        let connection = self.connection.as_mut().ok_or_else(no_connection)?;
        set(connection, "tenantry.tenant", &tenant.to_string())?;
        self.pulse.beat();
        Ok(connection)
    }

    /// Runs a query of the registry of tenants, all of which it sees.
    pub(crate) fn run_for_registry<T>(
        &mut self,
        work: impl FnOnce(&mut PgConnection) -> Result<T, PostgresError>,
    ) -> Result<T, PostgresError> {
        self.run(|connection| {
            set(connection, "tenantry.scope", "registry")?;
            let done = work(connection)?;
            set(connection, "tenantry.scope", "")?;
            Ok(done)
        })
    }

    /// Locks these tenants, in the order given, but for those that somebody else has locked: those who did not
    /// claim them must not wait. Answers with the numbers of those that it has.
    pub(crate) fn lock_free(&mut self, tenants: &[TenantNumber]) -> Result<Vec<TenantNumber>, PostgresError> {
        let (mut held, missing): (Vec<_>, Vec<_>) =
            tenants.iter().copied().partition(|tenant| self.locked.contains_key(tenant));
        let locked = self.run(|connection| counters::lock(connection, &missing, false))?;
        held.extend(locked.keys());
        self.locked.extend(locked);
        Ok(held)
    }

    /// Locks the catalog of this tenant, unless somebody else has locked it. Answers whether it is locked.
    pub(crate) fn lock_free_catalog(&mut self, tenant: TenantNumber) -> Result<bool, PostgresError> {
        if !self.catalogs.contains_key(&tenant) {
            let locked = self.run(|connection| lock_catalogs(connection, &[tenant], false))?;
            self.catalogs.extend(locked);
        }
        Ok(self.catalogs.contains_key(&tenant))
    }

    /// Begins a transaction, and locks what is claimed.
    fn start(&mut self, claims: &[Claim]) -> Result<(), PostgresError> {
        let (mut catalogs, mut tenants) = (Vec::new(), Vec::new());
        for claim in claims {
            match claim {
                Claim::Catalog(tenant) => catalogs.push(*tenant),
                Claim::Tenant(tenant) => tenants.push(*tenant),
                Claim::AnyCatalog | Claim::Installation => {}
            }
        }
        (self.catalogs, self.locked) = self.run(|connection| {
            connection.batch_execute("BEGIN")?;
            let catalogs = lock_catalogs(connection, &catalogs, true)?;
            let locked = counters::lock(connection, &tenants, true)?;
            if claims.contains(&Claim::Installation) {
                lock_installation(connection)?;
            }
            Ok((catalogs, locked))
        })?;
        Ok(())
    }

    /// Waits until it is known what has become of commits that are in doubt, or long enough.
    fn settle_doubts(&mut self) {
        self.doubts.settle(&self.connector, &*self.listener);
    }

    fn forget(&mut self) {
        self.locked.clear();
        self.catalogs.clear();
        self.appends.clear();
        self.writes.clear();
    }
}

impl Batch for WriteBatch {
    type Claim = Claim;

    fn begin(&mut self, claims: &[Claim]) -> Result<(), StorageError> {
        self.settle_doubts();
        self.now = self.clock.now();
        if self.connection.is_some() {
            match self.start(claims) {
                Ok(()) => return Ok(()),
                // It was cut while nobody used it: nothing was asked of it yet, so another one may be.
                Err(error) if error.is_lost_connection() => {
                    tracing::debug!(%error, "a connection that writes is replaced");
                }
                Err(error) => {
                    self.connection = None;
                    return Err(error.into());
                }
            }
        }
        let mut connection = self.connector.connect(Access::Write)?;
        self.process = Some(ServerProcess::of(&mut connection)?);
        self.connection = Some(connection);
        self.pulse.beat();
        self.start(claims).map_err(|error| {
            self.connection = None;
            error.into()
        })
    }

    fn flush(&mut self) -> Result<(), StorageError> {
        let Self { connection, locked, now, pulse, .. } = self;
        let connection = connection.as_mut().ok_or_else(no_connection)?;
        self.appends.flush(connection, locked, *now, pulse)?;
        self.writes.flush(connection, locked, *now, pulse, &mut self.changes)?;
        Ok(())
    }

    fn commit(&mut self) -> Result<(), StorageError> {
        // A transaction that was aborted is rolled back by COMMIT, without an error: the query before has one.
        let committed = self.run(|connection| Ok(connection.batch_execute("SELECT 1; COMMIT")?));
        if let Err(error) = committed {
            if let Some(process) = self.process.filter(|_| error.is_lost_connection()) {
                let changes = std::mem::take(&mut self.changes);
                self.doubts.arise(process, changes, &*self.listener);
            }
            return Err(error.into());
        }
        self.forget();
        Ok(())
    }

    fn rollback(&mut self) {
        self.forget();
        self.changes.clear();
        let undone = self.run(|connection| Ok(connection.batch_execute("ROLLBACK")?));
        if let Err(error) = undone {
            tracing::debug!(%error, "a connection that writes is given up");
            self.connection = None;
        }
    }

    fn announce(&mut self) {
        for change in self.changes.drain(..) {
            match change {
                Change::KeyValue { tenant, key, revision, entry } => {
                    self.listener.key_value_changed(tenant, &key, revision, entry);
                }
                Change::AccessKey(id) => self.listener.access_key_changed(id),
                Change::Tenant(tenant) => self.listener.tenant_changed(tenant),
                Change::Catalog(tenant, revision) => self.listener.catalog_changed(tenant, revision),
            }
        }
    }

    fn settle(&mut self) {
        self.settle_doubts();
    }

    fn close(&mut self) {
        self.connection = None;
    }
}

fn no_connection() -> PostgresError {
    PostgresError::Unreachable("the connection to the database was lost".to_owned())
}

define_sql_function! {
    /// PostgreSQL's own.
    fn set_config(name: Text, value: Text, is_local: Bool) -> Text;
}

/// Sets a parameter for the transaction.
pub(crate) fn set(connection: &mut PgConnection, name: &str, value: &str) -> Result<(), PostgresError> {
    diesel::select(set_config(name, value, true)).execute(connection)?;
    Ok(())
}

static_query! {
    /// Locks tenants' catalogs, and reads the tenants' states.
    LockCatalogs<'a> {
        "SELECT * FROM lock_catalogs(" tenants: Vec<i64> as Array<BigInt>,
        ", " waits: bool as Bool;
        ")"
    } -> (BigInt, Text)
}

/// Locks the catalogs of these tenants in the order given, and says of each whether it may be written. Tenants that are
/// not there are left out; unless it `waits`, so are those whose catalogs somebody else has locked.
fn lock_catalogs(
    connection: &mut PgConnection,
    tenants: &[TenantNumber],
    waits: bool,
) -> Result<HashMap<TenantNumber, bool>, PostgresError> {
    if tenants.is_empty() {
        return Ok(HashMap::new());
    }
    let tenants = tenants.iter().map(|tenant| tenant.get()).collect();
    let rows: Vec<(i64, String)> = LockCatalogs { tenants, waits, life: PhantomData }.load(connection)?;
    let is_open = |status: &str| Ok::<_, PostgresError>(tenant_status(status)? != TenantStatus::Deleting);
    rows.into_iter().map(|(number, status)| Ok((tenant_number(number)?, is_open(&status)?))).collect()
}

fn lock_installation(connection: &mut PgConnection) -> Result<(), PostgresError> {
    // A number that no other schema's installation has: that of a table of this one.
    let lock = "SELECT count(pg_advisory_xact_lock('settings'::regclass::oid::bigint))";
    diesel::dsl::sql::<BigInt>(lock).get_result::<i64>(connection)?;
    Ok(())
}
