//! What was given out last in each tenant.

use std::collections::HashMap;
use std::marker::PhantomData;

use diesel::PgConnection;
use diesel::data_types::PgTimestamp;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};
use tenantry_domain::{TenantNumber, TenantStatus, Timestamp};

use crate::error::PostgresError;
use crate::moment::from_moment;
use crate::static_query::static_query;
use crate::tenant::{tenant_number, tenant_status};

/// A tenant's counters, locked until the transaction ends. Other nodes write too: they hold for one batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counters {
    /// Whether the tenant's data may be written: it is not being deleted.
    pub(crate) is_open: bool,
    pub(crate) event_sequence: i64,
    pub(crate) last_event_at: Option<Timestamp>,
    pub(crate) key_value_revision: i64,
}

static_query! {
    /// Locks tenants' counters, and reads them.
    LockTenants<'a> {
        "SELECT * FROM lock_tenants(" tenants: Vec<i64> as Array<BigInt>,
        ", " waits: bool as Bool;
        ")"
    } -> (BigInt, Text, BigInt, Nullable<Timestamptz>, BigInt)
}

/// Locks the counters of these tenants in the order given. Tenants that are not there are left out; unless it
/// `waits`, so are those that somebody else has locked.
pub(crate) fn lock(
    connection: &mut PgConnection,
    tenants: &[TenantNumber],
    waits: bool,
) -> Result<HashMap<TenantNumber, Counters>, PostgresError> {
    if tenants.is_empty() {
        return Ok(HashMap::new());
    }
    let tenants = tenants.iter().map(|tenant| tenant.get()).collect();
    let rows: Vec<(i64, String, i64, Option<PgTimestamp>, i64)> =
        LockTenants { tenants, waits, life: PhantomData }.load(connection)?;
    let locked =
        rows.into_iter().map(|(number, status, event_sequence, last_event_at, key_value_revision)| {
            let counters = Counters {
                is_open: tenant_status(&status)? != TenantStatus::Deleting,
                event_sequence,
                last_event_at: last_event_at.map(from_moment),
                key_value_revision,
            };
            Ok((tenant_number(number)?, counters))
        });
    locked.collect()
}
