//! What cannot be used: one readable line, exit code 1, and nothing changed.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

use crate::process::{Finished, Serving, command, finish, tenantry};

/// Every command that opens the database.
fn each_command_in(data_dir: &Path) -> Vec<Finished> {
    let sample = data_dir.with_extension("json");
    fs::write(&sample, r#"[{"tenant_id": "a", "email": "a@example.com", "desc": "", "address": []}]"#)
        .unwrap();
    let data_dir = data_dir.to_str().unwrap();
    vec![
        tenantry(["serve", "--listen", "127.0.0.1:0", "--data-dir", data_dir]),
        tenantry(["migrate", "--data-dir", data_dir]),
        tenantry(["seed", "--data-dir", data_dir, "--tenants", sample.to_str().unwrap()]),
    ]
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let dir = tempfile::tempdir().unwrap();
    let ended = tenantry(["--listen", &address, "--data-dir", dir.path().to_str().unwrap()]);
    let line = ended.one_line_of_failure(1);
    assert!(line.contains(&format!("cannot listen on {address}: the address is already in use")), "{line}");
    assert!(!dir.path().join("admin.key").exists(), "no key was made");
}

#[test]
fn a_data_directory_that_cannot_be_made_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let data_dir = file.path().join("data");
    let ended = tenantry(["--data-dir", data_dir.to_str().unwrap()]);
    let line = ended.one_line_of_failure(1);
    assert!(line.contains(&format!("the data directory {} cannot be made", data_dir.display())), "{line}");
}

#[test]
fn a_data_directory_that_cannot_be_written_to_is_named() {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let mut serve = command(["--listen", "127.0.0.1:0", "--data-dir"]);
    serve.arg(dir.path());
    if rustix::process::geteuid().is_root() {
        // The permissions of files do not bind root.
        serve.uid(65534).gid(65534);
    }
    let ended = finish(&mut serve);
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let line = ended.one_line_of_failure(1);
    assert!(line.contains("cannot be written to: permission denied"), "{line}");
}

#[test]
fn a_database_that_another_tenantry_has_open_is_left_to_it() {
    let dir = tempfile::tempdir().unwrap();
    let serving = Serving::start(&dir.path().join("data"), &[]);
    for ended in each_command_in(&dir.path().join("data")) {
        let line = ended.one_line_of_failure(1);
        assert!(line.contains("tenantry.db"), "{line}");
    }
    serving.terminate();
    assert!(serving.wait().success());
}

#[test]
fn a_file_that_is_no_database_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    fs::create_dir(&data_dir).unwrap();
    let database = data_dir.join("tenantry.db");
    let bytes = b"this is no database".repeat(1000);
    fs::write(&database, &bytes).unwrap();
    for ended in each_command_in(&data_dir) {
        let line = ended.one_line_of_failure(1);
        assert!(line.contains("tenantry.db"), "{line}");
        assert!(fs::read(&database).unwrap() == bytes, "the file was changed");
    }
}

#[test]
fn a_database_that_is_cut_short_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    assert_eq!(tenantry(["migrate", "--data-dir", data_dir.to_str().unwrap()]).code, Some(0));
    let database = data_dir.join("tenantry.db");
    let whole = fs::read(&database).unwrap();
    let half = &whole[..whole.len() / 2];
    fs::write(&database, half).unwrap();
    for ended in each_command_in(&data_dir) {
        let line = ended.one_line_of_failure(1);
        assert!(line.contains("tenantry.db"), "{line}");
        assert!(fs::read(&database).unwrap() == half, "the file was changed");
    }
}

#[test]
fn a_database_of_a_newer_version_is_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    assert_eq!(tenantry(["migrate", "--data-dir", data_dir.to_str().unwrap()]).code, Some(0));
    let database = data_dir.join("tenantry.db");
    let mut connection = SqliteConnection::establish(database.to_str().unwrap()).unwrap();
    connection
        .batch_execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('99990101000000')")
        .unwrap();
    drop(connection);
    let before = fs::read(&database).unwrap();
    for ended in each_command_in(&data_dir) {
        let line = ended.one_line_of_failure(1);
        assert!(line.contains("was used by a newer Tenantry"), "{line}");
        assert!(fs::read(&database).unwrap() == before, "the file was changed");
    }
}
