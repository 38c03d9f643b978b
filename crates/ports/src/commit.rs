//! Who hears of what was committed.

use std::sync::Arc;

use tenantry_domain::{CatalogRevision, Entry, Key, KeyId, Revision, TenantNumber};

/// Hears of each change after it was committed and before anyone is told that it was.
///
/// Storage adapters call it on their writing thread: an implementation must not block, and must not call
/// storage. It is called for each change even when the caller of the write has stopped waiting, which is
/// why caches are kept true here and not by whoever asked for the write.
#[cfg_attr(feature = "mocks", mockall::automock)]
pub trait CommitListener: Send + Sync {
    /// The key-value `key` was put (`entry`), or was deleted or expired (nothing), at `revision`.
    ///
    /// For one key the calls come in the order of their revisions on an adapter with one writer;
    /// an adapter with several may call out of order, so only a higher revision may replace a lower.
    fn key_value_changed(
        &self,
        tenant: TenantNumber,
        key: &Key,
        revision: Revision,
        entry: Option<Arc<Entry>>,
    );

    /// The key-value may have changed: a commit was asked for, and it is not known whether it happened. Said once
    /// when that is so, and once more when it is decided; what is known of the key does not hold in between.
    fn key_value_in_doubt(&self, tenant: TenantNumber, key: &Key);

    /// The access key was made or revoked.
    fn access_key_changed(&self, id: KeyId);

    /// The tenant was changed, its name or status perhaps, or is gone.
    fn tenant_changed(&self, tenant: TenantNumber);

    /// The tenant's catalog has this revision now. Revisions may be told out of order, and more than once; where it is
    /// not known whether a commit happened, also one that the catalog does not have.
    fn catalog_changed(&self, tenant: TenantNumber, revision: CatalogRevision);
}
