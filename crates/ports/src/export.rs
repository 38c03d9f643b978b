//! Reading a whole installation, to carry it to another storage.

use async_trait::async_trait;
use tenantry_domain::{AccessKey, Entry, Event, Key, Revision, Sequence, Tenant, TenantNumber, Timestamp};

use crate::access_key::KeyPosition;
use crate::error::StorageError;

/// How much one page of an export holds at most. It ends with whatever is reached first, and holds at least
/// one row where there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExportBound {
    /// So many rows.
    pub rows: u32,
    /// It ends behind the row with which long texts and values reach so many bytes.
    pub bytes: u64,
}

/// What was given out last in a tenant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TenantCounters {
    /// The sequence of its newest event; 0 where there was none yet.
    pub event_sequence: Sequence,
    /// When that event was stored.
    pub last_event_at: Option<Timestamp>,
    /// The revision of the newest write of a key-value; 0 where there was none yet.
    pub key_value_revision: Revision,
}

/// A tenant with its counters.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredTenant {
    /// The tenant.
    pub tenant: Tenant,
    /// Its counters.
    pub counters: TenantCounters,
}

/// A whole installation, page by page, as it is stored: tenants of any status, key-values that have ended too.
///
/// Each list is in the order of its keys (texts by their bytes), behind `after`; an empty page is the end. What
/// a page shows is one state; two pages are of one state only if nobody writes in between.
#[cfg_attr(feature = "mocks", mockall::automock)]
#[async_trait]
pub trait ExportRepository: Send + Sync {
    /// All settings by name, but for [`MOVE_MARKER`](crate::MOVE_MARKER).
    async fn settings(&self) -> Result<Vec<(String, Vec<u8>)>, StorageError>;

    /// All administrators' keys by id.
    async fn admin_keys(&self) -> Result<Vec<AccessKey>, StorageError>;

    /// The largest number that was ever given to a tenant, also to one that is gone.
    async fn last_tenant_number(&self) -> Result<Option<TenantNumber>, StorageError>;

    /// Tenants with their counters, by number.
    async fn tenants(
        &self,
        after: Option<TenantNumber>,
        bound: ExportBound,
    ) -> Result<Vec<StoredTenant>, StorageError>;

    /// How many access keys, events and key-values the tenant has, together.
    async fn count_rows(&self, tenant: TenantNumber) -> Result<u64, StorageError>;

    /// The tenant's access keys in the order in which they were made.
    async fn access_keys(
        &self,
        tenant: TenantNumber,
        after: Option<KeyPosition>,
        bound: ExportBound,
    ) -> Result<Vec<AccessKey>, StorageError>;

    /// The tenant's events by sequence.
    async fn events(
        &self,
        tenant: TenantNumber,
        after: Option<Sequence>,
        bound: ExportBound,
    ) -> Result<Vec<Event>, StorageError>;

    /// The tenant's key-values by key.
    async fn key_values(
        &self,
        tenant: TenantNumber,
        after: Option<Key>,
        bound: ExportBound,
    ) -> Result<Vec<Entry>, StorageError>;
}
