//! Events: the port, and finding one. Appending is in `event_append.rs`, lists in `event_list.rs`.

use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use tenantry_domain::{
    Component, Email, Environment, Event, EventId, JsonObject, Message, NewEvent, Page, PastEvent, Sequence,
    Stored, TenantNumber,
};
use tenantry_ports::{EventQuery, EventRepository, EventWriteError, StorageError};
use uuid::Uuid;

use crate::claim::Claim;
use crate::error::PostgresError;
use crate::event_append::Appended;
use crate::event_list::list;
use crate::event_past::append_past;
use crate::moment::from_moment;
use crate::schema::events;
use crate::static_query::static_query;
use crate::storage::PostgresStorage;

#[async_trait]
impl EventRepository for PostgresStorage {
    async fn append(
        &self,
        tenant: TenantNumber,
        events: Vec<NewEvent>,
    ) -> Result<Vec<Stored>, EventWriteError> {
        let weight = events.iter().map(weight).sum();
        let write = self.write_staged(
            Claim::Tenant(tenant),
            weight,
            Arc::new(Appended::new(tenant, events)),
            move |events, batch| {
                Ok(batch.is_open(tenant).then(|| batch.appends.push(tenant, Arc::clone(events))))
            },
            |_, list, batch| Ok(list.map(|list| batch.appends.take(list))),
        );
        let (events, placed) = write.await?;
        let placed = placed.ok_or(EventWriteError::TenantNotFound)?;
        // The batch has let go of its share before it answered.
        let Appended { events, .. } = Arc::unwrap_or_clone(events);
        Ok(events.into_iter().zip(placed).map(|(event, placed)| placed.of(event)).collect())
    }

    async fn append_past(
        &self,
        tenant: TenantNumber,
        events: Vec<PastEvent>,
    ) -> Result<Vec<Stored>, EventWriteError> {
        let weight = events.iter().map(|past| weight(&past.event)).sum();
        let write = self.write(Claim::Tenant(tenant), weight, events, move |events, batch| {
            append_past(batch, tenant, events)
        });
        write.await?.1.ok_or(EventWriteError::TenantNotFound)
    }

    async fn find(&self, tenant: TenantNumber, event: EventId) -> Result<Option<Event>, StorageError> {
        self.find_event(tenant, event).await
    }

    async fn list(&self, tenant: TenantNumber, query: EventQuery) -> Result<Page<Event>, StorageError> {
        self.read_anywhere(tenant, move |connection, turn| list(connection, tenant, &query, turn)).await
    }
}

/// About how many bytes an event holds while it waits: its data twice, once for the index.
fn weight(event: &NewEvent) -> usize {
    256 + event.component.as_str().len()
        + event.environment.as_str().len()
        + event.message.as_str().len()
        + event.email.as_ref().map_or(0, |email| email.as_str().len())
        + 2 * event.data.as_str().len()
}

static_query! {
    /// Finds events by their ids.
    FindEvents<'a> {
        "SELECT * FROM find_events(" tenants: Vec<i64> as Array<BigInt>,
        ", " ids: Vec<Uuid> as Array<SqlUuid>;
        ")"
    } -> (Integer, (BigInt, SqlUuid, Text, Text, Text, Nullable<Text>, Text, Timestamptz))
}

/// The events of those ids, of one tenant each.
pub(crate) fn find_all(
    connection: &mut PgConnection,
    keys: &[(TenantNumber, EventId)],
) -> Result<Vec<Option<Event>>, PostgresError> {
    let find = FindEvents {
        tenants: keys.iter().map(|(tenant, _)| tenant.get()).collect(),
        ids: keys.iter().map(|(_, id)| id.get()).collect(),
        life: PhantomData,
    };
    let rows: Vec<(i32, EventRow)> = find.load(connection)?;
    let mut found = vec![None; keys.len()];
    for (place, row) in rows {
        *at(&mut found, place)? = Some(row.into_event()?);
    }
    Ok(found)
}

/// The answer at a place that a function counts from 1.
pub(crate) fn at<T>(answers: &mut [T], place: i32) -> Result<&mut T, PostgresError> {
    let place = usize::try_from(place).ok().and_then(|place| place.checked_sub(1));
    let answer = place.and_then(|place| answers.get_mut(place));
    answer.ok_or_else(not_asked)
}

/// A function of the schema is not what it should be.
pub(crate) fn not_asked() -> PostgresError {
    PostgresError::Damaged("a function that answers what was not asked".to_owned())
}

/// A row of `events`, its tenant and its index left out.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = events, check_for_backend(diesel::pg::Pg))]
pub(crate) struct EventRow {
    pub(crate) sequence: i64,
    id: Uuid,
    component: String,
    environment: String,
    pub(crate) message: String,
    email: Option<String>,
    pub(crate) data: String,
    created_at: PgTimestamp,
}

impl EventRow {
    pub(crate) fn into_event(self) -> Result<Event, PostgresError> {
        let sequence = stored_sequence(self.sequence)?;
        let damaged =
            |_| PostgresError::Damaged(format!("an event (sequence {sequence}) with data that is no JSON"));
        Ok(Event {
            id: EventId::new(self.id),
            component: Component::from_stored(self.component),
            environment: Environment::from_stored(self.environment),
            message: Message::from_stored(self.message),
            email: self.email.map(Email::from_stored),
            data: JsonObject::from_stored(self.data).map_err(damaged)?,
            created_at: from_moment(self.created_at),
            sequence,
        })
    }
}

/// A sequence, as stored.
pub(crate) fn stored_sequence(number: i64) -> Result<Sequence, PostgresError> {
    u64::try_from(number)
        .ok()
        .and_then(Sequence::new)
        .ok_or_else(|| PostgresError::Damaged(format!("the sequence {number}")))
}
