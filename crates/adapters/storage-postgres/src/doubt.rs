//! Commits of which nobody knows whether they happened.
//!
//! The connection was lost while the server was asked to commit. The transaction may still be about to happen: it is
//! decided once the server's process for that connection is gone. Until then a cache that reads again may read what
//! is not true any more a moment later. So the listener hears of it twice: when it is in doubt, and when it is decided.
//!
//! Batches wait for that, since it mostly takes a moment, but not for ever: what they write is guarded by the locks that
//! the transaction in doubt holds as long as it is there.

mod process;
#[cfg(test)]
mod tests;

use std::thread;
use std::time::{Duration, Instant};

use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use tenantry_ports::CommitListener;

use crate::batch::Change;
use crate::error::PostgresError;
use crate::session::{Access, Connector};
pub(crate) use process::ServerProcess;

/// How long batches wait for the decision, from when a commit came to be in doubt.
const WAIT: Duration = Duration::from_secs(30);

/// How long to pause between two looks.
const PAUSE: Duration = Duration::from_millis(100);

/// How many commits may be in doubt at once. With more, the oldest counts as decided.
const MOST: usize = 16;

/// What was to be committed, and by which of the server's processes.
struct Doubt {
    process: ServerProcess,
    changes: Vec<Change>,
}

/// A writer's commits that are in doubt, the oldest first.
pub(crate) struct Doubts {
    doubts: Vec<Doubt>,
    wait: Duration,
    /// While batches wait.
    waits_until: Option<Instant>,
    /// What is looked with, as long as there is something to look for.
    connection: Option<PgConnection>,
}

impl Doubts {
    pub(crate) fn none() -> Self {
        Self { doubts: Vec::new(), wait: WAIT, waits_until: None, connection: None }
    }

    /// Tells the listener that these changes are in doubt.
    pub(crate) fn arise(
        &mut self,
        process: ServerProcess,
        changes: Vec<Change>,
        listener: &dyn CommitListener,
    ) {
        if changes.is_empty() {
            return;
        }
        if self.doubts.len() == MOST {
            self.doubts.remove(0).tell(listener);
        }
        let doubt = Doubt { process, changes };
        doubt.tell(listener);
        self.doubts.push(doubt);
        self.waits_until = Some(Instant::now() + self.wait);
    }

    /// Looks whether they are decided, and tells the listener of those that are. Waits until all are, as long as that
    /// is worth while.
    pub(crate) fn settle(&mut self, connector: &Connector, listener: &dyn CommitListener) {
        let mut connection = self.connection.take();
        self.settle_by(&mut |process| is_decided(process, &mut connection, connector), listener);
        self.connection = connection.filter(|_| !self.doubts.is_empty());
    }

    fn settle_by(
        &mut self,
        is_decided: &mut dyn FnMut(&ServerProcess) -> Result<bool, PostgresError>,
        listener: &dyn CommitListener,
    ) {
        while !self.doubts.is_empty() {
            self.doubts.retain(|doubt| {
                let is_decided = is_decided(&doubt.process).unwrap_or_else(|error| {
                    tracing::debug!(%error, "whether a commit has happened is not known yet");
                    false
                });
                if is_decided {
                    doubt.tell(listener);
                }
                !is_decided
            });
            let Some(waits_until) = self.waits_until.filter(|_| !self.doubts.is_empty()) else { return };
            if waits_until <= Instant::now() {
                tracing::warn!(
                    "whether a commit has happened is still not known; writing goes on without that"
                );
                self.waits_until = None;
                return;
            }
            thread::sleep(PAUSE);
        }
    }
}

/// Looks by the connection that is held, or by a new one, which then is.
fn is_decided(
    process: &ServerProcess,
    held: &mut Option<PgConnection>,
    connector: &Connector,
) -> Result<bool, PostgresError> {
    let mut connection = match held.take() {
        Some(connection) => connection,
        None => {
            let mut connection = connector.connect(Access::Read)?;
            // Whoever has logged in may see more of its own processes than the application's role.
            connection.batch_execute("SET ROLE NONE")?;
            connection
        }
    };
    let is_gone = process.is_gone(&mut connection)?;
    *held = Some(connection);
    Ok(is_gone)
}

impl Doubt {
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
