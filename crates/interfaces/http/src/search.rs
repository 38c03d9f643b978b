//! The search: `/api/v1/search`.

use std::io::Write as _;

use actix_web::HttpResponse;
use actix_web::body::BoxBody;
use actix_web::dev::RequestHead;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use serde::Serialize;
use tenantry_domain::{PlanId, Scope, SearchablePlan, TenantNumber, TimeZone, Timestamp};
use tenantry_services::{SearchPosition, SearchQuery};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::cursor::{self, ListIdentity};
use crate::problem::Problem;
use crate::problem_code::Code;
use crate::query::Query;
use crate::state::State;
use crate::tenant::next_link;
use crate::{access, etag};

/// About what a plan's text takes, to make room for.
const BYTES_A_PLAN: usize = 256;

/// A plan that was found.
#[derive(Serialize, ToSchema)]
#[schema(as = FoundPlan)]
pub(crate) struct FoundPlanDto {
    /// The plan's id: `GET /api/v1/catalog/plans/{id}` has all of it.
    #[schema(example = "3fa85f64-5717-4562-b3fc-2c963f66afa6")]
    id: Uuid,
    #[schema(example = "Camela en concierto")]
    title: String,
    /// The day on which it starts, in UTC.
    #[schema(format = Date, example = "2021-06-30")]
    start_date: String,
    /// The time at which it starts, in UTC.
    #[schema(example = "21:00:00")]
    start_time: String,
    /// The day on which it ends, in UTC.
    #[schema(format = Date, example = "2021-06-30")]
    end_date: String,
    /// The time at which it ends, in UTC.
    #[schema(example = "22:00:00")]
    end_time: String,
    /// The lowest price of its zones, exact to the cent; null where it has none.
    #[schema(required = true, example = 15.0, minimum = 0)]
    min_price: Option<f64>,
    /// The highest price of its zones, exact to the cent; null where it has none.
    #[schema(required = true, example = 30.0, minimum = 0)]
    max_price: Option<f64>,
}

/// The plans that were found.
#[derive(Serialize, ToSchema)]
pub(crate) struct FoundPlans {
    /// By when they start, and then by id.
    events: Vec<FoundPlanDto>,
}

/// What a search found.
#[derive(Serialize, ToSchema)]
pub(crate) struct SearchResult {
    data: FoundPlans,
    /// Always null: what goes wrong is answered as a problem.
    #[schema(value_type = Option<Object>, required = true)]
    error: Option<()>,
    /// For the next page; null at the end.
    #[schema(required = true)]
    next_cursor: Option<String>,
}

/// Appends a plan as `FoundPlan`. The application hands it to whoever makes the search's snapshots.
pub fn print_found_plan(plan: &SearchablePlan, to: &mut Vec<u8>) {
    let (starts, ends) = (plan.time.starts_at().to_datetime(), plan.time.ends_at().to_datetime());
    let (starts, ends) = (starts.format("%F\",\"start_time\":\"%T"), ends.format("%F\",\"end_time\":\"%T"));
    // Writing to a vector does not fail.
    let _ = write!(to, "{{\"id\":\"{}\",\"title\":", plan.id);
    let _ = serde_json::to_writer(&mut *to, plan.title.as_str());
    let _ = write!(to, ",\"start_date\":\"{starts}\",\"end_date\":\"{ends}\"");
    let _ = match plan.prices {
        Some(prices) => write!(to, ",\"min_price\":{},\"max_price\":{}}}", prices.min, prices.max),
        None => write!(to, ",\"min_price\":null,\"max_price\":null}}"),
    };
}

/// A moment of a search: RFC 3339, the same without an offset (which is UTC), or a day.
fn moment(text: &str, day: fn(&str) -> Option<Timestamp>) -> Option<Timestamp> {
    // A plus sign that was not percent-encoded has become a blank.
    let text = text.replacen(' ', "+", 1);
    TimeZone::UTC.read(&text).or_else(|| day(&text))
}

