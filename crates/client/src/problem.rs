//! Refusals: RFC 9457 problem details.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why the server refused a request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The kind of problem, stable: what a program decides by. Each has a page at `/problems/<code>`.
    pub code: String,
    /// What is wrong, in a few words.
    pub title: String,
    /// What is wrong with this request.
    pub detail: String,
    /// Each fault with its place; often none.
    pub errors: Vec<Violation>,
    /// The request's id: the server's log has more under it.
    pub request_id: Option<String>,
    /// How long to wait before trying again, where the server says so.
    pub retry_after: Option<Duration>,
    /// Whether an earlier attempt of this request got no answer: it may have been carried out, and the refusal be its
    /// doing.
    pub after_lost_answer: bool,
}

/// One fault of what was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Violation {
    /// Where: a JSON pointer (RFC 6901) into the body, or `/` and the name of a query parameter.
    pub pointer: String,
    /// Which rule, stable.
    pub code: String,
    /// The rule, for a person.
    pub detail: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.detail)?;
        // The detail of a problem with one fault is that fault.
        if self.errors.len() > 1 {
            for error in &self.errors {
                write!(f, "; {} {}", error.pointer, error.detail)?;
            }
        }
        Ok(())
    }
}

/// A problem as it is sent; of an item of a batch it has no instance.
#[derive(Debug, Deserialize)]
pub(crate) struct ProblemBody {
    status: u16,
    code: String,
    #[serde(default)]
    title: String,
    #[serde(default)]
    detail: String,
    #[serde(default)]
    instance: Option<String>,
    #[serde(default)]
    errors: Vec<Violation>,
}

impl From<ProblemBody> for Problem {
    fn from(body: ProblemBody) -> Self {
        let ProblemBody { status, code, title, detail, instance: request_id, errors } = body;
        Self { status, code, title, detail, errors, request_id, retry_after: None, after_lost_answer: false }
    }
}
