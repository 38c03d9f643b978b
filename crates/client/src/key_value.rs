//! Key-values: `/api/v1/kv`.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, IF_NONE_MATCH};
use reqwest::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::ClientError;
use crate::key_path;
use crate::key_value_headers as head;
use crate::key_value_list::{self, Entry, KeyValueQuery};
use crate::page::{ItemStream, Page};
use crate::precondition::{EntityTag, Precondition};
use crate::request::Request;

const OCTET_STREAM: &str = "application/octet-stream";

/// A value, with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Value {
    /// The bytes.
    pub bytes: Bytes,
    /// What is known of it.
    pub info: ValueInfo,
}

/// What is known of a key-value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ValueInfo {
    /// What kind of bytes it is.
    pub content_type: String,
    /// The write that made it what it is: its entity tag.
    pub revision: u64,
    /// 1 at the key's creation, one more with each write.
    pub version: u64,
    /// When it was last written, to the second.
    pub updated_at: Option<DateTime<Utc>>,
    /// From when on it is absent, to the second; nothing: never.
    pub expires_at: Option<DateTime<Utc>>,
}

/// What a write has made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Written {
    /// Whether the key is new.
    pub created: bool,
    /// The revision of this write.
    pub revision: u64,
    /// 1 at the key's creation, one more with each write.
    pub version: u64,
    /// From when on it is absent, to the second; nothing: never.
    #[serde(with = "crate::time::optional")]
    pub expires_at: Option<DateTime<Utc>>,
}

/// How a value is to be put.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PutOptions {
    /// What kind of bytes it is, as a media type of at most 255 bytes; `application/octet-stream` where absent.
    pub content_type: Option<String>,
    /// How long it lives, in whole seconds from 1 to 100 years; for good where absent.
    pub ttl: Option<Duration>,
    /// What is asked of what stands.
    pub precondition: Precondition,
}

impl PutOptions {
    /// For text in UTF-8.
    #[must_use]
    pub fn text() -> Self {
        Self::of_type("text/plain; charset=utf-8")
    }

    /// For bytes of this media type.
    #[must_use]
    pub fn of_type(content_type: impl Into<String>) -> Self {
        Self { content_type: Some(content_type.into()), ..Self::default() }
    }

    /// The same, for so long.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// The same, if this holds.
    #[must_use]
    pub fn under(mut self, precondition: Precondition) -> Self {
        self.precondition = precondition;
        self
    }
}

/// An increment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Increment {
    /// How much to add; it may be negative.
    pub by: i64,
    /// What an absent key becomes; `by` is not added to it. Without it an absent key is 404.
    pub initial: Option<i64>,
    /// What is asked of what stands.
    pub precondition: Precondition,
}

#[derive(Serialize)]
struct IncrementBody {
    increment: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    initial: Option<i64>,
}

/// What an increment made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Incremented {
    /// The new value.
    pub value: i64,
    /// 1 at the key's creation, one more with each write.
    pub version: u64,
    /// The revision of this write.
    pub revision: u64,
}

/// A tenant's key-values: [`Client::key_values`].
///
/// A key is 1 to 512 bytes of any text without NUL. The keys `.` and `..` have no way into an address and are refused
/// here; [`list`](Self::list) shows them.
#[derive(Debug, Clone)]
pub struct KeyValues {
    client: Client,
}

impl KeyValues {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// The value.
    ///
    /// # Errors
    /// [`ClientError`]; 404 where there is none.
    pub async fn get(&self, key: &str) -> Result<Value, ClientError> {
        let answer = self.client.send(&Request::get(key_path::of_key(key)?)).await?;
        Ok(Value { info: info(&answer.headers)?, bytes: answer.body })
    }

