//! Every refusal says what to do, and leaves the file byte for byte as it was.

use std::fs;
use std::path::Path;

use tenantry_ports::EventRepository;
use tenantry_storage_sqlite::{OpenError, inspect, migrate};

use crate::support::{event, open, other_program, place, tenant};

/// Opens, migrates and, where `inspected`, inspects the file: each is refused, and the file stays as it is.
#[track_caller]
fn refused(path: &Path, inspected: bool) -> OpenError {
    let bytes = fs::read(path).ok();
    let error = open(path).err().expect("it is refused");
    assert_eq!(migrate(path).expect_err("it is refused"), error);
    if inspected {
        assert_eq!(inspect(path).expect_err("it is refused"), error);
    }
    assert!(fs::read(path).ok() == bytes, "the file has changed");
    let sentence = error.to_string();
    assert!(sentence.contains(path.to_str().unwrap()) && sentence.contains(';'), "{sentence}");
    error
}

/// A database with some pages of events.
fn filled(path: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let storage = open(path).unwrap();
        let tenant = tenant(&storage).await;
        let many = (0..200).map(|_| event(&"message ".repeat(50))).collect();
        storage.append(tenant, many).await.unwrap();
    });
}

#[test]
fn a_directory_that_is_missing() {
    let (folder, _) = place();
    let path = folder.path().join("missing").join("tenantry.db");
    let OpenError::DirectoryMissing { directory, .. } = refused(&path, true) else { panic!("another error") };
    assert_eq!(directory, folder.path().join("missing"));
    assert!(!directory.exists(), "it is not made either");
}

#[test]
fn a_path_that_is_a_directory() {
    let (folder, _) = place();
    assert!(matches!(refused(folder.path(), true), OpenError::NotAFile { .. }));
}

#[cfg(target_os = "linux")]
#[test]
fn a_directory_that_nobody_can_write_to() {
    // Not even root can make a file there.
    let error = refused(Path::new("/proc/tenantry.db"), false);
    assert!(matches!(error, OpenError::DirectoryNotWritable { .. }), "{error:?}");
}

#[test]
fn a_file_that_is_no_database() {
    for content in [&b"x"[..], b"some notes of mine", &[0; 5000], &[b'#'; 100_000]] {
        let (_folder, path) = place();
        fs::write(&path, content).unwrap();
        let error = refused(&path, true);
        assert!(matches!(error, OpenError::NotADatabase { .. }), "{error:?}");
    }
}

#[test]
fn a_database_that_was_cut_off() {
    let (_folder, path) = place();
    filled(&path);
    let whole = fs::read(&path).unwrap();
    for bytes in [whole.len() / 2, whole.len() - 1, 4096, 2000, 99] {
        fs::write(&path, &whole[..bytes]).unwrap();
        let error = refused(&path, true);
        assert!(
            matches!(error, OpenError::Damaged { .. } | OpenError::NotADatabase { .. }),
            "{bytes}: {error:?}"
        );
    }
}

#[test]
fn a_database_whose_header_was_overwritten() {
    let (_folder, path) = place();
    filled(&path);
    let mut bytes = fs::read(&path).unwrap();
    bytes[..100].fill(b'?');
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(refused(&path, true), OpenError::NotADatabase { .. }));
}

#[test]
fn a_database_with_a_page_of_rubbish() {
    let (_folder, path) = place();
    filled(&path);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2 / 4096 * 4096;
    bytes[middle..middle + 4096].fill(0xA5);
    fs::write(&path, &bytes).unwrap();
    let error = refused(&path, true);
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
}

#[test]
fn another_programs_database() {
    let (_folder, path) = place();
    drop(other_program(&path, "CREATE TABLE recipes (name TEXT); INSERT INTO recipes VALUES ('soup')"));
    assert!(matches!(refused(&path, true), OpenError::Foreign { .. }));
}

#[test]
fn another_programs_database_that_has_no_tables_yet() {
    let (_folder, path) = place();
    drop(other_program(&path, "PRAGMA application_id = 1234; CREATE TABLE t (x); DROP TABLE t"));
    assert!(matches!(refused(&path, true), OpenError::Foreign { .. }));
}

#[test]
fn a_database_of_a_newer_version() {
    let (_folder, path) = place();
    filled(&path);
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')";
    drop(other_program(&path, newer));
    let OpenError::Newer { migrations, .. } = refused(&path, true) else { panic!("another error") };
    assert_eq!(migrations, ["20991231000001"]);
}

#[test]
fn a_database_of_a_newer_version_whose_log_was_not_folded_in_yet() {
    let (folder, path) = place();
    filled(&path);
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('20991231000001')";
    let other = other_program(&path, newer);
    // As a crash leaves it: the newest writes are in the log alone.
    let crashed = folder.path().join("crashed.db");
    for suffix in ["", "-wal"] {
        fs::copy(format!("{}{suffix}", path.display()), format!("{}{suffix}", crashed.display())).unwrap();
    }
    drop(other);
    let log = folder.path().join("crashed.db-wal");
    let log_before = fs::read(&log).unwrap();
    assert!(matches!(refused(&crashed, true), OpenError::Newer { .. }));
    assert!(fs::read(&log).unwrap() == log_before, "nor has the log");
}

#[test]
fn a_log_without_its_database() {
    let (folder, path) = place();
    fs::write(folder.path().join("tenantry.db-wal"), b"the newest writes").unwrap();
    assert!(matches!(refused(&path, false), OpenError::Damaged { .. }));
    assert!(!path.exists());
    assert_eq!(fs::read(folder.path().join("tenantry.db-wal")).unwrap(), b"the newest writes");
}

#[test]
fn a_database_that_another_tenantry_has_open() {
    let (_folder, path) = place();
    let storage = open(&path).unwrap();
    assert!(matches!(refused(&path, false), OpenError::InUse { .. }));
    drop(storage);
    assert!(open(&path).is_ok());
}

#[test]
fn a_database_that_another_program_writes_to() {
    let (_folder, path) = place();
    filled(&path);
    let other = other_program(&path, "BEGIN IMMEDIATE");
    assert!(matches!(refused(&path, false), OpenError::Locked { .. }));
    drop(other);
    assert!(open(&path).is_ok());
}

#[test]
fn a_database_that_another_program_has_for_itself() {
    let (_folder, path) = place();
    filled(&path);
    let other = other_program(&path, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK");
    assert!(matches!(refused(&path, true), OpenError::Locked { .. }));
    drop(other);
    assert!(open(&path).is_ok());
}
