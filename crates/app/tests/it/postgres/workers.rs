//! Workers apart from the nodes that serve.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, RunQueryDsl};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Installation, keys, schema_of, server};
use crate::process::Working;
use crate::provider::{Does, Provider, feed, online};
use crate::support::{Home, TestApp, until};

const SCOPES: [&str; 2] = ["catalog:read", "catalog:write"];
const ALL: &str = "/search?starts_at=2000-01-01&ends_at=2099-12-31&limit=1000";

/// A schema with nodes that serve and do no jobs.
struct Cluster {
    nodes: Vec<TestApp>,
    key: String,
    installation: Installation,
}

impl Cluster {
    async fn start(nodes: usize) -> Self {
        let installation = Installation::new();
        let mut keys = keys(installation.data_dir.path());
        keys.push(("jobs.run_in_serve", "false".to_owned()));
        let keys: Vec<_> = keys.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let node = || TestApp::start_in(Home::from(tempfile::tempdir().unwrap()), &keys);
        let nodes: Vec<_> = (0..nodes).map(|_| node()).collect();
        let tenant = nodes[0].create_tenant("acme").await;
        let key = nodes[0].create_key(tenant.number, &json!(SCOPES)).await;
        Self { nodes, key, installation }
    }

    fn worker(&self) -> Working {
        let mut command = self.installation.command(&["worker"]);
        command
            .env("TENANTRY_LOG__LEVEL", "error")
            .env("TENANTRY_FEEDS__ALLOW_PRIVATE_ADDRESSES", "true")
            .env("TENANTRY_JOBS__TAKEOVER_SECONDS", "2");
        Working::from_command(command)
    }

    async fn ask(&self, node: &TestApp, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = node.client.request(method, node.api(path)).bearer_auth(&self.key).json(body);
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap_or(Value::Null))
    }

    async fn feed_of(&self, provider: &Provider) -> String {
        let draft = json!({"name": "Provider", "url": provider.url(), "enabled": false});
        let (status, feed) = self.ask(&self.nodes[0], Method::POST, "/catalog/feeds", &draft).await;
        assert_eq!(status, StatusCode::CREATED, "{feed}");
        format!("/catalog/feeds/{}", feed["id"].as_str().unwrap())
    }

    async fn request_run(&self, feed: &str) -> String {
        let (status, run) =
            self.ask(&self.nodes[0], Method::POST, &format!("{feed}/runs"), &Value::Null).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{run}");
        format!("{feed}/runs/{}", run["id"].as_str().unwrap())
    }

    /// The run's report, once it has ended.
    async fn report(&self, run: &str) -> Value {
        let report = async || self.ask(&self.nodes[0], Method::GET, run, &Value::Null).await.1;
        until("the run has ended", async || report().await["outcome"].is_string()).await;
        report().await
    }

    /// How many plans a search on that node finds.
    async fn found(&self, node: &TestApp) -> usize {
        let (status, found) = self.ask(node, Method::GET, ALL, &Value::Null).await;
        assert_eq!(status, StatusCode::OK, "{found}");
        found["data"]["events"].as_array().unwrap().len()
    }

    /// How many rows of the schema's table there are, whoever's.
    fn rows(&self, table: &str) -> i64 {
        let schema = schema_of(self.installation.data_dir.path());
        let count = format!("SELECT count(*) AS count FROM {schema}.{table}");
        let mut connection = PgConnection::establish(&server()).unwrap();
        diesel::sql_query(count).get_result::<Count>(&mut connection).unwrap().count
    }
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

fn plans(count: usize) -> String {
    let plan = |n: usize| {
        let (title, id) = (format!("Plan {n}"), n.to_string());
        online(&id, &id, &title, "2031-06-30T20:00:00", "2031-06-30T21:00:00", "20.00")
    };
    feed(&(0..count).map(plan).collect::<Vec<_>>())
}

#[tokio::test]
async fn a_run_whose_worker_is_killed_in_the_middle_is_taken_over_and_readers_never_see_half() {
    let cluster = Cluster::start(2).await;
    let provider = Provider::of(&plans(3));
    let place = cluster.feed_of(&provider).await;
    let first = cluster.worker();
    let report = cluster.report(&cluster.request_run(&place).await).await;
    assert_eq!((&report["outcome"], &report["plans_new"]), (&json!("succeeded"), &json!(3)));

    let is_over = AtomicBool::new(false);
    let reading = async {
        let mut seen = BTreeSet::new();
        while !is_over.load(Ordering::SeqCst) {
            for node in &cluster.nodes {
                seen.insert(cluster.found(node).await);
            }
        }
        seen
    };
    let importing = async {
        provider.does(&[Does::Stall(plans(900)), Does::Serve(plans(900))]);
        let run = cluster.request_run(&place).await;
        until("a part is staged", async || cluster.rows("staged_plans") > 0).await;
        let second = cluster.worker();
        first.kill();
        let report = cluster.report(&run).await;
        for node in &cluster.nodes {
            until("each node shows all of it", async || cluster.found(node).await == 900).await;
        }
        is_over.store(true, Ordering::SeqCst);
        assert!(second.stop().success());
        report
    };
    let (seen, report) = futures_util::future::join(reading, importing).await;
    assert_eq!(seen, BTreeSet::from([3, 900]), "before the import or after it");
    let counts = ["plans_seen", "plans_new", "plans_unchanged"].map(|name| report[name].as_u64().unwrap());
    assert_eq!((&report["outcome"], counts), (&json!("succeeded"), [900, 897, 3]), "{report}");
    assert_eq!((cluster.rows("staged_plans"), provider.asked()), (0, 3));
}

#[tokio::test]
async fn a_worker_that_is_told_to_stop_gives_its_run_to_another_at_once() {
    let cluster = Cluster::start(1).await;
    let provider = Provider::that(&[Does::Hang, Does::Serve(plans(3))]);
    let place = cluster.feed_of(&provider).await;
    let first = cluster.worker();
    let run = cluster.request_run(&place).await;
    until("the provider is asked", async || provider.asked() == 1).await;
    let second = cluster.worker();
    assert!(first.stop().success());
    assert_eq!(cluster.report(&run).await["outcome"], "succeeded");
    assert_eq!(provider.asked(), 2);
    assert!(second.stop().success());
}
