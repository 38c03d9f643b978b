//! A storage in a folder of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tempfile::TempDir;
use tenantry_domain::{
    CatalogRevision, ContentType, Entry, Event, EventDraft, Key, KeyId, NewEvent, NewTenant, PageLimit,
    Revision, TenantDraft, TenantNumber, Timestamp,
};
use tenantry_ports::{Clock, CommitListener, EventQuery, EventRepository, NewValue, TenantRepository};
use uuid::Uuid;

use crate::{SqliteOptions, SqliteStorage};

/// A clock that is set by hand.
#[derive(Debug, Default)]
pub(super) struct HandClock(pub(super) AtomicI64);

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Hears nothing.
struct Nobody;

impl CommitListener for Nobody {
    fn key_value_changed(&self, _: TenantNumber, _: &Key, _: Revision, _: Option<Arc<Entry>>) {}
    fn key_value_in_doubt(&self, _: TenantNumber, _: &Key) {}
    fn access_key_changed(&self, _: KeyId) {}
    fn tenant_changed(&self, _: TenantNumber) {}
    fn catalog_changed(&self, _: TenantNumber, _: CatalogRevision) {}
}

pub(super) struct Rig {
    pub(super) storage: SqliteStorage,
    pub(super) clock: Arc<HandClock>,
    pub(super) tenant: TenantNumber,
    pub(super) folder: TempDir,
}

impl Rig {
    pub(super) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let clock = Arc::new(HandClock::default());
        let options = SqliteOptions::new(folder.path().join("tenantry.db"));
        let storage = SqliteStorage::open(options, clock.clone(), Arc::new(Nobody)).unwrap();
        let draft = TenantDraft { name: Some("tenant".to_owned()), tenant_info: None };
        let tenant = storage.create(NewTenant::parse(draft).unwrap()).await.unwrap().number;
        Self { storage, clock, tenant, folder }
    }

    /// All events, oldest first.
    pub(super) async fn events(&self) -> Vec<Event> {
        let order = tenantry_domain::Order::Ascending;
        let mut query = EventQuery { order, limit: PageLimit::MAX, ..EventQuery::default() };
        let mut events: Vec<Event> = Vec::new();
        loop {
            query.after = events.last().map(|event| event.sequence);
            let page = EventRepository::list(&self.storage, self.tenant, query.clone()).await.unwrap();
            events.extend(page.items);
            if !page.more {
                return events;
            }
        }
    }
}

/// An event with an id of its own.
pub(super) fn event(message: &str) -> NewEvent {
    let text = |text: &str| Some(text.to_owned());
    let draft = EventDraft {
        component: text("component"),
        environment: text("test"),
        message: text(message),
        ..EventDraft::default()
    };
    NewEvent::parse(draft, Uuid::now_v7).unwrap()
}

/// A value of that many bytes.
pub(super) fn value(bytes: usize) -> NewValue {
    NewValue { bytes: vec![b'x'; bytes].into(), content_type: ContentType::octet_stream(), ttl: None }
}
