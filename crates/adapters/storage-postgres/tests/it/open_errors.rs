//! Every refusal says what to do, where, and never the password.

use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use tenantry_storage_postgres::{OpenError, PostgresOptions, PostgresUrl, inspect, migrate};

use crate::proxy::{Mode, Proxy};
use crate::support::{Schema, connection, open, opened, server};

/// Opens, migrates and inspects it: each is refused, with these words.
#[track_caller]
fn refused(options: &PostgresOptions, words: &[&str]) -> OpenError {
    let error = opened(options.clone()).err().expect("it is refused");
    assert_eq!(migrate(options).expect_err("it is refused"), error);
    assert_eq!(inspect(options).expect_err("it is refused"), error);
    let sentence = error.to_string();
    for word in words {
        assert!(sentence.contains(word), "{word} is missing: {sentence}");
    }
    assert!(!sentence.contains("hunter2") && sentence.contains(';'), "{sentence}");
    error
}

fn of(schema: &Schema, url: &str) -> PostgresOptions {
    let mut options = schema.options();
    options.url = PostgresUrl::parse(url).unwrap();
    options.start_wait = Duration::ZERO;
    options
}

#[test]
fn a_server_that_is_not_there() {
    // A port that was free, and that nobody listens on.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let options = of(&Schema::new(), &format!("postgres://ada:hunter2@{address}/shop"));
    let port = address.port().to_string();
    let error = refused(&options, &["127.0.0.1", &port, "Connection refused", "database_url"]);
    assert!(matches!(error, OpenError::Unreachable { .. }), "{error:?}");
}

#[test]
fn a_server_that_comes_while_it_is_waited_for() {
    let (proxy, schema) = (Proxy::start(), Schema::new());
    proxy.set(Mode::Refuse);
    let mut options = of(&schema, &proxy.url());
    let error = opened(options.clone()).err().expect("nobody answers");
    assert!(error.to_string().contains(&proxy.address().to_string()), "{error}");
    options.start_wait = Duration::from_secs(60);
    let opening = thread::spawn(move || opened(options).map(drop));
    proxy.set(Mode::Forward);
    assert_eq!(opening.join().unwrap(), Ok(()));
}

#[test]
fn a_database_that_is_not_there() {
    let server = server();
    let (before, _) = server.rsplit_once('/').unwrap();
    let options = of(&Schema::new(), &format!("{before}/no_such_database"));
    let error = refused(&options, &["no_such_database", "CREATE DATABASE"]);
    assert!(matches!(error, OpenError::NoDatabase { .. }), "{error:?}");
}

#[test]
fn a_user_whom_the_server_does_not_know() {
    let server = server();
    let (_, behind) = server.rsplit_once('@').unwrap();
    let options = of(&Schema::new(), &format!("postgres://no_such_user:hunter2@{behind}"));
    let error = refused(&options, &["no_such_user", "database_url"]);
    assert!(matches!(error, OpenError::Refused { .. }), "{error:?}");
}

#[test]
fn a_schema_of_a_newer_version() {
    let schema = Schema::new();
    open(&schema).unwrap();
    let newer = format!(
        "INSERT INTO \"{}\".__diesel_schema_migrations (version) VALUES ('20991231000001')",
        schema.name
    );
    connection().batch_execute(&newer).unwrap();
    let error = refused(&schema.options(), &["20991231000001", "newer version"]);
    assert!(matches!(error, OpenError::Newer { .. }), "{error:?}");
}

#[test]
fn a_schema_with_a_step_left_out() {
    let schema = Schema::new();
    open(&schema).unwrap();
    let forget =
        format!("DELETE FROM \"{}\".__diesel_schema_migrations WHERE version LIKE '%3'", schema.name);
    connection().batch_execute(&forget).unwrap();
    let error = refused(&schema.options(), &["create_access_keys", "was not run"]);
    assert!(matches!(error, OpenError::Incomplete { .. }), "{error:?}");
}

#[test]
fn a_schema_that_was_restored_in_part() {
    let schema = Schema::new();
    open(&schema).unwrap();
    connection().batch_execute(&format!("DROP TABLE \"{}\".key_values", schema.name)).unwrap();
    let error = refused(&schema.options(), &["key_values is missing", "backup"]);
    assert!(matches!(error, OpenError::Incomplete { .. }), "{error:?}");
}

#[test]
fn a_schema_in_which_row_level_security_was_switched_off() {
    for (table, switch) in [("tenants", "NO FORCE"), ("events", "DISABLE"), ("discards", "DISABLE")] {
        let schema = Schema::new();
        open(&schema).unwrap();
        for switch in [switch, "NO FORCE"] {
            let off = format!("ALTER TABLE \"{}\".{table} {switch} ROW LEVEL SECURITY", schema.name);
            connection().batch_execute(&off).unwrap();
        }
        let error = refused(&schema.options(), &["Row-Level Security", "backup"]);
        assert!(matches!(error, OpenError::Incomplete { .. }), "{error:?}");
    }
}

/// How many steps lead to the newest schema.
fn steps() -> usize {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../migrations/postgres");
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn a_step_that_fails_leaves_nothing_and_the_next_start_goes_on_from_there() {
    let schema = Schema::new();
    // Something stands where the third step would make a table.
    let in_the_way = format!(
        "CREATE SCHEMA \"{0}\"; CREATE TABLE \"{0}\".tenant_keys (a integer); \
         GRANT USAGE ON SCHEMA \"{0}\" TO tenantry_application",
        schema.name
    );
    connection().batch_execute(&in_the_way).unwrap();
    let error = migrate(&schema.options()).expect_err("it fails");
    assert!(matches!(error, OpenError::HalfDone { .. }), "{error:?}");
    assert!(error.to_string().contains("tenant_keys"), "{error}");
    let found = inspect(&schema.options()).unwrap();
    assert!(found.version.unwrap().ends_with("create_tenants"));
    connection().batch_execute(&format!("DROP TABLE \"{}\".tenant_keys", schema.name)).unwrap();
    assert_eq!(migrate(&schema.options()).unwrap().len(), steps() - 2);
    open(&schema).unwrap();
}

#[test]
fn nodes_that_start_at_once_bring_a_new_schema_up_to_date_once() {
    let schema = Schema::new();
    let starting: Vec<_> = (0..4)
        .map(|_| {
            let options = schema.options();
            thread::spawn(move || migrate(&options).map(|names| names.len()))
        })
        .collect();
    let ran: usize = starting.into_iter().map(|node| node.join().unwrap().unwrap()).sum();
    assert_eq!(ran, steps());
}
