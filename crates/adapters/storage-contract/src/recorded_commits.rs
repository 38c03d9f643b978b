//! A commit listener that remembers what it heard.

use std::sync::{Arc, Mutex};

use tenantry_domain::{CatalogRevision, Entry, Key, KeyId, Revision, TenantNumber};
use tenantry_ports::CommitListener;

/// One call of the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    /// [`CommitListener::key_value_changed`].
    KeyValue {
        /// Whose key.
        tenant: TenantNumber,
        /// The key.
        key: Key,
        /// The revision that the change took.
        revision: Revision,
        /// What was put; nothing where the key went.
        entry: Option<Arc<Entry>>,
    },
    /// [`CommitListener::access_key_changed`].
    AccessKey(KeyId),
    /// [`CommitListener::tenant_changed`].
    Tenant(TenantNumber),
    /// [`CommitListener::catalog_changed`].
    Catalog(TenantNumber, CatalogRevision),
    /// See [`CommitListener::key_value_in_doubt`].
    InDoubt {
        /// The key's tenant.
        tenant: TenantNumber,
        /// The key.
        key: Key,
    },
}

/// Every call since the start, or since they were last taken, in order.
#[derive(Debug, Default)]
pub struct RecordedCommits(Mutex<Vec<Commit>>);

impl RecordedCommits {
    /// Gives the calls away: the next time only newer ones are there.
    pub fn take(&self) -> Vec<Commit> {
        std::mem::take(&mut self.0.lock().expect("no recorder panicked"))
    }

    fn record(&self, commit: Commit) {
        self.0.lock().expect("no recorder panicked").push(commit);
    }
}

impl CommitListener for RecordedCommits {
    fn key_value_changed(
        &self,
        tenant: TenantNumber,
        key: &Key,
        revision: Revision,
        entry: Option<Arc<Entry>>,
    ) {
        self.record(Commit::KeyValue { tenant, key: key.clone(), revision, entry });
    }

    fn key_value_in_doubt(&self, tenant: TenantNumber, key: &Key) {
        self.record(Commit::InDoubt { tenant, key: key.clone() });
    }

    fn access_key_changed(&self, id: KeyId) {
        self.record(Commit::AccessKey(id));
    }

    fn tenant_changed(&self, tenant: TenantNumber) {
        self.record(Commit::Tenant(tenant));
    }

    fn catalog_changed(&self, tenant: TenantNumber, revision: CatalogRevision) {
        self.record(Commit::Catalog(tenant, revision));
    }
}
