//! Tenants: whose data it is.

use std::fmt;

use serde_json::value::RawValue;
use validator::{Validate, ValidationError};

use crate::json_object::{JsonObject, optional_object};
use crate::text::text_type;
use crate::timestamp::Timestamp;
use crate::violation::{Violations, from_validator};

/// A tenant's number: positive, 64 bits, given once, never reused, growing with each new tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantNumber(i64);

impl TenantNumber {
    /// A number from 1 up.
    #[must_use]
    pub fn new(number: i64) -> Option<Self> {
        (number > 0).then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for TenantNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_type! {
    /// A tenant's name: 1 to 64 of `A-Z a-z 0-9 . _ -`. Names need not be unique.
    TenantName
}

impl TenantName {
    /// Reads a name; nothing where it breaks the rule.
    #[must_use]
    pub fn new(name: &str) -> Option<Self> {
        ((1..=64).contains(&name.len()) && tenant_name_pattern(name).is_ok()).then(|| Self(name.into()))
    }
}

fn tenant_name_pattern(name: &str) -> Result<(), ValidationError> {
    if name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-')) {
        return Ok(());
    }
    Err(ValidationError::new("pattern")
        .with_message("must hold only the characters A-Z a-z 0-9 . _ -".into()))
}

/// Whether a tenant may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TenantStatus {
    /// As usual.
    Active,
    /// Its keys are refused until it is active again; its data stays.
    Suspended,
    /// Its keys are gone for good and its data is being erased.
    Deleting,
}

impl TenantStatus {
    /// Every status, by its word.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Deleting];

    /// The status as a word: `active`, `suspended` or `deleting`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
        }
    }

    /// The status of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }
}

/// How far the erasure of a tenant's data has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// When the tenant was deleted.
    pub started_at: Timestamp,
    /// Events, key-values and keys erased so far.
    pub erased_rows: u64,
}

/// A tenant, as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Tenant {
    /// Its number.
    pub number: TenantNumber,
    /// Its name.
    pub name: TenantName,
    /// Whether it may be used.
    pub status: TenantStatus,
    /// Whatever its administrator keeps about it.
    pub info: JsonObject,
    /// 1 when it was created, one more with each change: what its `ETag` shows.
    pub version: u64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// While it is being deleted: how far that has come.
    pub erasure: Option<Erasure>,
}

impl Tenant {
    /// The tenant's id: `"{number}_{name}"`.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}_{}", self.number, self.name)
    }
}

/// How a caller names a tenant: by number, or by id, where both parts must fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantRef {
    /// The number.
    pub number: TenantNumber,
    /// The name, where the id was given.
    pub name: Option<TenantName>,
}

impl TenantRef {
    /// Reads `12` or `12_name`. Nothing for any other text: no tenant can be meant by it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (number, name) = match text.split_once('_') {
            Some((number, name)) => (number, Some(TenantName::new(name)?)),
            None => (text, None),
        };
        if number.is_empty() || number.starts_with('0') || !number.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some(Self { number: TenantNumber::new(number.parse().ok()?)?, name })
    }

    /// Whether `tenant` is the one that is meant.
    #[must_use]
    pub fn means(&self, tenant: &Tenant) -> bool {
        self.number == tenant.number && self.name.as_ref().is_none_or(|name| *name == tenant.name)
    }
}

impl From<TenantNumber> for TenantRef {
    fn from(number: TenantNumber) -> Self {
        Self { number, name: None }
    }
}

/// Which tenants a list shows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TenantFilter {
    /// Only those of this status.
    pub status: Option<TenantStatus>,
    /// Only those whose name begins so (case counts).
    pub name_prefix: Option<String>,
}

/// What a caller wants a tenant to be, unchecked.
#[derive(Debug, Clone, Default, Validate)]
pub struct TenantDraft<'a> {
    /// The name; required.
    #[validate(
        required(message = "is required"),
        length(min = 1, max = 64, message = "must be 1 to 64 characters long"),
        custom(function = tenant_name_pattern)
    )]
    pub name: Option<String>,
    /// A JSON object; `{}` where absent.
    #[validate(skip)]
    pub tenant_info: Option<&'a RawValue>,
}

/// What a tenant is to be, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTenant {
    /// Its name.
    pub name: TenantName,
    /// Whatever its administrator keeps about it.
    pub info: JsonObject,
}

impl NewTenant {
    /// Checks a draft.
    ///
    /// # Errors
    /// Every rule that it breaks.
    pub fn parse(draft: TenantDraft<'_>) -> Result<Self, Violations> {
        let mut violations = from_validator(draft.validate());
        let info = optional_object(draft.tenant_info, "/tenant_info", &mut violations);
        match Violations::from_list(violations) {
            Some(violations) => Err(violations),
            None => Ok(Self { name: TenantName(draft.name.unwrap_or_default().into()), info }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_named_by_its_number_or_its_id() {
        let by_number = TenantRef::parse("12").unwrap();
        assert_eq!((by_number.number.get(), by_number.name), (12, None));
        let by_id = TenantRef::parse("12_Skye_Jones").unwrap();
        assert_eq!(by_id.name.unwrap().as_str(), "Skye_Jones");
    }

    #[test]
    fn what_can_be_no_tenant_is_no_reference() {
        for text in ["", "0", "-1", "+1", "01", "x", "1_", "_a", "1_a b", "9223372036854775808", "1/2", " 1"]
        {
            assert_eq!(TenantRef::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_draft_is_refused_with_every_fault_it_has() {
        let raw: &RawValue = serde_json::from_str("[1]").unwrap();
        let draft = TenantDraft { name: Some("a b".to_owned()), tenant_info: Some(raw) };
        let faults = NewTenant::parse(draft).unwrap_err().into_vec();
        let found: Vec<_> = faults.iter().map(|v| (v.pointer.as_str(), v.code.as_ref())).collect();
        assert_eq!(found, [("/name", "pattern"), ("/tenant_info", "object")]);
    }

    #[test]
    fn a_name_is_one_to_sixty_four_of_the_allowed_characters() {
        let parse =
            |name: &str| NewTenant::parse(TenantDraft { name: Some(name.to_owned()), tenant_info: None });
        for name in ["a", "A-Z.0_9", &"x".repeat(64)] {
            assert_eq!(parse(name).unwrap().name.as_str(), name);
            assert!(TenantName::new(name).is_some());
        }
        for name in ["", "é", "a\0", "a/b", &"x".repeat(65)] {
            assert!(parse(name).is_err(), "{name}");
            assert!(TenantName::new(name).is_none(), "{name}");
        }
        let missing = NewTenant::parse(TenantDraft::default()).unwrap_err();
        assert_eq!(missing.as_slice()[0].code, "required");
    }
}
