//! What the head of an answer tells of a key-value.

use std::str::FromStr;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use reqwest::header::{ETAG, EXPIRES, HeaderMap, HeaderName, LAST_MODIFIED};

use crate::error::ClientError;
use crate::precondition::EntityTag;

pub(crate) const VERSION: HeaderName = HeaderName::from_static("tenantry-version");

/// The revision that the entity tag is.
pub(crate) fn revision(headers: &HeaderMap) -> Result<u64, ClientError> {
    let tag = text(headers, &ETAG).map(EntityTag::new);
    tag.and_then(|tag| tag.revision()).ok_or_else(|| missing("ETag with a revision"))
}

/// The version.
pub(crate) fn version(headers: &HeaderMap) -> Result<u64, ClientError> {
    parsed(headers, &VERSION).ok_or_else(|| missing("Tenantry-Version"))
}

/// When it was last written, to the second.
pub(crate) fn updated_at(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    date(headers, &LAST_MODIFIED)
}

/// From when on it is absent, to the second.
pub(crate) fn expires_at(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    date(headers, &EXPIRES)
}

pub(crate) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

pub(crate) fn parsed<T: FromStr>(headers: &HeaderMap, name: &HeaderName) -> Option<T> {
    text(headers, name).and_then(|text| text.parse().ok())
}

fn date(headers: &HeaderMap, name: &HeaderName) -> Option<DateTime<Utc>> {
    let time: SystemTime = httpdate::parse_http_date(text(headers, name)?).ok()?;
    Some(time.into())
}

fn missing(what: &str) -> ClientError {
    ClientError::Unexpected(format!("it has no {what}"))
}
