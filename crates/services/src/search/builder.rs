//! Makes the snapshots that were ordered.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tenantry_domain::{CatalogRevision, TenantNumber};
use tenantry_ports::{PlanRepository, StorageError};

use super::shelf::{Order, SnapshotShelf};
use super::snapshot::{PrintPlan, SearchSnapshot};

/// How long to wait until what storage refused is tried again.
const RETRY: Duration = Duration::from_millis(200);

/// Fills a [`SnapshotShelf`] from storage, one order after another.
pub struct SnapshotBuilder {
    shelf: Arc<SnapshotShelf>,
    plans: Arc<dyn PlanRepository>,
    print: PrintPlan,
}

impl SnapshotBuilder {
    /// Makes what is ordered from this shelf, out of these plans.
    #[must_use]
    pub fn new(shelf: Arc<SnapshotShelf>, plans: Arc<dyn PlanRepository>, print: PrintPlan) -> Self {
        Self { shelf, plans, print }
    }

    /// Makes snapshots until the shelf is [finished](SnapshotShelf::finish). To be called once, on a thread of its
    /// own: a large snapshot takes a second of work without a pause.
    pub async fn run(&self) {
        while let Some(order) = self.next().await {
            let Order { tenant, compare, waiting } = order;
            let made = match compare {
                Some(held) => self.compare(tenant, held).await,
                None => self.make(tenant).await,
            };
            match made {
                Ok(snapshot) => {
                    for wait in waiting {
                        // Whoever has gone needs no answer.
                        let _ = wait.send(Ok(Arc::clone(&snapshot)));
                    }
                }
                Err(error) => {
                    for wait in waiting {
                        let _ = wait.send(Err(error.clone()));
                    }
                    if let StorageError::Unavailable(_) = error {
                        self.shelf.refuse_all(&error);
                    }
                    self.shelf.timer().pause(RETRY).await;
                    self.shelf.give_up(tenant);
                }
            }
        }
    }

    /// Makes a new one only if storage has another revision.
    async fn compare(
        &self,
        tenant: TenantNumber,
        held: CatalogRevision,
    ) -> Result<Arc<SearchSnapshot>, StorageError> {
        if self.plans.revision(tenant).await? == held
            && let Some(snapshot) = self.shelf.confirm(tenant, held)
        {
            return Ok(snapshot);
        }
        self.make(tenant).await
    }

    async fn make(&self, tenant: TenantNumber) -> Result<Arc<SearchSnapshot>, StorageError> {
        let plans = self.plans.searchable(tenant).await?;
        let snapshot = Arc::new(SearchSnapshot::build(plans, self.print));
        self.shelf.put(tenant, Arc::clone(&snapshot));
        Ok(snapshot)
    }

    /// The next order; nothing when there will be none any more.
    async fn next(&self) -> Option<Order> {
        poll_fn(|context| {
            self.shelf.builder.register(context.waker());
            if self.shelf.is_finishing() {
                return Poll::Ready(None);
            }
            match self.shelf.next_order() {
                Some(order) => Poll::Ready(Some(order)),
                None => Poll::Pending,
            }
        })
        .await
    }
}
