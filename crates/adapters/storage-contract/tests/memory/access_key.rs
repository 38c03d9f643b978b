//! Access keys in memory.

use async_trait::async_trait;
use tenantry_domain::{AccessKey, KeyId, KeyOwner, Page, PageLimit, TenantNumber, Timestamp};
use tenantry_ports::{AccessGrant, AccessKeyRepository, AccessKeyWriteError, KeyPosition, StorageError};

use super::Memory;

#[async_trait]
impl AccessKeyRepository for Memory {
    async fn insert(&self, tenant: TenantNumber, key: AccessKey) -> Result<(), AccessKeyWriteError> {
        let mut state = self.state();
        state.writable(tenant).ok_or(AccessKeyWriteError::TenantNotFound)?;
        if state.keys.contains_key(&key.id) {
            return Err(StorageError::Failed("the id is taken".to_owned()).into());
        }
        self.listener.access_key_changed(key.id);
        state.keys.insert(key.id, key);
        Ok(())
    }

    async fn list(
        &self,
        tenant: TenantNumber,
        after: Option<KeyPosition>,
        limit: PageLimit,
    ) -> Result<Page<AccessKey>, StorageError> {
        let position = |key: &AccessKey| KeyPosition { created_at: key.created_at, id: key.id };
        let state = self.state();
        let mut keys: Vec<_> = state
            .keys
            .values()
            .filter(|key| key.owner == KeyOwner::Tenant(tenant))
            .filter(|key| after.is_none_or(|after| position(key) > after))
            .cloned()
            .collect();
        keys.sort_by_key(position);
        Ok(Page::from_one_more(keys, limit))
    }

    async fn revoke(&self, tenant: TenantNumber, key: KeyId) -> Result<bool, StorageError> {
        let mut state = self.state();
        let held = state.keys.get(&key).is_some_and(|key| key.owner == KeyOwner::Tenant(tenant));
        if held {
            state.keys.remove(&key);
            self.listener.access_key_changed(key);
        }
        Ok(held)
    }

    async fn find_grant(&self, key: KeyId) -> Result<Option<AccessGrant>, StorageError> {
        let state = self.state();
        Ok(state.keys.get(&key).map(|key| AccessGrant {
            key: key.clone(),
            tenant_status: match key.owner {
                KeyOwner::Admin => None,
                KeyOwner::Tenant(tenant) => state.tenants.get(&tenant).map(|held| held.tenant.status),
            },
        }))
    }

    async fn record_use(&self, uses: Vec<(KeyId, Timestamp)>) -> Result<(), StorageError> {
        let mut state = self.state();
        for (id, time) in uses {
            if let Some(key) = state.keys.get_mut(&id) {
                key.last_used_at = key.last_used_at.max(Some(time));
            }
        }
        Ok(())
    }

    async fn insert_first_admin_key(&self, key: AccessKey) -> Result<bool, StorageError> {
        let mut state = self.state();
        let first = !state.keys.values().any(|key| key.owner == KeyOwner::Admin);
        if first {
            state.keys.insert(key.id, key);
        }
        Ok(first)
    }

    async fn has_admin_key(&self) -> Result<bool, StorageError> {
        Ok(self.state().keys.values().any(|key| key.owner == KeyOwner::Admin))
    }
}
