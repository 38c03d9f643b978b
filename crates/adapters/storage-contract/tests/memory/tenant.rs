//! Tenants in memory.

use async_trait::async_trait;
use tenantry_domain::{
    Erasure, KeyOwner, NewTenant, Page, PageLimit, PastTenant, Tenant, TenantFilter, TenantNumber,
    TenantStatus,
};
use tenantry_ports::{
    PastTenantOutcome, RETIRED_NUMBER, StorageError, TenantRepository, TenantUpdate, TenantWriteError,
};

use super::{Holding, Memory, State};

impl State {
    /// Keeps a tenant that has nothing yet.
    fn keep(&mut self, tenant: &Tenant) {
        let held = Holding {
            tenant: tenant.clone(),
            events: vec![],
            entries: Default::default(),
            revision: 0,
            last_event: Default::default(),
        };
        self.tenants.insert(tenant.number, held);
    }
}

#[async_trait]
impl TenantRepository for Memory {
    async fn create(&self, new: NewTenant) -> Result<Tenant, StorageError> {
        let mut state = self.state();
        state.last_number += 1;
        let tenant = Tenant {
            number: TenantNumber::new(state.last_number).unwrap(),
            name: new.name,
            status: TenantStatus::Active,
            info: new.info,
            version: 1,
            created_at: self.now(),
            updated_at: self.now(),
            erasure: None,
        };
        state.keep(&tenant);
        Ok(tenant)
    }

    async fn create_past(&self, past: PastTenant) -> Result<PastTenantOutcome, StorageError> {
        let mut state = self.state();
        if let Some(held) = state.tenants.get(&past.number) {
            return Ok(PastTenantOutcome::Held(held.tenant.clone()));
        }
        if state.settings.contains_key(&format!("{RETIRED_NUMBER}{}", past.number)) {
            return Ok(PastTenantOutcome::Retired);
        }
        let (created_at, updated_at) = past.times(self.now());
        let tenant = Tenant {
            number: past.number,
            name: past.tenant.name,
            status: TenantStatus::Active,
            info: past.tenant.info,
            version: 1,
            created_at,
            updated_at,
            erasure: None,
        };
        state.last_number = state.last_number.max(past.number.get());
        state.keep(&tenant);
        Ok(PastTenantOutcome::Created(tenant))
    }

    async fn find(&self, tenant: TenantNumber) -> Result<Option<Tenant>, StorageError> {
        Ok(self.state().tenants.get(&tenant).map(|held| held.tenant.clone()))
    }

    async fn list(
        &self,
        filter: TenantFilter,
        after: Option<TenantNumber>,
        limit: PageLimit,
    ) -> Result<Page<Tenant>, StorageError> {
        let state = self.state();
        let shown = state.tenants.values().map(|held| &held.tenant).filter(|tenant| {
            after.is_none_or(|after| tenant.number > after)
                && filter.status.is_none_or(|status| tenant.status == status)
                && filter.name_prefix.as_ref().is_none_or(|prefix| tenant.name.as_str().starts_with(prefix))
        });
        Ok(Page::from_one_more(shown.take(limit.get() + 1).cloned().collect(), limit))
    }

    async fn update(
        &self,
        tenant: TenantNumber,
        expected_version: u64,
        update: TenantUpdate,
    ) -> Result<Tenant, TenantWriteError> {
        let mut state = self.state();
        let held = &mut state.tenants.get_mut(&tenant).ok_or(TenantWriteError::NotFound)?.tenant;
        if held.version != expected_version {
            return Err(TenantWriteError::VersionConflict { current: held.version });
        }
        held.name = update.name;
        held.info = update.info;
        held.status = update.status;
        held.version += 1;
        held.updated_at = held.updated_at.max(self.now());
        if update.status == TenantStatus::Deleting {
            held.erasure.get_or_insert(Erasure { started_at: held.updated_at, erased_rows: 0 });
        }
        self.listener.tenant_changed(tenant);
        Ok(held.clone())
    }

    async fn deleting(&self, limit: PageLimit) -> Result<Vec<TenantNumber>, StorageError> {
        let state = self.state();
        let deleting = state.tenants.values().filter(|held| held.tenant.status == TenantStatus::Deleting);
        Ok(deleting.map(|held| held.tenant.number).take(limit.get()).collect())
    }

    async fn erase_some(&self, tenant: TenantNumber, max_rows: u32) -> Result<bool, StorageError> {
        let mut state = self.state();
        let state = &mut *state;
        let Some(held) = state.tenants.get_mut(&tenant) else { return Ok(true) };
        let Some(erasure) = &mut held.tenant.erasure else { return Ok(false) };
        for _ in 0..max_rows {
            let key = state.keys.values().find(|key| key.owner == KeyOwner::Tenant(tenant)).map(|key| key.id);
            let erased = held.events.pop().is_some()
                || held.entries.pop_last().is_some()
                || held.catalog.pop()
                || key.is_some_and(|key| state.keys.remove(&key).is_some());
            if !erased {
                state.tenants.remove(&tenant);
                state.settings.insert(format!("{RETIRED_NUMBER}{tenant}"), vec![]);
                self.listener.tenant_changed(tenant);
                return Ok(true);
            }
            erasure.erased_rows += 1;
        }
        Ok(false)
    }
}
