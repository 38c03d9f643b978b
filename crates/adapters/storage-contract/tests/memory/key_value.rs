//! Key-values in memory.

use std::sync::Arc;

use async_trait::async_trait;
use tenantry_domain::{
    ContentType, Entry, EntryMeta, Key, Page, Precondition, Revision, TenantNumber, Timestamp, incremented,
};
use tenantry_ports::{
    CommitListener, EntryQuery, KeyValueRepository, KeyValueWriteError, ListedEntry, NewValue, PutOutcome,
    StorageError,
};

use super::{Holding, Memory};

/// One write to one tenant's key-values.
struct Write<'a> {
    held: &'a mut Holding,
    listener: &'a dyn CommitListener,
    now: Timestamp,
}

impl Write<'_> {
    fn current(&self, key: &Key) -> Option<Arc<Entry>> {
        self.held.entries.get(key).filter(|entry| entry.meta.is_live(self.now)).cloned()
    }

    fn check(
        &self,
        key: &Key,
        precondition: &Precondition,
    ) -> Result<Option<Arc<Entry>>, KeyValueWriteError> {
        let current = self.current(key);
        let revision = current.as_ref().map(|entry| entry.meta.revision);
        if precondition.holds(revision.map(Revision::get)) {
            return Ok(current);
        }
        Err(KeyValueWriteError::PreconditionFailed { current: revision })
    }

    fn change(&mut self, key: Key, make: impl FnOnce(Revision) -> Option<Entry>) -> Revision {
        self.held.revision += 1;
        let revision = Revision::new(self.held.revision).unwrap();
        let entry = make(revision).map(Arc::new);
        self.listener.key_value_changed(self.held.tenant.number, &key, revision, entry.clone());
        match entry {
            Some(entry) => self.held.entries.insert(key, entry),
            None => self.held.entries.remove(&key),
        };
        revision
    }

    fn put(
        &mut self,
        key: &Key,
        value: bytes::Bytes,
        kind: ContentType,
        end: Option<Timestamp>,
    ) -> PutOutcome {
        let (now, before) = (self.now, self.current(key));
        self.change(key.clone(), |revision| {
            let meta = EntryMeta {
                key: key.clone(),
                content_type: kind,
                size: u64::try_from(value.len()).unwrap(),
                version: before.as_ref().map_or(1, |entry| entry.meta.version + 1),
                revision,
                created_at: before.as_ref().map_or(now, |entry| entry.meta.created_at),
                updated_at: now,
                expires_at: end,
            };
            Some(Entry { meta, value })
        });
        PutOutcome { entry: self.held.entries[key].clone(), created: before.is_none() }
    }
}

impl Memory {
    fn write<T>(
        &self,
        tenant: TenantNumber,
        write: impl FnOnce(Write<'_>) -> Result<T, KeyValueWriteError>,
    ) -> Result<T, KeyValueWriteError> {
        let mut state = self.state();
        let held = state.writable(tenant).ok_or(KeyValueWriteError::TenantNotFound)?;
        write(Write { held, listener: &*self.listener, now: self.now() })
    }
}

#[async_trait]
impl KeyValueRepository for Memory {
    async fn put(
        &self,
        tenant: TenantNumber,
        key: Key,
        value: NewValue,
        precondition: Precondition,
    ) -> Result<PutOutcome, KeyValueWriteError> {
        self.write(tenant, |mut write| {
            write.check(&key, &precondition)?;
            let end = value.ttl.map(|ttl| ttl.ends_at(write.now));
            Ok(write.put(&key, value.bytes, value.content_type, end))
        })
    }

    async fn find(&self, tenant: TenantNumber, key: Key) -> Result<Option<Arc<Entry>>, StorageError> {
        let state = self.state();
        let entry = state.tenants.get(&tenant).and_then(|held| held.entries.get(&key));
        Ok(entry.filter(|entry| entry.meta.is_live(self.now())).cloned())
    }

    async fn delete(
        &self,
        tenant: TenantNumber,
        key: Key,
        precondition: Precondition,
    ) -> Result<Revision, KeyValueWriteError> {
        self.write(tenant, |mut write| {
            write.check(&key, &precondition)?.ok_or(KeyValueWriteError::KeyNotFound)?;
            Ok(write.change(key, |_| None))
        })
    }

    async fn increment(
        &self,
        tenant: TenantNumber,
        key: Key,
        by: i64,
        initial: Option<i64>,
        precondition: Precondition,
    ) -> Result<(PutOutcome, i64), KeyValueWriteError> {
        self.write(tenant, |mut write| {
            let (number, kind, end) = match write.check(&key, &precondition)? {
                Some(entry) => {
                    let number = incremented(&entry.value, by)?;
                    (number, entry.meta.content_type.clone(), entry.meta.expires_at)
                }
                None => (initial.ok_or(KeyValueWriteError::KeyNotFound)?, ContentType::plain_text(), None),
            };
            Ok((write.put(&key, number.to_string().into(), kind, end), number))
        })
    }

    async fn list(&self, tenant: TenantNumber, query: EntryQuery) -> Result<Page<ListedEntry>, StorageError> {
        let state = self.state();
        let mut page = Page { items: vec![], more: false };
        let mut bytes = 0;
        for entry in state.tenants.get(&tenant).into_iter().flat_map(|held| held.entries.values()) {
            let key = &entry.meta.key;
            let shown = entry.meta.is_live(self.now())
                && key.as_str().starts_with(&query.prefix)
                && query.after.as_ref().is_none_or(|after| key > after);
            if !shown {
                continue;
            }
            if page.items.len() == query.limit.get()
                || !page.items.is_empty() && bytes >= query.max_value_bytes
            {
                page.more = true;
                break;
            }
            let value = (!query.keys_only).then(|| entry.value.clone());
            bytes += entry.meta.size;
            page.items.push(ListedEntry { meta: entry.meta.clone(), value });
        }
        Ok(page)
    }

    async fn remove_expired(&self, limit: u32) -> Result<u32, StorageError> {
        let (now, mut removed) = (self.now(), 0);
        for held in self.state().tenants.values_mut() {
            let ended: Vec<_> =
                held.entries.values().filter(|entry| !entry.meta.is_live(now)).cloned().collect();
            let mut write = Write { held, listener: &*self.listener, now };
            for entry in ended.into_iter().take((limit - removed) as usize) {
                write.change(entry.meta.key.clone(), |_| None);
                removed += 1;
            }
        }
        Ok(removed)
    }
}
