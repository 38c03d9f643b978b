//! Load with a memory: what was sent, what was acknowledged, and whether all of it is there afterwards.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::process::Serving;
use crate::support::until;

const WRITERS: usize = 16;

/// What became of the writes, as far as their senders know.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    events: Mutex<Events>,
    /// For each key the last number acknowledged, and the last one sent.
    numbers: Mutex<HashMap<String, (u64, u64)>>,
    acknowledged: AtomicUsize,
}

#[derive(Debug, Default)]
struct Events {
    sent: HashSet<String>,
    acknowledged: HashSet<String>,
}

/// A client of a process, with its admin key, for one tenant.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    client: Client,
    url: String,
    key: String,
    tenant: u64,
}

impl Caller {
    /// Speaks to the process as its administrator, for the first tenant, which is made if need be.
    pub(crate) async fn new(serving: &Serving, data_dir: &Path) -> Self {
        let key = std::fs::read_to_string(data_dir.join("admin.key")).unwrap().trim().to_owned();
        let client = Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        let caller = Self { client, url: serving.url.clone(), key, tenant: 1 };
        if caller.request(Method::GET, "/tenants/1").send().await.unwrap().status() == StatusCode::NOT_FOUND {
            let made = caller.request(Method::POST, "/tenants").json(&json!({"name": "load"})).send().await;
            assert_eq!(made.unwrap().status(), StatusCode::CREATED);
        }
        caller
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}/api/v1{path}", self.url));
        request.bearer_auth(&self.key).header("Tenantry-Tenant", self.tenant)
    }

    async fn json(&self, path: &str) -> Value {
        self.request(Method::GET, path).send().await.unwrap().json().await.unwrap()
    }
}

impl Ledger {
    /// Writes events and key-values from several tasks, each one after the other, until connections fail.
    pub(crate) fn load(self: &Arc<Self>, caller: &Caller) -> JoinSet<()> {
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let (ledger, caller) = (Arc::clone(self), caller.clone());
            writers.spawn(async move {
                loop {
                    let done = match writer % 2 {
                        0 => ledger.write_event(&caller).await,
                        _ => ledger.write_number(&caller, &format!("writer/{writer}")).await,
                    };
                    if done.is_err() {
                        return;
                    }
                }
            });
        }
        writers
    }

    /// Waits until so many writes more were acknowledged.
    pub(crate) async fn acknowledged(&self, more: usize) {
        let goal = self.acknowledged.load(Ordering::SeqCst) + more;
        until("enough writes are acknowledged", async || self.acknowledged.load(Ordering::SeqCst) >= goal)
            .await;
    }

    async fn write_event(&self, caller: &Caller) -> Result<(), reqwest::Error> {
        let id = Uuid::now_v7().to_string();
        self.events.lock().unwrap().sent.insert(id.clone());
        let event = json!({"id": id, "component": "load", "environment": "test", "message": "written"});
        let answer = caller.request(Method::POST, "/events").json(&event).send().await?;
        assert_eq!(answer.status(), StatusCode::CREATED);
        let stored: Value = answer.json().await?;
        assert_eq!(stored["id"], id.as_str());
        self.events.lock().unwrap().acknowledged.insert(id);
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn write_number(&self, caller: &Caller, key: &str) -> Result<(), reqwest::Error> {
        let next = {
            let mut numbers = self.numbers.lock().unwrap();
            let (_, sent) = numbers.entry(key.to_owned()).or_default();
            *sent += 1;
            *sent
        };
        let answer = caller.request(Method::PUT, &format!("/kv/{key}")).body(next.to_string()).send().await?;
        assert!(answer.status().is_success(), "{answer:?}");
        if let Some((acknowledged, _)) = self.numbers.lock().unwrap().get_mut(key) {
            *acknowledged = next;
        }
        self.acknowledged.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    /// Checks that all that was acknowledged is there, nothing that was never sent, nothing twice, and
    /// that the sequence has no gap.
    pub(crate) async fn compare(&self, caller: &Caller) {
        let mut stored = Vec::new();
        let mut path = "/events?order=asc&limit=1000".to_owned();
        loop {
            let page = caller.json(&path).await;
            for event in page["events"].as_array().unwrap() {
                stored.push(event["id"].as_str().unwrap().to_owned());
                assert_eq!(event["sequence"], stored.len(), "the sequence has no gap");
            }
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/events?order=asc&limit=1000&cursor={cursor}");
        }
        let once: HashSet<String> = stored.iter().cloned().collect();
        assert_eq!(once.len(), stored.len(), "no event is there twice");
        {
            let events = self.events.lock().unwrap();
            assert!(!events.acknowledged.is_empty());
            assert_eq!(events.acknowledged.difference(&once).count(), 0, "no acknowledged event is lost");
            assert_eq!(once.difference(&events.sent).count(), 0, "no event is there that was never sent");
        }
        let numbers = self.numbers.lock().unwrap().clone();
        assert!(!numbers.is_empty());
        for (key, (acknowledged, sent)) in numbers {
            let answer = caller.request(Method::GET, &format!("/kv/{key}")).send().await.unwrap();
            let found: u64 = match answer.status() {
                StatusCode::NOT_FOUND => 0,
                _ => answer.text().await.unwrap().parse().unwrap(),
            };
            assert!((acknowledged..=sent).contains(&found), "{key}: {acknowledged} <= {found} <= {sent}");
        }
    }
}
