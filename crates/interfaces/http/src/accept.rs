//! Whether the caller takes what a route answers (RFC 9110, section 12.5.1).

use actix_web::http::header::{self, HeaderMap};

use crate::problem::Problem;
use crate::problem_code::Code;

/// Refuses a request whose `Accept` rules out JSON.
pub(crate) fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let mut named = false;
    for value in headers.get_all(header::ACCEPT) {
        named = true;
        if value.to_str().is_ok_and(takes_json) {
            return Ok(());
        }
    }
    if named { Err(Problem::plain(Code::NotAcceptable)) } else { Ok(()) }
}

fn takes_json(accept: &str) -> bool {
    accept.trim().is_empty() || accept.split(',').any(range_takes_json)
}

fn range_takes_json(range: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let media = parts.next().unwrap_or_default().to_ascii_lowercase();
    let fits = matches!(
        media.as_str(),
        "*/*" | "*" | "application/*" | "application/json" | "application/problem+json"
    );
    let refused = parts.any(|parameter| {
        let quality = parameter.strip_prefix("q=").or_else(|| parameter.strip_prefix("Q="));
        quality.is_some_and(|quality| quality.trim().parse::<f32>().is_ok_and(|quality| quality <= 0.0))
    });
    fits && !refused
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_taken_unless_it_is_ruled_out() {
        for accept in [
            "",
            "*/*",
            "application/json",
            "text/html, application/*;q=0.1",
            "Application/JSON; charset=utf-8",
        ] {
            assert!(takes_json(accept), "{accept}");
        }
        for accept in ["text/html", "application/xml", "application/json;q=0", "*/*; q=0.0"] {
            assert!(!takes_json(accept), "{accept}");
        }
    }
}
