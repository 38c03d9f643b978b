//! Events: what happened.

mod past;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tenantry_domain::{Event, EventDraft, EventId, NewEvent, Page, Stored, TenantNumber, Violations};
use tenantry_ports::{EventQuery, EventRepository, EventWriteError, StorageError};
use uuid::Uuid;

/// Why something about events was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The tenant has no such event.
    #[error("there is no such event")]
    NotFound,
    /// There is no such tenant, or it is being deleted.
    #[error("there is no such tenant")]
    TenantNotFound,
    /// The draft breaks these rules.
    #[error("the event is not valid: {0}")]
    Invalid(#[from] Violations),
    /// Storage did not do it.
    #[error(transparent)]
    Storage(#[from] StorageError),
}

impl From<EventWriteError> for EventError {
    fn from(error: EventWriteError) -> Self {
        match error {
            EventWriteError::TenantNotFound => Self::TenantNotFound,
            EventWriteError::Storage(error) => Self::Storage(error),
        }
    }
}

/// What is done with events.
pub struct EventService {
    events: Arc<dyn EventRepository>,
}

impl EventService {
    /// The service over these events.
    #[must_use]
    pub fn new(events: Arc<dyn EventRepository>) -> Self {
        Self { events }
    }

    /// Stores an event, under its own id or else a new UUIDv7. An event whose id the tenant has already
    /// changes nothing and is answered as it is stored.
    ///
    /// # Errors
    /// [`EventError::Invalid`], [`EventError::TenantNotFound`], [`EventError::Storage`].
    pub async fn append(&self, tenant: TenantNumber, draft: EventDraft<'_>) -> Result<Stored, EventError> {
        let event = new_event(draft)?;
        let mut stored = self.store(tenant, vec![event]).await?;
        stored.pop().ok_or_else(|| miscounted(1, 0).into())
    }

    /// Stores several events in one transaction, and says of each draft what became of it, in the same
    /// order. A draft that is not valid (or was not even readable: an `Err` is handed through) is refused
    /// alone; where none is valid storage is not asked.
    ///
    /// # Errors
    /// [`EventError::TenantNotFound`], [`EventError::Storage`]: nothing was stored.
    pub async fn append_batch(
        &self,
        tenant: TenantNumber,
        drafts: Vec<Result<EventDraft<'_>, Violations>>,
    ) -> Result<Vec<Result<Stored, Violations>>, EventError> {
        let mut valid = Vec::with_capacity(drafts.len());
        let refused: Vec<Option<Violations>> = drafts
            .into_iter()
            .map(|draft| match draft.and_then(new_event) {
                Ok(event) => {
                    valid.push(event);
                    None
                }
                Err(violations) => Some(violations),
            })
            .collect();
        let stored = if valid.is_empty() { Vec::new() } else { self.store(tenant, valid).await? };
        let mut stored = stored.into_iter();
        refused
            .into_iter()
            .map(|refused| match refused {
                Some(violations) => Ok(Err(violations)),
                None => stored.next().map(Ok).ok_or_else(|| miscounted(1, 0).into()),
            })
            .collect()
    }

    /// The tenant's event of that id.
    ///
    /// # Errors
    /// [`EventError::NotFound`], [`EventError::Storage`].
    pub async fn get(&self, tenant: TenantNumber, id: EventId) -> Result<Event, EventError> {
        self.events.find(tenant, id).await?.ok_or(EventError::NotFound)
    }

    /// A page of the tenant's events.
    ///
    /// # Errors
    /// [`EventError::Storage`].
    pub async fn list(&self, tenant: TenantNumber, query: EventQuery) -> Result<Page<Event>, EventError> {
        Ok(self.events.list(tenant, query).await?)
    }

    async fn store(&self, tenant: TenantNumber, events: Vec<NewEvent>) -> Result<Vec<Stored>, EventError> {
        let asked = events.len();
        let stored = self.events.append(tenant, events).await?;
        if stored.len() == asked { Ok(stored) } else { Err(miscounted(asked, stored.len()).into()) }
    }
}

/// Checks a draft, and makes an id where it has none: a UUIDv7, which no event has yet.
fn new_event(draft: EventDraft<'_>) -> Result<NewEvent, Violations> {
    let has_new_id = draft.id.is_none();
    Ok(NewEvent { has_new_id, ..NewEvent::parse(draft, Uuid::now_v7)? })
}

/// An adapter that breaks its contract must not make one event's answer look like another's.
fn miscounted(asked: usize, answered: usize) -> StorageError {
    StorageError::Failed(format!("{asked} events were to be stored, {answered} were answered"))
}
