//! Why a move did not come to its end.

use std::fmt;

use tenantry_domain::TenantNumber;
use tenantry_ports::StorageError;

/// A table, as differences name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MovedTable {
    /// Settings of the installation.
    Settings,
    /// Administrators' keys.
    AdminKeys,
    /// Tenants, with their counters and the numbers that were given.
    Tenants,
    /// Access keys of tenants.
    AccessKeys,
    /// Events.
    Events,
    /// Key-values.
    KeyValues,
    /// Feeds, their runs and rejects, plans and their versions.
    Catalog,
}

impl fmt::Display for MovedTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Settings => "settings",
            Self::AdminKeys => "admin_keys",
            Self::Tenants => "tenants",
            Self::AccessKeys => "tenant_keys",
            Self::Events => "events",
            Self::KeyValues => "key_values",
            Self::Catalog => "catalog",
        })
    }
}

/// A table of which source and target do not hold the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// Whose rows; nothing for what is no tenant's.
    pub tenant: Option<TenantNumber>,
    /// Of which table.
    pub table: MovedTable,
    /// How many rows the source has.
    pub source_rows: u64,
    /// How many rows the target has.
    pub target_rows: u64,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(tenant) = self.tenant {
            write!(f, "tenant {tenant}, ")?;
        }
        let Self { table, source_rows, target_rows, .. } = self;
        if source_rows == target_rows {
            write!(f, "table {table}: {source_rows} rows on both sides, not the same")
        } else {
            write!(f, "table {table}: {source_rows} rows in the source, {target_rows} in the target")
        }
    }
}

/// Why a move did not come to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoveError {
    /// The target holds an installation, or the rest of one.
    #[error("the target is not empty: it holds {0}; nothing was changed")]
    TargetNotEmpty(String),
    /// The target holds an unfinished move of something else.
    #[error(
        "the target holds the unfinished move of another source, or of this one before it was changed; nothing was \
         changed; empty the target to begin anew"
    )]
    OtherMove,
    /// The two do not hold the same.
    #[error("source and target differ: {}", list(.0))]
    Differs(Vec<Difference>),
    /// The source could not be read.
    #[error("reading the source: {0}")]
    Source(StorageError),
    /// The target could not be read or written.
    #[error("reading or writing the target: {0}")]
    Target(StorageError),
}

fn list(differences: &[Difference]) -> String {
    differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
