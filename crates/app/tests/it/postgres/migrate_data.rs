//! `tenantry migrate-data`: SQLite to PostgreSQL and back, from outside.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel::{PgConnection, SqliteConnection};

use super::{Installation, schema_of, server};
use crate::process::{Serving, command, finish, signal};
use crate::support::DEADLINE;

/// Every row of every table, as text, in the order of its key.
const TABLES: [&str; 8] = [
    "SELECT name || ' ' || hex(value) FROM settings ORDER BY name",
    "SELECT concat_ws('|', key_id, hex(hash), name, scopes, created_at, ifnull(expires_at, '-'), \
     ifnull(last_used_at, '-')) FROM admin_keys ORDER BY key_id",
    "SELECT concat_ws('|', tenant_number, name, status, tenant_info, version, created_at, updated_at, \
     ifnull(erasure_started_at, '-'), erased_rows) FROM tenants ORDER BY tenant_number",
    "SELECT concat_ws('|', tenant_number, event_sequence, ifnull(last_event_at, '-'), key_value_revision) \
     FROM tenant_counters ORDER BY tenant_number",
    "SELECT concat_ws('|', tenant_number, key_id, hex(hash), name, scopes, created_at, ifnull(expires_at, '-'), \
     ifnull(last_used_at, '-')) FROM tenant_keys ORDER BY tenant_number, created_at, key_id",
    "SELECT concat_ws('|', tenant_number, sequence, hex(id), component, environment, message, ifnull(email, '-'), \
     data, created_at) FROM events ORDER BY tenant_number, sequence",
    "SELECT concat_ws('|', tenant_number, key, content_type, version, revision, created_at, updated_at, \
     ifnull(expires_at, '-'), hex(value)) FROM key_values ORDER BY tenant_number, key",
    "SELECT name || seq FROM sqlite_sequence ORDER BY name",
];

fn sqlite(path: &Path) -> SqliteConnection {
    SqliteConnection::establish(path.to_str().unwrap()).unwrap()
}

fn all_rows(path: &Path) -> Vec<Vec<String>> {
    let mut connection = sqlite(path);
    let rows = |sql: &&str| diesel::dsl::sql::<Text>(sql).load(&mut connection).unwrap();
    TABLES.iter().map(rows).collect()
}

fn postgres(installation: &Installation) -> PgConnection {
    let mut connection = PgConnection::establish(&server()).unwrap();
    let schema = schema_of(installation.data_dir.path());
    connection.batch_execute(&format!("SET search_path = {schema}")).unwrap();
    connection
}

/// Tenants with gaps between their numbers and of each status, and odd rows in each table; the last number that was
/// given is one that is gone.
const ODD_ROWS: &str = r#"
    INSERT INTO settings VALUES ('cursor_secret', randomblob(32)), ('empty', x'');
    INSERT INTO admin_keys VALUES ('abcdefghijkl', zeroblob(32), 'first', 'tenants:read', 5, NULL, 7);
    INSERT INTO tenants VALUES
        (2, 'two', 'active', '{ "b": 12345678901234567890123.10,  "a":null }', 7, 1, 2, NULL, 0),
        (5, 'five', 'suspended', '{}', 1, -62167219200000000, 253402300799999999, NULL, 0),
        (9, 'nine', 'deleting', '{}', 2, 3, 4, 4, 1234);
    UPDATE sqlite_sequence SET seq = 41 WHERE name = 'tenants';
    INSERT INTO tenant_counters VALUES (2, 3, 30, 9), (5, 0, NULL, 0), (9, 7, 70, 3);
    INSERT INTO tenant_keys VALUES
        (2, 'aaaaaaaaaaaa', randomblob(32), 'é', 'events:read kv:write', 1, 2, NULL),
        (2, 'bbbbbbbbbbbb', randomblob(32), 'same time', 'kv:read', 1, NULL, 9),
        (9, 'cccccccccccc', randomblob(32), 'of one who goes', 'kv:read', 1, NULL, NULL);
    INSERT INTO events VALUES
        (2, 1, randomblob(16), 'it''s', 'e|nv', '🦀 "quoted" \ ' || char(10), NULL, '{}', 10),
        (2, 2, randomblob(16), 'c', 'e', 'm', 'ada@example.com', '{  "n" : 1e400, "m":0.10 }', 10),
        (2, 3, zeroblob(16), 'c', 'e', 'm', NULL, '{"deep":[{"a":[1,2,{}]}]}', 30),
        (9, 7, randomblob(16), 'c', 'e', 'left of an erasure', NULL, '{}', 70);
    INSERT INTO key_values VALUES
        (2, 'empty', 'text/plain', 1, 1, 1, 1, NULL, x''),
        (2, 'large', 'application/octet-stream', 3, 9, 1, 2, 253402300799999999, randomblob(1048576)),
        (2, 'ended', 'text/plain', 1, 4, 1, 1, 2, x'00ff'),
        (2, 'Ä/🦀 %_', 'a/b; c="d"', 1, 5, 1, 1, NULL, x'00'),
        (9, 'k', 'text/plain', 1, 3, 1, 1, NULL, x'01');
