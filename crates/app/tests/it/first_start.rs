//! The first start: the data directory, and the first admin key.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use reqwest::{Method, StatusCode};
use tenantry_domain::{KeyKind, PresentedKey, SecretKey};

use crate::process::{Serving, command, tenantry};
use crate::support::TestApp;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

async fn status_of_admin(app: &TestApp, key: &str) -> StatusCode {
    app.client.get(app.api("/tenants")).bearer_auth(key).send().await.unwrap().status()
}

#[tokio::test]
async fn the_first_start_makes_a_directory_and_a_key_for_its_owner_alone() {
    let dir = tempfile::tempdir().unwrap();
    let data_dir = dir.path().join("a/b");
    let serving = Serving::start(&data_dir, &[]);
    assert_eq!((mode(&data_dir), mode(&data_dir.join("admin.key"))), (0o700, 0o600));
    let key = fs::read_to_string(data_dir.join("admin.key")).unwrap();
    assert_eq!(PresentedKey::parse(key.trim()).unwrap().kind, KeyKind::Admin);
    let answer = reqwest::Client::new().get(format!("{}/api/v1/tenants", serving.url));
    assert_eq!(answer.bearer_auth(key.trim()).send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn a_key_that_an_operator_put_there_becomes_the_admin_key() {
    let dir = tempfile::tempdir().unwrap();
    let key = SecretKey::from_entropy(KeyKind::Admin, [1; 16], [2; 32]);
    let file = dir.path().join("admin.key");
    fs::write(&file, format!("  {}\n\n", key.expose())).unwrap();
    let before = fs::read(&file).unwrap();
    let app = TestApp::start_in(dir, &[]);
    assert_eq!(status_of_admin(&app, key.expose()).await, StatusCode::OK);
    assert_eq!(fs::read(app.data_dir().join("admin.key")).unwrap(), before);
}

#[tokio::test]
async fn the_key_stays_good_when_its_file_is_moved_away_and_none_is_made_in_its_place() {
    let app = TestApp::start();
    let key = app.admin_key.clone();
    let dir = app.stop();
    fs::remove_file(dir.path().join("admin.key")).unwrap();
    let app = TestApp::start_in(dir, &[]);
    assert!(!app.data_dir().join("admin.key").exists());
    assert_eq!(status_of_admin(&app, &key).await, StatusCode::OK);
}

#[test]
fn a_file_that_holds_no_admin_key_is_one_line_of_failure() {
    let tenants_key = SecretKey::from_entropy(KeyKind::Tenant, [1; 16], [2; 32]);
    for text in ["", "secret", tenants_key.expose()] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("admin.key");
        fs::write(&file, text).unwrap();
        let ended = tenantry(["--listen", "127.0.0.1:0", "--data-dir", dir.path().to_str().unwrap()]);
        let line = ended.one_line_of_failure(1);
        assert!(line.contains("admin.key does not hold an admin key"), "{line}");
        assert!(text.is_empty() || !line.contains(text), "the line repeats what the file holds");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
}

#[test]
fn the_log_says_where_the_key_is_and_never_what_it_is() {
    for format in ["text", "json"] {
        let dir = tempfile::tempdir().unwrap();
        let mut serve = command(["serve", "--listen", "127.0.0.1:0", "--data-dir"]);
        serve.arg(dir.path()).env("TENANTRY_LOG__LEVEL", "trace").env("TENANTRY_LOG__FORMAT", format);
        let log = dir.path().join("log");
        serve.stderr(Stdio::from(fs::File::create(&log).unwrap()));
        let serving = Serving::from_command(serve);
        serving.terminate();
        assert!(serving.wait().success());
        let log = fs::read_to_string(log).unwrap();
        let key = fs::read_to_string(dir.path().join("admin.key")).unwrap();
        assert!(log.contains("admin.key"), "{log}");
        assert!(!log.contains(key.trim()), "the key is in the log");
        if format == "json" {
            for line in log.lines() {
                serde_json::from_str::<serde_json::Value>(line).unwrap();
            }
        }
    }
}

#[tokio::test]
async fn cursors_of_a_former_run_are_still_good() {
    let app = TestApp::start();
    app.create_tenant("a").await;
    app.create_tenant("b").await;
    let page = app.admin(Method::GET, "/tenants?limit=1").send().await.unwrap();
    let page: serde_json::Value = page.json().await.unwrap();
    let cursor = page["next_cursor"].as_str().unwrap().to_owned();
    let again = TestApp::start_in(app.stop(), &[]);
    let next = again.admin(Method::GET, &format!("/tenants?limit=1&cursor={cursor}")).send().await.unwrap();
    let next: serde_json::Value = next.json().await.unwrap();
    assert_eq!(next["tenants"][0]["name"], "b");
}
