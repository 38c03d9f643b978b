//! Appending events that another system stored before: each with a time of its own.

use std::collections::HashMap;

use diesel::prelude::*;
use tenantry_domain::{Event, EventId, PastEvent, Stored, TenantNumber};

use crate::batch::WriteBatch;
use crate::error::PostgresError;
use crate::event::{find_all, stored_sequence};
use crate::event_append::MAX_IN_CALL;
use crate::import::store_events;
use crate::moment::to_moment;
use crate::schema::tenant_counters;

/// Stores them in their order; nothing where the tenant is not open. It is claimed. Lists that are staged take the
/// sequences behind these: they are numbered when the batch is flushed.
pub(crate) fn append_past(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    events: &[PastEvent],
) -> Result<Option<Vec<Stored>>, PostgresError> {
    let Some(mut counters) = batch.open_counters(tenant) else { return Ok(None) };
    let now = batch.now();
    let mut held = Vec::with_capacity(events.len());
    for part in events.chunks(MAX_IN_CALL) {
        let keys: Vec<_> = part.iter().map(|past| (tenant, past.event.id)).collect();
        held.extend(batch.run(|connection| find_all(connection, &keys))?);
    }
    let mut fresh: Vec<Event> = Vec::new();
    let mut firsts: HashMap<EventId, usize> = HashMap::new();
    let mut stored = Vec::with_capacity(events.len());
    for (past, held) in events.iter().zip(held) {
        let id = past.event.id;
        if let Some(event) = held.or_else(|| firsts.get(&id).map(|first| fresh[*first].clone())) {
            stored.push(Stored::Duplicate(event));
            continue;
        }
        let created_at = past.time_behind(counters.last_event_at, now);
        counters.event_sequence += 1;
        counters.last_event_at = Some(created_at);
        let event = past.event.clone().into_event(stored_sequence(counters.event_sequence)?, created_at);
        firsts.insert(id, fresh.len());
        fresh.push(event.clone());
        stored.push(Stored::New(event));
    }
    for part in fresh.chunks(MAX_IN_CALL) {
        batch.run_for(tenant, |connection| store_events(connection, tenant, part))?;
    }
    if !fresh.is_empty() {
        batch.run_for(tenant, |connection| {
            diesel::update(tenant_counters::table.find(tenant.get()))
                .set((
                    tenant_counters::event_sequence.eq(counters.event_sequence),
                    tenant_counters::last_event_at.eq(counters.last_event_at.map(to_moment)),
                ))
                .execute(connection)?;
            Ok(())
        })?;
        batch.set_counters(tenant, counters);
    }
    Ok(Some(stored))
}
