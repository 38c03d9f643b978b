//! Events of another system.

use tenantry_domain::{PastEvent, Stored, TenantNumber};

use super::{EventError, EventService, miscounted};
use crate::past_outcome::PastOutcome;

impl EventService {
    /// Stores events that another system stored before, in one transaction, and says of each what became of it, in
    /// the same order. One whose id the tenant has already changes nothing. Each keeps its time if the caller
    /// brings them by time, before the tenant has newer ones: within a tenant `created_at` does not fall.
    ///
    /// # Errors
    /// [`EventError::TenantNotFound`], [`EventError::Storage`]: nothing was stored.
    pub async fn import(
        &self,
        tenant: TenantNumber,
        events: Vec<PastEvent>,
    ) -> Result<Vec<PastOutcome>, EventError> {
        let times: Vec<_> = events.iter().map(|past| past.created_at).collect();
        let stored = self.events.append_past(tenant, events).await?;
        if stored.len() != times.len() {
            return Err(miscounted(times.len(), stored.len()).into());
        }
        let outcome = |(stored, time)| match stored {
            Stored::Duplicate(_) => PastOutcome::AlreadyThere,
            Stored::New(event) if event.created_at == time => PastOutcome::Stored,
            Stored::New(event) => PastOutcome::StoredAt(event.created_at),
        };
        Ok(stored.into_iter().zip(times).map(outcome).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tenantry_domain::{EventDraft, NewEvent, Sequence, Timestamp};
    use tenantry_ports::MockEventRepository;
    use uuid::Uuid;

    use super::*;
    use crate::samples::{number, time};

    fn past(at: Timestamp) -> PastEvent {
        let draft = EventDraft {
            component: Some("c".to_owned()),
            environment: Some("e".to_owned()),
            message: Some("m".to_owned()),
            ..EventDraft::default()
        };
        PastEvent { event: NewEvent::parse(draft, Uuid::nil).unwrap(), created_at: at }
    }

    #[tokio::test]
    async fn what_became_of_each_event_is_told_in_order() {
        let mut events = MockEventRepository::new();
        events.expect_append_past().once().returning(|_, list: Vec<PastEvent>| {
            let stored = |at: usize, time| list[at].event.clone().into_event(Sequence::new(1).unwrap(), time);
            Ok(vec![
                Stored::New(stored(0, list[0].created_at)),
                Stored::Duplicate(stored(1, time(9))),
                Stored::New(stored(2, time(9))),
            ])
        });
        let outcomes =
            EventService::new(Arc::new(events)).import(number(7), vec![past(time(1)); 3]).await.unwrap();
        let expected = [PastOutcome::Stored, PastOutcome::AlreadyThere, PastOutcome::StoredAt(time(9))];
        assert_eq!(outcomes, expected);
    }

    #[tokio::test]
    async fn storage_that_answers_for_another_number_of_events_is_not_believed() {
        let mut events = MockEventRepository::new();
        events.expect_append_past().returning(|_, _| Ok(vec![]));
        let refused = EventService::new(Arc::new(events)).import(number(7), vec![past(time(1))]).await;
        assert!(matches!(refused, Err(EventError::Storage(_))), "{refused:?}");
    }
}
