//! Calls from pages of other origins.

use super::answer::Answer;
use super::harness::Api;

const OURS: &str = "https://app.example.com";

fn allowing(origins: &str) -> Api {
    Api::start_with(&[("http.cors_origins", origins)])
}

async fn preflight(api: &Api, origin: &str, method: &str, path: &str) -> Answer {
    let call = api.anyone().call("OPTIONS", path).header("origin", origin);
    let call = call.header("access-control-request-method", method);
    call.header("access-control-request-headers", "authorization, content-type, if-match").send().await
}

#[tokio::test]
async fn without_configuration_no_origin_is_let_in() {
    let api = Api::start();
    preflight(&api, OURS, "GET", "/api/v1/kv").await.problem(405, "method-not-allowed");
    let answer = api.anyone().get("/api/v1/ping").header("origin", OURS).send().await.expect(200);
    for name in answer.headers.keys() {
        assert!(!name.as_str().starts_with("access-control-"), "{name}");
    }
}

#[tokio::test]
async fn a_page_of_a_configured_origin_may_call() {
    let api = allowing("https://app.example.com,http://localhost:5173");
    let acme = api.tenant("acme").await;
    for origin in [OURS, "http://localhost:5173"] {
        for method in ["GET", "PUT", "POST", "PATCH", "DELETE"] {
            let answer = preflight(&api, origin, method, "/api/v1/kv/a").await.expect(200);
            assert_eq!(answer.the("access-control-allow-origin"), origin);
            assert!(answer.the("access-control-allow-methods").contains(method), "{answer:?}");
            let headers = answer.the("access-control-allow-headers").to_ascii_lowercase();
            assert!(
                ["authorization", "content-type", "if-match"].iter().all(|name| headers.contains(name)),
                "{headers}"
            );
            assert!(answer.headers.contains_key("x-request-id"));
        }
        let answer = acme.put("/api/v1/kv/a").header("origin", origin).untyped_body("x").send().await;
        assert_eq!(answer.the("access-control-allow-origin"), origin);
        let exposed = answer.the("access-control-expose-headers").to_ascii_lowercase();
        for name in ["etag", "location", "link", "retry-after", "tenantry-version", "x-request-id"] {
            assert!(exposed.contains(name), "{name}: {exposed}");
        }
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        let vary =
            answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap().to_ascii_lowercase());
        assert!(vary.collect::<Vec<_>>().join(",").contains("origin"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_page_of_a_configured_origin_can_read_why_it_was_refused() {
    let api = allowing(OURS);
    let answer = api.anyone().get("/api/v1/kv").header("origin", OURS).send().await;
    assert_eq!(answer.the("access-control-allow-origin"), OURS);
    answer.problem(401, "key-missing");
    let answer = api.anyone().get("/nowhere").header("origin", OURS).send().await;
    assert_eq!(answer.the("access-control-allow-origin"), OURS);
    answer.problem(404, "route-not-found");
}

#[tokio::test]
async fn a_page_of_another_origin_is_not_let_in() {
    let api = allowing(OURS);
    for origin in [
        "https://evil.example",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.example",
        "null",
    ] {
        let answer = preflight(&api, origin, "PUT", "/api/v1/kv/a").await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
        let answer = api.anyone().get("/api/v1/ping").header("origin", origin).send().await;
        assert_eq!(answer.header("access-control-allow-origin"), None, "{origin}");
    }
}

#[tokio::test]
async fn an_asterisk_lets_pages_of_any_origin_in() {
    let api = allowing("*");
    let answer = preflight(&api, "https://any.example", "PUT", "/api/v1/kv/a").await.expect(200);
    assert!(matches!(answer.the("access-control-allow-origin"), "*" | "https://any.example"), "{answer:?}");
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[tokio::test]
async fn who_has_no_origin_is_served_as_ever() {
    let api = allowing(OURS);
    let acme = api.tenant("acme").await;
    acme.set("a", "1").await;
    assert_eq!(acme.value("a").await, "1");
    let answer = api.anyone().call("OPTIONS", "/api/v1/kv").send().await;
    answer.problem(405, "method-not-allowed");
}
