//! The filters of `GET /api/v1/events`.

use serde_json::Value;
use tenantry_domain::{EventFilter, JsonObject, Order, Sequence, Timestamp};
use tenantry_ports::EventQuery;
use utoipa::IntoParams;

use crate::cursor;
use crate::problem::Problem;
use crate::problem_code::Code;
use crate::query::{Query, whole_number};

/// Every parameter that the list knows.
pub(crate) const PARAMETERS: &[&str] = &[
    "component",
    "environment",
    "email",
    "message",
    "from_date",
    "to_date",
    "data",
    "after_sequence",
    "order",
    "limit",
    "cursor",
];

/// How often a filter may be repeated.
const MAX_REPEATS: usize = 100;

/// The parameters, for the OpenAPI document; [`read`] is what reads them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only the description is used")]
pub(crate) struct EventQueryParams {
    /// The component is this, letter for letter. Repeat it for one of several.
    #[param(explode = true, nullable = false, max_items = 100, example = json!(["billing"]))]
    component: Option<Vec<String>>,
    /// The environment is this, letter for letter. Repeat it for one of several.
    #[param(explode = true, nullable = false, max_items = 100, example = json!(["production"]))]
    environment: Option<Vec<String>>,
    /// The e-mail address is this, letter for letter. Repeat it for one of several.
    #[param(explode = true, nullable = false, max_items = 100)]
    email: Option<Vec<String>>,
    /// The message contains this text; the case of letters does not count.
    #[param(nullable = false, example = "failed")]
    message: Option<String>,
    /// Stored then or later: RFC 3339, or a day (`YYYY-MM-DD` or `MM-DD-YYYY`, from its midnight in UTC).
    #[param(nullable = false, example = "2026-01-31")]
    from_date: Option<String>,
    /// Stored then or earlier: RFC 3339, or a day, all of it included.
    #[param(nullable = false, example = "2099-12-31")]
    to_date: Option<String>,
    /// The data contains this JSON object, as PostgreSQL's `@>` has it.
    #[param(nullable = false, example = json!("{\"order\": 4711}"))]
    data: Option<String>,
    /// Only events behind this sequence.
    #[param(nullable = false, minimum = 0, example = 0)]
    after_sequence: Option<u64>,
    /// `desc`: newest first; `asc`: oldest first.
    #[param(nullable = false, pattern = "^(asc|desc)$", example = "desc")]
    order: Option<String>,
    /// How many at most.
    #[param(nullable = false, minimum = 1, maximum = 1000, example = 50)]
    limit: Option<u16>,
    /// `next_cursor` of the page before.
    #[param(nullable = false)]
    cursor: Option<String>,
}

/// Reads the filters; the cursor is left to the caller, who knows what it must fit.
pub(crate) fn read(query: &Query<'_>) -> Result<EventQuery, Problem> {
    const DATE: &str = "an RFC 3339 date-time (2026-01-31T12:00:00Z), or a day as YYYY-MM-DD or MM-DD-YYYY";
    let order = query.read("order", "asc or desc", |word| match word {
        "asc" => Some(Order::Ascending),
        "desc" => Some(Order::Descending),
        _ => None,
    })?;
    let filter = EventFilter {
        components: query.all("component", MAX_REPEATS)?,
        environments: query.all("environment", MAX_REPEATS)?,
        emails: query.all("email", MAX_REPEATS)?,
        message_contains: query.one("message")?.map(str::to_owned),
        from: query.read("from_date", DATE, Timestamp::parse_range_start)?,
        to: query.read("to_date", DATE, Timestamp::parse_range_end)?,
        data_contains: query.read("data", "a JSON object", json_object)?,
        after_sequence: query
            .read("after_sequence", "a whole number", |text| Sequence::new(whole_number(text)?))?,
    };
    Ok(EventQuery { filter, order: order.unwrap_or_default(), after: None, limit: query.limit()? })
}

fn json_object(text: &str) -> Option<Value> {
    JsonObject::parse(text).ok().map(|object| object.to_value())
}

/// The sequence that a cursor holds.
pub(crate) fn read_position(position: &[u8]) -> Result<Sequence, Problem> {
    Sequence::new(cursor::number(position)?).ok_or_else(|| Problem::plain(Code::InvalidCursor))
}
