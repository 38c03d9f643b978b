//! Which plan a record is: mostly that of the id which follows from its key. A plan of the past has the id that it had in
//! another system, and the one that follows from its key stands beside it (`derived_id`).

use std::collections::{HashMap, HashSet};

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Uuid as SqlUuid};
use tenantry_domain::{PlanId, TenantNumber};
use tenantry_storage_support::feed_run_stage::Identity;
use uuid::Uuid;

use crate::error::PostgresError;

#[derive(Debug, QueryableByName)]
struct KeptRow {
    #[diesel(sql_type = SqlUuid)]
    derived_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

#[derive(Debug, QueryableByName)]
struct IdRow {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// The plan of each record, in their order.
pub(crate) fn identify(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    staging: i64,
    records: &[Identity],
) -> Result<Vec<PlanId>, PostgresError> {
    let derived: Vec<Uuid> = records.iter().map(|record| record.derived.get()).collect();
    let kept = format!(
        "SELECT derived_id, id FROM plans WHERE tenant_number = {tenant} AND derived_id = ANY ($1) \
         UNION ALL SELECT derived_id, id FROM staged_plans \
         WHERE tenant_number = {tenant} AND staging = {staging} AND derived_id = ANY ($1)"
    );
    let kept: Vec<KeptRow> = diesel::sql_query(kept).bind::<Array<SqlUuid>, _>(&derived).load(connection)?;
    let mut known: HashMap<Uuid, Uuid> = kept.into_iter().map(|row| (row.derived_id, row.id)).collect();
    let past = records.iter().filter_map(|record| record.past).map(PlanId::get);
    let mut wanted: Vec<Uuid> = past.collect();
    if known.is_empty() && wanted.is_empty() {
        return Ok(records.iter().map(|record| record.derived).collect());
    }
    wanted.extend(&derived);
    let mut taken = taken(connection, tenant, staging, &wanted)?;
    let identified = records.iter().map(|record| {
        let derived = record.derived.get();
        let id = *known.entry(derived).or_insert_with(|| {
            let past = record.past.map(PlanId::get).filter(|_| !taken.contains(&derived));
            past.filter(|past| !taken.contains(past)).unwrap_or(derived)
        });
        taken.insert(id);
        PlanId::new(id)
    });
    Ok(identified.collect())
}

/// Which of these ids plans have, in the catalog or staged.
fn taken(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    staging: i64,
    ids: &[Uuid],
) -> Result<HashSet<Uuid>, PostgresError> {
    let taken = format!(
        "SELECT id FROM plans WHERE tenant_number = {tenant} AND id = ANY ($1) UNION ALL \
         SELECT id FROM staged_plans WHERE tenant_number = {tenant} AND staging = {staging} AND id = ANY ($1)"
    );
    let taken: Vec<IdRow> = diesel::sql_query(taken).bind::<Array<SqlUuid>, _>(ids).load(connection)?;
    Ok(taken.into_iter().map(|row| row.id).collect())
}