    /// The value, if it is another than at this revision; nothing, if it is the same.
    ///
    /// # Errors
    /// [`ClientError`]; 404 where there is none.
    pub async fn get_if_changed(&self, key: &str, since: u64) -> Result<Option<Value>, ClientError> {
        let request = Request::get(key_path::of_key(key)?);
        let request = request.header(IF_NONE_MATCH, EntityTag::of_revision(since).as_str())?;
        let answer = self.client.send(&request).await?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        Ok(Some(Value { info: info(&answer.headers)?, bytes: answer.body }))
    }

    /// What is known of the value, and how many bytes it has, where the server says so, without the bytes.
    ///
    /// # Errors
    /// [`ClientError`]; 404 where there is none.
    pub async fn info(&self, key: &str) -> Result<(ValueInfo, Option<u64>), ClientError> {
        let answer = self.client.send(&Request::new(Method::HEAD, key_path::of_key(key)?)).await?;
        Ok((info(&answer.headers)?, head::parsed(&answer.headers, &CONTENT_LENGTH)))
    }

    /// Stores the bytes, at most 1 MiB unless the server is configured otherwise. When this has answered, they are on
    /// disk.
    ///
    /// # Errors
    /// [`ClientError`]; 412 where the precondition does not hold.
    pub async fn put(
        &self,
        key: &str,
        value: impl Into<Bytes>,
        options: PutOptions,
    ) -> Result<Written, ClientError> {
        let content_type = options.content_type.as_deref().unwrap_or(OCTET_STREAM);
        let request = Request::new(Method::PUT, key_path::of_key(key)?);
        let mut request = request.header(CONTENT_TYPE, content_type)?.under(&options.precondition)?;
        request.query.extend(options.ttl.map(|ttl| ("ttl", ttl.as_secs().to_string())));
        request.body = Some(value.into());
        let answer = self.client.send(&request).await?;
        Ok(Written {
            created: answer.status == StatusCode::CREATED,
            revision: head::revision(&answer.headers)?,
            version: head::version(&answer.headers)?,
            expires_at: head::expires_at(&answer.headers),
        })
    }

    /// Removes the key.
    ///
    /// # Errors
    /// [`ClientError`]; 404 where there is none, 412 where the precondition does not hold.
    pub async fn delete(&self, key: &str, precondition: &Precondition) -> Result<(), ClientError> {
        let request = Request::new(Method::DELETE, key_path::of_key(key)?).under(precondition)?;
        self.client.send(&request).await.map(|_| ())
    }

    /// Adds to a value that is a decimal integer, atomically. Unless its precondition holds only once, it is not sent
    /// again after a lost answer: look, then.
    ///
    /// # Errors
    /// [`ClientError`]; 409 where the value is no such number, or the sum none.
    pub async fn increment(&self, key: &str, increment: &Increment) -> Result<Incremented, ClientError> {
        let body = IncrementBody { increment: increment.by, initial: increment.initial };
        let request = Request::new(Method::POST, key_path::of_key(key)?).json(&body)?;
        let request = request.under(&increment.precondition)?;
        let request = if increment.precondition.holds_once() { request } else { request.once() };
        self.client.send(&request).await?.json()
    }

    /// Every key-value that the query shows, in the order of the keys' bytes.
    #[must_use]
    pub fn list(&self, query: &KeyValueQuery) -> ItemStream<Entry> {
        key_value_list::items(&self.client, query)
    }

    /// One page of them: the first, or the one to which `cursor` leads. With large values it may end early.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn page(
        &self,
        query: &KeyValueQuery,
        cursor: Option<&str>,
    ) -> Result<Page<Entry>, ClientError> {
        key_value_list::page(&self.client, query, cursor).await
    }
}

fn info(headers: &HeaderMap) -> Result<ValueInfo, ClientError> {
    Ok(ValueInfo {
        content_type: head::text(headers, &CONTENT_TYPE).unwrap_or(OCTET_STREAM).to_owned(),
        revision: head::revision(headers)?,
        version: head::version(headers)?,
        updated_at: head::updated_at(headers),
        expires_at: head::expires_at(headers),
    })
}
