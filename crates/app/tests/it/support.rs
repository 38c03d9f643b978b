//! The real application in process, each with a data directory and a database of its own.

use std::io::Write as _;
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

use crate::stack::Stack;

/// Nothing that these tests wait for takes as long as this, unless it never comes.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

/// Says that the test is skipped, and why: past libtest, which shows what a test prints only when it fails.
/// `cargo xtask test` counts such lines.
pub(crate) fn skip(why: &str) {
    // Where nobody listens there is nobody to tell.
    let _ = std::io::stdout().write_all(format!("skipped: {why}\n").as_bytes());
}

/// Chooses who does TLS: the client brings it, and then every HTTP client of the process asks for one, also where all is
/// plain.
pub(crate) fn choose_tls() {
    // Somebody may have chosen it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// A configuration for tests: any free port, this data directory, and these keys.
pub(crate) fn config(data_dir: &Path, keys: &[(&str, &str)]) -> Config {
    let test = || Source::Flag("of a test".to_owned());
    let mut loader = ConfigLoader::new()
        .set("listen", "127.0.0.1:0", test())
        .set("data_dir", data_dir.to_str().unwrap(), test())
        .set("http.workers", "2", test());
    for (key, value) in keys {
        loader = loader.set(key, value, test());
    }
    loader.load().unwrap()
}

/// What an application leaves when it stops, and another can start with: all that it has stored.
pub(crate) struct Home {
    data_dir: TempDir,
    stack: Stack,
}

impl Home {
    /// An empty one, on the engines that the environment names.
    pub(crate) fn new() -> Self {
        Self { data_dir: tempfile::tempdir().unwrap(), stack: Stack::of_environment() }
    }

    /// The data directory.
    pub(crate) fn path(&self) -> &Path {
        self.data_dir.path()
    }
}

impl From<TempDir> for Home {
    /// A data directory with the database in it.
    fn from(data_dir: TempDir) -> Self {
        Self { data_dir, stack: Stack::embedded() }
    }
}

/// A running Tenantry. It stops when it is dropped.
pub(crate) struct TestApp {
    pub(crate) address: SocketAddr,
    pub(crate) admin_key: String,
    pub(crate) client: Client,
    handle: ApplicationHandle,
    thread: Option<JoinHandle<()>>,
    home: Option<Home>,
}

/// A tenant with a key that may do all that a tenant's key can.
#[derive(Debug, Clone)]
pub(crate) struct TestTenant {
    pub(crate) number: u64,
    pub(crate) id: String,
    pub(crate) key: String,
}

impl TestApp {
    /// Starts one with nothing stored.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with these configuration keys.
    pub(crate) fn start_with(keys: &[(&str, &str)]) -> Self {
        Self::start_in(Home::new(), keys)
    }

    /// Starts one with what a former one left.
    pub(crate) fn start_in(home: impl Into<Home>, keys: &[(&str, &str)]) -> Self {
        choose_tls();
        let home = home.into();
        let settings: Vec<_> = home.stack.settings().chain(keys.iter().copied()).collect();
        let config = config(home.path(), &settings);
        let (started, starting) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let application = Application::build(&config).await.unwrap();
                started.send((application.address(), application.handle())).unwrap();
                application.run().await.unwrap();
            });
        });
        let (address, handle) = starting.recv_timeout(DEADLINE).expect("the application starts");
        let admin_key = std::fs::read_to_string(home.path().join("admin.key")).unwrap_or_default();
        Self {
            address,
            admin_key: admin_key.trim().to_owned(),
            client: Client::new(),
            handle,
            thread: Some(thread),
            home: Some(home),
        }
    }

    /// Stops it gracefully and gives back what it has stored.
    pub(crate) fn stop(mut self) -> Home {
        self.handle.stop();
        self.join();
        self.home.take().unwrap()
    }

    /// Its data directory.
    pub(crate) fn data_dir(&self) -> &Path {
        self.home.as_ref().unwrap().path()
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
        let scopes = json!(crate::api::harness::TENANT_SCOPES);
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
