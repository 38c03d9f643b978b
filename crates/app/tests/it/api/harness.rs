//! A running Tenantry, and those who call it. Every answer that a [`Call`] gets is held against the
//! OpenAPI document.

use std::ops::Deref;
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value, json};

use super::answer::Answer;
use super::openapi;
use crate::support::{DEADLINE, TestApp};

/// Every scope that a tenant's key can have.
pub(crate) const TENANT_SCOPES: [&str; 6] =
    ["events:read", "events:write", "kv:read", "kv:write", "catalog:read", "catalog:write"];

/// An hour between two looks for something to erase: what is deleted stays `deleting`.
pub(crate) const NO_ERASURE: (&str, &str) = ("maintenance.erasure_interval_ms", "3600000");

/// A Tenantry of its own, with an empty database.
#[derive(Clone)]
pub(crate) struct Api(Arc<Inner>);

struct Inner {
    client: reqwest::Client,
    app: TestApp,
}

impl Api {
    /// Starts one with the defaults.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with some keys of its configuration set.
    pub(crate) fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::calling(TestApp::start_with(settings))
    }

    /// Stops it, and starts another on what it has stored. Whoever calls the first one must be gone.
    pub(crate) fn restart_with(self, settings: &[(&str, &str)]) -> Self {
        let inner = Arc::into_inner(self.0).expect("nobody calls it any more");
        drop(inner.client);
        Self::calling(TestApp::start_in(inner.app.stop(), settings))
    }

    fn calling(app: TestApp) -> Self {
        let client = reqwest::Client::builder()
            .no_proxy()
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(DEADLINE)
            .build()
            .unwrap();
        Self(Arc::new(Inner { client, app }))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.0.app.address
    }

    /// Whoever has the first admin key.
    pub(crate) fn admin(&self) -> Actor {
        self.bearer(&self.0.app.admin_key)
    }

    /// Whoever shows this text as a key.
    pub(crate) fn bearer(&self, key: &str) -> Actor {
        Actor { api: self.clone(), key: Some(key.to_owned()) }
    }

    /// Whoever shows no key.
    pub(crate) fn anyone(&self) -> Actor {
        Actor { api: self.clone(), key: None }
    }

    /// A new tenant, with a key that allows everything that a tenant's key can.
    pub(crate) async fn tenant(&self, name: &str) -> Tenant {
        let made = self.admin().post("/api/v1/tenants").json(&json!({"name": name})).send().await;
        let made = made.expect(201).json();
        let number = made["tenant_number"].as_i64().unwrap();
        let (key_id, actor) = self.key_of(number, &TENANT_SCOPES).await;
        Tenant { number, id: made["tenant_id"].as_str().unwrap().to_owned(), key_id, actor }
    }

    /// A new key of the tenant: its id, and whoever has it.
    pub(crate) async fn key_of(&self, tenant: i64, scopes: &[&str]) -> (String, Actor) {
        self.key_from(tenant, &json!({"name": "test", "scopes": scopes})).await
    }

    /// A new key of the tenant, as the draft says.
    pub(crate) async fn key_from(&self, tenant: i64, draft: &Value) -> (String, Actor) {
        let made = self.admin().post(&format!("/api/v1/tenants/{tenant}/keys")).json(draft).send().await;
        let made = made.expect(201).json();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("key_id"), self.bearer(&text("key")))
    }
}

/// Somebody who calls, with a key or without.
#[derive(Clone)]
pub(crate) struct Actor {
    api: Api,
    key: Option<String>,
}

impl Actor {
    /// The text of the key.
    pub(crate) fn key(&self) -> &str {
        self.key.as_deref().unwrap_or_default()
    }

    /// Begins a request. `target` is the path and the query.
    pub(crate) fn call(&self, method: &str, target: &str) -> Call {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("http://{}{target}", self.api.address());
        let request = self.api.0.client.request(method.clone(), url);
        let request = match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        Call { method, target: target.to_owned(), request }
    }

    pub(crate) fn get(&self, target: &str) -> Call {
        self.call("GET", target)
    }

    pub(crate) fn head(&self, target: &str) -> Call {
        self.call("HEAD", target)
    }

    pub(crate) fn post(&self, target: &str) -> Call {
        self.call("POST", target)
    }

    pub(crate) fn put(&self, target: &str) -> Call {
        self.call("PUT", target)
    }

    pub(crate) fn patch(&self, target: &str) -> Call {
        self.call("PATCH", target)
    }

    pub(crate) fn delete(&self, target: &str) -> Call {
        self.call("DELETE", target)
    }
}

/// A tenant, and whoever has its key.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) number: i64,
    pub(crate) id: String,
    pub(crate) key_id: String,
    pub(crate) actor: Actor,
}

impl Deref for Tenant {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.actor
    }
}

impl Tenant {
    /// Stores an event of that message; answers the event.
    pub(crate) async fn tell(&self, message: &str) -> Value {
        let event = json!({"component": "billing", "environment": "production", "message": message});
        self.post("/api/v1/events").json(&event).send().await.expect(201).json()
    }

    /// Tries to store an event, and insists that the key is refused so.
    pub(crate) async fn tell_refused(&self, code: &str) {
        let event = json!({"component": "billing", "environment": "production", "message": "x"});
        self.post("/api/v1/events").json(&event).send().await.problem(403, code);
    }

    /// Stores a text under a key that needs no encoding.
    pub(crate) async fn set(&self, key: &str, value: &str) -> Answer {
        let answer = self.put(&format!("/api/v1/kv/{key}")).body("text/plain", value).send().await;
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        answer
    }

    /// What is under a key that needs no encoding.
    pub(crate) async fn value(&self, key: &str) -> String {
        self.get(&format!("/api/v1/kv/{key}")).send().await.expect(200).text()
    }
}

/// A request that is yet to be sent.
#[must_use = "nothing is sent before `send`"]
pub(crate) struct Call {
    method: Method,
    target: String,
    request: reqwest::RequestBuilder,
}

impl Call {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// The body, as `application/json`.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// The body, and what it says to be.
    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.request = self.request.header("content-type", content_type).body(body.into());
        self
    }

    /// The body, without a word on what it is.
    pub(crate) fn untyped_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.request = self.request.body(body.into());
        self
    }

    /// Names the tenant, as an administrator does.
    pub(crate) fn of_tenant(self, tenant: &(impl ToString + ?Sized)) -> Self {
        self.header("tenantry-tenant", &tenant.to_string())
    }

    pub(crate) async fn send(self) -> Answer {
        let response = self.request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.unwrap().to_vec();
        let answer = Answer { status, headers, body };
        openapi::check(self.method.as_str(), &self.target, &answer);
        answer
    }
}
