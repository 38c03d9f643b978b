//! When a write of a key-value happens, and when a read needs no answer.

use super::answer::Answer;
use super::harness::{Api, Tenant};
use super::snapshot::unchanged;

/// A write of the key, which must exist for all but `PUT`.
async fn write(tenant: &Tenant, method: &str, key: &str, headers: &[(&str, &str)]) -> Answer {
    let mut call = tenant.call(method, &format!("/api/v1/kv/{key}"));
    for (name, value) in headers {
        call = call.header(name, value);
    }
    match method {
        "DELETE" => call.send().await,
        "POST" => call.body("application/json", r#"{"increment":1,"initial":1}"#).send().await,
        _ => call.body("text/plain", "2").send().await,
    }
}

const WRITES: [&str; 3] = ["PUT", "POST", "DELETE"];

#[tokio::test]
async fn a_write_whose_precondition_does_not_hold_is_refused_and_changes_nothing() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.set("a", "0").await;
    acme.set("a", "1").await;
    for method in WRITES {
        for header in [
            ("if-match", "\"1\""),
            ("if-match", "\"3\", \"4\""),
            ("if-match", "W/\"2\""),
            ("if-match", "\"02\""),
            ("if-match", "\"x\""),
            ("if-match", "\"18446744073709551616\""),
            ("if-none-match", "*"),
            ("if-none-match", "\"2\""),
            ("if-none-match", "W/\"2\", \"9\""),
        ] {
            let answer = unchanged(&api, write(&acme, method, "a", &[header])).await;
            let problem = answer.problem(412, "precondition-failed");
            assert!(problem["detail"].as_str().unwrap().contains("\"2\""), "{problem}");
        }
    }
}

#[tokio::test]
async fn a_write_whose_precondition_holds_is_made() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for method in WRITES {
        for header in [
            ("if-match", "ETAG"),
            ("if-match", "\"0\", ETAG"),
            ("if-match", "*"),
            ("if-none-match", "\"0\""),
            ("if-none-match", "\"x\""),
        ] {
            let etag = acme.set("a", "1").await.the("etag").to_owned();
            let value = header.1.replace("ETAG", &etag);
            let answer = write(&acme, method, "a", &[(header.0, &value)]).await;
            answer.expect_one_of(&[200, 204]);
            assert_ne!(
                acme.get("/api/v1/kv/a").send().await.header("etag"),
                Some(etag.as_str()),
                "{method} {header:?}"
            );
        }
    }
}

#[tokio::test]
async fn both_preconditions_must_hold() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.set("a", "1").await;
    for method in WRITES {
        let headers = [("if-match", "\"1\""), ("if-none-match", "\"1\"")];
        unchanged(&api, write(&acme, method, "a", &headers)).await.problem(412, "precondition-failed");
    }
    write(&acme, "PUT", "a", &[("if-match", "\"1\""), ("if-none-match", "\"7\"")]).await.expect(200);
}

#[tokio::test]
async fn if_none_match_with_an_asterisk_creates_and_never_replaces() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let create = [("if-none-match", "*")];
    for method in ["PUT", "POST"] {
        let status = if method == "PUT" { 201 } else { 200 };
        write(&acme, method, method, &create).await.expect(status);
        unchanged(&api, write(&acme, method, method, &create)).await.problem(412, "precondition-failed");
        acme.delete(&format!("/api/v1/kv/{method}")).send().await.expect(204);
        write(&acme, method, method, &create).await.expect(status);
    }
}

#[tokio::test]
async fn if_match_never_creates() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for method in ["PUT", "POST"] {
        for value in ["*", "\"1\"", "\"0\""] {
            let answer = unchanged(&api, write(&acme, method, "none", &[("if-match", value)])).await;
            answer.problem(412, "precondition-failed");
        }
    }
    for value in ["*", "\"1\""] {
        let answer = unchanged(&api, write(&acme, "DELETE", "none", &[("if-match", value)])).await;
        assert!(matches!(answer.status, 404 | 412), "{answer:?}");
    }
}

#[tokio::test]
async fn a_precondition_that_cannot_be_read_is_refused() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.set("a", "1").await;
    for name in ["if-match", "if-none-match"] {
        for value in ["1", "\"1", "1\"", "\"1\" \"2\"", "\"1\",", "", "*, \"1\"", "w/\"1\"", "'1'"] {
            for method in WRITES {
                let answer = unchanged(&api, write(&acme, method, "a", &[(name, value)])).await;
                answer.problem(400, "invalid-header");
            }
            let answer = acme.get("/api/v1/kv/a").header(name, value).send().await;
            answer.problem(400, "invalid-header");
        }
    }
}

#[tokio::test]
async fn a_value_that_is_unchanged_is_not_sent_again() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.set("a", "1").await;
    for tags in ["\"1\"", "W/\"1\"", "\"7\", \"1\"", "*"] {
        for method in ["GET", "HEAD"] {
            let answer =
                acme.call(method, "/api/v1/kv/a").header("if-none-match", tags).send().await.expect(304);
            assert_eq!((answer.the("etag"), answer.the("tenantry-version")), ("\"1\"", "1"));
            assert!(answer.body.is_empty() && answer.header("content-type").is_none(), "{answer:?}");
        }
    }
    acme.set("a", "2").await;
    let answer = acme.get("/api/v1/kv/a").header("if-none-match", "\"1\"").send().await.expect(200);
    assert_eq!(answer.text(), "2");
}

#[tokio::test]
async fn a_read_may_ask_for_one_revision() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.set("a", "1").await;
    let read = |tags: &'static str| acme.get("/api/v1/kv/a").header("if-match", tags);
    read("\"1\"").send().await.expect(200);
    read("*").send().await.expect(200);
    acme.set("a", "2").await;
    read("\"1\"").send().await.problem(412, "precondition-failed");
    read("W/\"2\"").send().await.problem(412, "precondition-failed");
}

#[tokio::test]
async fn a_tag_of_a_key_that_was_removed_fits_no_later_one() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let first = acme.set("a", "1").await.the("etag").to_owned();
    acme.delete("/api/v1/kv/a").send().await.expect(204);
    let second = acme.set("a", "1").await.the("etag").to_owned();
    assert_ne!(first, second);
    write(&acme, "PUT", "a", &[("if-match", &first)]).await.problem(412, "precondition-failed");
}
