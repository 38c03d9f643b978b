//! `tenantry check`.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

use crate::process::{Serving, command, finish, tenantry};

/// Each file by name, with a hash of what is in it. What SQLite needs while it reads does not count: it
/// leaves an empty log, and an index of that.
fn listing(dir: &Path) -> Vec<(String, u64)> {
    let hash = |bytes: &[u8]| {
        let mut hasher = DefaultHasher::new();
        hasher.write(bytes);
        hasher.finish()
    };
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    let mut files: Vec<_> = entries
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .filter(|(name, bytes)| !(name.ends_with("-wal") && bytes.is_empty() || name.ends_with("-shm")))
        .map(|(name, bytes)| (name, hash(&bytes)))
        .collect();
    files.sort();
    files
}

#[test]
fn a_place_where_nothing_is_yet_is_good_and_stays_empty() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("data");
    let ended = tenantry(["check", "--listen", "127.0.0.1:0", "--data-dir", data_dir.to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.lines().all(|line| line.starts_with("ok ")), "{ended:?}");
    assert!(!data_dir.exists());
}

#[test]
fn each_value_that_is_no_default_is_shown_with_its_source() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("own.toml");
    fs::write(&file, "[http]\nworkers = 3\n").unwrap();
    let mut check = command(["check", "--listen", "127.0.0.1:0", "--config"]);
    let ended =
        finish(check.arg(&file).env("TENANTRY_LOG__FORMAT", "json").env("TENANTRY_DATA_DIR", dir.path()));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for line in [
        "ok      configuration: listen = \"127.0.0.1:0\", from the flag --listen".to_owned(),
        format!("ok      configuration: http.workers = 3, from {}, line 2", file.display()),
        "ok      configuration: log.format = \"json\", from the variable TENANTRY_LOG__FORMAT".to_owned(),
    ] {
        assert!(ended.stdout.lines().any(|found| found == line), "{line} is missing: {}", ended.stdout);
    }
}

#[test]
fn a_database_that_is_there_is_looked_at_and_not_changed() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().to_str().unwrap();
    assert_eq!(tenantry(["migrate", "--data-dir", data_dir]).code, Some(0));
    let before = listing(dir.path());
    let ended = tenantry(["check", "--listen", "127.0.0.1:0", "--data-dir", data_dir]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(listing(dir.path()), before);
}

#[test]
fn a_damaged_database_is_a_failed_finding() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("tenantry.db"), "this is no database at all".repeat(100)).unwrap();
    let before = listing(dir.path());
    let data_dir = dir.path().to_str().unwrap();
    let ended = tenantry(["check", "--listen", "127.0.0.1:0", "--data-dir", data_dir]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let failed: Vec<_> = ended.stdout.lines().filter(|line| line.starts_with("failed  database ")).collect();
    assert_eq!(failed.len(), 1, "{ended:?}");
    assert_eq!(listing(dir.path()), before);
}

#[test]
fn a_running_tenantry_can_be_checked() {
    let dir = tempfile::tempdir().unwrap();
    let serving = Serving::start(dir.path(), &[]);
    let address = serving.url.strip_prefix("http://").unwrap();
    let ended = tenantry(["check", "--listen", address, "--data-dir", dir.path().to_str().unwrap()]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stdout.contains("is in use now"), "{ended:?}");
    serving.terminate();
    assert!(serving.wait().success());
}

#[test]
fn a_broker_of_jobs_is_tried_and_its_password_not_shown() {
    let dir = tempfile::tempdir().unwrap();
    let looked = |broker: &str| {
        let mut check = command(["check", "--listen", "127.0.0.1:0"]);
        check.env("TENANTRY_DATA_DIR", dir.path()).env("TENANTRY_JOBS__RABBITMQ_URL", broker);
        finish(&mut check)
    };
    let away = looked("amqp://ada:hunter2@127.0.0.1:1/%2f");
    assert_eq!(away.code, Some(1), "{away:?}");
    assert!(away.stdout.contains("failed  job queue amqp://127.0.0.1:1/: "), "{away:?}");
    assert!(!away.stdout.contains("hunter2"), "{away:?}");

    let broker = std::env::var("TENANTRY_TEST_RABBITMQ_URL").unwrap_or_else(|_| {
        panic!("run `cargo xtask test`, which starts a RabbitMQ, or set TENANTRY_TEST_RABBITMQ_URL")
    });
    let there = looked(&broker);
    assert_eq!(there.code, Some(0), "{there:?}");
    assert!(there.stdout.contains(": lets this user in"), "{there:?}");
}