/// Reads both ends of the span; `parameter` gives the value of a parameter.
pub(crate) fn span<'a>(
    parameter: impl Fn(&str) -> Result<Option<&'a str>, Problem>,
) -> Result<(Timestamp, Timestamp), Problem> {
    const FORM: &str =
        "a date-time as 2021-07-31T23:59:59 (UTC unless it has an offset), or a day as 2021-07-31";
    let required = |name: &str, read: fn(&str) -> Option<Timestamp>| {
        let text = parameter(name)?.ok_or_else(|| Problem::query(name, "required", "is required"))?;
        moment(text, read).ok_or_else(|| Problem::query(name, "value", format!("must be {FORM}")))
    };
    Ok((
        required("starts_at", Timestamp::parse_range_start)?,
        required("ends_at", Timestamp::parse_range_end)?,
    ))
}

/// Finds the plans that were ever sold online, and that start at or after `starts_at` and end at or before `ends_at`.
///
/// Plans that are on sale no more are found as well, past and future ones, as they were last told. It is answered from
/// memory: while an import runs, from the catalog before it; afterwards from all that it has brought.
#[utoipa::path(get, path = "/api/v1/search", tag = "Catalog",
    params(
        ("starts_at" = String, Query, description = "They start then or later: a date-time, in UTC unless it has an offset; or a day.", example = "2021-02-01T00:00:00"),
        ("ends_at" = String, Query, description = "They end then or earlier: a date-time, in UTC unless it has an offset; or a day, all of it included.", example = "2021-07-31T23:59:59"),
        ("limit" = Option<u16>, Query, description = "How many at most.", minimum = 1, maximum = 1000, example = 50),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before."),
        ("If-None-Match" = Option<String>, Header, description = "304 if the entity tag is this.")),
    responses((status = 200, description = "A page of plans, by when they start.", body = SearchResult,
            headers(("ETag" = String, description = "The catalog's revision."),
                ("Link" = String, description = "RFC 8288: `rel=\"next\"`, where there is more."))),
        (status = 304, description = "It is what `If-None-Match` names.", headers(("ETag" = String)))))]
pub(crate) async fn search_plans(state: &State, head: &RequestHead) -> Result<HttpResponse, Problem> {
    let tenant = access::tenant(state, head, Scope::CatalogRead).await?;
    let query =
        Query::parse(head.uri.query().unwrap_or_default(), &["starts_at", "ends_at", "limit", "cursor"])?;
    let (starts_at, ends_at) = span(|name| query.one(name))?;
    let limit = query.limit()?.get();
    let after = match query.one("cursor")? {
        Some(text) => Some(read_position(&open(state, tenant, (starts_at, ends_at), text)?)?),
        None => None,
    };
    let snapshot = match state.services.search.held(tenant) {
        Some(held) => held,
        None => state.services.search.snapshot(tenant).await?,
    };
    let revision = snapshot.revision().get();
    etag::require_match(head.headers(), revision)?;
    if etag::is_unchanged(head.headers(), revision)? {
        let mut answer = HttpResponse::with_body(StatusCode::NOT_MODIFIED, BoxBody::new(()));
        describe(&mut answer, revision);
        return Ok(answer);
    }
    let mut text = Vec::with_capacity(128 + BYTES_A_PLAN * limit.min(50));
    text.extend_from_slice(b"{\"data\":{\"events\":[");
    let end = snapshot.search(&SearchQuery { starts_at, ends_at, after, limit }, &mut text);
    text.extend_from_slice(b"]},\"error\":null,\"next_cursor\":");
    let next = end.more_behind.map(|last| seal(state, tenant, (starts_at, ends_at), last));
    match &next {
        // A cursor is of letters, digits, `-` and `_`.
        Some(next) => {
            let _ = write!(text, "\"{next}\"}}");
        }
        None => text.extend_from_slice(b"null}"),
    }
    let mut answer = HttpResponse::with_body(StatusCode::OK, BoxBody::new(text));
    describe(&mut answer, revision);
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(link) = next.and_then(|next| HeaderValue::from_str(&next_link(&head.uri, &next)).ok()) {
        headers.insert(header::LINK, link);
    }
    Ok(answer)
}

