//! Compression by `Accept-Encoding`.

use super::answer::Answer;
use super::harness::{Api, Tenant};

const TEXT: &str = "All work and no play makes a dull server. ";

async fn with_value(kind: &str, bytes: usize) -> (Api, Tenant) {
    let api = Api::start();
    let acme = api.tenant("acme").await;
    let value: Vec<u8> = TEXT.bytes().cycle().take(bytes).collect();
    acme.put("/api/v1/kv/a").body(kind, value).send().await.expect(201);
    (api, acme)
}

async fn get(tenant: &Tenant, accept_encoding: &str) -> Answer {
    tenant.get("/api/v1/kv/a").header("accept-encoding", accept_encoding).send().await.expect(200)
}

/// The first bytes by which a gzip or a zstd stream is known; brotli has none.
fn starts(encoding: &str) -> &'static [u8] {
    match encoding {
        "gzip" => &[0x1f, 0x8b],
        "zstd" => &[0x28, 0xb5, 0x2f, 0xfd],
        _ => &[],
    }
}

#[tokio::test]
async fn a_large_body_is_compressed_as_the_caller_asks() {
    let (_api, acme) = with_value("text/plain", 10_000).await;
    for encoding in ["gzip", "br", "zstd"] {
        let answer = get(&acme, encoding).await;
        assert_eq!(answer.the("content-encoding"), encoding);
        assert!(answer.the("vary").eq_ignore_ascii_case("accept-encoding"), "{answer:?}");
        assert!(answer.body.len() < 1000 && answer.body.starts_with(starts(encoding)), "{encoding}");
        assert_eq!(answer.the("etag"), "\"1\"");
    }
}

#[tokio::test]
async fn what_was_compressed_is_the_same_when_it_is_unpacked() {
    let (api, acme) = with_value("text/plain", 300_000).await;
    let plain = get(&acme, "identity").await.body;
    let client = || reqwest::Client::builder().no_proxy();
    for client in
        [client().no_brotli().no_zstd(), client().no_gzip().no_zstd(), client().no_gzip().no_brotli()]
    {
        let url = format!("http://{}/api/v1/kv/a", api.address());
        let answer = client.build().unwrap().get(url).bearer_auth(acme.key()).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.bytes().await.unwrap() == plain);
    }
}

#[tokio::test]
async fn lists_problems_and_pages_are_compressed_too() {
    let (_api, acme) = with_value("text/plain", 10_000).await;
    for path in ["/api/v1/kv", "/openapi.json", "/problems", "/docs/swagger-ui.css"] {
        let answer = acme.get(path).header("accept-encoding", "gzip").send().await;
        assert_eq!(answer.headers["content-encoding"], "gzip", "{path}");
    }
}

#[tokio::test]
async fn a_body_below_a_kibibyte_is_not_compressed() {
    for (bytes, expected) in [(1023, None), (1024, Some("gzip"))] {
        let (_api, acme) = with_value("text/plain", bytes).await;
        let answer = get(&acme, "gzip").await;
        assert_eq!(answer.header("content-encoding"), expected, "{bytes}");
        if expected.is_none() {
            assert_eq!(answer.body.len(), bytes);
        }
    }
}

#[tokio::test]
async fn what_the_caller_does_not_take_is_not_sent() {
    let (_api, acme) = with_value("text/plain", 10_000).await;
    for (accept, expected) in [
        ("identity", None),
        ("deflate", None),
        ("gzip;q=0", None),
        ("*;q=0, identity", None),
        ("gzip;q=0, br;q=0, zstd;q=0, *;q=0.1", None),
        ("", None),
        ("gzip, br;q=0", Some("gzip")),
        ("GZIP", Some("gzip")),
        ("gzip;q=0.5, br;q=1.0", Some("br")),
        ("identity;q=1, gzip;q=0.1", None),
    ] {
        let answer = get(&acme, accept).await;
        assert_eq!(answer.header("content-encoding"), expected, "{accept}");
        assert_eq!(answer.the("vary").to_ascii_lowercase(), "accept-encoding", "{accept}");
        if expected.is_none() {
            assert_eq!(answer.body.len(), 10_000, "{accept}");
        }
    }
    let plain = acme.get("/api/v1/kv/a").send().await.expect(200);
    assert_eq!((plain.header("content-encoding"), plain.body.len()), (None, 10_000));
}

#[tokio::test]
async fn what_is_compressed_already_is_sent_as_it_is() {
    for (kind, expected) in [
        ("image/png", None),
        ("video/mp4", None),
        ("application/zip", None),
        ("application/gzip", None),
        ("image/svg+xml", Some("gzip")),
        ("application/octet-stream", Some("gzip")),
        ("Application/JSON", Some("gzip")),
    ] {
        let (_api, acme) = with_value(kind, 10_000).await;
        let answer = get(&acme, "gzip").await;
        assert_eq!(answer.header("content-encoding"), expected, "{kind}");
        assert_eq!(answer.the("content-type"), kind);
    }
}

#[tokio::test]
async fn head_and_304_are_not_touched() {
    let (_api, acme) = with_value("text/plain", 10_000).await;
    let head = acme.head("/api/v1/kv/a").header("accept-encoding", "gzip").send().await.expect(200);
    assert_eq!((head.the("content-length"), head.body.len()), ("10000", 0));
    let call = acme.get("/api/v1/kv/a").header("accept-encoding", "gzip").header("if-none-match", "\"1\"");
    let answer = call.send().await.expect(304);
    assert_eq!((answer.header("content-encoding"), answer.body.len()), (None, 0));
}
