//! Lists of tenants.

use serde_json::{Value, json};

use super::harness::{Actor, Api};

async fn with(names: &[&str]) -> (Api, Actor) {
    let api = Api::start();
    let admin = api.admin();
    for name in names {
        admin.post("/api/v1/tenants").json(&json!({"name": name})).send().await.expect(201);
    }
    (api, admin)
}

fn names(page: &Value) -> Vec<&str> {
    page["tenants"].as_array().unwrap().iter().map(|tenant| tenant["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_empty_installation_has_an_empty_list() {
    let (_api, admin) = with(&[]).await;
    let answer = admin.get("/api/v1/tenants").send().await.expect(200);
    assert_eq!(answer.text(), r#"{"tenants":[],"next_cursor":null}"#);
    assert_eq!(answer.header("link"), None);
}

#[tokio::test]
async fn tenants_are_listed_by_number() {
    let (_api, admin) = with(&["c", "a", "b"]).await;
    let page = admin.get("/api/v1/tenants").send().await.expect(200).json();
    assert_eq!(names(&page), ["c", "a", "b"]);
    assert_eq!(page["next_cursor"], Value::Null);
    let first = admin.get("/api/v1/tenants/1").send().await.expect(200).json();
    assert_eq!(page["tenants"][0], first, "a list shows what the tenant itself shows");
}

#[tokio::test]
async fn a_page_leads_to_the_next_by_its_cursor_and_by_its_link() {
    let (_api, admin) = with(&["a", "b", "c", "d", "e"]).await;
    let mut target = "/api/v1/tenants?limit=2".to_owned();
    let mut pages = Vec::new();
    loop {
        let answer = admin.get(&target).send().await.expect(200);
        let page = answer.json();
        pages.push(names(&page).join(""));
        let Some(cursor) = page["next_cursor"].as_str() else {
            assert_eq!(answer.header("link"), None);
            break;
        };
        target = format!("/api/v1/tenants?limit=2&cursor={cursor}");
        assert_eq!(answer.the("link"), format!("<{target}>; rel=\"next\""));
    }
    assert_eq!(pages, ["ab", "cd", "e"]);
}

#[tokio::test]
async fn a_page_that_ends_with_the_last_item_is_the_last() {
    let (_api, admin) = with(&["a", "b"]).await;
    let page = admin.get("/api/v1/tenants?limit=2").send().await.expect(200).json();
    assert_eq!((names(&page), &page["next_cursor"]), (vec!["a", "b"], &Value::Null));
}

#[tokio::test]
async fn fifty_are_on_a_page_unless_told_otherwise() {
    let many: Vec<String> = (0..51).map(|number| format!("t{number}")).collect();
    let (_api, admin) = with(&many.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let page = admin.get("/api/v1/tenants").send().await.expect(200).json();
    assert_eq!(names(&page).len(), 50);
    let page = admin.get("/api/v1/tenants?limit=1000").send().await.expect(200).json();
    assert_eq!(names(&page).len(), 51);
}

#[tokio::test]
async fn a_list_shows_those_of_a_name_and_of_a_status() {
    let (_api, admin) = with(&["acme", "ac.me", "Acme", "ac_me", "beta"]).await;
    admin.post("/api/v1/tenants/2/suspend").send().await.expect(200);
    for (query, expected) in [
        ("name=ac", vec!["acme", "ac.me", "ac_me"]),
        ("name=ac_", vec!["ac_me"]),
        ("name=ac.", vec!["ac.me"]),
        ("name=ac%25", vec![]),
        ("name=A", vec!["Acme"]),
        ("name=", vec!["acme", "ac.me", "Acme", "ac_me", "beta"]),
        ("name=%F0%9F%A6%80", vec![]),
        ("status=suspended", vec!["ac.me"]),
        ("status=active", vec!["acme", "Acme", "ac_me", "beta"]),
        ("status=deleting", vec![]),
        ("status=active&name=ac", vec!["acme", "ac_me"]),
    ] {
        let page = admin.get(&format!("/api/v1/tenants?{query}")).send().await.expect(200).json();
        assert_eq!(names(&page), expected, "{query}");
    }
}

#[tokio::test]
async fn filters_hold_on_every_page() {
    let (_api, admin) = with(&["a1", "b1", "a2", "b2", "a3"]).await;
    let first = admin.get("/api/v1/tenants?name=a&limit=2").send().await.expect(200);
    assert_eq!(names(&first.json()), ["a1", "a2"]);
    let link = first.the("link");
    let next = link.trim_start_matches('<').split('>').next().unwrap();
    assert_eq!(names(&admin.get(next).send().await.expect(200).json()), ["a3"]);
}
