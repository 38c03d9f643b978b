//! Storing a tenant that another system kept, under its number.

use std::marker::PhantomData;

use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz};
use tenantry_domain::{PastTenant, TenantNumber, TenantStatus};
use tenantry_ports::PastTenantOutcome;

use crate::batch::WriteBatch;
use crate::error::PostgresError;
use crate::moment::to_moment;
use crate::schema::tenant_counters;
use crate::static_query::static_query;
use crate::tenant::find;
use crate::tenant_erasure::is_retired;

static_query! {
    /// Stores a tenant under a number that is brought along.
    InsertPastTenant<'a> {
        "INSERT INTO tenants (tenant_number, name, status, tenant_info, version, created_at, updated_at) \
         OVERRIDING SYSTEM VALUE VALUES (" number: i64 as BigInt,
        ", " name: &'a str as Text,
        ", " status: &'a str as Text,
        ", " info: &'a str as Text,
        ", 1, " created_at: PgTimestamp as Timestamptz,
        ", " updated_at: PgTimestamp as Timestamptz;
        ")"
    } -> Text
}

/// Nobody gives numbers meanwhile: the installation is claimed. The tenant itself is known to nobody yet.
pub(crate) fn create_past(
    batch: &mut WriteBatch,
    past: &PastTenant,
) -> Result<PastTenantOutcome, PostgresError> {
    let number = past.number;
    if let Some(held) = batch.run_for(number, |connection| find(connection, number))? {
        return Ok(PastTenantOutcome::Held(held));
    }
    if batch.run(|connection| is_retired(connection, number))? {
        return Ok(PastTenantOutcome::Retired);
    }
    let (created_at, updated_at) = past.times(batch.now());
    let insert = InsertPastTenant {
        number: number.get(),
        name: past.tenant.name.as_str(),
        status: TenantStatus::Active.as_str(),
        info: past.tenant.info.as_str(),
        created_at: to_moment(created_at),
        updated_at: to_moment(updated_at),
        life: PhantomData,
    };
    batch.run_for_registry(|connection| Ok(insert.execute(connection)?))?;
    let created = batch.run_for(number, |connection| {
        diesel::insert_into(tenant_counters::table)
            .values(tenant_counters::tenant_number.eq(number.get()))
            .execute(connection)?;
        raise_last_number(connection, number)?;
        find(connection, number)
    })?;
    created
        .map(PastTenantOutcome::Created)
        .ok_or_else(|| PostgresError::Damaged(format!("no tenant {number} where it was just stored")))
}

/// Has the next new tenant's number be larger; never moves back. What it sets stays should the transaction be undone:
/// then numbers are left out.
fn raise_last_number(connection: &mut PgConnection, number: TenantNumber) -> Result<(), PostgresError> {
    diesel::sql_query(
        "SELECT setval('tenants_tenant_number_seq', $1) FROM tenants_tenant_number_seq \
         WHERE NOT is_called OR last_value < $1",
    )
    .bind::<BigInt, _>(number.get())
    .execute(connection)?;
    Ok(())
}
