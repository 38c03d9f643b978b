//! The section `compat`: which old contracts are spoken, and who may call without a key.

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use tenantry_domain::TenantRef;
use tenantry_http::{OpenAccess, Opening};

/// The section `compat`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompatSettings {
    /// Whether they are.
    pub enabled: bool,
    /// Who may call `/compat/key-values` without a key.
    pub key_values: AnonymousSettings,
    /// Who may call `/compat/activity` without a key.
    pub activity: AnonymousSettings,
    /// Who may call `/compat/search` without a key.
    pub search: AnonymousSettings,
}

/// What callers without a key may do.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnonymousSettings {
    /// The tenant that is open to them; nothing: they are let in nowhere.
    #[serde(deserialize_with = "tenant")]
    pub anonymous_tenant: Option<TenantRef>,
    /// What they may do with it.
    #[serde(deserialize_with = "access")]
    pub anonymous_access: OpenAccess,
}

impl AnonymousSettings {
    /// What is opened to them, if anything is.
    pub(super) fn opening(&self) -> Option<Opening> {
        Some(Opening { tenant: self.anonymous_tenant.clone()?, access: self.anonymous_access })
    }
}

pub(super) fn is_tenant(text: &str) -> Result<(), String> {
    let is_good = text.is_empty() || TenantRef::parse(text).is_some();
    is_good
        .then_some(())
        .ok_or_else(|| "must be a tenant's number or id (1, or 1_acme), or be empty".to_owned())
}

pub(super) fn is_open_access(text: &str) -> Result<(), String> {
    open_access(text).map(|_| ()).ok_or_else(|| "must be \"read-only\" or \"read-write\"".to_owned())
}

fn open_access(text: &str) -> Option<OpenAccess> {
    match text {
        "read-only" => Some(OpenAccess::ReadOnly),
        "read-write" => Some(OpenAccess::ReadWrite),
        _ => None,
    }
}

fn tenant<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TenantRef>, D::Error> {
    let text = String::deserialize(deserializer)?;
    is_tenant(&text).map_err(D::Error::custom)?;
    Ok(TenantRef::parse(&text))
}

fn access<'de, D: Deserializer<'de>>(deserializer: D) -> Result<OpenAccess, D::Error> {
    let text = String::deserialize(deserializer)?;
    open_access(&text).ok_or_else(|| D::Error::custom("must be \"read-only\" or \"read-write\""))
}
