//! Two nodes on one PostgreSQL, that hear of each other's changes by it alone.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::{Installation, keys, schema_of, server};
use crate::process::finish;
use crate::support::{Home, TestApp, TestTenant, until};

/// The longest until another node sees a change.
const SOON: Duration = Duration::from_secs(1);

/// Two running nodes. The schema outlives them.
struct Two {
    first: TestApp,
    second: TestApp,
    _installation: Installation,
}

impl Two {
    async fn start(cache: &[(&'static str, String)]) -> Self {
        let installation = Installation::new();
        let schema = schema_of(installation.data_dir.path());
        let mut keys = keys(installation.data_dir.path());
        // The schema's name tells these nodes' connections from others.
        let mark = if server().contains('?') { '&' } else { '?' };
        keys.push(("database_url", format!("{}{mark}application_name={schema}", server())));
        // What a node does not hear of it would believe for as long as the test runs.
        keys.push(("cache.near_max_age_ms", "600000".to_owned()));
        keys.push(("cache.timeout_ms", "5000".to_owned()));
        keys.extend(cache.iter().cloned());
        let keys: Vec<_> = keys.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let node = || TestApp::start_in(Home::from(tempfile::tempdir().unwrap()), &keys);
        let two = Self { first: node(), second: node(), _installation: installation };
        until("both nodes are on the bus", async || buses(&schema) == 2).await;
        two
    }

    async fn each_sees_what_the_other_changes(&self) {
        let tenant = self.first.create_tenant("acme").await;
        for (n, (writer, reader)) in [(&self.first, &self.second), (&self.second, &self.first)]
            .into_iter()
            .cycle()
            .take(20)
            .enumerate()
        {
            let value = format!("value {n}");
            let put = writer.tenant(&tenant, Method::PUT, "/kv/k").body(value.clone()).send().await.unwrap();
            assert!(put.status().is_success(), "{put:?}");
            sees(reader, &tenant, StatusCode::OK, Some(&value)).await;
        }
        let delete = self.first.tenant(&tenant, Method::DELETE, "/kv/k").send().await.unwrap();
        assert_eq!(delete.status(), StatusCode::NO_CONTENT);
        sees(&self.second, &tenant, StatusCode::NOT_FOUND, None).await;

        for (verb, status) in [("suspend", StatusCode::FORBIDDEN), ("activate", StatusCode::NOT_FOUND)] {
            self.admin(Method::POST, &format!("/tenants/{}/{verb}", tenant.number)).await;
            sees(&self.second, &tenant, status, None).await;
        }
        let keys = self.admin(Method::GET, &format!("/tenants/{}/keys", tenant.number)).await;
        let id = keys["keys"][0]["key_id"].as_str().unwrap_or_else(|| panic!("{keys}"));
        self.admin(Method::DELETE, &format!("/tenants/{}/keys/{id}", tenant.number)).await;
        sees(&self.second, &tenant, StatusCode::UNAUTHORIZED, None).await;
    }

    /// Asks the first node.
    async fn admin(&self, method: Method, path: &str) -> Value {
        let answer = self.first.admin(method, path).send().await.unwrap();
        assert!(answer.status().is_success(), "{answer:?}");
        answer.json().await.unwrap_or(Value::Null)
    }
}

/// Insists that the node soon answers so, and that it stays so.
async fn sees(node: &TestApp, tenant: &TestTenant, status: StatusCode, body: Option<&str>) {
    let begun = Instant::now();
    let is_seen = async || {
        let answer = node.tenant(tenant, Method::GET, "/kv/k").send().await.unwrap();
        let is_status = answer.status() == status;
        let text = answer.text().await.unwrap();
        is_status && body.is_none_or(|body| text == body)
    };
    until(&format!("{status} with {body:?} is seen"), is_seen).await;
    assert!(begun.elapsed() < SOON, "{status} with {body:?} was seen after {:?}", begun.elapsed());
}

/// How many connections to the schema with this name are on a bus.
fn buses(schema: &str) -> i64 {
    let count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = left($1, 63) \
                 AND (query LIKE 'LISTEN %' OR query = 'SELECT 1' OR query LIKE 'SELECT pg_notify(%')";
    let mut connection = PgConnection::establish(&server()).unwrap();
    diesel::sql_query(count).bind::<Text, _>(schema).get_result::<Count>(&mut connection).unwrap().count
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The one number that the query answers, named `count`.
fn count(query: &str) -> i64 {
    number_of(&mut PgConnection::establish(&server()).unwrap(), query)
}

fn number_of(connection: &mut PgConnection, query: &str) -> i64 {
    diesel::sql_query(query).get_result::<Count>(connection).unwrap().count
}

#[tokio::test]
async fn without_any_cache_each_node_sees_what_the_other_changes() {
    let two = Two::start(&[]).await;
    two.each_sees_what_the_other_changes().await;
}

#[tokio::test]
async fn with_memcached_each_node_sees_what_the_other_changes() {
    let memcached = std::env::var("TENANTRY_TEST_MEMCACHED_URL").unwrap_or_else(|_| {
        panic!("run `cargo xtask test`, which starts a memcached, or set TENANTRY_TEST_MEMCACHED_URL")
    });
    let namespace = uuid::Uuid::now_v7().simple().to_string();
    let two = Two::start(&[("cache.memcached_url", memcached), ("cache.namespace", namespace)]).await;
    two.each_sees_what_the_other_changes().await;
}

/// Starts a node whose connections have the schema's name, with that setting.
fn start_named(installation: &Installation, setting: (&'static str, &str)) -> TestApp {
    let mut keys = keys(installation.data_dir.path());
    let schema = schema_of(installation.data_dir.path());
    let mark = if server().contains('?') { '&' } else { '?' };
    keys.push(("database_url", format!("{}{mark}application_name={schema}", server())));
    keys.push((setting.0, setting.1.to_owned()));
    let keys: Vec<_> = keys.iter().map(|(key, value)| (*key, value.as_str())).collect();
    TestApp::start_in(Home::from(tempfile::tempdir().unwrap()), &keys)
}

#[tokio::test]
async fn a_node_that_is_told_that_it_is_alone_is_on_no_bus() {
    let installation = Installation::new();
    let schema = schema_of(installation.data_dir.path());
    let app = start_named(&installation, ("postgres.announce_changes", "false"));
    let tenant = app.create_tenant("acme").await;
    sees(&app, &tenant, StatusCode::NOT_FOUND, None).await;
    assert_eq!(buses(&schema), 0);
}

/// A process that ends has told the others before, also where it comes onto the bus only in the end.
#[tokio::test]
async fn what_is_imported_beside_a_node_is_seen_by_it() {
    let installation = Installation::new();
    let schema = schema_of(installation.data_dir.path());
    let app = start_named(&installation, ("cache.near_max_age_ms", "600000"));
    let tenant = app.create_tenant("acme").await;
    let put = app.tenant(&tenant, Method::PUT, "/kv/k").body("before").send().await.unwrap();
    assert!(put.status().is_success(), "{put:?}");
    sees(&app, &tenant, StatusCode::OK, Some("before")).await;

    let closed = ClosedBus::of(&schema).await;
    let mut import = installation.command(&["import", "--replace", "--tenant", &tenant.number.to_string()]);
    import.arg(tenantbase(installation.data_dir.path()));
    let importing = std::thread::spawn(move || finish(&mut import));
    let stored = format!("SELECT count(*) FROM {schema}.key_values WHERE value = 'imported'");
    until("it is stored", async || count(&stored) == 1).await;
    closed.open();
    let imported = importing.join().unwrap();
    assert_eq!(imported.code, Some(0), "{imported:?}");
    sees(&app, &tenant, StatusCode::OK, Some("imported")).await;
}

/// A file of tenantbase in which `k` is `imported`.
fn tenantbase(directory: &Path) -> PathBuf {
    let file = directory.join("tenantbase.sqlite3");
    let mut database = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
    let table = "CREATE TABLE kvalue (id INTEGER PRIMARY KEY, key TEXT, value TEXT)";
    database.batch_execute(&format!("{table}; INSERT INTO kvalue VALUES (1, 'k', 'imported')")).unwrap();
    file
}

/// A bus onto which nobody comes who is not on it.
struct ClosedBus {
    process: i64,
    waiting: JoinHandle<()>,
}

impl ClosedBus {
    /// That of the schema with this name, on which one node is. Those on it share a lock, and whoever comes waits behind
    /// one who wants it alone. Other locks of the schema are shared by more connections.
    async fn of(schema: &str) -> Self {
        let lock = count(&format!(
            "SELECT max((classid::bigint << 32) | objid::bigint) AS count FROM (
                SELECT classid, objid FROM pg_locks JOIN pg_stat_activity USING (pid)
                WHERE locktype = 'advisory' AND application_name = left('{schema}', 63)
                GROUP BY classid, objid HAVING count(*) = 1
            ) AS of_the_bus"
        ));
        let mut connection = PgConnection::establish(&server()).unwrap();
        let process = number_of(&mut connection, "SELECT pg_backend_pid()::bigint AS count");
        // It ends with an error, when it is told to wait no more.
        let waiting = std::thread::spawn(move || {
            assert!(connection.batch_execute(&format!("SELECT pg_advisory_lock({lock})")).is_err());
        });
        let waits = format!("SELECT count(*) FROM pg_locks WHERE pid = {process} AND NOT granted");
        until("the bus is closed", async || count(&waits) == 1).await;
        Self { process, waiting }
    }

    fn open(self) {
        count(&format!("SELECT pg_cancel_backend({})::integer::bigint AS count", self.process));
        self.waiting.join().unwrap();
    }
}
