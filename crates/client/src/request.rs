//! A request before it is sent.

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use crate::error::ClientError;
use crate::precondition::Precondition;

/// Whether a request may be carried out twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It may.
    Harmless,
    /// It must not: it is sent again only where nothing was done.
    Harmful,
}

/// A request, which can be sent several times.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Behind the server's address: begins with a slash, percent-encoded.
    pub(crate) path: String,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
    pub(crate) repeat: Repeat,
}

impl Request {
    /// A request that may be carried out twice, without a body.
    pub(crate) fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            query: Vec::new(),
            headers: HeaderMap::new(),
            body: None,
            repeat: Repeat::Harmless,
        }
    }

    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn once(mut self) -> Self {
        self.repeat = Repeat::Harmful;
        self
    }

    pub(crate) fn under(mut self, precondition: &Precondition) -> Result<Self, ClientError> {
        precondition.write(&mut self.headers)?;
        Ok(self)
    }

    pub(crate) fn header(mut self, name: HeaderName, value: &str) -> Result<Self, ClientError> {
        let value = HeaderValue::from_str(value)
            .map_err(|_| ClientError::Invalid(format!("{value:?} cannot be sent as {name}")))?;
        self.headers.insert(name, value);
        Ok(self)
    }

    pub(crate) fn json(mut self, body: &impl Serialize) -> Result<Self, ClientError> {
        let text = serde_json::to_vec(body)
            .map_err(|error| ClientError::Invalid(format!("the body cannot be written as JSON: {error}")))?;
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = Some(text.into());
        Ok(self)
    }
}
