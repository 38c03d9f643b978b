//! Reasons for which a record is rejected.

use tenantry_domain::{RejectCode, RejectReason};

/// The most characters of a value that a reason quotes.
const MAX_QUOTED: usize = 60;

/// Something that is required is not there.
pub(crate) fn missing(attribute: &str) -> RejectReason {
    RejectReason::new(RejectCode::Missing, format!("{attribute} is missing"))
}

/// An attribute's value is not what it must be.
pub(crate) fn wrong(
    code: RejectCode,
    attribute: &str,
    value: &str,
    why: impl std::fmt::Display,
) -> RejectReason {
    RejectReason::new(code, format!("{attribute} {}: {why}", quoted(value)))
}

/// An attribute's text cannot be read.
pub(crate) fn text(attribute: &str, why: impl std::fmt::Display) -> RejectReason {
    RejectReason::new(RejectCode::Text, format!("{attribute} {why}"))
}

/// A bound is passed.
pub(crate) fn too_large(why: impl Into<String>) -> RejectReason {
    RejectReason::new(RejectCode::TooLarge, why)
}

fn quoted(value: &str) -> String {
    let short: String = value.chars().take(MAX_QUOTED).collect();
    let more = if short.len() < value.len() { "…" } else { "" };
    format!("\"{short}{more}\"")
}
