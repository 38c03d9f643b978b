//! Files of tenantbase: SQLite, with a row more for each time that a key was set.

use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Installation, all};
use crate::process::Serving;
use crate::support::TestApp;

/// A database as the service made it, with 900 keys in 2,000 rows.
fn database(installation: &Installation, more: &str) -> PathBuf {
    let path = installation.files.path().join("tenantbase.sqlite3");
    let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    connection
        .batch_execute(&format!(
            "CREATE TABLE kvalue (id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT, value TEXT);
             WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 1999)
             INSERT INTO kvalue (key, value) SELECT 'key/' || (i % 900), 'value ' || i FROM n;
             {more}"
        ))
        .unwrap();
    path
}

async fn entries(app: &TestApp) -> Vec<Value> {
    all(app, Some("1"), "/kv", "entries").await
}

#[tokio::test]
async fn of_each_key_the_last_value_is_there_also_after_a_second_import() {
    let installation = Installation::new();
    let file = database(
        &installation,
        "INSERT INTO kvalue (key, value) VALUES ('naïve key 🦀', '{\"a\": 1}'), ('empty', '');",
    );
    let before = std::fs::read(&file).unwrap();
    let import = || installation.import_well(["--new-tenant", "legacy", file.to_str().unwrap()]);
    assert_eq!(
        import(),
        "tenantbase, table kvalue: 2002 rows read, 902 stored into 1_legacy, 0 already there, \
         1100 superseded by a later row of the same key, 0 rejected"
    );
    assert_eq!(
        import(),
        "tenantbase, table kvalue: 2002 rows read, 0 stored into 1_legacy, 902 already there, \
         1100 superseded by a later row of the same key, 0 rejected"
    );
    assert_eq!(std::fs::read(&file).unwrap(), before, "the file is only read");

    let app = installation.serve();
    let entries = entries(&app).await;
    assert_eq!(entries.len(), 902);
    assert!(entries.iter().all(|entry| entry["version"] == 1), "no value was written twice");
    let value = |key: &str| {
        let entry = entries.iter().find(|entry| entry["key"] == key);
        entry.unwrap_or_else(|| panic!("there is no {key}"))["value"].clone()
    };
    assert_eq!(value("key/0"), "value 1800");
    assert_eq!(value("key/199"), "value 1999");
    assert_eq!(value("key/200"), "value 1100");
    assert_eq!(value("naïve key 🦀"), "{\"a\": 1}");
    assert_eq!(value("empty"), "");
    assert_eq!(all(&app, None, "/tenants", "tenants").await.len(), 1);
    let got = app.admin(Method::GET, "/kv/key/0").header("Tenantry-Tenant", "1").send().await.unwrap();
    assert_eq!(got.headers()["content-type"], "text/plain; charset=utf-8");
}

#[tokio::test]
async fn a_value_that_was_changed_since_is_kept_unless_told_otherwise() {
    let installation = Installation::new();
    let file = database(&installation, "");
    let file = file.to_str().unwrap();
    installation.import_well(["--new-tenant", "legacy", file]);
    let Installation { data_dir, files } = installation;
    let app = TestApp::start_in(data_dir, &[("database_url", "")]);
    let put = app.admin(Method::PUT, "/kv/key/7").header("Tenantry-Tenant", "1").body("newer");
    assert_eq!(put.send().await.unwrap().status(), 200);
    let home = app.stop();

    let import = |more: &[&str]| {
        let data_dir = home.path().to_str().unwrap();
        let arguments = [&["import", "--data-dir", data_dir, "--tenant", "1_legacy"], more, &[file]].concat();
        crate::process::tenantry(arguments)
    };
    let kept = import(&[]);
    assert_eq!(kept.code, Some(1), "{kept:?}");
    assert!(kept.stdout.contains("899 already there, 1 hold another value"), "{kept:?}");
    assert!(kept.stderr.contains("row 1808: the key holds another value, which was kept"), "{kept:?}");
    let replaced = import(&["--replace"]);
    assert_eq!(replaced.code, Some(0), "{replaced:?}");
    assert!(
        replaced.stdout.contains("0 stored into 1_legacy, 1 replaced, 899 already there"),
        "{replaced:?}"
    );

    let app = TestApp::start_in(home, &[("database_url", "")]);
    let entry = entries(&app).await.into_iter().find(|entry| entry["key"] == "key/7").unwrap();
    assert_eq!((&entry["value"], &entry["version"]), (&json!("value 1807"), &json!(3)));
    drop(files);
}

#[tokio::test]
async fn rows_that_break_a_rule_are_told_and_the_others_stored() {
    let installation = Installation::new();
    let file = database(
        &installation,
        "INSERT INTO kvalue (key, value) VALUES (NULL, 'x'), ('', 'x'), ('key/5', NULL), ('large', zeroblob(2000000));",
    );
    let ended = installation.import(["--new-tenant", "legacy", file.to_str().unwrap()]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(
        ended.stdout.contains("899 stored into 1_legacy") && ended.stdout.contains(" 4 rejected"),
        "{ended:?}"
    );
    for told in [
        "row 2001: key is NULL",
        "row 2002: a key must not be empty",
        "row 2003: value is NULL",
        "row 2004: the value is longer than 1048576 bytes",
    ] {
        assert!(ended.stderr.contains(told), "{told}: {ended:?}");
    }
    let app = installation.serve();
    let entries = entries(&app).await;
    assert_eq!(entries.len(), 899);
    assert!(entries.iter().all(|entry| entry["key"] != "key/5"), "what was superseded does not come back");
}

#[test]
fn a_database_that_is_served_is_left_to_its_server() {
    let installation = Installation::new();
    let file = database(&installation, "");
    let serving = Serving::start(installation.data_dir.path(), &[]);
    let refused = installation.import(["--new-tenant", "legacy", file.to_str().unwrap()]);
    assert!(refused.one_line_of_failure(1).contains("in use"), "{refused:?}");
    drop(serving);
}

#[test]
fn a_tenant_must_be_named_and_be_there() {
    let installation = Installation::new();
    let file = database(&installation, "");
    let file = file.to_str().unwrap();
    let refused = |arguments: &[&str], code| {
        let ended = installation.import([arguments, &[file]].concat());
        ended.one_line_of_failure(code).to_owned()
    };
    assert!(refused(&[], 2).contains("--tenant or --new-tenant"));
    assert!(refused(&["--tenant", "x"], 2).contains("neither a tenant's number nor its id"));
    assert!(refused(&["--new-tenant", "a b"], 2).contains("no tenant's name"));
    assert!(refused(&["--tenant", "7"], 1).contains("there is no such tenant"));
    installation.import_well(["--new-tenant", "legacy", file]);
    assert!(refused(&["--tenant", "1_other"], 1).contains("there is no such tenant"));
}
