//! Why an attempt failed, and whether another may go better.

use std::error::Error;
use std::time::Duration;

use tenantry_ports::FetchError;

use super::resolver::NotAllowed;

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Another attempt may go better. It counts against the host.
    Passing {
        text: String,
        /// For how long the provider asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// Another attempt would end the same.
    Lasting(FetchError),
}

impl Fault {
    /// As the end of a fetch, after so many attempts.
    pub(crate) fn into_error(self, attempts: u32) -> FetchError {
        match self {
            Self::Lasting(error) => error,
            Self::Passing { text, .. } if attempts > 1 => {
                FetchError::Unavailable(format!("{text}; that was attempt {attempts}"))
            }
            Self::Passing { text, .. } => FetchError::Unavailable(text),
        }
    }

    pub(crate) fn passing(text: impl Into<String>) -> Self {
        Self::Passing { text: text.into(), retry_after: None }
    }

    pub(crate) fn unreadable(text: impl Into<String>) -> Self {
        Self::Lasting(FetchError::Unreadable(text.into()))
    }

    pub(crate) fn forbidden(text: impl Into<String>) -> Self {
        Self::Lasting(FetchError::Forbidden(text.into()))
    }

    /// What the HTTP client says of a request that got no answer. Its texts begin with the URL, whose query may hold a
    /// secret: only the innermost is told.
    pub(crate) fn of_request(error: &reqwest::Error) -> Self {
        let mut innermost: &dyn Error = error;
        while let Some(source) = innermost.source() {
            innermost = source;
            if let Some(refused) = innermost.downcast_ref::<NotAllowed>() {
                return Self::forbidden(refused.0.clone());
            }
        }
        let has_cause = !innermost.is::<reqwest::Error>();
        let cause = if has_cause { format!(": {innermost}") } else { String::new() };
        if error.is_timeout() {
            Self::passing("no connection to it could be made in time")
        } else if error.is_connect() {
            Self::passing(format!("it cannot be connected to{cause}"))
        } else {
            Self::passing(format!("it gave no answer in HTTP{cause}"))
        }
    }
}
