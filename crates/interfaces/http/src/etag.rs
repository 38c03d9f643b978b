//! Entity tags and the preconditions that are made of them (RFC 9110, sections 8.8.3 and 13).

use std::io::Write as _;

use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use tenantry_domain::{Precondition, RevisionSet};

use crate::problem::Problem;
use crate::problem_code::Code;

/// As long as an entity tag gets: the digits of a `u64` in quotes.
const QUOTED_DIGITS: usize = 22;

/// The strong entity tag of a revision or version.
pub(crate) fn of(revision: u64) -> HeaderValue {
    let mut text = [0; QUOTED_DIGITS];
    let mut rest = text.as_mut_slice();
    // There is room for every number.
    let _ = write!(rest, "\"{revision}\"");
    let length = QUOTED_DIGITS - rest.len();
    HeaderValue::from_bytes(&text[..length]).unwrap_or_else(|_| HeaderValue::from_static("\"\""))
}

/// What `If-Match` and `If-None-Match` ask of a write.
pub(crate) fn precondition(headers: &HeaderMap) -> Result<Precondition, Problem> {
    Ok(Precondition {
        if_match: tags(headers, &header::IF_MATCH, false)?,
        if_none_match: tags(headers, &header::IF_NONE_MATCH, true)?,
    })
}

/// Whether a read may be answered with 304, given what stands now.
pub(crate) fn is_unchanged(headers: &HeaderMap, current: u64) -> Result<bool, Problem> {
    if !headers.contains_key(header::IF_NONE_MATCH) {
        return Ok(false);
    }
    Ok(tags(headers, &header::IF_NONE_MATCH, true)?.is_some_and(|set| set.contains(Some(current))))
}

/// Refuses a read whose `If-Match` does not hold.
pub(crate) fn require_match(headers: &HeaderMap, current: u64) -> Result<(), Problem> {
    match tags(headers, &header::IF_MATCH, false)? {
        Some(set) if !set.contains(Some(current)) => {
            Err(Problem::new(Code::PreconditionFailed, format!("the current entity tag is \"{current}\"")))
        }
        _ => Ok(()),
    }
}

/// Reads the tags of a header; weak ones count only where `weak` comparison is asked for. Tags that are
/// none of ours match nothing.
fn tags(headers: &HeaderMap, name: &HeaderName, weak: bool) -> Result<Option<RevisionSet>, Problem> {
    if !headers.contains_key(name) {
        return Ok(None);
    }
    let refused = || {
        Problem::new(
            Code::InvalidHeader,
            format!("{name} must be * or a list of entity tags in quotation marks"),
        )
    };
    let mut revisions = Vec::new();
    for value in headers.get_all(name) {
        let value = value.to_str().map_err(|_| refused())?.trim();
        if value == "*" {
            return Ok(Some(RevisionSet::Any));
        }
        for tag in value.split(',').map(str::trim) {
            let (is_weak, tag) = tag.strip_prefix("W/").map_or((false, tag), |tag| (true, tag));
            let inner = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).ok_or_else(refused)?;
            if tag.len() < 2 || inner.contains('"') {
                return Err(refused());
            }
            if is_weak && !weak {
                continue;
            }
            revisions.extend(inner.parse::<u64>().ok().filter(|number| number.to_string() == inner));
        }
    }
    Ok(Some(RevisionSet::Of(revisions)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn if_match_compares_strongly_and_if_none_match_weakly() {
        let if_match = |value| precondition(&with(header::IF_MATCH, value)).unwrap();
        assert!(if_match("\"5\"").holds(Some(5)));
        assert!(if_match("\"4\", \"5\"").holds(Some(5)));
        assert!(!if_match("W/\"5\"").holds(Some(5)));
        assert!(!if_match("\"05\", \"x\"").holds(Some(5)));
        assert!(if_match("*").holds(Some(5)));
        assert!(!if_match("*").holds(None));
        assert!(is_unchanged(&with(header::IF_NONE_MATCH, "W/\"5\""), 5).unwrap());
        assert!(!is_unchanged(&with(header::IF_NONE_MATCH, "\"6\""), 5).unwrap());
        assert!(!is_unchanged(&HeaderMap::new(), 5).unwrap());
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for value in ["5", "\"5", "5\"", "", "\"", "\"5\" \"6\"", "\"5\",", "*, \"5\""] {
            assert_eq!(
                precondition(&with(header::IF_MATCH, value)).unwrap_err().code,
                Code::InvalidHeader,
                "{value}"
            );
        }
    }
}
