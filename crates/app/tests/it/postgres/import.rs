//! `tenantry import` of what the real `pg_dump` makes of the predecessors' tables, into both engines.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use super::{Installation, drop_schema, keys, server};
use crate::import::predecessors::{activities, flat_search, normalised_search, registry};
use crate::import::search::{SPEAKING, catalog_key, check_plans, check_that_a_fetch_goes_on};
use crate::import::{activity::check_events, all, tenants::check_tenants};
use crate::process::{Finished, finish, tenantry};
use crate::provider::Provider;
use crate::support::TestApp;

/// A predecessor's schema on the server of the tests, dropped with this.
struct Predecessor {
    schema: String,
    files: TempDir,
}

impl Predecessor {
    fn new(name: &str, sql: impl FnOnce(&str) -> String) -> Self {
        let mut connection = PgConnection::establish(&server()).unwrap();
        let schema = format!("test_predecessor_{name}_{}", std::process::id());
        let predecessor = Self { schema, files: tempfile::tempdir().unwrap() };
        connection.batch_execute(&sql(&predecessor.schema)).unwrap();
        predecessor
    }

    /// Dumps it with these options into a file of this name.
    fn dump(&self, name: &str, options: &[&str]) -> PathBuf {
        let file = self.files.path().join(name);
        let mut dump = Command::new(tool("pg_dump"));
        dump.arg(server()).arg(format!("--schema={}", self.schema)).arg("--file").arg(&file).args(options);
        let dumped = finish(&mut dump);
        assert_eq!(dumped.code, Some(0), "{dumped:?}");
        file
    }
}

impl Drop for Predecessor {
    fn drop(&mut self) {
        drop_schema(&self.schema);
    }
}

/// A tool of PostgreSQL: of several that are installed the newest, since an older one refuses the server.
fn tool(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = versions
        .filter_map(|version| {
            Some((version.file_name().to_str()?.parse().ok()?, version.path().join("bin").join(name)))
        })
        .filter(|(_, tool)| tool.exists())
        .collect();
    versions.sort();
    versions.pop().map_or_else(|| Path::new(name).to_owned(), |(_, tool)| tool)
}

/// Imports into SQLite.
fn import<S: AsRef<OsStr>>(data_dir: &Path, arguments: impl IntoIterator<Item = S>) -> Finished {
    let first = ["import".as_ref(), "--data-dir".as_ref(), data_dir.as_os_str()];
    let rest: Vec<_> = arguments.into_iter().map(|argument| argument.as_ref().to_owned()).collect();
    tenantry(first.into_iter().map(OsStr::to_owned).chain(rest))
}

const FORMS: [&[&str]; 4] = [
    &["--no-owner"],
    &["--inserts", "--encoding=UTF8"],
    &["--column-inserts", "--rows-per-insert=7"],
    &["--data-only"],
];

#[tokio::test]
async fn a_real_dump_of_the_registry_is_imported_once_in_every_form() {
    let predecessor = Predecessor::new("registry", |schema| registry(schema, 500));
    for form in FORMS {
        let dump = predecessor.dump("tenants.sql", form);
        let data_dir = tempfile::tempdir().unwrap();
        for (stored, there) in [(429, 0), (0, 429)] {
            let ended = import(data_dir.path(), [&dump]);
            assert_eq!(ended.code, Some(0), "{form:?}: {ended:?}");
            let sum = format!("429 rows read, {stored} stored, {there} already there, 0 rejected");
            assert!(ended.stdout.contains(&sum), "{form:?}: {ended:?}");
        }
        let app = TestApp::start_in(data_dir, &[("database_url", "")]);
        check_tenants(&all(&app, None, "/tenants", "tenants").await, 500);
    }
}

#[tokio::test]
async fn a_real_dump_of_activities_is_imported_once_whatever_the_type_of_its_times() {
    for (number, kind) in ["timestamp", "timestamptz", "double precision", "varchar"].into_iter().enumerate()
    {
        let predecessor =
            Predecessor::new(&format!("activity_{number}"), |schema| activities(schema, 900, kind));
        let dump = predecessor.dump("events.sql", FORMS[number]);
        let data_dir = tempfile::tempdir().unwrap();
        for (stored, there) in [(900, 0), (0, 900)] {
            let ended =
                import(data_dir.path(), ["--new-tenant".as_ref(), "legacy".as_ref(), dump.as_os_str()]);
            assert_eq!(ended.code, Some(0), "{kind}: {ended:?}");
            let sum =
                format!("900 rows read, {stored} stored into 1_legacy, {there} already there, 0 rejected");
            assert!(ended.stdout.contains(&sum), "{kind}: {ended:?}");
        }
        let app = TestApp::start_in(data_dir, &[("database_url", "")]);
        check_events(&all(&app, Some("1"), "/events?order=asc", "events").await, 900);
    }
}

/// Makes a predecessor's schema of that name, with so many rows.
type Sql = fn(&str, u32) -> String;

/// The kinds of schema that the search may have.
const SEARCHES: [(&str, Sql); 2] = [("flat", flat_search), ("normalised", normalised_search)];

