//! Events: appending them, and finding one. Lists are in `event_list.rs`.

use async_trait::async_trait;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use tenantry_domain::{
    Component, Email, Environment, Event, EventId, JsonObject, Message, NewEvent, Page, PastEvent, Sequence,
    Stored, TenantNumber, Timestamp,
};
use tenantry_ports::{EventQuery, EventRepository, EventWriteError, StorageError};
use uuid::Uuid;

use crate::batch::WriteBatch;
use crate::counters::Which;
use crate::error::SqliteError;
use crate::event_list::list;
use crate::schema::events;
use crate::static_query::static_query;
use crate::storage::SqliteStorage;

#[async_trait]
impl EventRepository for SqliteStorage {
    async fn append(
        &self,
        tenant: TenantNumber,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Stored>, EventWriteError> {
        let weight = events.iter().map(weight).sum();
        let write = self.write(weight, events, move |events, batch| {
            let now = batch.now();
            let time = |_, last: Option<Timestamp>| last.map_or(now, |last| last.max(now));
            append(batch, tenant, events.iter(), time)
        });
        let (events, placed) = write.await?;
        let placed = placed.ok_or(EventWriteError::TenantNotFound)?;
        Ok(events.into_iter().zip(placed).map(|(event, placed)| placed.of(event)).collect())
    }

    async fn append_past(
        &self,
        tenant: TenantNumber,
        events: Vec<PastEvent>,
    ) -> Result<Vec<Stored>, EventWriteError> {
        let weight = events.iter().map(|past| weight(&past.event)).sum();
        let write = self.write(weight, events, move |events, batch| {
            let now = batch.now();
            let time = |at: usize, last| events[at].time_behind(last, now);
            append(batch, tenant, events.iter().map(|past| &past.event), time)
        });
        let (events, placed) = write.await?;
        let placed = placed.ok_or(EventWriteError::TenantNotFound)?;
        Ok(events.into_iter().zip(placed).map(|(past, placed)| placed.of(past.event)).collect())
    }

    async fn find(&self, tenant: TenantNumber, event: EventId) -> Result<Option<Event>, StorageError> {
        self.find_event(tenant, event).await
    }

    async fn list(&self, tenant: TenantNumber, query: EventQuery) -> Result<Page<Event>, StorageError> {
        self.read_long(move |connection, caller| list(connection, tenant, &query, caller)).await
    }
}

/// About how many bytes an event holds while it waits.
fn weight(event: &NewEvent) -> usize {
    256 + event.component.as_str().len()
        + event.environment.as_str().len()
        + event.message.as_str().len()
        + event.email.as_ref().map_or(0, |email| email.as_str().len())
        + event.data.as_str().len()
}

/// What became of an event, without the event itself: that stays with whoever waits.
enum Placed {
    New(Sequence, Timestamp),
    Duplicate(Box<Event>),
}

impl Placed {
    fn of(self, event: NewEvent) -> Stored {
        match self {
            Self::New(sequence, created_at) => Stored::New(event.into_event(sequence, created_at)),
            Self::Duplicate(event) => Stored::Duplicate(*event),
        }
    }
}

static_query! {
    /// Stores an event, unless the tenant has one of its id.
    InsertEvent<'a> {
        "INSERT INTO events (tenant_number, sequence, id, component, environment, message, email, data, \
         created_at) VALUES (" tenant: i64 as BigInt,
        ", " sequence: i64 as BigInt,
        ", " id: &'a [u8] as Binary,
        ", " component: &'a str as Text,
        ", " environment: &'a str as Text,
        ", " message: &'a str as Text,
        ", " email: Option<&'a str> as Nullable<Text>,
        ", " data: &'a str as Text,
        ", " created_at: i64 as BigInt;
        ") ON CONFLICT (tenant_number, id) DO NOTHING"
    }
}

/// Stores events. `time` says the `created_at` of the one at that place, behind the tenant's event before.
fn append<'a>(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    events: impl ExactSizeIterator<Item = &'a NewEvent>,
    time: impl Fn(usize, Option<Timestamp>) -> Timestamp,
) -> Result<Option<Vec<Placed>>, SqliteError> {
    let Some(mut counters) = batch.counters(tenant, Which::Open)? else { return Ok(None) };
    let mut placed = Vec::with_capacity(events.len());
    for (at, event) in events.enumerate() {
        let id = event.id.get();
        let created_at = time(at, counters.last_event_at.map(Timestamp::from_micros)).as_micros();
        let insert = InsertEvent {
            tenant: tenant.get(),
            sequence: counters.event_sequence + 1,
            id: id.as_bytes(),
            component: event.component.as_str(),
            environment: event.environment.as_str(),
            message: event.message.as_str(),
            email: event.email.as_ref().map(Email::as_str),
            data: event.data.as_str(),
            created_at,
        };
        if insert.execute(&mut batch.connection)? == 1 {
            counters.event_sequence += 1;
            counters.last_event_at = Some(created_at);
            placed.push(Placed::New(sequence(counters.event_sequence)?, Timestamp::from_micros(created_at)));
        } else {
            let held = find(&mut batch.connection, tenant, event.id)?;
            let held = held.ok_or_else(|| SqliteError::Damaged(format!("no event {id}, and yet its id")))?;
            placed.push(Placed::Duplicate(Box::new(held)));
        }
    }
    batch.set_counters(tenant, counters);
    Ok(Some(placed))
}

pub(crate) fn find(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    event: EventId,
) -> Result<Option<Event>, SqliteError> {
    let row: Option<EventRow> = events::table
        .filter(events::tenant_number.eq(tenant.get()))
        .filter(events::id.eq(&event.get().as_bytes()[..]))
        .select(EventRow::as_select())
        .get_result(connection)
        .optional()?;
    row.map(EventRow::into_event).transpose()
}

/// A row of `events`, its tenant left out.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = events, check_for_backend(diesel::sqlite::Sqlite))]
pub(crate) struct EventRow {
    sequence: i64,
    id: Vec<u8>,
    component: String,
    environment: String,
    pub(crate) message: String,
    email: Option<String>,
    pub(crate) data: String,
    created_at: i64,
}

impl EventRow {
    pub(crate) fn into_event(self) -> Result<Event, SqliteError> {
        let sequence = sequence(self.sequence)?;
        let damaged =
            |what: &str| SqliteError::Damaged(format!("an event (sequence {sequence}) with {what}"));
        Ok(Event {
            id: EventId::new(Uuid::from_slice(&self.id).map_err(|_| damaged("an id that is no UUID"))?),
            component: Component::from_stored(self.component),
            environment: Environment::from_stored(self.environment),
            message: Message::from_stored(self.message),
            email: self.email.map(Email::from_stored),
            data: JsonObject::from_stored(self.data).map_err(|_| damaged("data that is no JSON"))?,
            created_at: Timestamp::from_micros(self.created_at),
            sequence,
        })
    }
}

pub(crate) fn sequence(number: i64) -> Result<Sequence, SqliteError> {
    u64::try_from(number)
        .ok()
        .and_then(Sequence::new)
        .ok_or_else(|| SqliteError::Damaged(format!("the sequence {number}")))
}
