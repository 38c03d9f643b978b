//! Which old contracts are spoken, and to whom.

use tenantry_domain::{Scope, TenantRef};

/// The routes of the predecessors: whether there are any, and who may call them without a key.
#[derive(Debug, Clone, Default)]
pub struct CompatOptions {
    /// Whether they are served at all; otherwise there is nothing at their paths.
    pub enabled: bool,
    /// Whom `/compat/key-values` answers without a key; nothing: nobody.
    pub key_values: Option<Opening>,
    /// Whom `/compat/activity` answers without a key; nothing: nobody.
    pub activity: Option<Opening>,
    /// Whom `/compat/search` answers without a key; nothing: nobody.
    pub search: Option<Opening>,
}

/// A tenant whose data is open to whoever reaches the port: the predecessor asked for no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The tenant.
    pub tenant: TenantRef,
    /// What may be done with it.
    pub access: OpenAccess,
}

/// What callers without a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenAccess {
    /// Read.
    ReadOnly,
    /// Read, write and delete.
    ReadWrite,
}

impl Opening {
    /// Whether it lets in who needs `scope`.
    pub(super) fn allows(&self, scope: Scope) -> bool {
        self.access == OpenAccess::ReadWrite
            || matches!(scope, Scope::EventsRead | Scope::KvRead | Scope::CatalogRead)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_for_reading_is_not_open_for_writing() {
        let opening = |access| Opening { tenant: TenantRef::parse("1").unwrap(), access };
        for (scope, reads) in [
            (Scope::KvRead, true),
            (Scope::KvWrite, false),
            (Scope::EventsRead, true),
            (Scope::EventsWrite, false),
            (Scope::CatalogRead, true),
            (Scope::CatalogWrite, false),
        ] {
            assert_eq!(opening(OpenAccess::ReadOnly).allows(scope), reads, "{scope:?}");
            assert!(opening(OpenAccess::ReadWrite).allows(scope));
        }
    }
}