#[tokio::test]
async fn a_real_dump_of_the_search_is_imported_once_in_every_form() {
    for (kind, sql) in SEARCHES {
        let predecessor = Predecessor::new(&format!("search_{kind}"), |schema| sql(schema, 700));
        for form in FORMS {
            // What belongs together only the schema says.
            let is_enough = kind == "flat" || !form.contains(&"--data-only");
            let dump = predecessor.dump("search.sql", form);
            let data_dir = tempfile::tempdir().unwrap();
            let provider = Provider::of("");
            let url = provider.url();
            let into = ["--new-tenant", "legacy", "--feed", "p", "--feed-url", &url].map(OsStr::new);
            for (stored, there) in [(699, 0), (0, 699)] {
                let ended = import(data_dir.path(), into.into_iter().chain([dump.as_os_str()]));
                assert_eq!(ended.code, Some(1), "{kind} {form:?}: {ended:?}");
                let sum = format!(
                    "700 rows read, {stored} stored into 1_legacy, feed p, {there} already there, 1 rejected"
                );
                let expected = if is_enough { sum.as_str() } else { "without `--data-only`" };
                let told = ended.stdout + &ended.stderr;
                assert!(told.contains(expected), "{kind} {form:?}: {told}");
                assert!(
                    !is_enough || kind == "flat" || told.contains("zones: 2100 rows read, 0 rejected"),
                    "{told}"
                );
            }
            if is_enough {
                let app = TestApp::start_in(data_dir, &[&[("database_url", "")], &SPEAKING[..]].concat());
                let key = catalog_key(&app).await;
                check_plans(&app, &key, 700).await;
                check_that_a_fetch_goes_on(&app, &key, &provider, 700).await;
            }
        }
    }
}

#[tokio::test]
async fn a_search_is_imported_into_postgresql_while_a_node_serves_it() {
    for (kind, sql) in SEARCHES {
        let installation = Installation::new();
        let settings = keys(installation.data_dir.path());
        let settings = settings.iter().map(|(key, value)| (*key, value.as_str())).chain(SPEAKING);
        let app = TestApp::start_with(&settings.collect::<Vec<_>>());
        app.create_tenant("legacy").await;
        let key = catalog_key(&app).await;
        assert!(crate::import::search::found(&app, &key).await.is_empty());
        let predecessor = Predecessor::new(&format!("pg_search_{kind}"), |schema| sql(schema, 700));
        let (dump, provider) = (predecessor.dump("search.sql", &[]), Provider::of(""));
        let url = provider.url();
        let into = ["import", "--tenant", "1", "--feed", "p", "--feed-url", &url, dump.to_str().unwrap()];
        for sum in [
            "699 stored into 1_legacy, feed p, 0 already there, 1",
            "0 stored into 1_legacy, feed p, 699 already",
        ] {
            let ended = finish(&mut installation.command(&into));
            assert!(ended.code == Some(1) && ended.stdout.contains(sum), "{kind}: {ended:?}");
            assert!(!ended.stdout.contains("hunter2") && !ended.stderr.contains("hunter2"), "{ended:?}");
        }
        // The node hears of it by the database.
        crate::support::until("the node finds the plans", async || {
            !crate::import::search::found(&app, &key).await.is_empty()
        })
        .await;
        check_plans(&app, &key, 700).await;
        check_that_a_fetch_goes_on(&app, &key, &provider, 700).await;
    }
}

#[test]
fn an_archive_is_refused_with_what_to_do_and_that_works() {
    let predecessor = Predecessor::new("archive", |schema| registry(schema, 10));
    let data_dir = tempfile::tempdir().unwrap();
    for format in ["--format=custom", "--format=tar", "--format=directory"] {
        let archive = predecessor.dump(format, &[format]);
        let refused = import(data_dir.path(), [&archive]);
        assert!(refused.one_line_of_failure(1).contains("pg_restore -f -"), "{format}: {refused:?}");
    }
    let archive = predecessor.dump("again", &["--format=custom"]);
    let mut restore = Command::new(tool("pg_restore"));
    let mut restoring = restore.args(["-f", "-"]).arg(&archive).stdout(Stdio::piped()).spawn().unwrap();
    let mut piped = crate::process::command(["import", "--data-dir"]);
    piped.arg(data_dir.path()).arg("-").stdin(restoring.stdout.take().unwrap());
    let ended = finish(&mut piped);
    assert!(restoring.wait().unwrap().success());
    assert!(ended.code == Some(0) && ended.stdout.contains("9 stored"), "{ended:?}");
}

#[tokio::test]
async fn dumps_are_imported_into_postgresql_while_a_node_serves_it() {
    let installation = Installation::new();
    let settings = keys(installation.data_dir.path());
    let settings: Vec<_> = settings.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let app = TestApp::start_with(&settings);
    let old_tenants = Predecessor::new("pg_registry", |schema| registry(schema, 30));
    let old_events = Predecessor::new("pg_activity", |schema| activities(schema, 900, "timestamptz"));
    let (tenants, events) = (old_tenants.dump("t.sql", &[]), old_events.dump("e.sql", &[]));
    for (round, counts) in [("26 stored", "900 stored"), ("0 stored", "0 stored")].into_iter().enumerate() {
        let ended = finish(&mut installation.command(&["import", tenants.to_str().unwrap()]));
        assert!(ended.code == Some(0) && ended.stdout.contains(counts.0), "{round}: {ended:?}");
        let into = ["import", "--tenant", "5_Tenant_5", events.to_str().unwrap()];
        let ended = finish(&mut installation.command(&into));
        assert!(ended.code == Some(0) && ended.stdout.contains(counts.1), "{round}: {ended:?}");
        assert!(!ended.stdout.contains("hunter2") && !ended.stderr.contains("hunter2"), "{ended:?}");
    }
    check_tenants(&all(&app, None, "/tenants", "tenants").await, 30);
    check_events(&all(&app, Some("5"), "/events?order=asc", "events").await, 900);
    assert_eq!(app.create_tenant("new").await.number, 31);
    let body = serde_json::json!({"component": "c", "environment": "e", "message": "new"});
    let sent = app.admin(Method::POST, "/events").header("Tenantry-Tenant", "5").json(&body);
    let new: Value = sent.send().await.unwrap().json().await.unwrap();
    assert_eq!(new["sequence"], 901);
}
