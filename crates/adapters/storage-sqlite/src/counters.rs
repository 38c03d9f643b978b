//! What was given out last in each tenant.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};
use tenantry_domain::TenantNumber;

use crate::error::SqliteError;
use crate::schema::{tenant_counters, tenants};
use crate::static_query::static_query;

/// A tenant's counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) event_sequence: i64,
    pub(crate) last_event_at: Option<i64>,
    pub(crate) key_value_revision: i64,
}

/// The counters of the tenants that were written to lately: read once, and written once a batch.
///
/// They outlive the batch, because this is the one connection that writes. Should another program change
/// the file, SQLite's `data_version` tells.
#[derive(Debug, Default)]
pub(crate) struct CounterCache {
    held: HashMap<TenantNumber, Cached>,
    changed: Vec<TenantNumber>,
    data_version: i64,
}

/// More tenants than this are not held from one batch to the next.
const MAX_HELD: usize = 10_000;

#[derive(Debug, Clone, Copy)]
struct Cached {
    counters: Counters,
    is_open: bool,
    is_changed: bool,
}

/// Which tenants are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those whose data may be written: all but those that are being deleted.
    Open,
    /// All.
    Any,
}

impl CounterCache {
    /// A transaction has begun: forgets all if somebody else has changed the file.
    pub(crate) fn begin(&mut self, connection: &mut SqliteConnection) -> Result<(), SqliteError> {
        let data_version = sql::<BigInt>("PRAGMA data_version").get_result(connection)?;
        if data_version != self.data_version || self.held.len() > MAX_HELD {
            self.clear();
            self.data_version = data_version;
        }
        Ok(())
    }

    /// The tenant's counters; nothing where there is no such tenant, or it is not among `which`.
    pub(crate) fn get(
        &mut self,
        connection: &mut SqliteConnection,
        tenant: TenantNumber,
        which: Which,
    ) -> Result<Option<Counters>, SqliteError> {
        let cached = match self.held.entry(tenant) {
            Entry::Occupied(held) => *held.get(),
            Entry::Vacant(place) => match load(connection, tenant)? {
                Some(loaded) => *place.insert(loaded),
                None => return Ok(None),
            },
        };
        Ok((which == Which::Any || cached.is_open).then_some(cached.counters))
    }

    /// Notes what the tenant's counters are from now on. They were got before.
    pub(crate) fn set(&mut self, tenant: TenantNumber, counters: Counters) {
        if let Some(cached) = self.held.get_mut(&tenant) {
            if !cached.is_changed {
                self.changed.push(tenant);
            }
            *cached = Cached { counters, is_changed: true, ..*cached };
        }
    }

    /// Writes the changed counters into the transaction.
    pub(crate) fn flush(&mut self, connection: &mut SqliteConnection) -> Result<(), SqliteError> {
        for tenant in self.changed.drain(..) {
            if let Some(cached) = self.held.get_mut(&tenant).filter(|cached| cached.is_changed) {
                write(connection, tenant, cached.counters)?;
                cached.is_changed = false;
            }
        }
        Ok(())
    }

    /// Writes this tenant's counters into the transaction and forgets them: what they depend on changes.
    pub(crate) fn flush_one(
        &mut self,
        connection: &mut SqliteConnection,
        tenant: TenantNumber,
    ) -> Result<(), SqliteError> {
        match self.held.remove(&tenant) {
            Some(cached) if cached.is_changed => write(connection, tenant, cached.counters),
            _ => Ok(()),
        }
    }

    /// Forgets all: the transaction was rolled back.
    pub(crate) fn clear(&mut self) {
        self.held.clear();
        self.changed.clear();
    }
}

fn load(connection: &mut SqliteConnection, tenant: TenantNumber) -> Result<Option<Cached>, SqliteError> {
    let row: Option<(i64, Option<i64>, i64, String)> = tenant_counters::table
        .inner_join(tenants::table)
        .filter(tenant_counters::tenant_number.eq(tenant.get()))
        .select((
            tenant_counters::event_sequence,
            tenant_counters::last_event_at,
            tenant_counters::key_value_revision,
            tenants::status,
        ))
        .get_result(connection)
        .optional()?;
    Ok(row.map(|(event_sequence, last_event_at, key_value_revision, status)| Cached {
        counters: Counters { event_sequence, last_event_at, key_value_revision },
        is_open: status != tenantry_domain::TenantStatus::Deleting.as_str(),
        is_changed: false,
    }))
}

static_query! {
    /// Sets a tenant's counters.
    UpdateCounters<'a> {
        "UPDATE tenant_counters SET event_sequence = " event_sequence: &'a i64 as BigInt,
        ", last_event_at = " last_event_at: &'a Option<i64> as Nullable<BigInt>,
        ", key_value_revision = " key_value_revision: &'a i64 as BigInt,
        " WHERE tenant_number = " tenant: i64 as BigInt;
        ""
    }
}

fn write(
    connection: &mut SqliteConnection,
    tenant: TenantNumber,
    counters: Counters,
) -> Result<(), SqliteError> {
    let update = UpdateCounters {
        event_sequence: &counters.event_sequence,
        last_event_at: &counters.last_event_at,
        key_value_revision: &counters.key_value_revision,
        tenant: tenant.get(),
    };
    update.execute(connection)?;
    Ok(())
}