fn describe(answer: &mut HttpResponse, revision: u64) {
    let headers = answer.headers_mut();
    headers.insert(header::ETAG, etag::of(revision));
    // It may change with the next import, and is another tenant's for another key.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
}

fn identity(span: (Timestamp, Timestamp)) -> String {
    format!("{} {}", span.0, span.1)
}

fn seal(state: &State, tenant: TenantNumber, span: (Timestamp, Timestamp), last: SearchPosition) -> String {
    let filter = identity(span);
    let list = ListIdentity { list: "search", tenant: Some(tenant), filter: &filter };
    let mut position = last.starts_at.as_micros().to_be_bytes().to_vec();
    position.extend_from_slice(last.id.get().as_bytes());
    state.cursors.seal(&list, &position)
}

fn open(
    state: &State,
    tenant: TenantNumber,
    span: (Timestamp, Timestamp),
    cursor: &str,
) -> Result<Vec<u8>, Problem> {
    let filter = identity(span);
    state.cursors.open(&ListIdentity { list: "search", tenant: Some(tenant), filter: &filter }, cursor)
}

fn read_position(position: &[u8]) -> Result<SearchPosition, Problem> {
    let refused = || Problem::plain(Code::InvalidCursor);
    let (start, id) = position.split_at_checked(8).ok_or_else(refused)?;
    let starts_at = Timestamp::from_micros(cursor::number(start)?.cast_signed());
    let id = PlanId::new(Uuid::from_slice(id).map_err(|_| refused())?);
    Ok(SearchPosition { starts_at, id })
}

#[cfg(test)]
mod tests {
    use tenantry_domain::{PlanTime, PlanTitle, Price, PriceRange};

    use super::*;

    fn plan(title: &str, prices: Option<(i64, i64)>) -> SearchablePlan {
        let time = |text| Timestamp::parse_rfc3339(text).unwrap();
        let price = |cents| Price::from_cents(cents).unwrap();
        SearchablePlan {
            id: PlanId::parse("3fa85f64-5717-4562-b3fc-2c963f66afa6").unwrap(),
            title: PlanTitle::new(title).unwrap(),
            time: PlanTime::new(time("2021-06-30T21:00:00.5Z"), time("2021-07-01T00:30:00Z")).unwrap(),
            prices: prices.map(|(min, max)| PriceRange { min: price(min), max: price(max) }),
        }
    }

    #[test]
    fn a_plan_is_printed_as_the_predecessor_did() {
        let mut text = Vec::new();
        print_found_plan(&plan("Camela \"en\" concierto\n", Some((1500, 3025))), &mut text);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            r#"{"id":"3fa85f64-5717-4562-b3fc-2c963f66afa6","title":"Camela \"en\" concierto\n","start_date":"2021-06-30","start_time":"21:00:00","end_date":"2021-07-01","end_time":"00:30:00","min_price":15.0,"max_price":30.25}"#
        );
    }

    #[test]
    fn a_plan_without_zones_has_no_price() {
        let mut text = Vec::new();
        print_found_plan(&plan("a", None), &mut text);
        let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert!(value["min_price"].is_null() && value["max_price"].is_null());
    }

    #[test]
    fn a_moment_is_utc_unless_it_says_otherwise() {
        let read = |text| moment(text, Timestamp::parse_range_end).map(|time| time.to_string());
        for (text, time) in [
            ("2021-07-31T23:59:59", "2021-07-31T23:59:59.000000Z"),
            ("2021-07-31T23:59:59Z", "2021-07-31T23:59:59.000000Z"),
            ("2021-07-31T23:59:59+02:00", "2021-07-31T21:59:59.000000Z"),
            ("2021-07-31T23:59:59 02:00", "2021-07-31T21:59:59.000000Z"),
            ("2021-07-31", "2021-07-31T23:59:59.999999Z"),
        ] {
            assert_eq!(read(text).as_deref(), Some(time), "{text}");
        }
        for text in ["", "tomorrow", "2021-09-31T20:00:00", "2021-07-31T23:59", "1627775999"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
