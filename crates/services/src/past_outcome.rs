//! What became of something that was brought from another system.

use tenantry_domain::Timestamp;

/// What became of something that was brought from another system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PastOutcome {
    /// It is stored as it was.
    Stored,
    /// It is stored, but could not keep its time: this is the one that it has.
    StoredAt(Timestamp),
    /// It is stored in place of another value.
    Replaced,
    /// It was there already, and nothing was written.
    AlreadyThere,
    /// Something else stands in its place, which may be newer, and was left as it is.
    Differs,
    /// It was not stored, and what stands in its place was left as it is; a sentence says why.
    Refused(String),
}
