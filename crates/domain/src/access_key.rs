//! Access keys: who may do what, and for which tenant.

use validator::Validate;

use crate::scope::{Scope, ScopeSet};
use crate::secret_key::{KeyHash, KeyId, KeyKind};
use crate::tenant::TenantNumber;
use crate::text::{no_nul, text_type};
use crate::timestamp::Timestamp;
use crate::violation::{Violation, Violations, from_validator};

/// Whose a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyOwner {
    /// An administrator's: it stands above the tenants.
    Admin,
    /// This tenant's.
    Tenant(TenantNumber),
}

text_type! {
    /// What a key is for, for a person: 1 to 100 characters.
    AccessKeyName
}

impl AccessKeyName {
    /// The name of the key that the first start makes.
    #[must_use]
    pub fn first_admin_key() -> Self {
        Self("first admin key".into())
    }
}

/// A key to be made, unchecked.
#[derive(Debug, Clone, Default, Validate)]
pub struct AccessKeyDraft {
    /// Required.
    #[validate(
        required(message = "is required"),
        length(min = 1, max = 100, message = "must be 1 to 100 characters long"),
        custom(function = no_nul)
    )]
    pub name: Option<String>,
    /// Required: at least one, of those that a tenant's key can have.
    #[validate(skip)]
    pub scopes: Option<Vec<String>>,
    /// From when on the key is refused; never where absent.
    #[validate(skip)]
    pub expires_at: Option<Timestamp>,
}

/// What a tenant's key is to be, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccessKey {
    /// What it is for.
    pub name: AccessKeyName,
    /// What it allows.
    pub scopes: ScopeSet,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
}

impl NewAccessKey {
    /// Checks a draft of a tenant's key that is made at `now`.
    ///
    /// # Errors
    /// Every rule that it breaks.
    pub fn parse(draft: AccessKeyDraft, now: Timestamp) -> Result<Self, Violations> {
        let mut violations = from_validator(draft.validate());
        let scopes = parse_scopes(draft.scopes.as_deref(), &mut violations);
        if draft.expires_at.is_some_and(|end| end <= now) {
            violations.push(Violation::new("/expires_at", "range", "must lie in the future"));
        }
        match Violations::from_list(violations) {
            Some(violations) => Err(violations),
            None => Ok(Self {
                name: AccessKeyName(draft.name.unwrap_or_default().into()),
                scopes,
                expires_at: draft.expires_at,
            }),
        }
    }
}

fn parse_scopes(words: Option<&[String]>, violations: &mut Vec<Violation>) -> ScopeSet {
    let Some(words) = words else {
        violations.push(Violation::new("/scopes", "required", "is required"));
        return ScopeSet::default();
    };
    if words.is_empty() {
        violations.push(Violation::new("/scopes", "length", "must name at least one scope"));
    }
    let mut scopes = Vec::new();
    for (at, word) in words.iter().enumerate() {
        match Scope::parse(word).filter(|scope| !scope.is_for_admins_only()) {
            Some(scope) => scopes.push(scope),
            None => {
                let allowed = Scope::ALL.into_iter().filter(|scope| !scope.is_for_admins_only());
                let allowed: Vec<_> = allowed.map(Scope::as_str).collect();
                let detail = format!("is not a scope of a tenant's key; those are {}", allowed.join(", "));
                violations.push(Violation::new(format!("/scopes/{at}"), "scope", detail));
                if violations.len() > 16 {
                    break;
                }
            }
        }
    }
    scopes.into_iter().collect()
}

/// A key, as it stands, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// Its public name.
    pub id: KeyId,
    /// Whose it is.
    pub owner: KeyOwner,
    /// What it is for.
    pub name: AccessKeyName,
    /// What it allows.
    pub scopes: ScopeSet,
    /// The hash of its text.
    pub hash: KeyHash,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is refused.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute or so.
    pub last_used_at: Option<Timestamp>,
}

impl AccessKey {
    /// How the text of this key begins: all of it that may be shown.
    #[must_use]
    pub fn prefix(&self) -> String {
        let kind = match self.owner {
            KeyOwner::Admin => KeyKind::Admin,
            KeyOwner::Tenant(_) => KeyKind::Tenant,
        };
        format!("{}{}", kind.prefix(), self.id)
    }

    /// Whether the key is past its time at `now`.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// Who is calling, once a key was found to be good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// By which key.
    pub key_id: KeyId,
    /// Whose key that is.
    pub owner: KeyOwner,
    /// What it allows.
    pub scopes: ScopeSet,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_may_name_only_scopes_of_a_tenant() {
        let draft = AccessKeyDraft {
            name: Some("ci".into()),
            scopes: Some(vec!["kv:read".into(), "tenants:read".into(), "nonsense".into()]),
            expires_at: Some(Timestamp::from_micros(5)),
        };
        let faults = NewAccessKey::parse(draft, Timestamp::from_micros(5)).unwrap_err().into_vec();
        let pointers: Vec<_> = faults.iter().map(|v| v.pointer.as_str()).collect();
        assert_eq!(pointers, ["/expires_at", "/scopes/1", "/scopes/2"]);
    }
}
