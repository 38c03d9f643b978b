//! Storing batches through the services.

use std::sync::Arc;

use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use tenantry_domain::{PastEvent, PastTenant, TenantNumber};
use tenantry_ports::NewValue;
use tenantry_predecessor_files::{Batch, PastKeyValue, Placed};
use tenantry_services::{EventService, KeyValueService, TenantService};

use super::tally::Tally;
use crate::application::Core;

/// So many writes wait for their commit together.
const AT_ONCE: usize = 256;

/// Where rows are stored.
pub(super) struct Store<'a> {
    tenants: &'a TenantService,
    events: Arc<EventService>,
    key_values: Arc<KeyValueService>,
    tenant: Option<TenantNumber>,
    replaces: bool,
}

impl<'a> Store<'a> {
    pub(super) fn new(core: &'a Core, tenant: Option<TenantNumber>, replaces: bool) -> Self {
        let (events, key_values) = (Arc::clone(&core.events), Arc::clone(&core.key_values));
        Self { tenants: &core.tenants, events, key_values, tenant, replaces }
    }

    /// Stores a batch, and notes what became of each row. A sentence says why storage did not do it.
    pub(super) async fn store(&self, batch: Batch, tally: &mut Tally) -> Result<(), String> {
        match (batch, self.tenant) {
            (Batch::Tenants(tenants), _) => self.tenants(tenants, tally).await,
            (Batch::Events(events), Some(tenant)) => self.events(tenant, events, tally).await,
            (Batch::KeyValues(entries), Some(tenant)) => self.key_values(tenant, entries, tally).await,
            (Batch::Events(_) | Batch::KeyValues(_), None) => Err("no tenant was named".to_owned()),
            (Batch::Plans(_), _) => Err("plans are stored by a run of their feed".to_owned()),
        }
    }

    async fn tenants(&self, tenants: Vec<Placed<PastTenant>>, tally: &mut Tally) -> Result<(), String> {
        let import = |row: Placed<PastTenant>| async move {
            self.tenants.import(row.item).await.map(|outcome| (row.place, outcome))
        };
        let outcomes: Vec<_> = stream::iter(tenants)
            .map(import)
            .buffered(AT_ONCE)
            .try_collect()
            .await
            .map_err(|e| e.to_string())?;
        outcomes.into_iter().for_each(|(place, outcome)| tally.note(place, outcome));
        Ok(())
    }

    async fn events(
        &self,
        tenant: TenantNumber,
        events: Vec<Placed<PastEvent>>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let (places, events): (Vec<_>, Vec<_>) = events.into_iter().map(|row| (row.place, row.item)).unzip();
        let outcomes = self.events.import(tenant, events).await.map_err(|error| error.to_string())?;
        places.into_iter().zip(outcomes).for_each(|(place, outcome)| tally.note(place, outcome));
        Ok(())
    }

    async fn key_values(
        &self,
        tenant: TenantNumber,
        entries: Vec<Placed<PastKeyValue>>,
        tally: &mut Tally,
    ) -> Result<(), String> {
        let import = |row: Placed<PastKeyValue>| async move {
            let PastKeyValue { key, value, content_type } = row.item;
            let value = NewValue { bytes: value, content_type, ttl: None };
            let outcome = self.key_values.import(tenant, key, value, self.replaces).await;
            outcome.map(|outcome| (row.place, outcome))
        };
        let outcomes: Vec<_> = stream::iter(entries)
            .map(import)
            .buffered(AT_ONCE)
            .try_collect()
            .await
            .map_err(|e| e.to_string())?;
        outcomes.into_iter().for_each(|(place, outcome)| tally.note(place, outcome));
        Ok(())
    }
}
