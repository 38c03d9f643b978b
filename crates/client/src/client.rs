//! The client, and one attempt of a request.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use crate::access_key::AccessKeys;
use crate::builder::ClientBuilder;
use crate::catalog::Catalog;
use crate::error::{ClientError, TransportError};
use crate::event::Events;
use crate::key_value::KeyValues;
use crate::problem::{Problem, ProblemBody};
use crate::request::Request;
use crate::retry::RetryPolicy;
use crate::tenant::{TenantRef, Tenants};

/// A client of one server, with one key. A clone is another handle of the same, with the same connections.
///
/// It needs tokio, and does nothing in the background.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: reqwest::Client,
    base: Url,
    retry: RetryPolicy,
    max_answer_bytes: usize,
}

/// What the server has answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Client {
    /// Begins a client of the server at this address: `http://127.0.0.1:8080`, `https://example.com/tenantry`.
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(url.into())
    }

    pub(crate) fn new(http: reqwest::Client, base: Url, retry: RetryPolicy, max_answer_bytes: usize) -> Self {
        Self(Arc::new(Inner { http, base, retry, max_answer_bytes }))
    }

    /// The tenants. For administrators.
    #[must_use]
    pub fn tenants(&self) -> Tenants {
        Tenants::new(self.clone())
    }

    /// The access keys of a tenant. For administrators.
    #[must_use]
    pub fn access_keys(&self, tenant: impl Into<TenantRef>) -> AccessKeys {
        AccessKeys::new(self.clone(), &tenant.into())
    }

    /// The tenant's events.
    #[must_use]
    pub fn events(&self) -> Events {
        Events::new(self.clone())
    }

    /// The tenant's key-values.
    #[must_use]
    pub fn key_values(&self) -> KeyValues {
        KeyValues::new(self.clone())
    }

    /// The tenant's catalog: feeds, their runs, and the search.
    #[must_use]
    pub fn catalog(&self) -> Catalog {
        Catalog::new(self.clone())
    }

    pub(crate) fn retry_policy(&self) -> &RetryPolicy {
        &self.0.retry
    }

    /// Sends the request once; a refusal is an error.
    pub(crate) async fn attempt(&self, request: &Request) -> Result<Answer, ClientError> {
        let answer = self.exchange(request).await?;
        if answer.status.is_success() || answer.status == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        Err(refusal(&answer))
    }

    /// Sends the request once, and answers whatever comes.
    pub(crate) async fn exchange(&self, request: &Request) -> Result<Answer, ClientError> {
        let inner = &self.0;
        let mut sent =
            inner.http.request(request.method.clone(), self.url(request)?).headers(request.headers.clone());
        if let Some(body) = &request.body {
            sent = sent.body(body.clone());
        }
        let response = sent.send().await.map_err(TransportError::from)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = read(response, inner.max_answer_bytes).await?;
        Ok(Answer { status, headers, body })
    }

    fn url(&self, request: &Request) -> Result<Url, ClientError> {
        let base = self.0.base.as_str().trim_end_matches('/');
        let mut url = Url::parse(&format!("{base}{}", request.path))
            .map_err(|error| ClientError::Invalid(format!("no address can be made of that: {error}")))?;
        if !request.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&request.query);
        }
        Ok(url)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("url", &self.0.base.as_str()).finish_non_exhaustive()
    }
}

impl Answer {
    /// The body, read as JSON.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body)
            .map_err(|error| ClientError::Unexpected(format!("its body has another shape: {error}")))
    }
}

/// The whole body, if it is not too large.
async fn read(mut response: Response, max_bytes: usize) -> Result<Bytes, ClientError> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(TransportError::from)? {
        if body.len() + chunk.len() > max_bytes {
            return Err(ClientError::Unexpected(format!("it has more than {max_bytes} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

fn refusal(answer: &Answer) -> ClientError {
    let header = |name: HeaderName| answer.headers.get(name).and_then(|value| value.to_str().ok());
    let retry_after = header(RETRY_AFTER).and_then(pause_of);
    if header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/problem+json"))
        && let Ok(body) = answer.json::<ProblemBody>()
    {
        return ClientError::Problem(Box::new(Problem { retry_after, ..body.into() }));
    }
    let request_id = header(HeaderName::from_static("x-request-id")).map(str::to_owned);
    ClientError::Status { status: answer.status.as_u16(), request_id, retry_after }
}

/// `Retry-After`: seconds, or a date (RFC 9110, section 10.2.3).
fn pause_of(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(pause_of("7"), Some(Duration::from_secs(7)));
        assert_eq!(pause_of("Thu, 01 Jan 1970 00:00:00 GMT"), Some(Duration::ZERO));
        let later = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(100));
        assert!(pause_of(&later).is_some_and(|pause| (90..=100).contains(&pause.as_secs())));
        assert_eq!(pause_of("soon"), None);
        assert_eq!(pause_of("-1"), None);
    }
}
