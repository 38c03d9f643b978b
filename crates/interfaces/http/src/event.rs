//! Events: `/api/v1/events`.

use actix_web::dev::{Payload, RequestHead};
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tenantry_domain::{Event, EventDraft, EventId, Scope, Stored, TenantNumber, Timestamp};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cursor::ListIdentity;
use crate::problem::Problem;
use crate::problem_code::Code;
use crate::query::Query;
use crate::state::State;
use crate::tenant::{link_next, next_cursor};
use crate::{access, body, event_batch, event_query, json};

/// An event, as it is stored.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Event)]
pub(crate) struct EventDto<'a> {
    /// Its id, and its deduplication key.
    #[schema(example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d")]
    id: Uuid,
    /// Which part of a system it tells of.
    #[schema(example = "billing")]
    component: &'a str,
    /// Where that part ran.
    #[schema(example = "production")]
    environment: &'a str,
    /// What happened.
    #[schema(example = "order 4711 failed")]
    message: &'a str,
    /// Whom it concerns.
    #[schema(required = true, example = "ada@example.com")]
    email: Option<&'a str>,
    /// Anything else.
    #[schema(value_type = Object, example = json!({"order": 4711}))]
    data: &'a RawValue,
    /// When it was stored; never lower than that of the event before.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T10:00:00.000000Z")]
    created_at: Timestamp,
    /// Its place in the tenant: 1 for the first, one more for each, without gaps.
    #[schema(example = 1, minimum = 1)]
    sequence: u64,
}

/// An event to be stored.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = EventDraft)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventBody<'a> {
    /// Your own id for it, a UUID: sent again, the event is not stored twice. A UUIDv7 is made where absent.
    #[schema(required = false, example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d")]
    id: Option<Uuid>,
    /// Which part of a system it tells of.
    #[schema(required = true, nullable = false, min_length = 1, max_length = 255, example = "billing")]
    component: Option<String>,
    /// Where that part ran.
    #[schema(required = true, nullable = false, min_length = 1, max_length = 255, example = "production")]
    environment: Option<String>,
    /// What happened.
    #[schema(
        required = true,
        nullable = false,
        min_length = 1,
        max_length = 8192,
        example = "order 4711 failed"
    )]
    message: Option<String>,
    /// Whom it concerns: a valid e-mail address.
    #[schema(required = false, format = "email", example = "ada@example.com")]
    email: Option<String>,
    /// A JSON object of at most 64 KiB, nested at most 32 levels; `{}` where absent.
    #[serde(borrow)]
    #[schema(value_type = Option<Object>, required = false, example = json!({"order": 4711}))]
    data: Option<&'a RawValue>,
}

/// A page of events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventList<'a> {
    #[schema(value_type = Vec<EventDto>)]
    events: Vec<EventDto<'a>>,
    /// For the next page; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

fn as_text<S: serde::Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

impl<'a> From<&'a Event> for EventDto<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            id: event.id.get(),
            component: event.component.as_str(),
            environment: event.environment.as_str(),
            message: event.message.as_str(),
            email: event.email.as_ref().map(|email| email.as_str()),
            data: event.data.as_raw(),
            created_at: event.created_at,
            sequence: event.sequence.get(),
        }
    }
}

impl<'a> From<EventBody<'a>> for EventDraft<'a> {
    fn from(body: EventBody<'a>) -> Self {
        Self {
            id: body.id,
            component: body.component,
            environment: body.environment,
            message: body.message,
            email: body.email,
            data: body.data,
        }
    }
}

/// Stores an event, or an array of events. The answer comes after they are committed to disk.
///
/// One event: 201 with the event; 200 with the stored event if its id was there already. An array: per
/// item what became of it; 201 if none was rejected, else 207.
#[utoipa::path(post, path = "/api/v1/events", tag = "Events",
    request_body(content = event_batch::OneOrMany, content_type = "application/json"),
    responses(
        (status = 201, description = "Stored: the event, or the outcome of each item.", body = event_batch::EventOrOutcome, headers(("Location" = String))),
        (status = 200, description = "An event of this id was stored already: that one.", body = EventDto),
        (status = 207, description = "Some items were rejected: the outcome of each.", body = event_batch::BatchOutcome)))]
pub(crate) async fn create_events(
    state: &State,
    head: &RequestHead,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(state, head, Scope::EventsWrite).await?;
    body::require_media_type(head, &["application/json"])?;
    let limit = state.limits.max_batch_body_bytes.max(state.limits.max_json_body_bytes);
    let text = body::read(head, payload, limit, state.body_timeout).await?;
    if text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return event_batch::create(state, tenant, &text).await;
    }
    if text.len() > state.limits.max_json_body_bytes {
        let detail = format!("an event may have at most {} bytes", state.limits.max_json_body_bytes);
        return Err(Problem::new(Code::BodyTooLarge, detail));
    }
    create_one(state, tenant, &text).await
}

async fn create_one(state: &State, tenant: TenantNumber, text: &[u8]) -> Result<HttpResponse, Problem> {
    let body: EventBody<'_> = json::read(text, state.limits.max_json_depth)?;
    let stored = state.services.events.append(tenant, body.into()).await?;
    let status = match stored {
        Stored::New(_) => StatusCode::CREATED,
        Stored::Duplicate(_) => StatusCode::OK,
    };
    let mut answer = json::builder(status);
    if status == StatusCode::CREATED {
        answer.insert_header((header::LOCATION, format!("/api/v1/events/{}", stored.event().id)));
    }
    Ok(answer.body(json::write(&EventDto::from(stored.event()))?))
}

/// Shows an event.
#[utoipa::path(get, path = "/api/v1/events/{id}", tag = "Events",
    params(("id" = Uuid, Path, description = "The event's id.", example = "0192f3a4-6c1e-7b3a-9d6e-2f1f0a9c1b2d")),
    responses((status = 200, description = "The event.", body = EventDto)))]
pub(crate) async fn get_event(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::EventsRead).await?;
    let id = EventId::parse(request.match_info().query("id"))
        .ok_or_else(|| Problem::plain(Code::EventNotFound))?;
    let event = state.services.events.get(tenant, id).await?;
    json::answer(StatusCode::OK, &EventDto::from(&event))
}

/// Lists events by their sequence, newest first unless told otherwise. All filters must hold; of one that
/// is repeated, one value.
#[utoipa::path(get, path = "/api/v1/events", tag = "Events", params(event_query::EventQueryParams),
    responses((status = 200, description = "A page of events.", body = EventList,
        headers(("Link" = String, description = "RFC 8288: `rel=\"next\"`, where there is more.")))))]
pub(crate) async fn list_events(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(&state, request.head(), Scope::EventsRead).await?;
    let query = Query::parse(request.query_string(), event_query::PARAMETERS)?;
    let mut wanted = event_query::read(&query)?;
    let identity = format!("{:?} {:?}", wanted.filter, wanted.order);
    let list = ListIdentity { list: "events", tenant: Some(tenant), filter: &identity };
    if let Some(text) = query.one("cursor")? {
        wanted.after = Some(event_query::read_position(&state.cursors.open(&list, text)?)?);
    }
    let page = state.services.events.list(tenant, wanted).await?;
    let next = next_cursor(&page, |last| state.cursors.seal(&list, &last.sequence.get().to_be_bytes()));
    let mut answer = json::builder(StatusCode::OK);
    link_next(&mut answer, &request, next.as_deref());
    let events = page.items.iter().map(EventDto::from).collect();
    Ok(answer.body(json::write(&EventList { events, next_cursor: next })?))
}
