//! activity_service (Flask, PostgreSQL): `/compat/activity/api`.
//!
//! Kept: the routes with and without a slash at the end, the filters, `created_at` as seconds since 1970 in a
//! string, ids that are random throughout. How it printed refusals is not handed down: `{"error": "…"}`, and every
//! fault of a body is 400.

mod filter;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tenantry_domain::{Event, EventDraft, Order, Scope, Timestamp};
use tenantry_ports::EventQuery;
use utoipa::ToSchema;
use uuid::Uuid;

use super::listing::{self, Frame, Piece};
use super::{access, body};
use crate::json;
use crate::problem::Problem;
use crate::state::State;

/// Whether the service lives.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompatHealth)]
pub(crate) struct Health {
    #[schema(example = "healthy")]
    status: &'static str,
}

/// An event, as the service showed it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CompatEvent)]
pub(crate) struct OldEvent<'a> {
    /// A UUID.
    #[schema(example = "8c3d5f0e-1f4a-4c62-9b0a-0f6f2b6a7d11")]
    id: Uuid,
    /// Which part of a system it tells of.
    #[schema(example = "billing")]
    component: &'a str,
    /// Where that part ran.
    #[schema(example = "production")]
    environment: &'a str,
    /// What happened.
    #[schema(example = "order failed")]
    message: &'a str,
    /// Whom it concerns.
    #[schema(required = true, example = "ada@example.com")]
    email: Option<&'a str>,
    /// Anything else.
    #[schema(value_type = Object, example = json!({"order": 4711}))]
    data: &'a RawValue,
    /// When it was stored: seconds since 1970, with a fraction.
    #[schema(example = "1618531200.23", pattern = r"^-?[0-9]+\.[0-9]+$")]
    created_at: String,
}

/// Events, newest first.
#[derive(Debug, ToSchema)]
#[schema(as = CompatEvents)]
#[expect(dead_code, reason = "only the schema is used: the list is streamed")]
pub(crate) struct OldEvents<'a> {
    events: Vec<OldEvent<'a>>,
}

/// An event to be stored. Other members are passed over.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = CompatEventDraft)]
pub(crate) struct OldEventBody<'a> {
    /// Which part of a system it tells of.
    #[schema(required = true, nullable = false, min_length = 1, max_length = 255, example = "billing")]
    component: Option<String>,
    /// Where that part ran.
    #[schema(required = true, nullable = false, min_length = 1, max_length = 255, example = "production")]
    environment: Option<String>,
    /// What happened.
    #[schema(required = true, nullable = false, min_length = 1, max_length = 8192, example = "order failed")]
    message: Option<String>,
    /// Whom it concerns: a valid e-mail address.
    #[schema(required = false, format = "email", example = "ada@example.com")]
    email: Option<String>,
    /// A JSON object of at most 64 KiB, nested at most 32 levels; `{}` where absent.
    #[serde(borrow)]
    #[schema(value_type = Option<Object>, required = false, example = json!({"order": 4711}))]
    data: Option<&'a RawValue>,
}

impl<'a> From<&'a Event> for OldEvent<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            id: event.id.get(),
            component: event.component.as_str(),
            environment: event.environment.as_str(),
            message: event.message.as_str(),
            email: event.email.as_ref().map(|email| email.as_str()),
            data: event.data.as_raw(),
            created_at: epoch_seconds(event.created_at),
        }
    }
}

/// As Python prints a float: without zeros at the end, but with one digit behind the point.
fn epoch_seconds(time: Timestamp) -> String {
    let micros = time.as_micros();
    let (sign, micros) = (if micros < 0 { "-" } else { "" }, micros.unsigned_abs());
    let text = format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let trimmed = text.trim_end_matches('0');
    if trimmed.ends_with('.') { format!("{trimmed}0") } else { trimmed.to_owned() }
}

/// A UUID of random bits throughout.
fn random_id() -> Result<Uuid, Problem> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|_| Problem::internal("the system gave no random bytes"))?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

/// Says that the service lives; it asks for no key. `/readyz` says more.
#[utoipa::path(get, path = "/compat/activity/api/health", tag = "compat/activity", operation_id = "compat_activity_health",
    responses((status = 200, description = "It lives.", body = Health)))]
pub(crate) async fn health() -> Result<HttpResponse, Problem> {
    json::answer(StatusCode::OK, &Health { status: "healthy" })
}

/// Stores an event. The answer comes after it is committed to disk.
#[utoipa::path(post, path = "/compat/activity/api/events", tag = "compat/activity", operation_id = "compat_create_event",
    request_body = OldEventBody,
    responses((status = 201, description = "The event as it is stored.", body = OldEvent)))]
pub(crate) async fn create_event(
    state: web::Data<State>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    let tenant =
        access::tenant(&state, request.head(), state.compat.activity.as_ref(), Scope::EventsWrite).await?;
    let text = body::read(&state, request.head(), payload.into_inner()).await?;
    let OldEventBody { component, environment, message, email, data } =
        body::object_or_nothing(&state, &text)?;
    let draft = EventDraft { id: Some(random_id()?), component, environment, message, email, data };
    let stored = state.services.events.append(tenant, draft).await?;
    json::answer(StatusCode::CREATED, &OldEvent::from(stored.event()))
}

/// Lists every event that passes the filters, newest first. Other parameters are passed over; of one that is
/// repeated the first counts; an empty one is like none, but for `from_date`. The list is read page by page and sent
/// in chunks: where that fails in the middle, the connection ends before the list does.
#[utoipa::path(get, path = "/compat/activity/api/events", tag = "compat/activity", operation_id = "compat_list_events",
    params(filter::OldFilters), responses((status = 200, description = "The events.", body = OldEvents)))]
pub(crate) async fn list_events(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let tenant =
        access::tenant(&state, request.head(), state.compat.activity.as_ref(), Scope::EventsRead).await?;
    let filter = filter::read(request.head())?;
    let frame = Frame { before: r#"{"events":["#, after: "]}" };
    listing::answer(request.head(), frame, move |after| {
        let (state, filter) = (state.clone(), filter.clone());
        async move {
            let limit = listing::page_limit();
            let query = EventQuery { filter, order: Order::Descending, after, limit };
            let page = state.services.events.list(tenant, query).await?;
            let mut piece = Piece::of(&page, |last| last.sequence);
            page.items.iter().try_for_each(|event| piece.push(&OldEvent::from(event)))?;
            Ok(piece)
        }
    })
    .await
}

/// The same with a slash at the end.
#[utoipa::path(get, path = "/compat/activity/api/events/", tag = "compat/activity", operation_id = "compat_list_events_slash",
    params(filter::OldFilters), responses((status = 200, description = "The events.", body = OldEvents)))]
pub(crate) async fn list_events_slash(
    state: web::Data<State>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    list_events(state, request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_printed_as_python_prints_a_float() {
        for (micros, text) in [
            (1_618_531_200_230_000, "1618531200.23"),
            (1_618_531_200_000_000, "1618531200.0"),
            (1_618_531_200_000_001, "1618531200.000001"),
            (0, "0.0"),
            (-1_500_000, "-1.5"),
        ] {
            assert_eq!(epoch_seconds(Timestamp::from_micros(micros)), text);
        }
    }

    #[test]
    fn an_id_is_random_throughout() {
        let ids = [random_id().unwrap(), random_id().unwrap()];
        assert_ne!(ids[0], ids[1]);
        assert!(ids.iter().all(|id| id.get_version_num() == 4));
    }
}
