//! Opening what may be opened.

use std::fs;

use diesel::RunQueryDsl;
use diesel::sql_types::Integer;
use tenantry_ports::{EventRepository, HealthProbe, StorageError};
use tenantry_storage_sqlite::{Inspection, inspect, migrate};

use crate::support::{are_gapless, event, events, open, other_program, place, tenant};

#[tokio::test]
async fn what_was_stored_is_there_after_closing_and_opening() {
    let (_folder, path) = place();
    let storage = open(&path).unwrap();
    let tenant = tenant(&storage).await;
    storage.append(tenant, vec![event("one"), event("two")]).await.unwrap();
    storage.close();
    assert!(
        !path.with_extension("db-wal").exists()
            || fs::metadata(path.with_extension("db-wal")).unwrap().len() == 0
    );
    let again = open(&path).unwrap();
    again.append(tenant, vec![event("three")]).await.unwrap();
    let stored = events(&again, tenant).await;
    assert!(stored.len() == 3 && are_gapless(&stored));
}

#[tokio::test]
async fn a_closed_storage_is_read_but_not_written() {
    let (_folder, path) = place();
    let storage = open(&path).unwrap();
    let tenant = tenant(&storage).await;
    storage.append(tenant, vec![event("one")]).await.unwrap();
    storage.close();
    let refused = storage.append(tenant, vec![event("two")]).await.unwrap_err();
    assert!(matches!(refused, tenantry_ports::EventWriteError::Storage(StorageError::Unavailable(_))));
    assert!(matches!(storage.check().await, Err(StorageError::Unavailable(_))));
    assert_eq!(events(&storage, tenant).await.len(), 1);
}

#[tokio::test]
async fn dropping_the_last_clone_lets_another_open_it() {
    let (_folder, path) = place();
    let storage = open(&path).unwrap();
    let clone = storage.clone();
    drop(storage);
    assert!(open(&path).is_err());
    drop(clone);
    assert!(open(&path).is_ok());
}

#[tokio::test]
async fn a_file_without_bytes_counts_as_new() {
    let (_folder, path) = place();
    fs::write(&path, b"").unwrap();
    let storage = open(&path).unwrap();
    assert_eq!(storage.check().await, Ok(()));
}

#[tokio::test]
async fn a_database_without_tables_is_taken() {
    let (_folder, path) = place();
    drop(other_program(&path, "CREATE TABLE t (x); DROP TABLE t"));
    assert_ne!(fs::metadata(&path).unwrap().len(), 0);
    assert_eq!(open(&path).unwrap().check().await, Ok(()));
    assert_eq!(inspect(&path).unwrap().pending_migrations, [""; 0]);
}

#[tokio::test]
async fn a_path_may_hold_any_character() {
    let (folder, _) = place();
    let path = folder.path().join("a b?mode=memory#c%20d'é.db");
    assert_eq!(open(&path).unwrap().check().await, Ok(()));
    assert!(path.exists());
}

#[test]
fn migrating_tells_what_it_ran_and_inspecting_what_is_left() {
    let (_folder, path) = place();
    let before = inspect(&path).unwrap();
    assert_eq!((before.bytes, before.version), (None, None));
    assert!(!path.exists(), "looking makes nothing");
    let ran = migrate(&path).unwrap();
    assert_eq!(ran, before.pending_migrations);
    assert_eq!(ran[0], "2026-11-21-000001_create_settings");
    assert_eq!(migrate(&path).unwrap(), [""; 0]);
    let Inspection { bytes, version, pending_migrations } = inspect(&path).unwrap();
    assert_eq!(bytes, Some(fs::metadata(&path).unwrap().len()));
    assert_eq!(version.as_ref(), ran.last());
    assert_eq!(pending_migrations, [""; 0]);
}

#[tokio::test]
async fn a_database_in_use_can_be_inspected() {
    let (_folder, path) = place();
    let storage = open(&path).unwrap();
    let tenant = tenant(&storage).await;
    assert!(inspect(&path).is_ok());
    storage.append(tenant, vec![event("one")]).await.unwrap();
}

#[test]
fn what_a_crash_left_of_a_new_database_is_cleared_away() {
    let (folder, path) = place();
    fs::write(folder.path().join("tenantry.db.new"), b"half a database").unwrap();
    fs::write(folder.path().join("tenantry.db.new-wal"), b"half a log").unwrap();
    drop(open(&path).unwrap());
    assert!(!folder.path().join("tenantry.db.new").exists());
    assert!(!folder.path().join("tenantry.db.new-wal").exists());
}

#[test]
fn the_file_says_whose_it_is() {
    let (_folder, path) = place();
    drop(open(&path).unwrap());
    let mut connection = other_program(&path, "");
    let id = diesel::dsl::sql::<Integer>("PRAGMA application_id").get_result::<i32>(&mut connection);
    assert_eq!(id.unwrap().to_be_bytes(), *b"Tnty");
}
