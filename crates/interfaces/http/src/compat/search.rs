//! The provider-event search (Flask, PostgreSQL, RabbitMQ, Celery): `/compat/search/search`.
//!
//! Kept: the route, its two parameters, the shape of answers and of refusals. There were no pages: everything that is
//! found is answered.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use tenantry_domain::{PageLimit, Scope};
use tenantry_services::SearchQuery;
use utoipa::ToSchema;

use super::access;
use super::listing::{self, Frame, Piece};
use crate::problem::Problem;
use crate::query::Query;
use crate::search::{FoundPlans, span};
use crate::state::State;

/// What a search found.
#[derive(Serialize, ToSchema)]
#[schema(as = CompatSearchResult)]
pub(crate) struct OldResult {
    data: FoundPlans,
    /// Always null.
    #[schema(value_type = Option<Object>, required = true)]
    error: Option<()>,
}

/// Finds the plans that were ever sold online, and that start at or after `starts_at` and end at or before `ends_at`; all
/// of them. Other parameters are passed over; of one that is repeated the first counts.
#[utoipa::path(get, path = "/compat/search/search", tag = "compat/search", operation_id = "compat_search",
    params(("starts_at" = String, Query, description = "They start then or later: a date-time, in UTC unless it has an offset; or a day.", example = "2021-02-01T00:00:00"),
        ("ends_at" = String, Query, description = "They end then or earlier: the same; of a day all is included.", example = "2021-07-31T23:59:59")),
    responses((status = 200, description = "The plans, by when they start.", body = OldResult)))]
pub(crate) async fn search(state: web::Data<State>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let tenant =
        access::tenant(&state, request.head(), state.compat.search.as_ref(), Scope::CatalogRead).await?;
    let query = Query::parse_leniently(request.query_string(), &["starts_at", "ends_at"])?;
    let (starts_at, ends_at) = span(|name| Ok(query.first(name)))?;
    let snapshot = state.services.search.snapshot(tenant).await?;
    let frame = Frame { before: r#"{"data":{"events":["#, after: r#"]},"error":null}"# };
    listing::answer(request.head(), frame, move |after| {
        let mut text = Vec::new();
        let query = SearchQuery { starts_at, ends_at, after, limit: PageLimit::MAX.get() };
        let end = snapshot.search(&query, &mut text);
        std::future::ready(Ok(Piece::of_text(text, end.more_behind)))
    })
    .await
}
