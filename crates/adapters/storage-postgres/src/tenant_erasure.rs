//! Erasing a tenant and everything of it, a bounded number of rows at a time.

use diesel::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use tenantry_domain::{TenantNumber, TenantStatus};
use tenantry_ports::RETIRED_NUMBER;

use crate::batch::{Change, WriteBatch};
use crate::error::PostgresError;
use crate::schema::{settings, tenant_counters, tenants};
use crate::tenant::find;

/// The tables with a tenant's data.
const DATA: [&str; 3] = ["events", "key_values", "tenant_keys"];

/// Those with its catalog, which are another claim's: they are erased while nobody else has that.
const CATALOG: [&str; 11] = [
    "discards",
    "reject_texts",
    "staged_rejects",
    "feed_rejects",
    "staged_plans",
    "plan_contents",
    "plan_versions",
    "plans",
    "feed_runs",
    "feeds",
    "catalogs",
];

/// Erases at most `max_rows` rows, and once none is left the tenant. Answers whether it is gone.
pub(crate) fn erase_some(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    max_rows: u32,
) -> Result<bool, PostgresError> {
    let Some(standing) = batch.run_for(tenant, |connection| find(connection, tenant))? else {
        return Ok(true);
    };
    if standing.status != TenantStatus::Deleting {
        return Ok(false);
    }
    let catalog = catalog(batch, tenant)?;
    let tables = match catalog {
        Catalog::None | Catalog::Locked => [&DATA[..], &CATALOG[..]].concat(),
        Catalog::AnothersLock => DATA.to_vec(),
    };
    let is_gone = batch.run(|connection| {
        let mut left = i64::from(max_rows);
        for table in &tables {
            left -= erase_rows(connection, table, tenant, left)?;
        }
        let is_all = catalog != Catalog::AnothersLock;
        if is_all && (left > 0 || !has_data(connection, &tables, tenant)?) {
            diesel::delete(tenant_counters::table.find(tenant.get())).execute(connection)?;
            diesel::delete(tenants::table.find(tenant.get())).execute(connection)?;
            retire(connection, tenant)?;
            return Ok(true);
        }
        let erased = i64::from(max_rows) - left;
        diesel::update(tenants::table.find(tenant.get()))
            .set(tenants::erased_rows.eq(tenants::erased_rows + erased))
            .execute(connection)?;
        Ok(false)
    })?;
    if is_gone {
        batch.tell(Change::Tenant(tenant));
    }
    Ok(is_gone)
}

/// Remembers that the number is never given again. Nobody else writes this setting: the tenant is locked.
fn retire(connection: &mut PgConnection, tenant: TenantNumber) -> Result<(), PostgresError> {
    diesel::insert_into(settings::table)
        .values((
            settings::name.eq(format!("{RETIRED_NUMBER}{tenant}")),
            settings::value.eq(Vec::<u8>::new()),
        ))
        .on_conflict_do_nothing()
        .execute(connection)?;
    Ok(())
}

/// Whether the number was that of a tenant that is gone.
pub(crate) fn is_retired(connection: &mut PgConnection, tenant: TenantNumber) -> Result<bool, PostgresError> {
    let noted = settings::table.find(format!("{RETIRED_NUMBER}{tenant}")).select(settings::name);
    Ok(diesel::select(diesel::dsl::exists(noted)).get_result(connection)?)
}

/// Erases rows by their places in the table, which nobody changes meanwhile: the tenant is locked.
fn erase_rows(
    connection: &mut PgConnection,
    table: &str,
    tenant: TenantNumber,
    limit: i64,
) -> Result<i64, PostgresError> {
    if limit == 0 {
        return Ok(0);
    }
    let delete = format!(
        "DELETE FROM {table} WHERE tenant_number = $1 AND ctid = ANY (ARRAY \
         (SELECT ctid FROM {table} WHERE tenant_number = $1 LIMIT $2))"
    );
    let erased = diesel::sql_query(delete)
        .bind::<BigInt, _>(tenant.get())
        .bind::<BigInt, _>(limit)
        .execute(connection)?;
    Ok(i64::try_from(erased).unwrap_or(i64::MAX))
}

/// Whose the catalog of a tenant is while it is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Catalog {
    /// There is none: whoever writes one makes its row first.
    None,
    /// This transaction's.
    Locked,
    /// Somebody else writes it just now. It is not waited for, since whoever has a tenant never waits for a catalog.
    AnothersLock,
}

fn catalog(batch: &mut WriteBatch, tenant: TenantNumber) -> Result<Catalog, PostgresError> {
    if batch.lock_free_catalog(tenant)? {
        return Ok(Catalog::Locked);
    }
    let is_there = format!("EXISTS (SELECT FROM catalogs WHERE tenant_number = {tenant})");
    let is_there = diesel::select(diesel::dsl::sql::<Bool>(&is_there));
    let is_there: bool = batch.run_for(tenant, |connection| Ok(is_there.get_result(connection)?))?;
    Ok(if is_there { Catalog::AnothersLock } else { Catalog::None })
}

fn has_data(
    connection: &mut PgConnection,
    tables: &[&str],
    tenant: TenantNumber,
) -> Result<bool, PostgresError> {
    for table in tables {
        let any = format!("EXISTS (SELECT 1 FROM {table} WHERE tenant_number = {tenant})");
        if diesel::select(diesel::dsl::sql::<Bool>(&any)).get_result(connection)? {
            return Ok(true);
        }
    }
    Ok(false)
}
