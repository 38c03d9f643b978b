//! What several tests need.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use tempfile::TempDir;
use tenantry_domain::{
    CatalogRevision, Entry, Event, EventDraft, Key, KeyId, NewEvent, NewTenant, Order, PageLimit, Revision,
    Sequence, TenantDraft, TenantNumber,
};
use tenantry_ports::{CommitListener, EventQuery, EventRepository, SystemClock, TenantRepository};
use tenantry_storage_sqlite::{OpenError, SqliteOptions, SqliteStorage};
use uuid::Uuid;

/// Hears nothing.
pub(crate) struct Nobody;

impl CommitListener for Nobody {
    fn key_value_changed(&self, _: TenantNumber, _: &Key, _: Revision, _: Option<Arc<Entry>>) {}
    fn key_value_in_doubt(&self, _: TenantNumber, _: &Key) {}
    fn access_key_changed(&self, _: KeyId) {}
    fn tenant_changed(&self, _: TenantNumber) {}
    fn catalog_changed(&self, _: TenantNumber, _: CatalogRevision) {}
}

/// A folder, and the path of a database in it.
pub(crate) fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tenantry.db");
    (folder, path)
}

pub(crate) fn open(path: &Path) -> Result<SqliteStorage, OpenError> {
    SqliteStorage::open(SqliteOptions::new(path), Arc::new(SystemClock), Arc::new(Nobody))
}

/// Another program's connection to the file.
pub(crate) fn other_program(path: &Path, does: &str) -> SqliteConnection {
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection.batch_execute(does).unwrap();
    connection
}

pub(crate) async fn tenant(storage: &SqliteStorage) -> TenantNumber {
    let draft = TenantDraft { name: Some("tenant".to_owned()), tenant_info: None };
    storage.create(NewTenant::parse(draft).unwrap()).await.unwrap().number
}

/// An event with an id of its own.
pub(crate) fn event(message: &str) -> NewEvent {
    let text = |text: &str| Some(text.to_owned());
    let draft = EventDraft {
        component: text("component"),
        environment: text("test"),
        message: text(message),
        ..EventDraft::default()
    };
    NewEvent::parse(draft, Uuid::now_v7).unwrap()
}

/// All events of the tenant, oldest first.
pub(crate) async fn events(storage: &SqliteStorage, tenant: TenantNumber) -> Vec<Event> {
    let mut query = EventQuery { order: Order::Ascending, limit: PageLimit::MAX, ..EventQuery::default() };
    let mut events: Vec<Event> = Vec::new();
    loop {
        query.after = events.last().map(|event| event.sequence);
        let page = EventRepository::list(storage, tenant, query.clone()).await.unwrap();
        events.extend(page.items);
        if !page.more {
            return events;
        }
    }
}

/// Whether these are the sequences 1, 2, 3, … without a gap.
pub(crate) fn are_gapless(events: &[Event]) -> bool {
    events.iter().zip(1..).all(|(event, number)| Sequence::new(number) == Some(event.sequence))
}
