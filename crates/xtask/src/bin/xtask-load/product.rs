//! The product: the `tenantry` program beside this one, on a data directory of ours.

use std::env;
use std::fs::{self, OpenOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::Result;
use crate::http::Client;
use crate::server::Server;
use crate::worker_process::WorkerProcess;

/// Configuration keys, as `cache.redis_url`, with their values; what is not named has its default.
pub(crate) type Settings = [(&'static str, String)];

/// Starts `tenantry serve`. But for these settings nothing of the environment changes its configuration.
pub(crate) fn start(data_dir: &Path, settings: &Settings) -> Result<Server> {
    let mut command = command("serve", data_dir, settings)?;
    Server::start(command.args(["--listen", "127.0.0.1:0"]))
}

/// Starts `tenantry worker`, as [`start`] does.
pub(crate) fn start_worker(data_dir: &Path, settings: &Settings) -> Result<WorkerProcess> {
    WorkerProcess::start(&mut command("worker", data_dir, settings)?)
}

/// Runs `tenantry migrate`: makes the tables of the database that the settings name.
pub(crate) fn migrate(data_dir: &Path, settings: &Settings) -> Result<()> {
    let output = command("migrate", data_dir, settings)?.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        return Err(format!("tenantry migrate: {}, see tenantry.log", output.status).into());
    }
    Ok(())
}

fn command(task: &str, data_dir: &Path, settings: &Settings) -> Result<Command> {
    let beside = data_dir.parent().unwrap_or(data_dir);
    let log = OpenOptions::new().create(true).append(true).open(beside.join("tenantry.log"))?;
    let mut command = Command::new(program()?);
    command.arg(task).arg("--data-dir").arg(data_dir).current_dir(beside).stderr(log);
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("TENANTRY_") {
            command.env_remove(name);
        }
    }
    command.envs(settings.iter().map(|(key, value)| (variable(key), value)));
    Ok(command)
}

/// The variable of a configuration key: `http.workers` is `TENANTRY_HTTP__WORKERS`.
fn variable(key: &str) -> String {
    format!("TENANTRY_{}", key.replace('.', "__").to_ascii_uppercase())
}

/// The release build of the product: it stands beside this program.
pub(crate) fn program() -> Result<PathBuf> {
    let program = env::current_exe()?.with_file_name("tenantry");
    if !program.is_file() {
        return Err("there is no release build: run `cargo build --release --package tenantry`".into());
    }
    Ok(program)
}

/// Waits until `GET /readyz` answers 200.
pub(crate) fn wait_until_ready(address: SocketAddr) -> Result<()> {
    let deadline = Instant::now() + Duration::from_secs(30);
    let mut client = Client::connect(address, None)?;
    loop {
        let answer = client.get("/readyz")?;
        if answer.status == 200 {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("/readyz still answers {}", answer.status).into());
        }
    }
}

/// Makes the tenant of a run, and a key of it that may write and read; answers the key.
pub(crate) fn make_tenant(address: SocketAddr, data_dir: &Path) -> Result<String> {
    #[derive(Deserialize)]
    struct Tenant {
        tenant_number: u64,
    }
    #[derive(Deserialize)]
    struct AccessKey {
        key: String,
    }

    let admin_key = fs::read_to_string(data_dir.join("admin.key"))?;
    let mut admin = Client::connect(address, Some(admin_key.trim()))?;
    let tenant: Tenant = admin.post("/api/v1/tenants", r#"{"name":"bench"}"#)?.json(201)?;
    let scopes = r#"{"name":"bench","scopes":["events:write","events:read","kv:read","kv:write","catalog:read","catalog:write"]}"#;
    let keys = format!("/api/v1/tenants/{}/keys", tenant.tenant_number);
    let key: AccessKey = admin.post(&keys, scopes)?.json(201)?;
    Ok(key.key)
}

#[test]
fn a_key_has_its_variable() {
    assert_eq!(variable("cache.redis_url"), "TENANTRY_CACHE__REDIS_URL");
    assert_eq!(variable("database_url"), "TENANTRY_DATABASE_URL");
}
