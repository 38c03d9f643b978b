//! Commits of which nobody knows whether they happened.
//!
//! The connection was lost while the server was asked to commit. The transaction may still be about to happen: it is
//! decided once the server's process for that connection is gone. Until then a cache that reads again may read what
//! is not true any more a moment later. So the listener hears of it twice: when it is in doubt, and when it is decided.

use std::thread;
use std::time::{Duration, Instant};

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer};
use tenantry_ports::CommitListener;

use crate::batch::Change;
use crate::error::PostgresError;
use crate::session::{Access, Connector};

/// How long to wait for the decision before the next batch is taken; it is waited for again with that.
const WAIT: Duration = Duration::from_secs(30);

/// How long to pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// The server's process that serves this connection.
pub(crate) fn process_of(connection: &mut PgConnection) -> Result<i32, PostgresError> {
    Ok(diesel::dsl::sql::<Integer>("SELECT pg_backend_pid()").get_result(connection)?)
}

/// What was to be committed, and by which of the server's processes.
pub(crate) struct Doubt {
    process: i32,
    changes: Vec<Change>,
}

impl Doubt {
    /// Tells the listener that these changes are in doubt. Nothing where nobody need hear of any.
    pub(crate) fn arise(process: i32, changes: Vec<Change>, listener: &dyn CommitListener) -> Option<Self> {
        if changes.is_empty() {
            return None;
        }
        let doubt = Self { process, changes };
        doubt.tell(listener);
        Some(doubt)
    }

    /// Waits for the decision, as long as it is worth while, and tells the listener then. Answers with the doubt
    /// where it remains.
    pub(crate) fn resolve(self, connector: &Connector, listener: &dyn CommitListener) -> Option<Self> {
        let begun = Instant::now();
        let mut connection = None;
        while begun.elapsed() < WAIT {
            match self.is_decided(&mut connection, connector) {
                Ok(true) => {
                    self.tell(listener);
                    return None;
                }
                Ok(false) => {}
                Err(error) => {
                    tracing::debug!(%error, "whether a commit has happened is not known yet");
                    connection = None;
                }
            }
            thread::sleep(PAUSE);
        }
        Some(self)
    }

    fn is_decided(
        &self,
        held: &mut Option<PgConnection>,
        connector: &Connector,
    ) -> Result<bool, PostgresError> {
        let connection = match held {
            Some(connection) => connection,
            None => held.insert(connector.connect(Access::Read)?),
        };
        let is_gone = format!("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {})", self.process);
        Ok(diesel::select(diesel::dsl::sql::<Bool>(&is_gone)).get_result(connection)?)
    }

    fn tell(&self, listener: &dyn CommitListener) {
        for change in &self.changes {
            match change {
                Change::KeyValue { tenant, key, .. } => listener.key_value_in_doubt(*tenant, key),
                Change::AccessKey(id) => listener.access_key_changed(*id),
                Change::Tenant(tenant) => listener.tenant_changed(*tenant),
                Change::Catalog(tenant, revision) => listener.catalog_changed(*tenant, *revision),
            }
        }
    }
}
