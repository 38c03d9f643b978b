//! A full disk, by SQLite's own bound on the file's pages.

use diesel::connection::SimpleConnection;
use tenantry_domain::{Key, Precondition};
use tenantry_ports::{
    EventRepository, EventWriteError, KeyValueRepository, KeyValueWriteError, StorageError,
};

use super::rig::{Rig, event, value};

async fn set_max_pages(rig: &Rig, pages: u32) {
    let set = move |(): &(), batch: &mut crate::batch::WriteBatch| {
        Ok(batch.connection.batch_execute(&format!("PRAGMA max_page_count = {pages}"))?)
    };
    rig.storage.write(0, (), set).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_reads_go_on_and_it_recovers_by_itself() {
    let rig = Rig::new().await;
    rig.storage.append(rig.tenant, vec![event("before")]).await.unwrap();
    // No lower than the file is: from here on it cannot grow.
    set_max_pages(&rig, 1).await;
    let mut stored = 1;
    let refused = loop {
        match rig.storage.append(rig.tenant, vec![event(&"x".repeat(3000))]).await {
            Ok(_) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, EventWriteError::Storage(StorageError::Full(_))), "{refused:?}");
    let key = Key::new(b"key").unwrap();
    let put = rig.storage.put(rig.tenant, key.clone(), value(100_000), Precondition::default()).await;
    assert!(matches!(put, Err(KeyValueWriteError::Storage(StorageError::Full(_)))), "{put:?}");
    assert_eq!(rig.events().await.len(), stored, "what was acknowledged, and nothing else");

    set_max_pages(&rig, 1_000_000).await;
    rig.storage.append(rig.tenant, vec![event("after")]).await.unwrap();
    let put = rig.storage.put(rig.tenant, key, value(100_000), Precondition::default()).await.unwrap();
    assert_eq!(put.entry.meta.revision.get(), 1, "what failed took no revision");
    let sequences: Vec<_> = rig.events().await.iter().map(|event| event.sequence.get()).collect();
    assert_eq!(sequences, (1..=stored as u64 + 1).collect::<Vec<_>>(), "nor a sequence");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_still_fits_is_stored_beside_what_does_not() {
    let rig = Rig::new().await;
    let key = |name: &str| Key::new(name.as_bytes()).unwrap();
    rig.storage.put(rig.tenant, key("small"), value(10), Precondition::default()).await.unwrap();
    set_max_pages(&rig, 1).await;
    let put = |name, bytes| rig.storage.put(rig.tenant, key(name), value(bytes), Precondition::default());
    let (large, small, larger) = tokio::join!(put("a", 900_000), put("small", 11), put("b", 1_000_000));
    assert!(matches!(large, Err(KeyValueWriteError::Storage(StorageError::Full(_)))), "{large:?}");
    assert!(matches!(larger, Err(KeyValueWriteError::Storage(StorageError::Full(_)))), "{larger:?}");
    assert_eq!(small.unwrap().entry.meta.revision.get(), 2);
}
