//! The old contracts are spoken where the configuration says so, and whoever starts it hears what is open.

use std::fs;
use std::process::Stdio;

use super::world::{ACTIVITY, TENANTS, path};
use crate::api::harness::Api;
use crate::api::openapi::Operation;
use crate::api::raw::{exchange, request};
use crate::process::{Serving, command};
use crate::support::until;

#[tokio::test]
async fn unless_it_is_switched_on_there_is_nothing() {
    let api = Api::start();
    let key = api.admin().key().to_owned();
    for operation in Operation::of_predecessors() {
        let answer = exchange(&api, &request(operation.method, &path(&operation), &key, &[], b"")).await;
        answer.problem(404, "route-not-found");
    }
}

#[tokio::test]
async fn with_sample_data_it_is_switched_on() {
    let dir = tempfile::tempdir().unwrap();
    let serving = Serving::start(dir.path(), &["--demo"]);
    let client = reqwest::Client::new();
    let health = client.get(format!("{}{ACTIVITY}/health", serving.url)).send().await.unwrap();
    assert_eq!(health.text().await.unwrap(), r#"{"status":"healthy"}"#);
    let key = fs::read_to_string(dir.path().join("admin.key")).unwrap();
    let tenants = client.get(format!("{}{TENANTS}/tenants", serving.url)).bearer_auth(key.trim());
    let tenants: Vec<String> = tenants.send().await.unwrap().json().await.unwrap();
    assert!(tenants.len() >= 20 && tenants[0].starts_with("1_"), "{tenants:?}");
}

/// What the log says of a start with these variables.
async fn log_of(variables: &[(&str, &str)]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("log");
    let mut serve = command(["serve", "--listen", "127.0.0.1:0", "--data-dir"]);
    serve.arg(dir.path().join("data")).stderr(Stdio::from(fs::File::create(&file).unwrap()));
    serve.envs(variables.iter().copied());
    let serving = Serving::from_command(serve);
    until("the log says that it is ready", async || fs::read_to_string(&file).unwrap().contains("ready"))
        .await;
    drop(serving);
    fs::read_to_string(&file).unwrap()
}

#[tokio::test]
async fn a_tenant_that_is_open_without_a_key_is_warned_of() {
    const KEY_VALUES: (&str, &str) = ("TENANTRY_COMPAT__KEY_VALUES__ANONYMOUS_TENANT", "7");
    const ACTIVITY: (&str, &str) = ("TENANTRY_COMPAT__ACTIVITY__ANONYMOUS_TENANT", "8_acme");
    const WRITE: (&str, &str) = ("TENANTRY_COMPAT__ACTIVITY__ANONYMOUS_ACCESS", "read-write");
    const ON: (&str, &str) = ("TENANTRY_COMPAT__ENABLED", "true");
    let log = log_of(&[ON, KEY_VALUES, ACTIVITY, WRITE]).await;
    let warning = |path: &str, may: &str| {
        log.lines().any(|line| {
            line.contains("WARN") && line.contains(path) && line.contains(&format!("may {may} this"))
        })
    };
    assert!(
        warning("/compat/key-values", "read") && warning("/compat/activity", "read, write and delete"),
        "{log}"
    );
    assert_eq!(log.matches("does not exist").count(), 2, "{log}");
    for variables in [&[ON][..], &[KEY_VALUES, ACTIVITY]] {
        let log = log_of(variables).await;
        assert!(!log.contains("WARN"), "{log}");
    }
}

#[test]
fn what_is_no_tenant_or_no_access_is_refused_at_start() {
    for (variable, value, said) in [
        (
            "TENANTRY_COMPAT__KEY_VALUES__ANONYMOUS_TENANT",
            "acme",
            "compat.key_values.anonymous_tenant must be a tenant's",
        ),
        (
            "TENANTRY_COMPAT__ACTIVITY__ANONYMOUS_TENANT",
            "0",
            "compat.activity.anonymous_tenant must be a tenant's",
        ),
        ("TENANTRY_COMPAT__ACTIVITY__ANONYMOUS_ACCESS", "write", "compat.activity.anonymous_access must be"),
        ("TENANTRY_COMPAT__ENABLED", "yes", "compat.enabled must be true or false"),
    ] {
        let ended = crate::process::finish(command(["serve"]).env(variable, value));
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains(said), "{ended:?}");
    }
}
