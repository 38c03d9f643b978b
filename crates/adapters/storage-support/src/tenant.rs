//! Tenants.

use tenantry_domain::{Erasure, Tenant, TenantStatus, Timestamp};
use tenantry_ports::{TenantUpdate, TenantWriteError};

/// What an update at `now` makes of the tenant as it stands.
///
/// # Errors
/// There is no such tenant, or it stands in another version.
pub fn updated(
    standing: Option<Tenant>,
    expected_version: u64,
    update: &TenantUpdate,
    now: Timestamp,
) -> Result<Tenant, TenantWriteError> {
    let standing = standing.ok_or(TenantWriteError::NotFound)?;
    if standing.version != expected_version {
        return Err(TenantWriteError::VersionConflict { current: standing.version });
    }
    let updated_at = now.max(standing.updated_at);
    let erasure = (update.status == TenantStatus::Deleting)
        .then(|| standing.erasure.unwrap_or(Erasure { started_at: updated_at, erased_rows: 0 }));
    Ok(Tenant {
        number: standing.number,
        name: update.name.clone(),
        status: update.status,
        info: update.info.clone(),
        version: standing.version + 1,
        created_at: standing.created_at,
        updated_at,
        erasure,
    })
}
