//! Runs of feeds with a broker between those who ask for them and those who carry them out.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_queue_contract::PrivateRabbitMq;

use crate::provider::{Provider, feed, online};
use crate::support::{TestApp, until};

/// An application whose jobs a broker carries, and a tenant in it.
struct Brokered {
    app: TestApp,
    key: String,
    feeds: Vec<(String, Provider)>,
}

impl Brokered {
    async fn start(broker: &str, feeds: usize) -> Self {
        let namespace = uuid::Uuid::now_v7().simple().to_string();
        let keys = [
            ("jobs.rabbitmq_url", broker),
            ("jobs.namespace", &namespace),
            ("feeds.allow_private_addresses", "true"),
        ];
        let app = TestApp::start_with(&keys);
        let tenant = app.create_tenant("acme").await;
        let scopes = json!(["catalog:read", "catalog:write", "events:write"]);
        let key = app.create_key(tenant.number, &scopes).await;
        let mut brokered = Self { app, key, feeds: Vec::new() };
        for _ in 0..feeds {
            let provider = Provider::of(&feed(&[online(
                "1",
                "1",
                "Plan",
                "2031-06-30T20:00:00",
                "2031-06-30T21:00:00",
                "20.00",
            )]));
            let draft = json!({"name": "Provider", "url": provider.url(), "enabled": false});
            let (status, made) = brokered.ask(Method::POST, "/catalog/feeds", &draft).await;
            assert_eq!(status, StatusCode::CREATED, "{made}");
            let place = format!("/catalog/feeds/{}", made["id"].as_str().unwrap());
            brokered.feeds.push((place, provider));
        }
        brokered
    }

    async fn ask(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.app.client.request(method, self.app.api(path)).bearer_auth(&self.key);
        let answer = request.json(body).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap_or(Value::Null))
    }

    /// What `/readyz` says of the broker; it must be 200 in any case.
    async fn broker_state(&self) -> String {
        let ready = self.app.client.get(self.app.url("/readyz")).send().await.unwrap();
        assert_eq!(ready.status(), StatusCode::OK);
        let ready: Value = ready.json().await.unwrap();
        find(&ready, "rabbitmq").expect("the broker is named").to_string()
    }

    async fn broker_is(&self, state: &str) {
        until("the broker is so", async || self.broker_state().await.contains(state)).await;
    }

    /// Asks for a run of each feed; answers where they are.
    async fn request_runs(&self) -> Vec<String> {
        let mut runs = Vec::new();
        for (feed, _) in &self.feeds {
            let (status, run) = self.ask(Method::POST, &format!("{feed}/runs"), &Value::Null).await;
            assert_eq!(status, StatusCode::ACCEPTED, "{run}");
            runs.push(format!("{feed}/runs/{}", run["id"].as_str().unwrap()));
        }
        runs
    }

    async fn all_succeed(&self, runs: &[String]) {
        for run in runs {
            let report = async || self.ask(Method::GET, run, &Value::Null).await.1;
            until("the run has ended", async || report().await["outcome"].is_string()).await;
            assert_eq!(report().await["outcome"], "succeeded");
        }
    }

    /// Stores an event, which has nothing to do with the broker.
    async fn stores_an_event(&self) {
        let event = json!({"component": "c", "environment": "e", "message": "m"});
        let began = Instant::now();
        let (status, stored) = self.ask(Method::POST, "/events", &event).await;
        assert_eq!(status, StatusCode::CREATED, "{stored}");
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

/// The value of that name, however deep.
fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Object(members) => {
            members.get(name).or_else(|| members.values().find_map(|value| find(value, name)))
        }
        Value::Array(items) => {
            let named = items.iter().find(|item| item["name"] == name);
            named.or_else(|| items.iter().find_map(|item| find(item, name)))
        }
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_broker_is_killed_runs_are_taken_and_all_of_them_are_done_once_it_is_back() {
    let mut broker = PrivateRabbitMq::start();
    let brokered = Brokered::start(&broker.url(), 5).await;
    brokered.broker_is("up").await;
    brokered.all_succeed(&brokered.request_runs().await).await;

    broker.kill();
    brokered.broker_is("down").await;
    let runs = brokered.request_runs().await;
    brokered.stores_an_event().await;
    broker.restart();
    brokered.all_succeed(&runs).await;
    for (_, provider) in &brokered.feeds {
        assert_eq!(provider.asked(), 2, "each run was carried out once");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frozen_broker_holds_up_nothing_else_and_all_runs_are_done_once_it_goes_on() {
    let broker = PrivateRabbitMq::start();
    let brokered = Brokered::start(&broker.url(), 5).await;
    brokered.broker_is("up").await;
    broker.freeze();
    let runs = brokered.request_runs().await;
    brokered.stores_an_event().await;
    brokered.broker_is("down").await;
    broker.thaw();
    brokered.all_succeed(&runs).await;
    for (_, provider) in &brokered.feeds {
        assert_eq!(provider.asked(), 1, "each run was carried out once");
    }
}
