//! What anybody may ask without a key.

use super::harness::Api;
use super::raw::{exchange, request};

#[tokio::test]
async fn a_ping_is_answered_with_pong() {
    let answer = Api::start().anyone().get("/api/v1/ping").send().await.expect(200);
    assert_eq!(answer.the("content-type"), "application/json");
    assert_eq!(answer.text(), r#"{"status":true,"message":"pong"}"#);
}

#[tokio::test]
async fn what_is_open_to_all_does_not_look_at_a_key() {
    let api = Api::start();
    for path in
        ["/api/v1/ping", "/livez", "/readyz", "/openapi.json", "/docs/", "/problems", "/problems/key-missing"]
    {
        api.bearer("nonsense").get(path).send().await.expect(200);
    }
}

#[tokio::test]
async fn a_process_that_lives_says_so() {
    let answer = Api::start().anyone().get("/livez").send().await.expect(200);
    assert_eq!(answer.json(), serde_json::json!({"status": "alive"}));
}

#[tokio::test]
async fn readiness_names_each_dependency_with_its_state() {
    let answer = Api::start().anyone().get("/readyz").send().await.expect(200);
    assert_eq!(answer.the("cache-control"), "no-store");
    let readiness = answer.json();
    assert_eq!(readiness["status"], "ready");
    let dependencies = readiness["dependencies"].as_object().unwrap();
    assert!(!dependencies.is_empty());
    for (name, dependency) in dependencies {
        assert_eq!(dependency["status"], "up", "{name}");
    }
}

#[tokio::test]
async fn the_root_leads_to_the_documentation() {
    let api = Api::start();
    for path in ["/", "/docs"] {
        let answer = api.anyone().get(path).send().await.expect(302);
        assert_eq!(answer.the("location"), "/docs/", "{path}");
    }
}

#[tokio::test]
async fn swagger_ui_loads_nothing_from_elsewhere() {
    let api = Api::start();
    let page = api.anyone().get("/docs/").send().await.expect(200);
    assert!(page.the("content-type").starts_with("text/html"), "{page:?}");
    let links = links_of(&page.text());
    assert!(links.len() >= 3, "scripts and styles: {links:?}");
    for link in links {
        assert!(!link.contains("//"), "{link} is elsewhere");
        api.anyone().get(&format!("/docs/{}", link.trim_start_matches("./"))).send().await.expect(200);
    }
    let start = api.anyone().get("/docs/swagger-initializer.js").send().await.expect(200).text();
    assert!(start.contains("/openapi.json") && !start.contains("://"), "{start}");
}

/// The values of all `href` and `src`.
fn links_of(html: &str) -> Vec<String> {
    let of = |attribute: &str| {
        let mark = format!("{attribute}=\"");
        let values = html.split(&mark).skip(1).filter_map(|rest| rest.split('"').next());
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    [of("href"), of("src")].concat()
}

#[tokio::test]
async fn a_file_that_the_documentation_does_not_have_is_not_found() {
    let api = Api::start();
    api.anyone().get("/docs/none.js").send().await.problem(404, "route-not-found");
    for path in ["/docs/../Cargo.toml", "/docs/%2e%2e/%2e%2e/etc/passwd", "/docs//etc/passwd", "/docs/%00"] {
        exchange(&api, &request("GET", path, "", &[], b"")).await.problem(404, "route-not-found");
    }
}

#[tokio::test]
async fn the_document_is_served_to_the_byte_as_it_is_printed() {
    let answer = Api::start().anyone().get("/openapi.json").send().await.expect(200);
    assert_eq!(answer.the("content-type"), "application/json");
    assert!(answer.text() == tenantry_http::openapi_json());
}

#[tokio::test]
async fn the_list_of_problems_leads_to_the_page_of_each() {
    let api = Api::start();
    let list = api.anyone().get("/problems").send().await.expect(200).text();
    let links: Vec<String> =
        links_of(&list).into_iter().filter(|link| link.starts_with("/problems/")).collect();
    assert!(links.len() >= 30, "{links:?}");
    for link in links {
        let page = api.anyone().get(&link).send().await.expect(200);
        assert_eq!(page.the("content-type"), "text/html; charset=utf-8");
        let code = link.trim_start_matches("/problems/");
        assert!(page.text().contains(&format!("<code>{code}</code>")), "{link}");
    }
}

#[tokio::test]
async fn a_problem_that_there_is_not_is_a_problem() {
    let api = Api::start();
    for code in ["none", "Key-Missing", "key-missing%00", "%ff", "<script>"] {
        api.anyone().get(&format!("/problems/{code}")).send().await.problem(404, "problem-not-found");
    }
}
