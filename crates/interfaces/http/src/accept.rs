//! Whether the caller takes what a route answers (RFC 9110, section 12.5.1).

use actix_web::http::header::{self, HeaderMap};

use crate::problem::Problem;
use crate::problem_code::Code;

/// Refuses a request whose `Accept` rules out JSON.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    // What is no text is a range that nothing fits.
    let values = headers.get_all(header::ACCEPT).map(|value| value.to_str().unwrap_or("?"));
    if takes_json(values) { Ok(()) } else { Err(Problem::plain(Code::NotAcceptable)) }
}

/// Of the ranges that JSON fits the most specific one decides; where there is no range at all, anything
/// is taken.
fn takes_json<'a>(accept: impl Iterator<Item = &'a str>) -> bool {
    let ranges = accept.flat_map(|value| value.split(',')).map(str::trim);
    let mut ranges = ranges.filter(|range| !range.is_empty()).peekable();
    ranges.peek().is_none() || ranges.filter_map(judge).max().is_some_and(|(_, taken)| taken)
}

/// How specific a range is, and whether it takes JSON; nothing for one that JSON does not fit.
fn judge(range: &str) -> Option<(u8, bool)> {
    let mut parts = range.split(';').map(str::trim);
    let specificity = match parts.next()?.to_ascii_lowercase().as_str() {
        "*/*" | "*" => 0,
        "application/*" => 1,
        "application/json" | "application/problem+json" => 2,
        _ => return None,
    };
    let refused = parts.any(|parameter| {
        let quality = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
        quality.is_some_and(|quality| quality.trim().parse::<f32>().is_ok_and(|quality| quality <= 0.0))
    });
    Some((specificity, !refused))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_taken_unless_it_is_ruled_out() {
        for accept in [
            "",
            " , ",
            "*/*",
            "application/json",
            "text/html, application/*;q=0.1",
            "Application/JSON; charset=utf-8",
            "*/*;q=0, application/json",
        ] {
            assert!(takes_json([accept].into_iter()), "{accept}");
        }
        for accept in [
            "text/html",
            "application/xml",
            "application/json;q=0",
            "*/*; q=0.0",
            "*/*, application/json;q=0",
            "application/*;q=0, */*",
        ] {
            assert!(!takes_json([accept].into_iter()), "{accept}");
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        assert!(takes_json(["text/html", "application/json"].into_iter()));
        assert!(!takes_json(["*/*", "application/json;q=0"].into_iter()));
        assert!(takes_json(std::iter::empty()));
    }
}
