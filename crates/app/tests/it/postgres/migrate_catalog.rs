//! `tenantry migrate-data` with catalogs: what the API answers of them is the same before and after, both ways.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use super::Installation;
use super::migrate_data::{move_data, postgres_url, url};
use crate::process::{Serving, command, finish};
use crate::provider::{Provider, feed, online};
use crate::support::{Home, TestApp, until};

/// A tenant's key, and all of its catalog that can be asked for.
struct Catalog {
    key: String,
    places: Vec<String>,
}

fn camela(ends: &str) -> String {
    online("291", "291", "Camela en concierto", "2021-06-30T21:00:00", ends, "20.00")
}

fn morancos(title: &str) -> String {
    online("1591", "1642", title, "2021-07-31T20:00:00", "2021-07-31T21:00:00", "65.00")
}

/// Fills the catalog of a new tenant by three runs: one plan gets a second version, another one leaves the sale, and a
/// record is rejected.
async fn filled(app: &TestApp, name: &str) -> Catalog {
    let tenant = app.create_tenant(name).await;
    let ask = async |method: Method, place: &str, body: &Value| {
        let answer = app.tenant(&tenant, method, place).json(body).send().await.unwrap();
        (answer.status(), answer.json::<Value>().await.unwrap())
    };
    let provider = Provider::of(&feed(&[camela("2021-06-30T22:00:00"), morancos("Los Morancos")]));
    let draft = json!({"name": name, "url": provider.url(), "enabled": false});
    let (status, made) = ask(Method::POST, "/catalog/feeds", &draft).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let feed_place = format!("/catalog/feeds/{}", made["id"].as_str().unwrap());
    let all = "/search?starts_at=2000-01-01&ends_at=2099-12-31";
    let mut places = vec![
        "/catalog/feeds".to_owned(),
        feed_place.clone(),
        format!("{feed_place}/runs"),
        format!("{feed_place}/rejects"),
        all.to_owned(),
    ];
    let broken = camela("2021-06-31T22:00:00");
    let second = feed(&[morancos("Los Morancos de gira"), broken]);
    for (serves, expected) in
        [(None, [2, 2, 0, 0, 0]), (Some(&second), [1, 0, 1, 1, 1]), (None, [1, 0, 0, 0, 1])]
    {
        if let Some(serves) = serves {
            provider.serves(serves);
        }
        let (status, run) = ask(Method::POST, &format!("{feed_place}/runs"), &Value::Null).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{run}");
        let place = format!("{feed_place}/runs/{}", run["id"].as_str().unwrap());
        let report = async || ask(Method::GET, &place, &Value::Null).await.1;
        until("the run has ended", async || report().await["outcome"].is_string()).await;
        let report = report().await;
        let counts = ["plans_seen", "plans_new", "plans_changed", "plans_left_sale", "rejected"];
        assert_eq!(counts.map(|name| report[name].as_u64().unwrap()), expected, "{report}");
        places.push(place);
    }
    let (_, found) = ask(Method::GET, all, &Value::Null).await;
    for plan in found["data"]["events"].as_array().unwrap() {
        let place = format!("/catalog/plans/{}", plan["id"].as_str().unwrap());
        let (_, shown) = ask(Method::GET, &place, &Value::Null).await;
        let first_seen_at = shown["first_seen_at"].as_str().unwrap();
        places.extend([
            format!("{place}/history?as_of={first_seen_at}"),
            format!("{place}/history"),
            place.clone(),
        ]);
    }
    assert_eq!(places.len(), 5 + 3 + 2 * 3, "{found}");
    Catalog { key: tenant.key, places }
}

/// All answers about the catalogs: the status, the entity tag and the body.
async fn answers(client: &Client, server: &str, catalogs: &[Catalog]) -> Vec<String> {
    let mut answers = Vec::new();
    for Catalog { key, places } in catalogs {
        for place in places {
            let asked = client.get(format!("{server}/api/v1{place}")).bearer_auth(key);
            let answer = asked.send().await.unwrap();
            let (status, tag) = (answer.status(), answer.headers().get("etag").cloned());
            assert_eq!(status, StatusCode::OK, "{place}");
            answers.push(format!("{place}: {tag:?} {}", answer.text().await.unwrap()));
        }
    }
    answers
}

#[tokio::test]
async fn a_catalog_is_answered_the_same_before_a_move_after_it_and_when_it_has_moved_back() {
    let home = Home::from(tempfile::tempdir().unwrap());
    let app = TestApp::start_in(home, &[("feeds.allow_private_addresses", "true")]);
    let catalogs = [filled(&app, "acme").await, filled(&app, "other").await];
    let client = app.client.clone();
    let before = answers(&client, &app.url(""), &catalogs).await;
    let text = before.concat();
    for part in ["\"on_sale\":false", "\"version\":2", "Los Morancos de gira", "2021-06-31T22:00:00"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let home = app.stop();

    let installation = Installation::new();
    let source = url(&home.path().join("tenantry.db"));
    let there = finish(&mut move_data(&installation, &source, &postgres_url(), &[]));
    assert_eq!(there.code, Some(0), "{there:?}");
    let serving = serve(installation.command(&["serve"]));
    assert_eq!(answers(&client, &serving.url, &catalogs).await, before);
    serving.terminate();
    assert!(serving.wait().success());

    let returned = url(&installation.data_dir.path().join("returned.db"));
    let back = finish(&mut move_data(&installation, &postgres_url(), &returned, &[]));
    assert_eq!((back.code, &back.stdout), (Some(0), &there.stdout), "{back:?}");
    let place = home.path().to_str().unwrap();
    let listen = ["serve", "--listen", "127.0.0.1:0", "--data-dir", place, "--database-url", &returned];
    assert_eq!(answers(&client, &serve(command(listen)).url, &catalogs).await, before);
}

fn serve(mut command: std::process::Command) -> Serving {
    command.env("TENANTRY_LOG__LEVEL", "error");
    Serving::from_command(command)
}
