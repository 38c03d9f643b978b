//! What is a key: any text, all that follows `/kv/`, percent-decoded and not normalised. Sent byte for
//! byte, since clients mend paths.

use serde_json::Value;

use super::answer::Answer;
use super::harness::{Api, Tenant};
use super::raw::{exchange, request};
use super::snapshot::unchanged;

async fn call(api: &Api, tenant: &Tenant, method: &str, path: &[u8], body: &[u8]) -> Answer {
    // The path may hold bytes that are no text.
    let bytes = request(method, "@", tenant.key(), &[], body);
    let at = bytes.iter().position(|byte| *byte == b'@').unwrap();
    let target = [b"/api/v1/kv/", path].concat();
    exchange(api, &[&bytes[..at], &target, &bytes[at + 1..]].concat()).await
}

async fn keys(tenant: &Tenant) -> Vec<String> {
    let page = tenant.get("/api/v1/kv?keys_only=true&limit=1000").send().await.expect(200).json();
    let entries: &Vec<Value> = page["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["key"].as_str().unwrap().to_owned()).collect()
}

/// Each path with the key that it means.
const PATHS: &[(&str, &str)] = &[
    ("watch", "watch"),
    ("a/b", "a/b"),
    ("a//b", "a//b"),
    ("a/", "a/"),
    ("/", "/"),
    ("//", "//"),
    (".", "."),
    ("..", ".."),
    ("../kv/x", "../kv/x"),
    ("a/../b", "a/../b"),
    ("a/./b", "a/./b"),
    ("%2E%2E/x", "../x"),
    ("%20", " "),
    ("a%20b", "a b"),
    ("a+b", "a+b"),
    ("%3F", "?"),
    ("%23", "#"),
    ("a;b=c,d", "a;b=c,d"),
    ("a&b=c", "a&b=c"),
    ("%0A", "\n"),
    ("a%0D%0Ab", "a\r\nb"),
    ("%09%01%7F", "\t\u{1}\u{7f}"),
    ("%22", "\""),
    ("%5C", "\\"),
    ("%F0%9F%A6%80", "🦀"),
    ("%25", "%"),
    ("%2525", "%25"),
    ("%252F", "%2F"),
    ("%EF%BF%BD", "\u{fffd}"),
    ("%C3%A9", "é"),
    ("e%CC%81", "e\u{301}"),
    ("%7B%7D%7C%5E%60", "{}|^`"),
    ("%E2%80%AE", "\u{202e}"),
    ("%EF%BB%BF", "\u{feff}"),
];

#[tokio::test]
async fn any_text_is_a_key_and_is_not_mended() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for (path, key) in PATHS {
        call(&api, &acme, "PUT", path.as_bytes(), key.as_bytes()).await.expect(201);
    }
    let mut expected: Vec<&str> = PATHS.iter().map(|(_, key)| *key).collect();
    expected.sort_unstable();
    assert_eq!(keys(&acme).await, expected, "each is a key of its own, in the order of bytes");
    for (path, key) in PATHS {
        let read = call(&api, &acme, "GET", path.as_bytes(), b"").await.expect(200);
        assert_eq!(read.text(), *key, "{path}");
    }
    for (path, _) in PATHS {
        call(&api, &acme, "DELETE", path.as_bytes(), b"").await.expect(204);
    }
    assert_eq!(keys(&acme).await, [""; 0]);
}

#[tokio::test]
async fn what_is_encoded_without_need_is_the_same_key() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    call(&api, &acme, "PUT", b"a/b", b"1").await.expect(201);
    for path in ["a%2Fb", "a%2fb", "%61/%62", "%61%2F%62"] {
        assert_eq!(call(&api, &acme, "GET", path.as_bytes(), b"").await.expect(200).text(), "1", "{path}");
    }
    call(&api, &acme, "PUT", b"%61/b", b"2").await.expect(200);
    assert_eq!(keys(&acme).await, ["a/b"]);
}

#[tokio::test]
async fn an_encoding_before_the_key_does_not_matter() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.set("a", "1").await;
    for path in ["/api/v1/k%76/a", "/%61pi/v1/kv/a", "/api/%76%31/%6B%76/a"] {
        let answer = exchange(&api, &request("GET", path, acme.key(), &[], b"")).await;
        assert_eq!(answer.expect(200).text(), "1", "{path}");
    }
}

#[tokio::test]
async fn a_target_with_the_whole_address_means_the_same_key() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.set("a//b", "1").await;
    let target = format!("http://{}/api/v1/kv/a//b", api.address());
    let answer = exchange(&api, &request("GET", &target, acme.key(), &[], b"")).await;
    assert_eq!(answer.expect(200).text(), "1");
}

#[tokio::test]
async fn a_key_has_at_most_512_bytes() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    for path in ["x".repeat(512), "%C3%A9".repeat(256)] {
        call(&api, &acme, "PUT", path.as_bytes(), b"1").await.expect_one_of(&[200, 201]);
        call(&api, &acme, "GET", path.as_bytes(), b"").await.expect(200);
    }
    assert_eq!(keys(&acme).await, ["x".repeat(512), "é".repeat(256)]);
}

#[tokio::test]
async fn what_is_no_key_is_refused_and_changes_nothing() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.set("a", "1").await;
    let too_long = "x".repeat(513);
    let too_long_encoded = "%C3%A9".repeat(257);
    for (path, fault) in [
        (&b""[..], "/key length"),
        (too_long.as_bytes(), "/key length"),
        (too_long_encoded.as_bytes(), "/key length"),
        (b"%00", "/key nul"),
        (b"a%00b", "/key nul"),
        (b"%ff", "/key utf8"),
        (b"a%C3", "/key utf8"),
        (b"%C0%80", "/key utf8"),
        (b"%ED%A0%80", "/key utf8"),
    ] {
        for method in ["GET", "PUT", "POST", "DELETE"] {
            let body: &[u8] = if method == "GET" || method == "DELETE" { b"" } else { b"{\"increment\":1}" };
            let answer = unchanged(&api, call(&api, &acme, method, path, body)).await;
            answer.faults(&[fault]);
        }
    }
}

#[tokio::test]
async fn a_percent_sign_that_begins_no_escape_is_refused() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.set("a", "1").await;
    for path in ["%", "%a", "a%zz", "%%41", "%4", "a%2", "%g0", "%+1"] {
        for method in ["GET", "PUT", "POST", "DELETE"] {
            let body: &[u8] = if method == "GET" || method == "DELETE" { b"" } else { b"{\"increment\":1}" };
            let answer = unchanged(&api, call(&api, &acme, method, path.as_bytes(), body)).await;
            answer.problem(400, "invalid-path");
        }
    }
}

#[tokio::test]
async fn bytes_that_no_path_may_hold_are_refused_and_change_nothing() {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    acme.set("a", "1").await;
    // RFC 3986: a path is ASCII; what is not must be encoded.
    for path in [&b"\xff"[..], "é".as_bytes(), b"a\0b", b"a b", b"a\x01", b"<a>"] {
        for method in ["PUT", "DELETE"] {
            let answer = unchanged(&api, call(&api, &acme, method, path, b"")).await;
            assert_eq!(answer.status, 400, "{path:?} {answer:?}");
        }
    }
}
