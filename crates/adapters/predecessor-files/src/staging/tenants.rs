//! Tenants of the registry, by number.

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::prelude::*;
use serde_json::value::RawValue;
use tenantry_domain::{NewTenant, PastTenant, TenantDraft, TenantNumber, Timestamp};

use crate::file_error::FileError;
use crate::moment;
use crate::staging::At;
use crate::value::Row;

diesel::table! {
    staged_tenants (place) {
        place -> BigInt,
        line -> BigInt,
        number -> BigInt,
        name -> Text,
        info -> Text,
        created_at -> Nullable<BigInt>,
        updated_at -> Nullable<BigInt>,
    }
}

const CREATE: &str = "CREATE TABLE staged_tenants (place INTEGER PRIMARY KEY, line INTEGER NOT NULL, number INTEGER NOT NULL, \
     name TEXT NOT NULL, info TEXT NOT NULL, created_at INTEGER, updated_at INTEGER)";

/// What a row of the registry is here: the name stands in `tenant_id`, behind the number.
pub(crate) fn parse(row: &Row<'_>) -> Result<PastTenant, String> {
    let text = row.required("tenant_number")?.trim();
    let number = text.parse().ok().and_then(TenantNumber::new);
    let number = number.ok_or_else(|| "tenant_number is no positive number of 64 bits".to_owned())?;
    let name = row.required("tenant_id")?.strip_prefix(&format!("{number}_"));
    let name = name.ok_or_else(|| format!("tenant_id does not begin with its number, {number}_"))?;
    let info = row.json("tenant_info")?;
    let info: Option<&RawValue> = info
        .map(serde_json::from_str)
        .transpose()
        .map_err(|error| format!("tenant_info is not JSON: {error}"))?;
    let draft = TenantDraft { name: Some(name.to_owned()), tenant_info: info };
    let tenant = NewTenant::parse(draft).map_err(|violations| in_columns(&violations))?;
    let (created_at, updated_at) = (time(row, "created_at")?, time(row, "updated_at")?);
    Ok(PastTenant { number, tenant, created_at, updated_at })
}

/// Which rules of ours the row breaks, by its columns.
fn in_columns(violations: &tenantry_domain::Violations) -> String {
    let told = violations.as_slice().iter().map(|violation| match violation.pointer.as_str() {
        "/name" => format!("the name in tenant_id {}", violation.detail),
        pointer => format!("{} {}", pointer.trim_start_matches('/'), violation.detail),
    });
    told.collect::<Vec<_>>().join("; ")
}

fn time(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>, String> {
    let Some(text) = row.text(column)? else { return Ok(None) };
    moment::parse(text).map(Some).ok_or_else(|| format!("{column} is no time"))
}

pub(crate) fn create(connection: &mut SqliteConnection) -> Result<(), FileError> {
    Ok(connection.batch_execute(CREATE)?)
}

pub(crate) fn stage(connection: &mut SqliteConnection, at: At, tenant: &PastTenant) -> Result<(), FileError> {
    diesel::insert_into(staged_tenants::table)
        .values((
            staged_tenants::place.eq(at.place),
            staged_tenants::line.eq(at.line),
            staged_tenants::number.eq(tenant.number.get()),
            staged_tenants::name.eq(tenant.tenant.name.as_str()),
            staged_tenants::info.eq(tenant.tenant.info.as_str()),
            staged_tenants::created_at.eq(tenant.created_at.map(Timestamp::as_micros)),
            staged_tenants::updated_at.eq(tenant.updated_at.map(Timestamp::as_micros)),
        ))
        .execute(connection)?;
    Ok(())
}

type TenantRow = (i64, i64, String, String, Option<i64>, Option<i64>);

/// Each in turn, by number, until `each` wants no more.
pub(crate) fn deliver(
    connection: &mut SqliteConnection,
    mut each: impl FnMut(i64, PastTenant) -> bool,
) -> Result<(), FileError> {
    let sorted = staged_tenants::table
        .select((
            staged_tenants::line,
            staged_tenants::number,
            staged_tenants::name,
            staged_tenants::info,
            staged_tenants::created_at,
            staged_tenants::updated_at,
        ))
        .order((staged_tenants::number, staged_tenants::place));
    for row in sorted.load_iter::<TenantRow, DefaultLoadingMode>(connection)? {
        let (line, number, name, info, created_at, updated_at) = row?;
        let tenant = read(number, &name, &info).map(|(number, tenant)| PastTenant {
            number,
            tenant,
            created_at: created_at.map(Timestamp::from_micros),
            updated_at: updated_at.map(Timestamp::from_micros),
        });
        let tenant = tenant.ok_or_else(|| FileError::Staging("a row has changed".to_owned()))?;
        if !each(line, tenant) {
            break;
        }
    }
    Ok(())
}

fn read(number: i64, name: &str, info: &str) -> Option<(TenantNumber, NewTenant)> {
    let info = serde_json::from_str(info).ok()?;
    let draft = TenantDraft { name: Some(name.to_owned()), tenant_info: Some(info) };
    Some((TenantNumber::new(number)?, NewTenant::parse(draft).ok()?))
}
