//! The old contracts, called as their users called them: from Python, with `requests`.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use super::world::speaking;
use crate::api::catalog::{NEAR, feed_of, run};
use crate::process::finish;
use crate::provider::{Provider, feed, online};
use crate::support::skip;

const SCRIPT: &str = include_str!("clients.py");

/// The Python that `cargo xtask test` has found to have requests, or the machine's own.
fn python() -> OsString {
    std::env::var_os("TENANTRY_TEST_PYTHON")
        .filter(|python| !python.is_empty())
        .unwrap_or_else(|| "python3".into())
}

/// Why Python can't be used; nothing where it can.
fn obstacle() -> Option<&'static str> {
    let run =
        |code| Command::new(python()).args(["-c", code]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    match run("") {
        Ok(status) if status.success() => {}
        _ => return Some("there is no python3"),
    }
    match run("import requests") {
        Ok(status) if status.success() => None,
        _ => Some("python3 has no requests: pip install requests, or cargo xtask test"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pythons_requests_is_served_as_the_predecessors_served_it() {
    if let Some(obstacle) = obstacle() {
        return skip(&format!("the old contracts were not called from Python: {obstacle}"));
    }
    let api = speaking(&[
        NEAR,
        ("compat.key_values.anonymous_tenant", "1"),
        ("compat.key_values.anonymous_access", "read-write"),
    ]);
    let acme = api.tenant("acme").await;
    let plan =
        online("291", "291", "Camela en concierto", "2021-06-30T21:00:00", "2021-06-30T22:00:00", "15.00");
    let place = feed_of(&acme, &Provider::of(&feed(&[plan]))).await;
    assert_eq!(run(&acme, &place).await["outcome"], "succeeded");
    let (url, admin, key) = (format!("http://{}", api.address()), api.admin(), acme.key().to_owned());
    let mut python = Command::new(python());
    python
        .args(["-c", SCRIPT, &url])
        .env("ADMIN_KEY", admin.key())
        .env("TENANT_KEY", key)
        .env("NO_PROXY", "*");
    let ended = tokio::task::spawn_blocking(move || finish(&mut python)).await.unwrap();
    assert_eq!((ended.code, ended.stdout.trim()), (Some(0), "all is as it was"), "{ended:?}");
}
