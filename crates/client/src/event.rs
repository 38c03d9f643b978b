//! Events: `/api/v1/events`.

use chrono::{DateTime, Utc};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::client::Client;
use crate::error::ClientError;
use crate::event_batch::{self, BatchOutcome};
use crate::event_query::EventQuery;
use crate::json_object::JsonObject;
use crate::page::{ItemStream, List, ListBody, Page};
use crate::request::Request;

/// An event, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// Its id, and its deduplication key.
    pub id: Uuid,
    /// Which part of a system it tells of.
    pub component: String,
    /// Where that part ran.
    pub environment: String,
    /// What happened.
    pub message: String,
    /// Whom it concerns.
    pub email: Option<String>,
    /// Anything else.
    pub data: JsonObject,
    /// When it was stored; never lower than that of the event before.
    #[serde(with = "crate::time")]
    pub created_at: DateTime<Utc>,
    /// Its place in the tenant: 1 for the first, one more for each, without gaps.
    pub sequence: u64,
}

/// An event to be stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewEvent {
    /// Your own id for it: sent again, the event is not stored twice. Where it is absent the client makes one
    /// (UUIDv7), for each call anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<Uuid>,
    /// Which part of a system it tells of: 1 to 255 characters.
    pub component: String,
    /// Where that part ran: 1 to 255 characters.
    pub environment: String,
    /// What happened: 1 to 8192 characters.
    pub message: String,
    /// Whom it concerns: an e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Anything else: an object of at most 64 KiB, nested at most 32 levels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<JsonObject>,
}

impl NewEvent {
    /// An event with what each must have.
    #[must_use]
    pub fn new(
        component: impl Into<String>,
        environment: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            id: None,
            component: component.into(),
            environment: environment.into(),
            message: message.into(),
            email: None,
            data: None,
        }
    }

    /// The same, with an id of your own.
    #[must_use]
    pub fn id(mut self, id: Uuid) -> Self {
        self.id = Some(id);
        self
    }

    /// The same, with whom it concerns.
    #[must_use]
    pub fn email(mut self, email: impl Into<String>) -> Self {
        self.email = Some(email.into());
        self
    }

    /// The same, with anything else.
    #[must_use]
    pub fn data(mut self, data: JsonObject) -> Self {
        self.data = Some(data);
        self
    }
}

/// An event as it is sent: always with an id.
#[derive(Serialize)]
pub(crate) struct EventBody<'a> {
    pub(crate) id: Uuid,
    component: &'a str,
    environment: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a JsonObject>,
}

impl<'a> From<&'a NewEvent> for EventBody<'a> {
    fn from(event: &'a NewEvent) -> Self {
        Self {
            id: event.id.unwrap_or_else(Uuid::now_v7),
            component: &event.component,
            environment: &event.environment,
            message: &event.message,
            email: event.email.as_deref(),
            data: event.data.as_ref(),
        }
    }
}

/// An event that is stored now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredEvent {
    /// The event; where its id was stored before, that one.
    pub event: Event,
    /// Whether its id was stored before. Never, where the client has made the id.
    pub was_there: bool,
}

#[derive(Deserialize)]
struct EventList {
    events: Vec<Event>,
    next_cursor: Option<String>,
}

impl ListBody for EventList {
    type Item = Event;

    fn into_page(self) -> Page<Event> {
        Page { items: self.events, next_cursor: self.next_cursor }
    }
}

/// A tenant's events: [`Client::events`].
#[derive(Debug, Clone)]
pub struct Events {
    client: Client,
}

impl Events {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Stores an event. When this has answered, it is on disk.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create(&self, event: &NewEvent) -> Result<StoredEvent, ClientError> {
        let request = Request::new(Method::POST, "/api/v1/events").json(&EventBody::from(event))?;
        let answer = self.client.send(&request).await?;
        // An id that was made for this call can be there only by an attempt whose answer was lost.
        let was_there = answer.status == StatusCode::OK && event.id.is_some();
        Ok(StoredEvent { event: answer.json()?, was_there })
    }

    /// Stores several events, in their order, each on its own: some may be refused, and the others are stored. The
    /// server bounds how many (1,000 unless configured) and how large (8 MiB) a batch may be; an empty one it refuses.
    ///
    /// # Errors
    /// [`ClientError`], where the batch as a whole was not taken.
    pub async fn create_batch(&self, events: &[NewEvent]) -> Result<BatchOutcome, ClientError> {
        event_batch::create(&self.client, events).await
    }

    /// The event of that id.
    ///
    /// # Errors
    /// [`ClientError`]; 404 where there is none.
    pub async fn get(&self, id: Uuid) -> Result<Event, ClientError> {
        self.client.send(&Request::get(format!("/api/v1/events/{id}"))).await?.json()
    }

    /// Every event that the query shows, in its order.
    #[must_use]
    pub fn list(&self, query: &EventQuery) -> ItemStream<Event> {
        self.client.items::<EventList>(list(query))
    }

    /// One page of them: the first, or the one to which `cursor` leads.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn page(&self, query: &EventQuery, cursor: Option<&str>) -> Result<Page<Event>, ClientError> {
        self.client.page::<EventList>(&list(query), cursor).await
    }
}

fn list(query: &EventQuery) -> List {
    List { path: "/api/v1/events".to_owned(), query: query.pairs() }
}
