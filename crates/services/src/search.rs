//! The search: which plans take place within a span of time.
//!
//! It is answered from a [`SearchSnapshot`] of the tenant's catalog, and asks storage for nothing else. When the
//! catalog changes, a [`SnapshotBuilder`] makes the next one meanwhile, and puts it in the other's place; so a search
//! sees one revision of the catalog, or the one before, and never half of one.

mod builder;
mod shelf;
mod snapshot;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use tenantry_domain::{CatalogRevision, TenantNumber};
use tenantry_ports::{StorageError, Timer};

pub use builder::SnapshotBuilder;
pub use shelf::{ShelfLimits, SnapshotShelf};
pub use snapshot::{PrintPlan, SearchEnd, SearchPosition, SearchQuery, SearchSnapshot};

/// The longest that anybody waits for a snapshot to catch up with a revision.
const CATCH_UP_WITHIN: Duration = Duration::from_secs(2);

/// Gives out the snapshots that are searched.
pub struct SearchService {
    shelf: Arc<SnapshotShelf>,
    timer: Arc<dyn Timer>,
}

impl SearchService {
    /// Over this shelf, which a [`SnapshotBuilder`] must fill.
    #[must_use]
    pub fn new(shelf: Arc<SnapshotShelf>, timer: Arc<dyn Timer>) -> Self {
        Self { shelf, timer }
    }

    /// The tenant's snapshot, if there is one. A newer one may be in the making.
    #[must_use]
    pub fn held(&self, tenant: TenantNumber) -> Option<Arc<SearchSnapshot>> {
        self.shelf.get(tenant)
    }

    /// The tenant's snapshot; where there is none yet, waits until it is made.
    ///
    /// # Errors
    /// When storage cannot be read.
    pub async fn snapshot(&self, tenant: TenantNumber) -> Result<Arc<SearchSnapshot>, StorageError> {
        if let Some(held) = self.held(tenant) {
            return Ok(held);
        }
        let gone = || StorageError::Unavailable("the search is shutting down".to_owned());
        self.shelf.order_and_wait(tenant).await.map_err(|_| gone())?
    }

    /// Waits until a search finds what this revision has brought, for two seconds at most: for whoever is about to
    /// tell a caller that a run has ended with it.
    pub async fn catch_up(&self, tenant: TenantNumber, revision: CatalogRevision) {
        let caught_up = async {
            while let Some(made) = self.shelf.outdate_and_wait(tenant, revision) {
                if !matches!(made.await, Ok(Ok(_))) {
                    // Storage cannot be read, so there is nothing to wait for.
                    return;
                }
            }
        };
        match select(Box::pin(caught_up), self.timer.pause(CATCH_UP_WITHIN)).await {
            Either::Left(_) | Either::Right(_) => {}
        }
    }
}
