//! `tenantry catalog import`.

use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::process::{Finished, tenantry};
use crate::provider::{feed, online};
use crate::support::{Home, TestApp};

/// An installation with a tenant that has a feed, stopped.
async fn installation() -> (Home, String) {
    let home = Home::from(tempfile::tempdir().unwrap());
    let app = TestApp::start_in(home, &[]);
    let tenant = app.create_tenant("acme").await;
    let key = app.create_key(tenant.number, &json!(["catalog:read", "catalog:write"])).await;
    let draft = json!({"name": "Provider", "url": "https://provider.example/", "enabled": false});
    let made = app.client.post(app.api("/catalog/feeds")).bearer_auth(&key).json(&draft).send().await;
    assert_eq!(made.unwrap().status(), StatusCode::CREATED);
    (app.stop(), key)
}

fn import(home: &Home, file: &Path, more: &[&str]) -> Finished {
    let (data_dir, file) = (home.path().to_str().unwrap(), file.to_str().unwrap());
    let mut arguments = vec!["catalog", "import", file, "--data-dir", data_dir];
    arguments.extend_from_slice(more);
    tenantry(arguments)
}

fn camela() -> String {
    online("291", "291", "Camela en concierto", "2021-06-30T21:00:00", "2021-06-30T22:00:00", "20.00")
}

#[tokio::test]
async fn a_file_becomes_the_catalog_as_if_its_provider_had_sent_it() {
    let (home, key) = installation().await;
    let file = home.path().join("feed.xml");
    let broken = camela().replace("2021-06-30T22:00:00", "2021-06-31T22:00:00").replace("291", "292");
    std::fs::write(&file, feed(&[camela(), broken])).unwrap();
    let imported = import(&home, &file, &["--tenant", "1_acme", "--feed", "Provider"]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    let said = "1 plans seen: 1 new, 0 changed, 0 unchanged; 0 left the feed; 1 records rejected\n";
    assert_eq!(imported.stdout, said);
    assert!(imported.stderr.contains("reading"), "{imported:?}");

    let app = TestApp::start_in(home, &[]);
    let search = app.api("/search?starts_at=2021-01-01&ends_at=2021-12-31");
    let found = app.client.request(Method::GET, search).bearer_auth(&key).send().await.unwrap();
    let found: Value = found.json().await.unwrap();
    assert_eq!(found["data"]["events"][0]["title"], "Camela en concierto", "{found}");
}

#[tokio::test]
async fn what_cannot_be_imported_is_told_in_one_line_and_changes_nothing() {
    let (home, _) = installation().await;
    let (file, broken) = (home.path().join("feed.xml"), home.path().join("broken.xml"));
    std::fs::write(&file, feed(&[camela()])).unwrap();
    std::fs::write(&broken, &feed(&[camela()])[..100]).unwrap();
    let ours = ["--tenant", "1", "--feed", "Provider"];
    for (file, more, code, told) in [
        (Path::new("/nowhere/feed.xml"), ours, 1, "cannot be read"),
        (home.path(), ours, 1, "is not a file"),
        (&file, ["--tenant", "acme", "--feed", "Provider"], 2, "--tenant must be"),
        (&file, ["--tenant", "2", "--feed", "Provider"], 1, "no such tenant"),
        (&file, ["--tenant", "1", "--feed", "Other"], 1, "no feed named Other"),
    ] {
        let refused = import(&home, file, &more);
        let line = refused.one_line_of_failure(code);
        assert!(line.contains(told), "{line}");
    }
    let failed = import(&home, &broken, &ours);
    assert_eq!(failed.code, Some(1), "{failed:?}");
    assert!(failed.stderr.contains("nothing was changed"), "{failed:?}");
}

#[tokio::test]
async fn a_database_that_is_served_is_left_alone() {
    let (home, _) = installation().await;
    let (data_dir, file) = (home.path().to_owned(), home.path().join("feed.xml"));
    std::fs::write(&file, feed(&[camela()])).unwrap();
    let _app = TestApp::start_in(home, &[]);
    let (data_dir, file) = (data_dir.to_str().unwrap(), file.to_str().unwrap());
    let import = ["catalog", "import", file, "--data-dir", data_dir, "--tenant", "1", "--feed", "Provider"];
    for arguments in [&import[..], &["worker", "--data-dir", data_dir]] {
        let refused = tenantry(arguments);
        let lines: Vec<_> = refused.stderr.lines().filter(|line| line.starts_with("tenantry: ")).collect();
        assert_eq!((refused.code, lines.len()), (Some(1), 1), "{refused:?}");
    }
}
