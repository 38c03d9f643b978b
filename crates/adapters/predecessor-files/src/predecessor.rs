//! The services that Tenantry replaces.

use std::fmt;

/// A service that Tenantry replaces, by what it kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Predecessor {
    /// The multi-tenant registry.
    Tenants,
    /// The key-value store.
    Tenantbase,
    /// The log of activities.
    Activity,
    /// The provider-event search.
    Search,
}

impl Predecessor {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tenantbase, Self::Activity, Self::Tenants, Self::Search];

    /// Its name: `tenants`, `tenantbase`, `activity` or `search`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tenants => "tenants",
            Self::Tenantbase => "tenantbase",
            Self::Activity => "activity",
            Self::Search => "search",
        }
    }

    /// Whether what it kept becomes one tenant's data. (The registry's becomes tenants.)
    #[must_use]
    pub fn is_of_one_tenant(self) -> bool {
        self != Self::Tenants
    }
}

impl fmt::Display for Predecessor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
