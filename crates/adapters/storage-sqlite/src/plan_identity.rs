//! Which plan a record is: mostly that of the id which follows from its key. A plan of the past has the id that it had in
//! another system, and the one that follows from its key stands beside it (`derived_id`).

use diesel::prelude::*;
use tenantry_domain::{PlanId, TenantNumber};
use tenantry_storage_support::engine::Engine as _;

use crate::engine::Sqlite;
use crate::error::SqliteError;
use crate::schema::{plans, staged_plans};

/// Which plan a record is, and what stands of it.
pub(crate) struct Identified {
    pub(crate) id: PlanId,
    /// The digest of the record that is staged as this plan.
    pub(crate) staged: Option<Vec<u8>>,
    /// The digest of the catalog's newest version, and whether the plan is in its feed.
    pub(crate) standing: Option<(Vec<u8>, bool)>,
}

/// Finds the plan of a record by the id that follows from its key, and the one that it had in another system if it comes
/// from one.
pub(crate) fn identify(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    staging: i64,
    derived: PlanId,
    past: Option<PlanId>,
) -> Result<Identified, SqliteError> {
    let identified = |id, staged, standing| Ok(Identified { id, staged, standing });
    if let Some(staged) = staged(connection, tenant, staging, derived)? {
        return identified(derived, Some(staged), None);
    }
    if let Some(standing) = standing(connection, tenant, derived)? {
        return identified(derived, None, Some(standing));
    }
    // A plan of the past has the id that it had in another system.
    let kept = plans::table
        .filter(plans::tenant_number.eq(tenant.get()))
        .filter(plans::derived_id.eq(&derived.get().as_bytes()[..]))
        .select(plans::id)
        .get_result::<Vec<u8>>(connection)
        .optional()?;
    if let Some(kept) = kept {
        let id = PlanId::new(Sqlite::uuid(kept, "a plan's id")?);
        let staged = staged(connection, tenant, staging, id)?;
        let standing = standing(connection, tenant, id)?;
        return identified(id, staged, standing);
    }
    let brought = staged_plans::table
        .filter(staged_plans::tenant_number.eq(tenant.get()))
        .filter(staged_plans::staging.eq(staging))
        .filter(staged_plans::derived_id.eq(&derived.get().as_bytes()[..]))
        .select((staged_plans::id, staged_plans::digest))
        .get_result::<(Vec<u8>, Vec<u8>)>(connection)
        .optional()?;
    if let Some((id, staged)) = brought {
        return identified(PlanId::new(Sqlite::uuid(id, "a plan's id")?), Some(staged), None);
    }
    match past {
        Some(past) if is_free(connection, tenant, staging, past)? => identified(past, None, None),
        _ => identified(derived, None, None),
    }
}

/// Whether no plan has that id.
fn is_free(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    staging: i64,
    id: PlanId,
) -> Result<bool, SqliteError> {
    Ok(staged(connection, tenant, staging, id)?.is_none() && standing(connection, tenant, id)?.is_none())
}

fn staged(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    staging: i64,
    id: PlanId,
) -> Result<Option<Vec<u8>>, SqliteError> {
    let id = id.get();
    let staged = staged_plans::table.find((tenant.get(), staging, &id.as_bytes()[..]));
    Ok(staged.select(staged_plans::digest).get_result(connection).optional()?)
}

fn standing(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    id: PlanId,
) -> Result<Option<(Vec<u8>, bool)>, SqliteError> {
    let id = id.get();
    let standing = plans::table.find((tenant.get(), &id.as_bytes()[..]));
    Ok(standing.select((plans::digest, plans::in_feed)).get_result(connection).optional()?)
}
