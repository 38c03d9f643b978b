//! Where events are kept.

use async_trait::async_trait;
use tenantry_domain::{
    Event, EventFilter, EventId, NewEvent, Order, Page, PageLimit, PastEvent, Sequence, Stored, TenantNumber,
};

use crate::error::StorageError;

/// Which events to list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventQuery {
    /// The conditions.
    pub filter: EventFilter,
    /// The direction.
    pub order: Order,
    /// The last event seen: the list goes on behind it, in its direction.
    pub after: Option<Sequence>,
    /// How many at most.
    pub limit: PageLimit,
}

/// Why events were not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventWriteError {
    /// There is no such tenant, or it is being deleted.
    #[error("there is no such tenant")]
    TenantNotFound,
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

/// The log of events of each tenant.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait EventRepository: Send + Sync {
    /// Stores events in the order given, in one transaction, and says of each what became of it, in the
    /// same order. Each new one takes the tenant's next sequence, starting at 1; no sequence is ever
    /// skipped or given twice. An event whose id the tenant has already (also earlier in the same list)
    /// changes nothing and is answered with what is stored. `created_at` is the time of the commit's
    /// transaction, and never lower than that of the tenant's event before.
    ///
    /// # Errors
    /// [`EventWriteError::TenantNotFound`] also while the tenant is being deleted.
    async fn append(
        &self,
        tenant: TenantNumber,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Stored>, EventWriteError>;

    /// Stores events that another system stored before, as [`append`](Self::append) does but for their times:
    /// each gets the `created_at` that [`PastEvent::time_behind`] gives it behind the tenant's event before (its own
    /// where that may be).
    ///
    /// # Errors
    /// [`EventWriteError::TenantNotFound`] also while the tenant is being deleted.
    async fn append_past(
        &self,
        tenant: TenantNumber,
        events: Vec<PastEvent>,
    ) -> Result<Vec<Stored>, EventWriteError>;

    /// The tenant's event of that id.
    async fn find(&self, tenant: TenantNumber, event: EventId) -> Result<Option<Event>, StorageError>;

    /// The tenant's events that the filter shows ([`EventFilter::matches`] says which), by sequence.
    async fn list(&self, tenant: TenantNumber, query: EventQuery) -> Result<Page<Event>, StorageError>;
}
