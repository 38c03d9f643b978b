//! The real application in process, each with a data directory of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tenantry::application::{Application, ApplicationHandle};
use tenantry::config::{Config, ConfigLoader, Source};

use crate::postgres;

/// Nothing that these tests wait for takes as long as this, unless it never comes.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// A configuration for tests: any free port, this data directory, and these keys.
pub(crate) fn config(data_dir: &Path, keys: &[(&str, &str)]) -> Config {
    let test = || Source::Flag("of a test".to_owned());
    let mut loader = ConfigLoader::new()
        .set("listen", "127.0.0.1:0", test())
        .set("data_dir", data_dir.to_str().unwrap(), test())
        .set("http.workers", "2", test());
    for (key, value) in postgres::keys_if_wanted(data_dir) {
        loader = loader.set(key, &value, test());
    }
    for (key, value) in keys {
        loader = loader.set(key, value, test());
    }
    loader.load().unwrap()
}

/// A running Tenantry. It stops when it is dropped.
pub(crate) struct TestApp {
    pub(crate) address: SocketAddr,
    pub(crate) admin_key: String,
    pub(crate) client: Client,
    data_dir: Option<TempDir>,
    handle: ApplicationHandle,
    thread: Option<JoinHandle<()>>,
}

/// A tenant with a key that may do all that a tenant's key can.
#[derive(Debug, Clone)]
pub(crate) struct TestTenant {
    pub(crate) number: u64,
    pub(crate) id: String,
    pub(crate) key: String,
}

impl TestApp {
    /// Starts one with an empty data directory.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with these configuration keys.
    pub(crate) fn start_with(keys: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), keys)
    }

    /// Starts one with what a former one left.
    pub(crate) fn start_in(data_dir: TempDir, keys: &[(&str, &str)]) -> Self {
        let config = config(data_dir.path(), keys);
        let (started, starting) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let application = Application::build(&config).await.unwrap();
                started.send((application.address(), application.handle())).unwrap();
                application.run().await.unwrap();
            });
        });
        let (address, handle) = starting.recv_timeout(DEADLINE).expect("the application starts");
        let admin_key = std::fs::read_to_string(data_dir.path().join("admin.key")).unwrap_or_default();
        Self {
            address,
            admin_key: admin_key.trim().to_owned(),
            client: Client::new(),
            data_dir: Some(data_dir),
            handle,
            thread: Some(thread),
        }
    }

    /// Stops it gracefully and gives its data directory back.
    pub(crate) fn stop(mut self) -> TempDir {
        self.handle.stop();
        self.join();
        self.data_dir.take().unwrap()
    }

    /// Its data directory.
    pub(crate) fn data_dir(&self) -> &Path {
        self.data_dir.as_ref().unwrap().path()
    }

    /// The whole address of a path of the API, which begins with a slash: `/tenants`.
    pub(crate) fn api(&self, path: &str) -> String {
        self.url(&format!("/api/v1{path}"))
    }

    /// The whole address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// A request to the API with the admin key.
    pub(crate) fn admin(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.api(path)).bearer_auth(&self.admin_key)
    }

    /// A request to the API with the tenant's key.
    pub(crate) fn tenant(&self, tenant: &TestTenant, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.api(path)).bearer_auth(&tenant.key)
    }

    /// Makes a tenant of that name, and a key for it.
    pub(crate) async fn create_tenant(&self, name: &str) -> TestTenant {
        let answer = self.admin(Method::POST, "/tenants").json(&json!({"name": name})).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        let tenant: Value = answer.json().await.unwrap();
        let number = tenant["tenant_number"].as_u64().unwrap();
        let scopes = json!(["events:read", "events:write", "kv:read", "kv:write"]);
        let key = self.create_key(number, &scopes).await;
        TestTenant { number, id: tenant["tenant_id"].as_str().unwrap().to_owned(), key }
    }

    /// Makes a key of the tenant with these scopes, and answers with its text.
    pub(crate) async fn create_key(&self, tenant: u64, scopes: &Value) -> String {
        let path = format!("/tenants/{tenant}/keys");
        let body = json!({"name": "test", "scopes": scopes});
        let answer = self.admin(Method::POST, &path).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        let key: Value = answer.json().await.unwrap();
        key["key"].as_str().unwrap().to_owned()
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            assert!(ended.is_ok() || std::thread::panicking(), "the application ended by a panic");
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.handle.stop_at_once();
        self.join();
        if let Some(data_dir) = &self.data_dir {
            postgres::drop_if_wanted(data_dir.path());
        }
    }
}

/// Asks again and again until the answer is yes.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition().await {
        assert!(Instant::now() < end, "this never came to be: {what}");
        tokio::task::yield_now().await;
    }
}
