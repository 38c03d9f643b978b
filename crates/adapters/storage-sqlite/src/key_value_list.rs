//! Lists of key-values.

use bytes::Bytes;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tenantry_domain::{Key, Page, TenantNumber, Timestamp};
use tenantry_ports::{EntryQuery, ListedEntry};
use tenantry_storage_support::end_of_prefix;

use crate::error::SqliteError;
use crate::key_value::MetaRow;
use crate::schema::key_values;

/// The page of the tenant's entries, as they stand at `now`, that `query` asks for.
pub(crate) fn list(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    query: &EntryQuery,
    now: Timestamp,
) -> Result<Page<ListedEntry>, SqliteError> {
    let mut selected = key_values::table
        .filter(key_values::tenant_number.eq(tenant.get()))
        .filter(key_values::key.ge(&query.prefix))
        .filter(key_values::expires_at.is_null().or(key_values::expires_at.gt(now.as_micros())))
        .order(key_values::key.asc())
        .into_boxed();
    if let Some(end) = end_of_prefix(&query.prefix) {
        selected = selected.filter(key_values::key.lt(end));
    }
    if let Some(after) = &query.after {
        selected = selected.filter(key_values::key.gt(after.as_str()));
    }
    let mut page = Page { items: Vec::new(), more: false };
    let mut bytes = 0_u64;
    // SQLite knows the length of a blob without reading its pages.
    let size = sql::<BigInt>("length(value)");
    if query.keys_only {
        for row in selected.select((key_values::key, size, MetaRow::as_select())).load_iter(connection)? {
            if page.items.len() == query.limit.get() {
                page.more = true;
                break;
            }
            page.items.push(listed(row?, None)?);
        }
        return Ok(page);
    }
    let columns = (key_values::key, size, MetaRow::as_select(), key_values::value);
    for row in selected.select(columns).load_iter::<(_, _, _, Vec<u8>), _>(connection)? {
        let is_full = !page.items.is_empty() && bytes >= query.max_value_bytes;
        if is_full || page.items.len() == query.limit.get() {
            page.more = true;
            break;
        }
        let (key, size, meta, value) = row?;
        bytes = bytes.saturating_add(value.len() as u64);
        page.items.push(listed((key, size, meta), Some(Bytes::from(value)))?);
    }
    Ok(page)
}

fn listed(
    (key, size, meta): (String, i64, MetaRow),
    value: Option<Bytes>,
) -> Result<ListedEntry, SqliteError> {
    Ok(ListedEntry { meta: meta.into_meta(Key::from_stored(&key), size.unsigned_abs())?, value })
}