"#;

/// A SQLite file of the newest version, with odd rows.
fn source(directory: &Path) -> PathBuf {
    let path = directory.join("source.db");
    let url = format!("sqlite:{}", path.display());
    let migrated = finish(&mut command(["migrate", "--database-url", &url]));
    assert_eq!(migrated.code, Some(0), "{migrated:?}");
    sqlite(&path).batch_execute(ODD_ROWS).unwrap();
    path
}

pub(super) fn url(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

/// The server's URL, with a password in it.
pub(super) fn postgres_url() -> String {
    server().replacen('@', ":hunter2@", 1)
}

pub(super) fn move_data(installation: &Installation, from: &str, to: &str, more: &[&str]) -> Command {
    let mut command = installation.command(&["migrate-data", "--from", from, "--to", to]);
    command.args(more);
    command
}

#[test]
fn a_round_trip_brings_back_every_row_as_it_was() {
    let installation = Installation::new();
    let path = source(installation.data_dir.path());
    let before = all_rows(&path);
    let there = finish(&mut move_data(&installation, &url(&path), &postgres_url(), &[]));
    assert_eq!(there.code, Some(0), "{there:?}");
    let said = "moved and verified: 3 tenants, 3 access keys, 4 events, 5 key-values, 0 rows of catalogs\n";
    assert_eq!(there.stdout, said);
    assert_eq!(all_rows(&path), before, "the source is left as it was");

    let returned = installation.data_dir.path().join("returned.db");
    let back = finish(&mut move_data(&installation, &postgres_url(), &url(&returned), &[]));
    assert_eq!((back.code, back.stdout.as_str()), (Some(0), said), "{back:?}");
    assert_eq!(all_rows(&returned), before);
    assert!(!format!("{there:?}{back:?}").contains("hunter2"));

    let mut next = postgres(&installation);
    let create = "INSERT INTO tenants (name, status, tenant_info, version, created_at, updated_at) \
                  VALUES ('next', 'active', '{}', 1, now(), now()) RETURNING tenant_number";
    let number: i64 = diesel::dsl::sql::<BigInt>(create).get_result(&mut next).unwrap();
    assert_eq!(number, 42, "numbers go on behind the last that was given");
}

#[test]
fn a_target_that_holds_anything_is_refused_and_left_as_it_is() {
    let installation = Installation::new();
    let path = source(installation.data_dir.path());
    let target = installation.data_dir.path().join("tenantry.db");
    std::fs::copy(&path, &target).unwrap();
    let before = all_rows(&target);
    let mut onto = move_data(&installation, &url(&path), &url(&target), &[]);
    let line = finish(&mut onto).one_line_of_failure(1).to_owned();
    assert!(line.contains("the target is not empty: it holds 3 tenants"), "{line}");
    assert_eq!(all_rows(&target), before);
}

#[test]
fn a_source_that_is_missing_or_served_is_refused() {
    let installation = Installation::new();
    let directory = installation.data_dir.path();
    let missing = move_data(&installation, &url(&directory.join("none.db")), &postgres_url(), &[]);
    let line = finish(&mut { missing }).one_line_of_failure(1).to_owned();
    assert!(line.contains("none.db is not there"), "{line}");

    let served = Serving::start(directory, &[]);
    let from = url(&directory.join("tenantry.db"));
    let line =
        finish(&mut move_data(&installation, &from, &postgres_url(), &[])).one_line_of_failure(1).to_owned();
    assert!(line.contains("in use"), "{line}");
    drop(served);
}

#[test]
fn a_schema_that_is_served_is_not_moved_and_one_that_is_moved_is_not_served() {
    let installation = Installation::new();
    let mut serve = installation.command(&["serve"]);
    serve.env("TENANTRY_LOG__LEVEL", "error");
    let serving = Serving::from_command(serve);
    let to = url(&installation.data_dir.path().join("copy.db"));
    let line =
        finish(&mut move_data(&installation, &postgres_url(), &to, &[])).one_line_of_failure(1).to_owned();
    assert!(line.contains("in use"), "{line}");
    serving.terminate();
    assert!(serving.wait().success());
    let moved = finish(&mut move_data(&installation, &postgres_url(), &to, &[]));
    assert_eq!(moved.code, Some(0), "{moved:?}");
}

#[test]
fn a_move_that_is_killed_goes_on_and_its_target_is_not_served_before_it_is_finished() {
    let installation = Installation::new();
    let path = source(installation.data_dir.path());
    sqlite(&path)
        .batch_execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)
             INSERT INTO events SELECT 5, i, randomblob(16), 'c', 'e', 'm' || i, NULL, '{\"i\":' || i || '}', 10 FROM n;
             UPDATE tenant_counters SET event_sequence = 60000, last_event_at = 10 WHERE tenant_number = 5;",
        )
        .unwrap();
    let mut mover = move_data(&installation, &url(&path), &postgres_url(), &[]);
    let log = installation.data_dir.path().join("mover.log");
    let mut moving =
        mover.stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
    // Killed when some rows are there.
    let begun = Instant::now();
    let some = "SELECT count(*) FROM (SELECT 1 FROM events LIMIT 1) AS first_row";
    loop {
        assert!(begun.elapsed() < DEADLINE, "no row arrives");
        let ended = moving.try_wait().unwrap();
        assert!(
            ended.is_none(),
            "it ended before it could be killed: {}",
            std::fs::read_to_string(&log).unwrap()
        );
        let found = diesel::dsl::sql::<BigInt>(some).get_result::<i64>(&mut postgres(&installation));
        if found.is_ok_and(|rows| rows > 0) {
            break;
        }
    }
    signal(moving.id(), rustix::process::Signal::KILL);
    moving.wait().unwrap();

    for arguments in [&["serve"][..], &["seed", "--tenants", "demo/tenants.json"]] {
        let mut command = installation.command(arguments);
        command.env("TENANTRY_LOG__LEVEL", "error");
        let line = finish(&mut command).one_line_of_failure(1).to_owned();
        assert!(line.contains("not finished"), "{line}");
    }
    let other = installation.data_dir.path().join("other.db");
    std::fs::copy(&path, &other).unwrap();
    sqlite(&other).batch_execute("UPDATE tenants SET version = version + 1 WHERE tenant_number = 2").unwrap();
    let refused = finish(&mut move_data(&installation, &url(&other), &postgres_url(), &[]));
    assert!(refused.one_line_of_failure(1).contains("another source"), "{refused:?}");

    let resumed = finish(&mut move_data(&installation, &url(&path), &postgres_url(), &[]));
    assert_eq!(resumed.code, Some(0), "{resumed:?}");
    let said = "moved (resumed) and verified: 3 tenants, 3 access keys, 60004 events, 5 key-values, 0 rows of catalogs\n";
    assert_eq!(resumed.stdout, said);
}

