//! Tenants: `/api/v1/tenants`. For administrators.

use std::fmt;
use std::ops::Deref;

use chrono::{DateTime, Utc};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, ETAG, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::client::{Answer, Client};
use crate::error::ClientError;
use crate::json_object::JsonObject;
use crate::key_path::segment;
use crate::page::{ItemStream, List, ListBody, Page};
use crate::precondition::{EntityTag, Precondition};
use crate::request::Request;

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Tenant {
    /// Given once, never reused, growing.
    pub tenant_number: i64,
    /// `{tenant_number}_{name}`.
    pub tenant_id: String,
    /// The name: 1 to 64 of `A-Z a-z 0-9 . _ -`.
    pub name: String,
    /// How it stands.
    pub status: TenantStatus,
    /// Whatever its administrator keeps about it.
    pub tenant_info: JsonObject,
    /// When it was created.
    #[serde(with = "crate::time")]
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    #[serde(with = "crate::time")]
    pub updated_at: DateTime<Utc>,
    /// While it is being deleted: how far that has come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erasure: Option<Erasure>,
}

/// How far the erasure of a tenant has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Erasure {
    /// When it was deleted.
    #[serde(with = "crate::time")]
    pub started_at: DateTime<Utc>,
    /// Events, key-values and keys erased so far.
    pub erased_rows: u64,
}

/// How a tenant stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TenantStatus {
    /// Its keys are let in.
    Active,
    /// Its keys are refused; its data stays.
    Suspended,
    /// Its keys are refused for good; its data is being erased.
    Deleting,
    /// One that this client does not know.
    #[serde(untagged)]
    Other(String),
}

impl TenantStatus {
    /// As it stands on the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
            Self::Other(word) => word,
        }
    }
}

/// Which tenant: by its number (`1`) or its id (`1_acme`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRef(String);

impl TenantRef {
    /// The number or the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<i64> for TenantRef {
    fn from(number: i64) -> Self {
        Self(number.to_string())
    }
}

impl From<&str> for TenantRef {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for TenantRef {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&Tenant> for TenantRef {
    fn from(tenant: &Tenant) -> Self {
        tenant.tenant_number.into()
    }
}

/// What a tenant is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewTenant {
    /// 1 to 64 of `A-Z a-z 0-9 . _ -`. Names need not be unique.
    pub name: String,
    /// An object of at most 64 KiB, nested at most 32 levels.
    pub tenant_info: JsonObject,
}

impl NewTenant {
    /// A tenant of that name, of which nothing more is known.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), tenant_info: JsonObject::default() }
    }

    /// The same, with this to be kept about it.
    #[must_use]
    pub fn info(mut self, info: JsonObject) -> Self {
        self.tenant_info = info;
        self
    }
}

/// A change: what is absent stays (RFC 7396).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TenantPatch {
    /// The new name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A merge patch of the information: a member that is null leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_info: Option<JsonObject>,
}

/// Which tenants to list, by number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantQuery {
    /// Only those that stand so.
    pub status: Option<TenantStatus>,
    /// Only those whose name begins so.
    pub name_prefix: Option<String>,
    /// How many a page has at most: 1 to 1000, 50 unless told.
    pub page_limit: Option<u16>,
}

/// Something with its entity tag.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tagged<T> {
    /// Its tag: what [`Precondition::Matches`] compares.
    pub tag: EntityTag,
    /// The thing itself.
    pub value: T,
}

impl<T> Deref for Tagged<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[derive(Deserialize)]
struct TenantList {
    tenants: Vec<Tenant>,
    next_cursor: Option<String>,
}

impl ListBody for TenantList {
    type Item = Tenant;

    fn into_page(self) -> Page<Tenant> {
        Page { items: self.tenants, next_cursor: self.next_cursor }
    }
}

/// The tenants of a server: [`Client::tenants`].
#[derive(Debug, Clone)]
pub struct Tenants {
    client: Client,
}

