//! What can go wrong.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::problem::Problem;

/// Why a call has not brought what was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server refused, and says why.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// There was no answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// A refusal without a problem document: something in between has answered, a proxy perhaps; or it was a `HEAD`,
    /// whose answers have no body.
    #[error("refused with status {status}")]
    Status {
        /// The HTTP status.
        status: u16,
        /// The request's id, where there is one.
        request_id: Option<String>,
        /// How long to wait before trying again, where that is said.
        retry_after: Option<Duration>,
    },
    /// An answer that this client does not understand; the text says what of it.
    #[error("the answer is not understood: {0}")]
    Unexpected(String),
    /// The request cannot be made; the text says why. Nothing was sent.
    #[error("{0}")]
    Invalid(String),
}

impl ClientError {
    /// The HTTP status of the refusal, if it was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            Self::Status { status, .. } => Some(*status),
            Self::Transport(_) | Self::Unexpected(_) | Self::Invalid(_) => None,
        }
    }

    /// The server's problem, if it gave one.
    #[must_use]
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// Whether what was asked for is not there (404).
    #[must_use]
    pub fn is_not_found(&self) -> bool {
        self.status() == Some(404)
    }

    /// Whether a precondition did not hold (412).
    #[must_use]
    pub fn is_precondition_failed(&self) -> bool {
        self.status() == Some(412)
    }

    /// How long to wait before trying again, where that is said.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Problem(problem) => problem.retry_after,
            Self::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// The same, of a request whose earlier attempt got no answer.
    pub(crate) fn after_lost_answer(mut self) -> Self {
        if let Self::Problem(problem) = &mut self {
            problem.after_lost_answer = true;
        }
        self
    }
}

/// At which point there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TransportKind {
    /// No connection was made: nothing was sent.
    Connect,
    /// The answer did not come in time: the request may have been carried out.
    Timeout,
    /// The connection broke: the request may have been carried out.
    Interrupted,
}

/// There was no answer.
#[derive(Debug)]
pub struct TransportError {
    kind: TransportKind,
    source: reqwest::Error,
}

impl TransportError {
    /// At which point.
    #[must_use]
    pub fn kind(&self) -> TransportKind {
        self.kind
    }
}

impl From<reqwest::Error> for TransportError {
    fn from(error: reqwest::Error) -> Self {
        let kind = if error.is_connect() {
            TransportKind::Connect
        } else if error.is_timeout() {
            TransportKind::Timeout
        } else {
            TransportKind::Interrupted
        };
        // The address is known to whoever has made the client, and a key in its path is nobody's business.
        Self { kind, source: error.without_url() }
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            TransportKind::Connect => "no connection can be made",
            TransportKind::Timeout => "no answer came in time",
            TransportKind::Interrupted => "the connection broke before the answer was there",
        };
        f.write_str(what)?;
        match root_cause(&self.source) {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// The innermost cause: what the operating system or TLS says.
fn root_cause(error: &reqwest::Error) -> Option<String> {
    let mut cause = error.source()?;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    Some(cause.to_string())
}
