//! Lists of key-values.

use std::collections::HashMap;

use bytes::Bytes;
use diesel::PgConnection;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::Integer;
use tenantry_domain::{Key, Page, TenantNumber, Timestamp};
use tenantry_ports::{EntryQuery, ListedEntry};
use tenantry_storage_support::end_of_prefix;

use crate::error::PostgresError;
use crate::key_value::MetaRow;
use crate::moment::to_moment;
use crate::schema::key_values;

/// The page of the tenant's entries, as they stand at `now`, that `query` asks for, in a transaction that is about
/// this tenant and sees one state of it.
///
/// How large the values are is read first: which of them are on the page is known before any is fetched.
pub(crate) fn list(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    query: &EntryQuery,
    now: Timestamp,
) -> Result<Page<ListedEntry>, PostgresError> {
    let mut page = Page { items: Vec::new(), more: false };
    // No key holds U+0000, and PostgreSQL does not even take it to compare.
    if query.prefix.contains('\0') {
        return Ok(page);
    }
    let mut selected = key_values::table
        .filter(key_values::tenant_number.eq(tenant.get()))
        .filter(key_values::key.ge(&query.prefix))
        .filter(key_values::expires_at.is_null().or(key_values::expires_at.gt(to_moment(now))))
        .order(key_values::key.asc())
        .limit(query.limit.get() as i64 + 1)
        .into_boxed();
    if let Some(end) = end_of_prefix(&query.prefix) {
        selected = selected.filter(key_values::key.lt(end));
    }
    if let Some(after) = &query.after {
        selected = selected.filter(key_values::key.gt(after.as_str()));
    }
    let size = sql::<Integer>("octet_length(value)");
    let rows: Vec<(String, i32, MetaRow)> =
        selected.select((key_values::key, size, MetaRow::as_select())).load(connection)?;
    let mut bytes = 0_u64;
    for (key, size, meta) in rows {
        let is_full = !query.keys_only && !page.items.is_empty() && bytes >= query.max_value_bytes;
        if is_full || page.items.len() == query.limit.get() {
            page.more = true;
            break;
        }
        let size = u64::from(size.unsigned_abs());
        bytes = bytes.saturating_add(size);
        page.items.push(ListedEntry { meta: meta.into_meta(Key::from_stored(&key), size)?, value: None });
    }
    if !query.keys_only {
        fetch_values(connection, tenant, &mut page.items)?;
    }
    Ok(page)
}

/// Fetches the values of these entries.
fn fetch_values(
    connection: &mut PgConnection,
    tenant: TenantNumber,
    entries: &mut [ListedEntry],
) -> Result<(), PostgresError> {
    let keys: Vec<&str> = entries.iter().map(|entry| entry.meta.key.as_str()).collect();
    let selected = key_values::table
        .filter(key_values::tenant_number.eq(tenant.get()))
        .filter(key_values::key.eq_any(keys));
    let values: Vec<(String, Vec<u8>)> =
        selected.select((key_values::key, key_values::value)).load(connection)?;
    let mut values: HashMap<String, Vec<u8>> = values.into_iter().collect();
    for entry in entries {
        let value = values.remove(entry.meta.key.as_str());
        let value = value.ok_or_else(|| PostgresError::Damaged("a key without a value".to_owned()))?;
        entry.value = Some(Bytes::from(value));
    }
    Ok(())
}
