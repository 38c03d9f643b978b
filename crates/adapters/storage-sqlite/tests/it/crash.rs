//! What a crash leaves: the file, and as much of the log as was written.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tenantry_domain::{ContentType, Key, Precondition};
use tenantry_ports::{EventRepository, KeyValueRepository, NewValue};

use crate::support::{are_gapless, event, events, open, place, tenant};

/// Copies the database as a crash would leave it. While the log is short nothing is folded into the file,
/// so the file stands still and the log only grows: a copy is a moment's state, with a torn end perhaps.
fn copy_as_crashed(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
    fs::copy(from.with_extension("db-wal"), to.with_extension("db-wal")).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_acknowledged_survives_a_crash_in_the_middle_of_writing() {
    let (folder, path) = place();
    let storage = open(&path).unwrap();
    let tenant = tenant(&storage).await;
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let writers: Vec<_> = (0..8)
        .map(|_| {
            let (storage, acknowledged) = (storage.clone(), Arc::clone(&acknowledged));
            tokio::spawn(async move {
                for _ in 0..40 {
                    storage.append(tenant, vec![event("an event")]).await.unwrap();
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    let mut copies = Vec::new();
    for at_least in [1, 40, 150, 280] {
        while acknowledged.load(Ordering::SeqCst) < at_least {
            tokio::task::yield_now().await;
        }
        let acknowledged = acknowledged.load(Ordering::SeqCst);
        let copy = folder.path().join(format!("crashed-{at_least}.db"));
        copy_as_crashed(&path, &copy);
        copies.push((acknowledged, copy));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for (acknowledged, copy) in copies {
        let crashed = open(&copy).unwrap();
        let stored = events(&crashed, tenant).await;
        assert!(stored.len() >= acknowledged, "{} of {acknowledged}", stored.len());
        assert!(are_gapless(&stored));
        let next = crashed.append(tenant, vec![event("after the crash")]).await.unwrap();
        assert_eq!(next[0].event().sequence.get(), stored.len() as u64 + 1);
    }
}

#[tokio::test]
async fn rubbish_behind_the_last_commit_is_no_commit() {
    let (folder, path) = place();
    let storage = open(&path).unwrap();
    let tenant = tenant(&storage).await;
    let value =
        NewValue { bytes: vec![7; 5000].into(), content_type: ContentType::octet_stream(), ttl: None };
    let key = Key::new(b"key").unwrap();
    storage.put(tenant, key.clone(), value.clone(), Precondition::default()).await.unwrap();
    let crashed = folder.path().join("crashed.db");
    copy_as_crashed(&path, &crashed);
    let mut log = OpenOptions::new().append(true).open(crashed.with_extension("db-wal")).unwrap();
    log.write_all(&[0x5A; 9000]).unwrap();
    drop(log);
    let reopened = open(&crashed).unwrap();
    let entry = KeyValueRepository::find(&reopened, tenant, key).await.unwrap().unwrap();
    assert_eq!((entry.value.len(), entry.meta.revision.get()), (5000, 1));
}
