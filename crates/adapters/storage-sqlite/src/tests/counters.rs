//! Counters are held from one batch to the next, and yet never stale.

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use tenantry_domain::{JsonObject, TenantName, TenantStatus};
use tenantry_ports::{EventRepository, EventWriteError, TenantRepository, TenantUpdate};

use super::rig::{Rig, event};

async fn next_sequence(rig: &Rig) -> u64 {
    rig.storage.append(rig.tenant, vec![event("an event")]).await.unwrap()[0].event().sequence.get()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_program_changes_is_seen() {
    let rig = Rig::new().await;
    assert_eq!((next_sequence(&rig).await, next_sequence(&rig).await), (1, 2));
    let path = rig.folder.path().join("tenantry.db");
    let mut other = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    other.batch_execute("UPDATE tenant_counters SET event_sequence = 10").unwrap();
    assert_eq!(next_sequence(&rig).await, 11);
    other.batch_execute("UPDATE tenants SET status = 'deleting'").unwrap();
    let refused = rig.storage.append(rig.tenant, vec![event("an event")]).await;
    assert_eq!(refused, Err(EventWriteError::TenantNotFound));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_behind_the_deletion_in_the_same_batch_is_refused() {
    let rig = Rig::new().await;
    assert_eq!(next_sequence(&rig).await, 1);
    let update = TenantUpdate {
        name: TenantName::new("tenant").unwrap(),
        info: JsonObject::empty(),
        status: TenantStatus::Deleting,
    };
    let (before, deleted, behind) = tokio::join!(
        rig.storage.append(rig.tenant, vec![event("before")]),
        rig.storage.update(rig.tenant, 1, update),
        rig.storage.append(rig.tenant, vec![event("behind")]),
    );
    assert_eq!(before.unwrap()[0].event().sequence.get(), 2);
    assert!(deleted.is_ok());
    assert_eq!(behind, Err(EventWriteError::TenantNotFound));
    assert_eq!(rig.events().await.len(), 2);
}
