//! A tenant's access keys: `/api/v1/tenants/{tenant}/keys`. For administrators.

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::error::ClientError;
use crate::key_path::segment;
use crate::page::{ItemStream, List, ListBody, Page};
use crate::request::Request;
use crate::secret::Secret;
use crate::tenant::{self, TenantRef};

/// An access key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AccessKey {
    /// The key's public name.
    pub key_id: String,
    /// How the key begins: all of it that is ever shown again.
    pub prefix: String,
    /// What it is for.
    pub name: String,
    /// What it allows: `events:read`, `events:write`, `kv:read`, `kv:write` and the like.
    pub scopes: Vec<String>,
    /// When it was made.
    #[serde(with = "crate::time")]
    pub created_at: DateTime<Utc>,
    /// From when on it is refused.
    #[serde(with = "crate::time::optional")]
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was last used, to about two minutes.
    #[serde(with = "crate::time::optional")]
    pub last_used_at: Option<DateTime<Utc>>,
}

/// What a key is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewAccessKey {
    /// What it is for: 1 to 100 characters.
    pub name: String,
    /// What it allows: at least one.
    pub scopes: Vec<String>,
    /// From when on it is refused; never where absent.
    #[serde(with = "crate::time::optional", skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime<Utc>>,
}

impl NewAccessKey {
    /// A key of that name and with these scopes, without an end.
    #[must_use]
    pub fn new(name: impl Into<String>, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { name: name.into(), scopes: scopes.into_iter().map(Into::into).collect(), expires_at: None }
    }
}

/// A key that was just made, with its text: the server never shows it again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CreatedAccessKey {
    /// What will be known of it.
    pub about: AccessKey,
    /// The key itself.
    pub key: Secret,
}

#[derive(Deserialize)]
struct KeyText {
    key: String,
}

#[derive(Deserialize)]
struct AccessKeyList {
    keys: Vec<AccessKey>,
    next_cursor: Option<String>,
}

impl ListBody for AccessKeyList {
    type Item = AccessKey;

    fn into_page(self) -> Page<AccessKey> {
        Page { items: self.keys, next_cursor: self.next_cursor }
    }
}

/// The access keys of a tenant: [`Client::access_keys`].
#[derive(Debug, Clone)]
pub struct AccessKeys {
    client: Client,
    tenant: TenantRef,
}

impl AccessKeys {
    pub(crate) fn new(client: Client, tenant: &TenantRef) -> Self {
        Self { client, tenant: tenant.clone() }
    }

    /// Makes a key. Sent once: a second attempt would make a second key.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create(&self, key: &NewAccessKey) -> Result<CreatedAccessKey, ClientError> {
        let path = tenant::path(&self.tenant, "/keys")?;
        let answer = self.client.send(&Request::new(Method::POST, path).json(key)?.once()).await?;
        let KeyText { key } = answer.json()?;
        Ok(CreatedAccessKey { about: answer.json()?, key: key.into() })
    }

    /// Every key, in the order in which they were made.
    #[must_use]
    pub fn list(&self) -> ItemStream<AccessKey> {
        match self.whole_list(None) {
            Ok(list) => self.client.items::<AccessKeyList>(list),
            Err(error) => Box::pin(futures_util::stream::iter([Err(error)])),
        }
    }

    /// One page of them: the first, or the one to which `cursor` leads, with at most so many keys (1 to 1000).
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn page(&self, limit: u16, cursor: Option<&str>) -> Result<Page<AccessKey>, ClientError> {
        self.client.page::<AccessKeyList>(&self.whole_list(Some(limit))?, cursor).await
    }

    /// Revokes a key: from the answer on it is refused.
    ///
    /// # Errors
    /// [`ClientError`]; 404 where there is none.
    pub async fn revoke(&self, key_id: &str) -> Result<(), ClientError> {
        let path = tenant::path(&self.tenant, &format!("/keys/{}", segment(key_id)?))?;
        self.client.send(&Request::new(Method::DELETE, path)).await.map(|_| ())
    }

    fn whole_list(&self, limit: Option<u16>) -> Result<List, ClientError> {
        let query = limit.map(|limit| ("limit", limit.to_string())).into_iter().collect();
        Ok(List { path: tenant::path(&self.tenant, "/keys")?, query })
    }
}
