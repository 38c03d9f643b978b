//! How what is done with key-values looks.

use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use tenantry_client::{Incremented, Value, Written};

use super::kv::encoded;
use super::output::Fields;
use super::shown::{exact, exact_or_never};

/// A key that was set.
#[derive(Serialize)]
pub(super) struct WrittenKey {
    pub(super) key: String,
    #[serde(flatten)]
    pub(super) written: Written,
}

impl Fields for WrittenKey {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("key", self.key.clone()),
            ("created", self.written.created.to_string()),
            ("revision", self.written.revision.to_string()),
            ("version", self.written.version.to_string()),
            ("expires_at", exact_or_never(self.written.expires_at)),
        ]
    }
}

/// A value that was read.
#[derive(Serialize)]
pub(super) struct ReadKey {
    key: String,
    value: String,
    encoding: &'static str,
    content_type: String,
    size: usize,
    version: u64,
    revision: u64,
    #[serde(serialize_with = "time")]
    updated_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "time")]
    expires_at: Option<DateTime<Utc>>,
}

impl ReadKey {
    pub(super) fn new(key: String, value: &Value) -> Self {
        let (text, encoding) = encoded(&value.bytes);
        Self {
            key,
            value: text,
            encoding,
            content_type: value.info.content_type.clone(),
            size: value.bytes.len(),
            version: value.info.version,
            revision: value.info.revision,
            updated_at: value.info.updated_at,
            expires_at: value.info.expires_at,
        }
    }
}

impl Fields for ReadKey {
    fn fields(&self) -> Vec<(&'static str, String)> {
        let value = match self.encoding {
            "utf-8" => self.value.clone(),
            _ => format!("({} bytes)", self.size),
        };
        vec![
            ("key", self.key.clone()),
            ("value", value),
            ("content_type", self.content_type.clone()),
            ("size", self.size.to_string()),
            ("revision", self.revision.to_string()),
            ("version", self.version.to_string()),
            ("updated_at", self.updated_at.map(exact).unwrap_or_default()),
            ("expires_at", exact_or_never(self.expires_at)),
        ]
    }
}

/// A number that was added to.
#[derive(Serialize)]
pub(super) struct IncrementedKey {
    pub(super) key: String,
    #[serde(flatten)]
    pub(super) done: Incremented,
}

impl Fields for IncrementedKey {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![
            ("key", self.key.clone()),
            ("value", self.done.value.to_string()),
            ("revision", self.done.revision.to_string()),
            ("version", self.done.version.to_string()),
        ]
    }
}

/// A key that was removed.
#[derive(Serialize)]
pub(super) struct Deleted {
    pub(super) key: String,
    pub(super) deleted: bool,
}

impl Fields for Deleted {
    fn fields(&self) -> Vec<(&'static str, String)> {
        vec![("key", self.key.clone()), ("deleted", self.deleted.to_string())]
    }
}

#[expect(clippy::ref_option, reason = "the signature is serde's")]
fn time<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.serialize_some(&exact(*time)),
        None => serializer.serialize_none(),
    }
}
