//! The program on PostgreSQL, from outside.

mod check;
mod compat;
mod import;
mod migrate_catalog;
mod migrate_data;
mod nodes;
mod workers;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use serde_json::Value;

use crate::process::{Finished, Serving, command, finish};
use crate::support::TestApp;

/// The PostgreSQL of the tests.
fn server() -> String {
    std::env::var("TENANTRY_TEST_POSTGRES_URL").unwrap_or_else(|_| {
        panic!("run `cargo xtask test`, which starts a PostgreSQL, or set TENANTRY_TEST_POSTGRES_URL")
    })
}

/// The schema of the installation with this data directory, whose name is this run's alone.
fn schema_of(data_dir: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    (std::process::id(), data_dir).hash(&mut hasher);
    format!("test_app_{:016x}", hasher.finish())
}

/// The keys that choose PostgreSQL, and a schema of this data directory's own.
fn keys(data_dir: &Path) -> Vec<(&'static str, String)> {
    vec![
        ("database_url", server()),
        ("postgres.schema", schema_of(data_dir)),
        ("postgres.allow_bypassing_role", "true".to_owned()),
        // Machines that test are busy.
        ("postgres.read_wait_ms", "30000".to_owned()),
        ("postgres.answer_wait_ms", "30000".to_owned()),
    ]
}

fn drop_schema(schema: &str) {
    let dropped = PgConnection::establish(&server()).map(|mut connection| {
        let quietly = "SET client_min_messages = warning";
        connection.batch_execute(&format!("{quietly}; DROP SCHEMA IF EXISTS {schema} CASCADE"))
    });
    if !matches!(dropped, Ok(Ok(()))) {
        eprintln!("the schema {schema} is left behind");
    }
}

/// A schema of a test's own, dropped with it.
struct Installation {
    data_dir: tempfile::TempDir,
}

impl Installation {
    fn new() -> Self {
        server();
        Self { data_dir: tempfile::tempdir().unwrap() }
    }

    /// The program with this installation's configuration in its environment, and a password in its URL.
    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = command(arguments);
        for (key, value) in keys(self.data_dir.path()) {
            let variable = tenantry::config::variable_of(key);
            command.env(variable, value.replacen('@', ":hunter2@", 1));
        }
        command.env("TENANTRY_DATA_DIR", self.data_dir.path()).env("TENANTRY_LISTEN", "127.0.0.1:0");
        command
    }

    /// Runs the program with some more keys set.
    fn run(&self, argument: &str, keys: &[(&str, String)]) -> Finished {
        let variables = keys.iter().map(|(key, value)| (tenantry::config::variable_of(key), value));
        finish(self.command(&[argument]).envs(variables))
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        drop_schema(&schema_of(self.data_dir.path()));
    }
}

#[test]
fn an_installation_is_made_checked_filled_and_served_on_postgresql() {
    let installation = Installation::new();
    let looked = finish(&mut installation.command(&["check"]));
    assert_eq!(looked.code, Some(0), "{looked:?}");
    assert!(looked.stdout.contains("is not there yet"), "{looked:?}");

    let migrated = finish(&mut installation.command(&["migrate"]));
    assert_eq!(migrated.code, Some(0), "{migrated:?}");
    assert!(migrated.stdout.contains("applied 2026-11-21-000005_create_key_values"), "{migrated:?}");
    let again = finish(&mut installation.command(&["migrate"]));
    assert!(again.stdout.contains("migrations applied: 0"), "{again:?}");

    let file = installation.data_dir.path().join("tenants.json");
    std::fs::write(&file, tenantry::demo::TENANTS).unwrap();
    let seeded = finish(&mut installation.command(&["seed", "--tenants", file.to_str().unwrap()]));
    assert_eq!(seeded.code, Some(0), "{seeded:?}");

    let mut serve = installation.command(&["serve", "--demo"]);
    serve.env("TENANTRY_LOG__LEVEL", "error");
    let serving = Serving::from_command(serve);
    serving.terminate();
    assert!(serving.wait().success());

    let looked = finish(&mut installation.command(&["check"]));
    assert!(looked.stdout.contains("its schema is up to date"), "{looked:?}");
    for ended in [looked, migrated, again, seeded] {
        assert!(!ended.stdout.contains("hunter2") && !ended.stderr.contains("hunter2"), "{ended:?}");
    }
}

#[test]
fn a_role_that_bypasses_row_level_security_is_refused_in_one_line() {
    let installation = Installation::new();
    for arguments in [&["serve"][..], &["seed", "--tenants", "demo/tenants.json"]] {
        let mut command = installation.command(arguments);
        command.env_remove("TENANTRY_POSTGRES__ALLOW_BYPASSING_ROLE");
        let line = finish(&mut command).one_line_of_failure(1).to_owned();
        assert!(line.contains("postgres.allow_bypassing_role") && !line.contains("hunter2"), "{line}");
    }
}

#[test]
fn a_database_that_is_away_is_told_with_host_port_and_reason() {
    let installation = Installation::new();
    // A port that was free, and that nobody listens on.
    let address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for arguments in [&["serve"][..], &["migrate"]] {
        let mut command = installation.command(arguments);
        command
            .env("TENANTRY_DATABASE_URL", format!("postgres://ada:hunter2@{address}/shop"))
            .env("TENANTRY_POSTGRES__START_WAIT_SECONDS", "0");
        let line = finish(&mut command).one_line_of_failure(1).to_owned();
        assert!(line.contains(&address.to_string()) && line.contains("Connection refused"), "{line}");
        assert!(!line.contains("hunter2"), "{line}");
    }
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let installation = Installation::new();
    let keys = keys(installation.data_dir.path());
    let keys: Vec<_> = keys.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let app = TestApp::start_with(&keys);
    let tenant = app.create_tenant("acme").await;
    let body =
        serde_json::json!({"component": "c", "environment": "e", "message": "m", "data": {"order": 4711}});
    let sent = app.tenant(&tenant, reqwest::Method::POST, "/events").json(&body).send().await.unwrap();
    assert_eq!(sent.status(), 201);
    let app = TestApp::start_in(app.stop(), &keys);
    let found =
        app.tenant(&tenant, reqwest::Method::GET, "/events?data={\"order\":4711}").send().await.unwrap();
    let found: Value = found.json().await.unwrap();
    assert_eq!(found["events"][0]["sequence"], 1, "{found}");
    let ready: Value = app.client.get(app.url("/readyz")).send().await.unwrap().json().await.unwrap();
    assert!(ready.to_string().contains("database"), "{ready}");
}
