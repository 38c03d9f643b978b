//! The filters of `GET /compat/activity/api/events`.

use actix_web::dev::RequestHead;
use tenantry_domain::{EventFilter, Timestamp};
use utoipa::IntoParams;

use crate::problem::Problem;
use crate::query::Query;

/// The filters, for the OpenAPI document; [`read`] is what reads them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only the description is used")]
pub(crate) struct OldFilters {
    /// The e-mail address is this, letter for letter.
    #[param(nullable = false, example = "ada@example.com")]
    email: Option<String>,
    /// The environment is this, letter for letter.
    #[param(nullable = false, example = "production")]
    environment: Option<String>,
    /// The component is this, letter for letter.
    #[param(nullable = false, example = "billing")]
    component: Option<String>,
    /// The message contains this text; the case of letters does not count.
    #[param(nullable = false, example = "failed")]
    message: Option<String>,
    /// Stored on this day (in UTC) or later: `MM-DD-YYYY`.
    #[param(nullable = false, pattern = "^[0-9]{2}-[0-9]{2}-[0-9]{4}$", example = "04-16-2021")]
    from_date: Option<String>,
}

/// Midnight in UTC of a day that is written `MM-DD-YYYY`.
fn day(text: &str) -> Option<Timestamp> {
    // In the other forms that a range may begin with, the third character is a digit.
    (text.as_bytes().get(2) == Some(&b'-')).then(|| Timestamp::parse_range_start(text)).flatten()
}

/// Reads the filters.
pub(super) fn read(head: &RequestHead) -> Result<EventFilter, Problem> {
    let known = ["email", "environment", "component", "message", "from_date"];
    let query = Query::parse_leniently(head.uri.query().unwrap_or_default(), &known)?;
    let one = |name| query.first(name).filter(|value| !value.is_empty()).map(str::to_owned);
    let from = match query.first("from_date") {
        None => None,
        Some(text) => {
            let refused = || Problem::query("from_date", "value", "must be a day as MM-DD-YYYY (04-16-2021)");
            Some(day(text).ok_or_else(refused)?)
        }
    };
    Ok(EventFilter {
        components: one("component").into_iter().collect(),
        environments: one("environment").into_iter().collect(),
        emails: one("email").into_iter().collect(),
        message_contains: one("message"),
        from,
        ..EventFilter::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_month_day_and_year_and_nothing_else() {
        assert_eq!(day("04-16-2021").unwrap().to_string(), "2021-04-16T00:00:00.000000Z");
        for text in [
            "",
            "2021-04-16",
            "4-16-2021",
            "13-16-2021",
            "02-30-2021",
            "04-16-21",
            "04/16/2021",
            "04-16-2021T00:00:00Z",
            "2021-04-16T00:00:00Z",
            " 04-16-2021",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
