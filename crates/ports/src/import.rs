//! Writing a whole installation that was read from another storage.

use async_trait::async_trait;
use tenantry_domain::{AccessKey, Entry, Event, TenantNumber};

use crate::error::StorageError;
use crate::export::{CatalogRow, StoredTenant};

/// The setting that stands in a storage for as long as a move into it is not finished. Storage that holds it is
/// not to be served.
pub const MOVE_MARKER: &str = "data_move";

/// Rows to be stored as they are: with the numbers, versions and times that they bring.
#[derive(Debug, Clone, PartialEq)]
pub enum ImportRows {
    /// Settings by name.
    Settings(Vec<(String, Vec<u8>)>),
    /// Administrators' keys.
    AdminKeys(Vec<AccessKey>),
    /// Tenants with their counters.
    Tenants(Vec<StoredTenant>),
    /// The next new tenant's number is larger than this.
    LastTenantNumber(TenantNumber),
    /// Access keys of this tenant.
    AccessKeys(TenantNumber, Vec<AccessKey>),
    /// Events of this tenant.
    Events(TenantNumber, Vec<Event>),
    /// Key-values of this tenant.
    KeyValues(TenantNumber, Vec<Entry>),
    /// Rows of this tenant's catalog, in the order in which they are exported.
    Catalog(TenantNumber, Vec<CatalogRow>),
}

/// What a storage holds when a move into it is to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportStart {
    /// Nothing: the move has begun.
    Begun,
    /// A move that has begun and is not finished, with what was noted of it last.
    Unfinished(Vec<u8>),
    /// Anything else, which is left as it is: it names what was found.
    NotEmpty(String),
}

/// Where a whole installation is written to. It must not be served meanwhile; no
/// [`CommitListener`](crate::CommitListener) hears of it.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ImportRepository: Send + Sync {
    /// Begins a move if the storage is empty, and notes `marker` under [`MOVE_MARKER`]. Empty is a storage
    /// without a setting, an administrator's key or a tenant, in which no tenant's number was ever given.
    async fn begin(&self, marker: Vec<u8>) -> Result<ImportStart, StorageError>;

    /// Stores rows, in the order given, and notes `marker`, in one transaction. A row whose key is there already
    /// is passed over, so that the same rows may be brought again. A tenant is brought before its data; its
    /// status does not matter.
    ///
    /// # Errors
    /// [`StorageError::Failed`] where no move has begun.
    async fn import(&self, rows: Vec<ImportRows>, marker: Vec<u8>) -> Result<(), StorageError>;

    /// Ends the move: removes the marker. From then on the storage may be served. All that was brought, and
    /// that the move has ended, is on disk at the latest once the storage is closed.
    async fn finish(&self) -> Result<(), StorageError>;
}