impl Tenants {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    /// Makes a tenant, under the next number. Sent once: names need not be unique, so a second attempt could make a
    /// second tenant.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create(&self, tenant: &NewTenant) -> Result<Tagged<Tenant>, ClientError> {
        let request = Request::new(Method::POST, "/api/v1/tenants").json(tenant)?.once();
        tagged(&self.client.send(&request).await?)
    }

    /// The tenant, whatever its status.
    ///
    /// # Errors
    /// [`ClientError`]; 404 where there is none.
    pub async fn get(&self, tenant: impl Into<TenantRef>) -> Result<Tagged<Tenant>, ClientError> {
        tagged(&self.client.send(&Request::get(path(&tenant.into(), "")?)).await?)
    }

    /// Every tenant that the query shows, by number.
    #[must_use]
    pub fn list(&self, query: &TenantQuery) -> ItemStream<Tenant> {
        self.client.items::<TenantList>(list(query))
    }

    /// One page of them: the first, or the one to which `cursor` leads.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn page(&self, query: &TenantQuery, cursor: Option<&str>) -> Result<Page<Tenant>, ClientError> {
        self.client.page::<TenantList>(&list(query), cursor).await
    }

    /// Makes its name and information what is given.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn replace(
        &self,
        tenant: impl Into<TenantRef>,
        wanted: &NewTenant,
        precondition: &Precondition,
    ) -> Result<Tagged<Tenant>, ClientError> {
        let request =
            Request::new(Method::PUT, path(&tenant.into(), "")?).json(wanted)?.under(precondition)?;
        tagged(&self.client.send(&request).await?)
    }

    /// Changes what the patch names.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn patch(
        &self,
        tenant: impl Into<TenantRef>,
        patch: &TenantPatch,
        precondition: &Precondition,
    ) -> Result<Tagged<Tenant>, ClientError> {
        let request = Request::new(Method::PATCH, path(&tenant.into(), "")?).json(patch)?;
        let mut request = request.under(precondition)?;
        request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/merge-patch+json"));
        tagged(&self.client.send(&request).await?)
    }

    /// Refuses its keys until it is active again.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn suspend(&self, tenant: impl Into<TenantRef>) -> Result<Tagged<Tenant>, ClientError> {
        let request = Request::new(Method::POST, path(&tenant.into(), "/suspend")?);
        tagged(&self.client.send(&request).await?)
    }

    /// Ends a suspension.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn activate(&self, tenant: impl Into<TenantRef>) -> Result<Tagged<Tenant>, ClientError> {
        let request = Request::new(Method::POST, path(&tenant.into(), "/activate")?);
        tagged(&self.client.send(&request).await?)
    }

    /// Begins to erase it: its keys stop at once and for good. [`get`](Self::get) shows the progress, and answers 404
    /// in the end.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn delete(
        &self,
        tenant: impl Into<TenantRef>,
        precondition: &Precondition,
    ) -> Result<Tagged<Tenant>, ClientError> {
        let request = Request::new(Method::DELETE, path(&tenant.into(), "")?).under(precondition)?;
        tagged(&self.client.send(&request).await?)
    }
}

pub(crate) fn path(tenant: &TenantRef, behind: &str) -> Result<String, ClientError> {
    Ok(format!("/api/v1/tenants/{}{behind}", segment(tenant.as_str())?))
}

fn list(query: &TenantQuery) -> List {
    let mut pairs = Vec::new();
    pairs.extend(query.status.as_ref().map(|status| ("status", status.as_str().to_owned())));
    pairs.extend(query.name_prefix.clone().map(|prefix| ("name", prefix)));
    pairs.extend(query.page_limit.map(|limit| ("limit", limit.to_string())));
    List { path: "/api/v1/tenants".to_owned(), query: pairs }
}

fn tagged(answer: &Answer) -> Result<Tagged<Tenant>, ClientError> {
    let tag = answer.headers.get(ETAG).and_then(|tag| tag.to_str().ok());
    let tag = tag.ok_or_else(|| ClientError::Unexpected("it has no ETag".to_owned()))?;
    Ok(Tagged { tag: EntityTag::new(tag), value: answer.json()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_that_is_not_known_is_kept() {
        let read = |text: &str| serde_json::from_str::<TenantStatus>(text).unwrap();
        assert_eq!(read("\"suspended\""), TenantStatus::Suspended);
        assert_eq!(read("\"dreaming\""), TenantStatus::Other("dreaming".to_owned()));
        assert_eq!(serde_json::to_string(&read("\"dreaming\"")).unwrap(), "\"dreaming\"");
    }

    #[test]
    fn a_tenant_is_written_as_it_was_read() {
        let text = r#"{"tenant_number":1,"tenant_id":"1_a","name":"a","status":"active","tenant_info":{"n": 1.0},"created_at":"2026-11-21T10:00:00.000000Z","updated_at":"2026-11-21T10:00:00.120000Z"}"#;
        let tenant: Tenant = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&tenant).unwrap(), text);
    }
}
