//! `tenantry seed --tenants FILE`.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tenantry::demo::TENANTS;

use crate::process::{Finished, tenantry};
use crate::support::TestApp;

fn write(dir: &Path, text: &str) -> PathBuf {
    let file = dir.join("tenants.json");
    fs::write(&file, text).unwrap();
    file
}

fn seed(dir: &Path, text: &str) -> Finished {
    let file = write(dir, text);
    let data_dir = dir.join("data");
    tenantry(["seed", "--data-dir", data_dir.to_str().unwrap(), "--tenants", file.to_str().unwrap()])
}

async fn tenants_in(data_dir: &Path) -> Vec<Value> {
    // A copy, so that the directory that is looked at stays with the test.
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(data_dir).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
    }
    let app = TestApp::start_in(copy, &[("database_url", "")]);
    let answer = app.admin(reqwest::Method::GET, "/tenants?limit=1000").send().await.unwrap();
    let mut page: Value = answer.json().await.unwrap();
    page["tenants"].as_array_mut().map(std::mem::take).unwrap()
}

#[tokio::test]
async fn a_file_in_the_predecessors_format_becomes_tenants() {
    let dir = tempfile::tempdir().unwrap();
    let ended = seed(
        dir.path(),
        r#"[{"id": "1", "tenant_id": "Jacklyn91", "email": "Keaton_Schuster33@example.com",
             "desc": "Velit delectus non.", "address": ["30261 Tania Track", "Kossside", "24443", "Angola"]}]"#,
    );
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let tenants = tenants_in(&dir.path().join("data")).await;
    assert_eq!(tenants.len(), 1);
    assert_eq!(tenants[0]["tenant_id"], "1_Jacklyn91");
    assert_eq!(
        tenants[0]["tenant_info"],
        json!({
            "email": "keaton_schuster33@example.com",
            "address": "30261 Tania Track, Kossside, 24443, Angola",
            "description": "Velit delectus non."
        })
    );
}

#[tokio::test]
async fn the_second_time_every_tenant_is_there_already() {
    let dir = tempfile::tempdir().unwrap();
    let count = serde_json::from_str::<Vec<Value>>(TENANTS).unwrap().len();
    let first = seed(dir.path(), TENANTS);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(first.stdout.starts_with(&format!("{count} tenants created, 0 skipped")), "{first:?}");
    let second = seed(dir.path(), TENANTS);
    assert_eq!(second.code, Some(0), "{second:?}");
    assert!(second.stdout.starts_with(&format!("0 tenants created, {count} skipped")), "{second:?}");
    assert_eq!(tenants_in(&dir.path().join("data")).await.len(), count);
}

#[tokio::test]
async fn only_the_same_name_with_the_same_address_is_the_same_tenant() {
    let dir = tempfile::tempdir().unwrap();
    let row = |name: &str, email: &str| json!({"tenant_id": name, "email": email, "desc": "", "address": []});
    let rows = json!([
        row("a", "a@example.com"),
        row("a", "b@example.com"),
        row("ab", "a@example.com"),
        row("a", "A@Example.com")
    ]);
    let ended = seed(dir.path(), &rows.to_string());
    assert!(ended.stdout.starts_with("3 tenants created, 1 skipped"), "{ended:?}");
    assert_eq!(tenants_in(&dir.path().join("data")).await.len(), 3);
}

#[tokio::test]
async fn a_file_with_one_bad_row_changes_nothing_and_says_which() {
    let dir = tempfile::tempdir().unwrap();
    let good = r#"{"tenant_id": "a", "email": "a@example.com", "desc": "", "address": []}"#;
    let ended = seed(
        dir.path(),
        &format!(r#"[{good}, {{"tenant_id": "a b", "email": "x", "desc": "", "address": []}}]"#),
    );
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stdout.is_empty());
    let lines: Vec<_> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{ended:?}");
    assert!(lines[0].contains("row 1, /1/email: is not a valid e-mail address"), "{ended:?}");
    assert!(lines[1].contains("row 1, /1/tenant_id: "), "{ended:?}");
    assert!(lines[2].contains("nothing was stored"), "{ended:?}");
    assert!(!dir.path().join("data").exists(), "not even a database was made");

    assert_eq!(seed(dir.path(), &format!("[{good}]")).code, Some(0));
    assert_eq!(tenants_in(&dir.path().join("data")).await.len(), 1);
}

#[test]
fn a_file_that_is_missing_or_no_json_is_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere.json");
    let missing = tenantry(["seed", "--tenants", nowhere.to_str().unwrap()]);
    assert!(missing.one_line_of_failure(1).contains("nowhere.json cannot be read"));
    let broken = seed(dir.path(), "[{");
    assert_eq!(broken.code, Some(1));
    assert!(broken.stderr.lines().next().unwrap().contains("is not JSON"), "{broken:?}");
}