#[test]
fn a_row_that_was_changed_in_the_copy_is_found_by_tenant_and_table() {
    let installation = Installation::new();
    let path = source(installation.data_dir.path());
    let moved = finish(&mut move_data(&installation, &url(&path), &postgres_url(), &[]));
    assert_eq!(moved.code, Some(0), "{moved:?}");
    let verify = || finish(&mut move_data(&installation, &url(&path), &postgres_url(), &["--verify-only"]));
    assert!(verify().stdout.starts_with("verified: 3 tenants"));
    for (change, table) in [
        (
            "UPDATE events SET data = '{\"deep\":[{\"a\":[1,2,{ }]}]}' WHERE sequence = 3",
            "tenant 2, table events",
        ),
        ("UPDATE key_values SET value = '\\x02' WHERE key = 'k'", "tenant 9, table key_values"),
        (
            "UPDATE tenant_counters SET key_value_revision = 1 WHERE tenant_number = 5",
            "tenant 5, table tenants",
        ),
        ("DELETE FROM tenant_keys WHERE key_id = 'aaaaaaaaaaaa'", "tenant 2, table tenant_keys"),
    ] {
        postgres(&installation).batch_execute(change).unwrap();
        let found = verify();
        assert_eq!(found.code, Some(1), "{found:?}");
        let last = found.stderr.lines().last().unwrap_or_default();
        assert!(last.contains("source and target differ") && last.contains(table), "{table}: {found:?}");
    }
}
