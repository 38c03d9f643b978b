//! The id by which a request is found in the log.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The header that carries it, both ways.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request's id: the caller's if it is sane, else a new UUIDv7.
#[derive(Debug, Clone)]
pub(crate) enum RequestId {
    Given(HeaderValue),
    Made([u8; 36]),
}

impl RequestId {
    /// Takes the caller's id, if it is 1 to 128 of `A-Z a-z 0-9 . _ - : / + =`, or makes one.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        if let Some(given) = headers.get(X_REQUEST_ID)
            && is_sane(given.as_bytes())
        {
            return Self::Given(given.clone());
        }
        let mut text = [0; 36];
        Uuid::now_v7().hyphenated().encode_lower(&mut text);
        Self::Made(text)
    }

    /// The id as text.
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Given(value) => value.to_str().unwrap_or_default(),
            Self::Made(text) => std::str::from_utf8(text).unwrap_or_default(),
        }
    }

    /// The id as a header's value.
    pub(crate) fn to_header(&self) -> Option<HeaderValue> {
        match self {
            Self::Given(value) => Some(value.clone()),
            Self::Made(text) => HeaderValue::from_bytes(text).ok(),
        }
    }
}

fn is_sane(id: &[u8]) -> bool {
    (1..=128).contains(&id.len()) && id.iter().all(|b| b.is_ascii_alphanumeric() || b"._-:/+=".contains(b))
}
