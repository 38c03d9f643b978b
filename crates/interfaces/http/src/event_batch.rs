//! `POST /api/v1/events` with an array: each item stands or falls alone.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;
use tenantry_domain::{EventDraft, Stored, TenantNumber, Violations};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::event::{EventBody, EventDto};
use crate::json;
use crate::problem::{Problem, ProblemDto};
use crate::problem_code::Code;
use crate::state::State;

/// What may be posted.
#[derive(Debug, ToSchema)]
#[schema(as = EventOrEvents)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the schema is used")]
pub(crate) enum OneOrMany<'a> {
    /// One event.
    #[schema(title = "One event")]
    One(EventBody<'a>),
    /// Several, stored in their order: at most as many as the configuration allows (1000 by default).
    #[schema(title = "A batch")]
    Many(Vec<EventBody<'a>>),
}

/// What is answered when something was stored.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only the schema is used")]
pub(crate) enum EventOrOutcome<'a> {
    /// The event.
    #[schema(title = "One event")]
    Event(EventDto<'a>),
    /// The outcome of each item of a batch.
    #[schema(title = "A batch")]
    Outcome(BatchOutcome<'a>),
}

/// What became of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BatchOutcome<'a> {
    /// How many were stored.
    #[schema(example = 1)]
    accepted: usize,
    /// How many were there already.
    #[schema(example = 0)]
    duplicates: usize,
    /// How many were refused.
    #[schema(example = 0)]
    rejected: usize,
    /// Each item, in the order of the array.
    results: Vec<ItemOutcome<'a>>,
}

/// What became of one item.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ItemOutcome<'a> {
    /// Its place in the array, from 0.
    #[schema(example = 0)]
    index: usize,
    /// 201: stored; 200: there already; 422: refused.
    #[schema(example = 201)]
    status: u16,
    /// The event's id, unless it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<Uuid>,
    /// The event's sequence, unless it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = 1)]
    sequence: Option<u64>,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    problem: Option<ProblemDto<'a>>,
}

/// Stores the events of an array and says of each what became of it.
pub(crate) async fn create(
    state: &State,
    tenant: TenantNumber,
    text: &[u8],
) -> Result<HttpResponse, Problem> {
    // One level more than an item: the array itself.
    let items: Vec<&RawValue> = json::read(text, state.limits.max_json_depth.saturating_add(1))?;
    if items.is_empty() {
        return Err(Problem::violation("", "length", "must hold at least one event"));
    }
    if items.len() > state.limits.max_batch_items {
        let detail = format!("must hold at most {} events", state.limits.max_batch_items);
        return Err(Problem::violation("", "length", detail));
    }
    let drafts = items.iter().map(|item| read_item(item)).collect();
    let results = state.services.events.append_batch(tenant, drafts).await?;
    answer(results)
}

fn read_item(item: &RawValue) -> Result<EventDraft<'_>, Violations> {
    json::read_part::<EventBody<'_>>(item.get(), "").map(EventDraft::from)
}

fn answer(results: Vec<Result<Stored, Violations>>) -> Result<HttpResponse, Problem> {
    let results: Vec<Result<Stored, Problem>> =
        results.into_iter().map(|result| result.map_err(Problem::invalid)).collect();
    let count = |f: fn(&Result<Stored, Problem>) -> bool| results.iter().filter(|result| f(result)).count();
    let outcome = BatchOutcome {
        accepted: count(|result| matches!(result, Ok(Stored::New(_)))),
        duplicates: count(|result| matches!(result, Ok(Stored::Duplicate(_)))),
        rejected: count(Result::is_err),
        results: results.iter().enumerate().map(|(index, result)| item(index, result)).collect(),
    };
    let status = if outcome.rejected == 0 { StatusCode::CREATED } else { StatusCode::MULTI_STATUS };
    json::answer(status, &outcome)
}

fn item(index: usize, result: &Result<Stored, Problem>) -> ItemOutcome<'_> {
    let status = match result {
        Ok(Stored::New(_)) => 201,
        Ok(Stored::Duplicate(_)) => 200,
        Err(_) => Code::ValidationFailed.status().as_u16(),
    };
    let event = result.as_ref().ok().map(Stored::event);
    ItemOutcome {
        index,
        status,
        id: event.map(|event| event.id.get()),
        sequence: event.map(|event| event.sequence.get()),
        problem: result.as_ref().err().map(|problem| problem.to_wire(None)),
    }
}
