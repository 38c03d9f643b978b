//! Events in memory.

use async_trait::async_trait;
use tenantry_domain::{Event, EventId, NewEvent, Order, Page, PastEvent, Sequence, Stored, TenantNumber};
use tenantry_ports::{EventQuery, EventRepository, EventWriteError, StorageError};

use super::Memory;

#[async_trait]
impl EventRepository for Memory {
    async fn append(
        &self,
        tenant: TenantNumber,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Stored>, EventWriteError> {
        let mut state = self.state();
        let held = state.writable(tenant).ok_or(EventWriteError::TenantNotFound)?;
        let mut stored = Vec::new();
        for event in events {
            if let Some(known) = held.events.iter().find(|known| known.id == event.id) {
                stored.push(Stored::Duplicate(known.clone()));
                continue;
            }
            let (sequence, last) = held.last_event;
            let last = last.unwrap_or_else(|| self.now());
            let sequence = Sequence::new(sequence.get() + 1).unwrap();
            let event = event.into_event(sequence, self.now().max(last));
            held.last_event = (sequence, Some(event.created_at));
            held.events.push(event.clone());
            stored.push(Stored::New(event));
        }
        Ok(stored)
    }

    async fn append_past(
        &self,
        tenant: TenantNumber,
        events: Vec<PastEvent>,
    ) -> Result<Vec<Stored>, EventWriteError> {
        let mut state = self.state();
        let held = state.writable(tenant).ok_or(EventWriteError::TenantNotFound)?;
        let mut stored = Vec::new();
        for past in events {
            if let Some(known) = held.events.iter().find(|known| known.id == past.event.id) {
                stored.push(Stored::Duplicate(known.clone()));
                continue;
            }
            let (sequence, last) = held.last_event;
            let sequence = Sequence::new(sequence.get() + 1).unwrap();
            let created_at = past.time_behind(last, self.now());
            let event = past.event.into_event(sequence, created_at);
            held.last_event = (sequence, Some(created_at));
            held.events.push(event.clone());
            stored.push(Stored::New(event));
        }
        Ok(stored)
    }

    async fn find(&self, tenant: TenantNumber, event: EventId) -> Result<Option<Event>, StorageError> {
        let state = self.state();
        let held = state.tenants.get(&tenant);
        Ok(held.and_then(|held| held.events.iter().find(|known| known.id == event)).cloned())
    }

    async fn list(&self, tenant: TenantNumber, query: EventQuery) -> Result<Page<Event>, StorageError> {
        let state = self.state();
        let events = state.tenants.get(&tenant).map_or(&[][..], |held| &held.events);
        let mut shown: Vec<_> = events
            .iter()
            .filter(|event| query.filter.matches(event))
            .filter(|event| {
                query.after.is_none_or(|after| match query.order {
                    Order::Ascending => event.sequence > after,
                    Order::Descending => event.sequence < after,
                })
            })
            .cloned()
            .collect();
        if query.order == Order::Descending {
            shown.reverse();
        }
        Ok(Page::from_one_more(shown, query.limit))
    }
}
