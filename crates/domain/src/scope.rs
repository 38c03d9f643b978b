//! What an access key allows.

/// One thing that a key allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Read tenants. Administrators only.
    TenantsRead,
    /// Create, change and delete tenants. Administrators only.
    TenantsWrite,
    /// List, create and revoke tenants' keys. Administrators only.
    KeysWrite,
    /// Read events.
    EventsRead,
    /// Store events.
    EventsWrite,
    /// Read key-values.
    KvRead,
    /// Write and delete key-values.
    KvWrite,
    /// Search the catalog, and read plans, feeds, their runs and rejects.
    CatalogRead,
    /// Change feeds and run them.
    CatalogWrite,
}

impl Scope {
    /// Every scope, the administrators' first.
    pub const ALL: [Self; 9] = [
        Self::TenantsRead,
        Self::TenantsWrite,
        Self::KeysWrite,
        Self::EventsRead,
        Self::EventsWrite,
        Self::KvRead,
        Self::KvWrite,
        Self::CatalogRead,
        Self::CatalogWrite,
    ];

    /// The scope as it is written: `events:read` and the like.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TenantsRead => "tenants:read",
            Self::TenantsWrite => "tenants:write",
            Self::KeysWrite => "keys:write",
            Self::EventsRead => "events:read",
            Self::EventsWrite => "events:write",
            Self::KvRead => "kv:read",
            Self::KvWrite => "kv:write",
            Self::CatalogRead => "catalog:read",
            Self::CatalogWrite => "catalog:write",
        }
    }

    /// The scope that is written so.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == text)
    }

    /// Whether only administrators' keys can have it.
    #[must_use]
    pub fn is_for_admins_only(self) -> bool {
        matches!(self, Self::TenantsRead | Self::TenantsWrite | Self::KeysWrite)
    }

    fn bit(self) -> u16 {
        1 << (self as u16)
    }
}

/// Everything that a key allows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(u16);

impl ScopeSet {
    /// Every scope there is.
    #[must_use]
    pub fn all() -> Self {
        Scope::ALL.into_iter().collect()
    }

    /// Whether the set holds `scope`.
    #[must_use]
    pub fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// The scopes of the set, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }

    /// The scopes as one line, parted by spaces: how they are stored.
    #[must_use]
    pub fn to_line(self) -> String {
        self.iter().map(Scope::as_str).collect::<Vec<_>>().join(" ")
    }

    /// Reads what [`ScopeSet::to_line`] wrote; words that mean nothing here are left out.
    #[must_use]
    pub fn from_line(line: &str) -> Self {
        line.split(' ').filter_map(Scope::parse).collect()
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |set, scope| set | scope.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_survive_being_stored() {
        let scopes: ScopeSet = [Scope::KvRead, Scope::EventsWrite].into_iter().collect();
        assert_eq!(scopes.to_line(), "events:write kv:read");
        assert_eq!(ScopeSet::from_line(&scopes.to_line()), scopes);
        assert_eq!(ScopeSet::from_line(&ScopeSet::all().to_line()), ScopeSet::all());
        assert_eq!(ScopeSet::from_line(""), ScopeSet::default());
    }
}
