//! Moving an installation from and to memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use tenantry_domain::{
    AccessKey, CatalogRevision, Entry, Event, Key, KeyOwner, Revision, RunState, Sequence, TenantNumber,
};
use tenantry_ports::{
    CatalogPosition, CatalogRow, ExportBound, ExportRepository, ImportRepository, ImportRows, ImportStart,
    KeyPosition, MOVE_MARKER, StorageError, StoredTenant, TenantCounters,
};

use super::catalog::{Catalog, HeldFeed, HeldPlan, HeldRun};
use super::{Holding, Memory, State};

/// The page that begins `rows`.
fn page<T>(rows: impl Iterator<Item = T>, bound: ExportBound, bytes: impl Fn(&T) -> usize) -> Vec<T> {
    let (mut page, mut sum) = (Vec::new(), 0);
    for row in rows {
        sum += bytes(&row) as u64;
        page.push(row);
        if page.len() >= bound.rows as usize || sum >= bound.bytes {
            break;
        }
    }
    page
}

fn keys(state: &State, owner: KeyOwner) -> Vec<AccessKey> {
    let mut keys: Vec<_> = state.keys.values().filter(|key| key.owner == owner).cloned().collect();
    keys.sort_by_key(|key| (key.created_at, key.id));
    keys
}

