//! Lists of key-values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::ClientError;
use crate::page::{ItemStream, List, ListBody, Page};

/// Which key-values to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyValueQuery {
    /// Only keys that begin so.
    pub prefix: Option<String>,
    /// Whether to leave the values out.
    pub keys_only: bool,
    /// How many a page has at most: 1 to 1000, 50 unless told.
    pub page_limit: Option<u16>,
}

/// A key-value in a list. It serialises to what the server sends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Entry {
    /// The key.
    pub key: String,
    /// The value, in the form that `encoding` says; absent where it was left out. [`Entry::bytes`] reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// `utf-8`: `value` is the text itself; `base64`: the bytes are no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    /// What kind of bytes it is.
    pub content_type: String,
    /// How many bytes it has.
    pub size: u64,
    /// 1 at the key's creation, one more with each write.
    pub version: u64,
    /// The write that made it what it is: its entity tag.
    pub revision: u64,
    /// When the key came to be.
    #[serde(with = "crate::time")]
    pub created_at: DateTime<Utc>,
    /// When it was last written.
    #[serde(with = "crate::time")]
    pub updated_at: DateTime<Utc>,
    /// From when on it is absent; nothing: never.
    #[serde(with = "crate::time::optional")]
    pub expires_at: Option<DateTime<Utc>>,
}

impl Entry {
    /// The bytes of the value; nothing where it was left out, or has an encoding that this client does not know.
    #[must_use]
    pub fn bytes(&self) -> Option<Bytes> {
        let value = self.value.as_ref()?;
        match self.encoding.as_deref()? {
            "utf-8" => Some(value.clone().into()),
            "base64" => STANDARD.decode(value).ok().map(Into::into),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
struct EntryList {
    entries: Vec<Entry>,
    next_cursor: Option<String>,
}

impl ListBody for EntryList {
    type Item = Entry;

    fn into_page(self) -> Page<Entry> {
        Page { items: self.entries, next_cursor: self.next_cursor }
    }
}

pub(crate) fn items(client: &Client, query: &KeyValueQuery) -> ItemStream<Entry> {
    client.items::<EntryList>(list(query))
}

pub(crate) async fn page(
    client: &Client,
    query: &KeyValueQuery,
    cursor: Option<&str>,
) -> Result<Page<Entry>, ClientError> {
    client.page::<EntryList>(&list(query), cursor).await
}

fn list(query: &KeyValueQuery) -> List {
    let mut pairs = Vec::new();
    pairs.extend(query.prefix.clone().map(|prefix| ("prefix", prefix)));
    if query.keys_only {
        pairs.push(("keys_only", "true".to_owned()));
    }
    pairs.extend(query.page_limit.map(|limit| ("limit", limit.to_string())));
    List { path: "/api/v1/kv".to_owned(), query: pairs }
}
