//! `tenantry serve --demo`.

use std::path::Path;
use std::process::Command;

use reqwest::{Client, Method, StatusCode};
use serde_json::Value;
use tenantry::demo::TENANTS;

use crate::ledger::Caller;
use crate::process::{Serving, finish, tenantry};
use crate::support::skip;

struct Guide {
    api: String,
    docs: String,
    commands: Vec<String>,
}

/// Reads the guide behind the line that says that the server is ready.
fn guide(serving: &Serving) -> Guide {
    let mut guide = Guide { api: String::new(), docs: String::new(), commands: Vec::new() };
    while guide.commands.len() < 4 {
        let line = serving.next_line();
        match line.trim().split_once(' ') {
            Some(("API", address)) => guide.api = address.trim().to_owned(),
            Some(("Docs", address)) => guide.docs = address.trim().to_owned(),
            Some(("curl", _)) => guide.commands.push(line),
            _ => {}
        }
    }
    guide
}

fn run(command: &str, from: &Path) -> String {
    let ended = finish(Command::new("sh").args(["-c", command]).current_dir(from));
    assert_eq!(ended.code, Some(0), "{command}: {ended:?}");
    ended.stdout
}

#[tokio::test]
async fn the_commands_that_are_printed_work_as_they_stand() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("it's my data");
    let serving = Serving::start(&data_dir, &["--demo"]);
    let guide = guide(&serving);
    assert_eq!(guide.api, format!("{}/api/v1", serving.url));
    assert!(Client::new().get(&guide.docs).send().await.unwrap().status().is_success());
    if Command::new("curl").arg("--version").output().is_err() {
        return skip("there is no curl to run the printed commands with");
    }
    let list: Value = serde_json::from_str(&run(&guide.commands[0], dir.path())).unwrap();
    assert_eq!(list["events"].as_array().unwrap().len(), 3);
    assert_eq!(run(&guide.commands[1], dir.path()), "hello");
    let found: Value = serde_json::from_str(&run(&guide.commands[2], dir.path())).unwrap();
    let found = found["events"].as_array().unwrap();
    assert!(!found.is_empty());
    assert!(found.iter().all(|event| event["message"].as_str().unwrap().contains("failed")));
    let plans: Value = serde_json::from_str(&run(&guide.commands[3], dir.path())).unwrap();
    assert!(!plans["data"]["events"].as_array().unwrap().is_empty(), "{plans}");
}

#[tokio::test]
async fn a_second_start_adds_nothing_and_what_was_deleted_stays_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut counts = Vec::new();
    for round in 0..2 {
        let serving = Serving::start(dir.path(), &["--demo"]);
        assert_eq!(guide(&serving).commands.len(), 4);
        if round == 0 {
            let caller = Caller::new(&serving, dir.path()).await;
            let deleted = caller.request(Method::DELETE, "/kv/welcome").send().await.unwrap();
            assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
        }
        counts.push(count(&serving, dir.path()).await);
        serving.terminate();
        assert!(serving.wait().success());
    }
    let (tenants, events, entries) = counts[0];
    assert!(tenants >= 20 && events >= tenants && entries >= tenants, "{counts:?}");
    assert_eq!(counts[0], counts[1]);
}

#[tokio::test]
async fn what_an_interrupted_filling_left_is_not_doubled() {
    let whole = tempfile::tempdir().unwrap();
    let serving = Serving::start(whole.path(), &["--demo"]);
    let expected = count(&serving, whole.path()).await;

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tenants.json");
    std::fs::write(&file, TENANTS).unwrap();
    let data_dir = dir.path().join("data");
    let (file, shown) = (file.to_str().unwrap(), data_dir.to_str().unwrap());
    assert_eq!(tenantry(["seed", "--data-dir", shown, "--tenants", file]).code, Some(0));
    let serving = Serving::start(&data_dir, &["--demo"]);
    assert_eq!(count(&serving, &data_dir).await, expected);
}

/// How many tenants there are, and how many events and key-values they have together.
async fn count(serving: &Serving, data_dir: &Path) -> (usize, usize, usize) {
    let key = std::fs::read_to_string(data_dir.join("admin.key")).unwrap();
    let client = Client::new();
    let list = async |path: &str, noun: &str, tenant: u64| {
        let request = client.get(format!("{}/api/v1{path}?limit=1000", serving.url));
        let request = request.bearer_auth(key.trim()).header("Tenantry-Tenant", tenant);
        let page: Value = request.send().await.unwrap().json().await.unwrap();
        page[noun].as_array().unwrap().clone()
    };
    let tenants = list("/tenants", "tenants", 1).await;
    let (mut events, mut entries) = (0, 0);
    for tenant in &tenants {
        let number = tenant["tenant_number"].as_u64().unwrap();
        events += list("/events", "events", number).await.len();
        entries += list("/kv", "entries", number).await.len();
    }
    (tenants.len(), events, entries)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_catalog_is_searched_and_has_a_past() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let serving = Serving::start(dir.path(), &["--demo"]);
        let key = std::fs::read_to_string(dir.path().join("admin.key")).unwrap();
        let client = Client::new();
        let get = async |path: &str| {
            let request = client.get(format!("{}/api/v1{path}", serving.url)).bearer_auth(key.trim());
            request.header("Tenantry-Tenant", 1).send().await.unwrap().json::<Value>().await.unwrap()
        };
        let found = get("/search?starts_at=2000-01-01&ends_at=2099-12-31").await;
        assert!(found["data"]["events"].as_array().unwrap().len() > 3, "{found}");
        let feeds = get("/catalog/feeds").await;
        assert_eq!(feeds["feeds"].as_array().unwrap().len(), 1);
        let feed = format!("/catalog/feeds/{}", feeds["feeds"][0]["id"].as_str().unwrap());
        let runs = get(&format!("{feed}/runs")).await;
        let outcomes: Vec<_> = runs["runs"].as_array().unwrap().iter().map(|run| &run["outcome"]).collect();
        assert_eq!(outcomes, ["succeeded", "succeeded"]);
        assert!(runs["runs"][0]["plans_changed"].as_u64().unwrap() > 0, "{runs}");
        assert!(runs["runs"][0]["plans_left_sale"].as_u64().unwrap() > 0, "{runs}");
        assert!(!get(&format!("{feed}/rejects")).await["rejects"].as_array().unwrap().is_empty());
    }
}