#[async_trait]
impl ExportRepository for Memory {
    async fn settings(&self) -> Result<Vec<(String, Vec<u8>)>, StorageError> {
        let state = self.state();
        let settings = state.settings.iter().filter(|(name, _)| *name != MOVE_MARKER);
        Ok(settings.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    async fn admin_keys(&self) -> Result<Vec<AccessKey>, StorageError> {
        Ok(keys(&self.state(), KeyOwner::Admin))
    }

    async fn last_tenant_number(&self) -> Result<Option<TenantNumber>, StorageError> {
        Ok(TenantNumber::new(self.state().last_number))
    }

    async fn tenants(
        &self,
        after: Option<TenantNumber>,
        bound: ExportBound,
    ) -> Result<Vec<StoredTenant>, StorageError> {
        let state = self.state();
        let behind = state.tenants.values().filter(|held| Some(held.tenant.number) > after);
        let stored = behind.map(|held| StoredTenant {
            tenant: held.tenant.clone(),
            counters: TenantCounters {
                event_sequence: held.last_event.0,
                last_event_at: held.last_event.1,
                key_value_revision: Revision::new(held.revision).unwrap(),
                catalog_revision: CatalogRevision::new(held.catalog.revision).unwrap(),
            },
        });
        Ok(page(stored, bound, |_| 0))
    }

    async fn count_rows(&self, tenant: TenantNumber) -> Result<u64, StorageError> {
        let state = self.state();
        let rows =
            |held: &Holding| held.events.len() + held.entries.len() + catalog_rows(&held.catalog).len();
        let held = state.tenants.get(&tenant).map_or(0, rows);
        Ok((held + keys(&state, KeyOwner::Tenant(tenant)).len()) as u64)
    }

    async fn access_keys(
        &self,
        tenant: TenantNumber,
        after: Option<KeyPosition>,
        bound: ExportBound,
    ) -> Result<Vec<AccessKey>, StorageError> {
        let keys = keys(&self.state(), KeyOwner::Tenant(tenant)).into_iter();
        let position = |key: &AccessKey| Some(KeyPosition { created_at: key.created_at, id: key.id });
        Ok(page(keys.filter(|key| position(key) > after), bound, |_| 0))
    }

    async fn events(
        &self,
        tenant: TenantNumber,
        after: Option<Sequence>,
        bound: ExportBound,
    ) -> Result<Vec<Event>, StorageError> {
        let state = self.state();
        let events = state.tenants.get(&tenant).into_iter().flat_map(|held| &held.events);
        let behind = events.filter(|event| Some(event.sequence) > after).cloned();
        Ok(page(behind, bound, |event| event.message.as_str().len() + event.data.as_str().len()))
    }

    async fn key_values(
        &self,
        tenant: TenantNumber,
        after: Option<Key>,
        bound: ExportBound,
    ) -> Result<Vec<Entry>, StorageError> {
        let state = self.state();
        let entries = state.tenants.get(&tenant).into_iter().flat_map(|held| held.entries.values());
        let behind = entries.filter(|entry| Some(&entry.meta.key) > after.as_ref());
        Ok(page(behind.map(|entry| (**entry).clone()), bound, |entry| entry.value.len()))
    }

    async fn catalog(
        &self,
        tenant: TenantNumber,
        after: Option<CatalogPosition>,
        bound: ExportBound,
    ) -> Result<Vec<CatalogRow>, StorageError> {
        let state = self.state();
        let rows = state.tenants.get(&tenant).map(|held| catalog_rows(&held.catalog)).unwrap_or_default();
        let behind = rows.into_iter().filter(|row| Some(row.position()) > after);
        Ok(page(behind, bound, CatalogRow::bytes))
    }
}

/// All that moves of a catalog, in its order.
fn catalog_rows(catalog: &Catalog) -> Vec<CatalogRow> {
    let mut rows = Vec::new();
    for (id, held) in &catalog.feeds {
        rows.push(CatalogRow::Feed(held.feed.clone(), held.validators.clone()));
        let runs = held.runs.values().map(|held| &held.run);
        let ended = runs.filter(|run| !run.state.is_open() && run.state != RunState::Held);
        rows.extend(ended.cloned().map(CatalogRow::Run));
        rows.extend(held.rejects.values().map(|reject| CatalogRow::Reject(*id, reject.clone())));
    }
    for (id, plan) in &catalog.plans {
        rows.extend(plan.versions.iter().map(|version| CatalogRow::Version(*id, version.clone())));
        let (source, in_feed, seen_at) = (plan.source.clone(), plan.in_feed, plan.seen_at);
        rows.push(CatalogRow::Plan { id: *id, source, in_feed, seen_at });
    }
    rows.sort_by_key(CatalogRow::position);
    rows
}

fn store_catalog_row(catalog: &mut Catalog, row: CatalogRow) {
    match row {
        CatalogRow::Feed(feed, validators) => {
            let (runs, rejects) = (BTreeMap::new(), BTreeMap::new());
            catalog.feeds.entry(feed.id).or_insert(HeldFeed { feed, validators, runs, rejects });
        }
        CatalogRow::Run(run) => {
            let held = catalog.feeds.get_mut(&run.feed).unwrap();
            held.runs.entry(run.id).or_insert_with(|| HeldRun::new(run));
        }
        CatalogRow::Reject(feed, reject) => {
            catalog.feeds.get_mut(&feed).unwrap().rejects.entry(reject.id).or_insert(reject);
        }
        CatalogRow::Version(id, version) => {
            let moved = catalog.moved_versions.entry(id).or_default();
            if moved.iter().all(|held| held.version != version.version) {
                moved.push(version);
            }
        }
        CatalogRow::Plan { id, source, in_feed, seen_at } => {
            let versions = catalog.moved_versions.get(&id).cloned().unwrap_or_default();
            catalog.plans.entry(id).or_insert(HeldPlan { source, versions, in_feed, seen_at });
        }
    }
}

#[async_trait]
impl ImportRepository for Memory {
    async fn begin(&self, marker: Vec<u8>) -> Result<ImportStart, StorageError> {
        let mut state = self.state();
        if let Some(held) = state.settings.get(MOVE_MARKER) {
            return Ok(ImportStart::Unfinished(held.clone()));
        }
        if state.last_number > 0 || !state.keys.is_empty() || !state.settings.is_empty() {
            return Ok(ImportStart::NotEmpty("something".to_owned()));
        }
        state.settings.insert(MOVE_MARKER.to_owned(), marker);
        Ok(ImportStart::Begun)
    }

    async fn import(&self, rows: Vec<ImportRows>, marker: Vec<u8>) -> Result<(), StorageError> {
        let mut state = self.state();
        if !state.settings.contains_key(MOVE_MARKER) {
            return Err(StorageError::Failed("no move has begun".to_owned()));
        }
        rows.into_iter().for_each(|rows| store(&mut state, rows));
        state.settings.insert(MOVE_MARKER.to_owned(), marker);
        Ok(())
    }

    async fn finish(&self) -> Result<(), StorageError> {
        self.state().settings.remove(MOVE_MARKER);
        Ok(())
    }
}

fn store(state: &mut State, rows: ImportRows) {
    match rows {
        ImportRows::Settings(settings) => {
            for (name, value) in settings {
                state.settings.entry(name).or_insert(value);
            }
        }
        ImportRows::AdminKeys(keys) | ImportRows::AccessKeys(_, keys) => {
            for key in keys {
                state.keys.entry(key.id).or_insert(key);
            }
        }
        ImportRows::LastTenantNumber(last) => state.last_number = state.last_number.max(last.get()),
        ImportRows::Tenants(tenants) => {
            for StoredTenant { tenant, counters } in tenants {
                let revision = counters.key_value_revision.get();
                let last_event = (counters.event_sequence, counters.last_event_at);
                let new = Holding {
                    tenant,
                    events: vec![],
                    entries: Default::default(),
                    revision,
                    catalog: Catalog { revision: counters.catalog_revision.get(), ..Catalog::default() },
                    last_event,
                };
                state.tenants.entry(new.tenant.number).or_insert(new);
            }
        }
        ImportRows::Events(tenant, events) => {
            let held = &mut state.tenants.get_mut(&tenant).unwrap().events;
            for event in events {
                if held.iter().all(|there| there.sequence != event.sequence) {
                    held.push(event);
                }
            }
        }
        ImportRows::KeyValues(tenant, entries) => {
            let held = &mut state.tenants.get_mut(&tenant).unwrap().entries;
            for entry in entries {
                held.entry(entry.meta.key.clone()).or_insert(Arc::new(entry));
            }
        }
        ImportRows::Catalog(tenant, rows) => {
            let catalog = &mut state.tenants.get_mut(&tenant).unwrap().catalog;
            rows.into_iter().for_each(|row| store_catalog_row(catalog, row));
        }
    }
}
