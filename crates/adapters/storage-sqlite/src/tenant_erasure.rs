//! Erasing a tenant and everything of it, a bounded number of rows at a time.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tenantry_domain::{TenantNumber, TenantStatus};
use tenantry_ports::RETIRED_NUMBER;

use crate::batch::{Change, WriteBatch};
use crate::error::SqliteError;
use crate::schema::{settings, tenant_counters, tenants};
use crate::tenant::find;

/// The tables with a tenant's data, and what tells a row of it in each. What others need comes last: a feed is there as
/// long as anything of it.
const DATA: [(&str, &str); 14] = [
    ("events", "sequence"),
    ("key_values", "key"),
    ("tenant_keys", "key_id"),
    ("discards", "staging"),
    ("reject_texts", "(staging, reject_id)"),
    ("staged_rejects", "(staging, reject_id)"),
    ("feed_rejects", "(feed_id, reject_id)"),
    ("staged_plans", "(staging, id)"),
    ("plan_contents", "(staging, id)"),
    ("plan_versions", "(id, version)"),
    ("plans", "id"),
    ("feed_runs", "(feed_id, run_id)"),
    ("feeds", "feed_id"),
    ("catalogs", "revision"),
];

/// Erases at most `max_rows` rows, and once none is left the tenant. Answers whether it is gone.
pub(crate) fn erase_some(
    batch: &mut WriteBatch,
    tenant: TenantNumber,
    max_rows: u32,
) -> Result<bool, SqliteError> {
    let Some(standing) = find(&mut batch.connection, tenant)? else { return Ok(true) };
    if standing.status != TenantStatus::Deleting {
        return Ok(false);
    }
    let mut left = i64::from(max_rows);
    for (table, row) in DATA {
        left -= erase_rows(&mut batch.connection, table, row, tenant, left)?;
    }
    if left > 0 || !has_data(&mut batch.connection, tenant)? {
        batch.flush_counters_of(tenant)?;
        diesel::delete(tenant_counters::table.find(tenant.get())).execute(&mut batch.connection)?;
        diesel::delete(tenants::table.find(tenant.get())).execute(&mut batch.connection)?;
        retire(&mut batch.connection, tenant)?;
        batch.tell(Change::Tenant(tenant));
        return Ok(true);
    }
    let erased = i64::from(max_rows) - left;
    diesel::update(tenants::table.find(tenant.get()))
        .set(tenants::erased_rows.eq(tenants::erased_rows + erased))
        .execute(&mut batch.connection)?;
    Ok(false)
}

/// Remembers that the number is never given again.
fn retire(connection: &mut SqliteConnection, tenant: TenantNumber) -> Result<(), SqliteError> {
    diesel::insert_into(settings::table)
        .values((settings::name.eq(format!("{RETIRED_NUMBER}{tenant}")), settings::value.eq(Vec::new())))
        .on_conflict_do_nothing()
        .execute(connection)?;
    Ok(())
}

/// Whether the number was that of a tenant that is gone.
pub(crate) fn is_retired(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
) -> Result<bool, SqliteError> {
    let noted = settings::table.find(format!("{RETIRED_NUMBER}{tenant}"));
    Ok(diesel::select(diesel::dsl::exists(noted)).get_result(connection)?)
}

fn erase_rows(
    connection: &mut SqliteConnection,
    table: &str,
    row: &str,
    tenant: TenantNumber,
    limit: i64,
) -> Result<i64, SqliteError> {
    if limit == 0 {
        return Ok(0);
    }
    let columns = row.trim_matches(['(', ')']);
    let delete = format!(
        "DELETE FROM {table} WHERE tenant_number = ? AND {row} IN \
         (SELECT {columns} FROM {table} WHERE tenant_number = ? LIMIT ?)"
    );
    let erased = diesel::sql_query(delete)
        .bind::<BigInt, _>(tenant.get())
        .bind::<BigInt, _>(tenant.get())
        .bind::<BigInt, _>(limit)
        .execute(connection)?;
    Ok(i64::try_from(erased).unwrap_or(i64::MAX))
}

fn has_data(connection: &mut SqliteConnection, tenant: TenantNumber) -> Result<bool, SqliteError> {
    for (table, _) in DATA {
        let any = format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE tenant_number = {tenant})");
        if diesel::dsl::sql::<diesel::sql_types::Bool>(&any).get_result(connection)? {
            return Ok(true);
        }
    }
    Ok(false)
}
