//! What a provider may answer.

use std::io::Write as _;

use super::provider::{ok, status, write};
use super::*;

#[tokio::test]
async fn a_feed_is_fetched_whole_with_its_validators() {
    let feed = feed_of(600);
    let provider =
        Provider::saying(ok("ETag: \"v1\"\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n", &feed));
    let outcome = fetch(&source(|_| {}), &provider.url()).await;
    let validators = Validators {
        etag: Some("\"v1\"".to_owned()),
        last_modified: Some("Wed, 21 Oct 2015 07:28:00 GMT".to_owned()),
    };
    assert_eq!(outcome.end, Ok(FetchEnd::Whole(validators)));
    assert_eq!(outcome.cost, FetchCost { attempts: 1, bytes: feed.len() as u64 });
    assert_eq!((outcome.plans, outcome.restarts), (600, 0));
    let request = &provider.requests()[0];
    assert!(request.starts_with("get /feed?token=secret http/1.1\r\n"), "{request}");
    assert!(
        request.contains("\r\naccept-encoding: gzip, br\r\n")
            && request.contains("\r\nuser-agent: tenantry/")
    );
    for header in ["if-none-match", "if-modified-since", "authorization", "cookie", "referer"] {
        assert!(!request.contains(&format!("\r\n{header}:")), "{request}");
    }
}

#[tokio::test]
async fn a_provider_is_asked_whether_anything_has_changed() {
    let provider = Provider::saying(status("304 Not Modified", "ETag: \"v1\"\r\n"));
    let mut request = request(&provider.url());
    request.validators.etag = Some("\"v1\"".to_owned());
    request.validators.last_modified = Some("Wed, 21 Oct 2015 07:28:00 GMT".to_owned());
    let outcome = fetch_to(&source(|_| {}), request, Collector::default()).await;
    assert_eq!((outcome.end, outcome.plans, outcome.cost.attempts), (Ok(FetchEnd::NotModified), 0, 1));
    let request = &provider.requests()[0];
    assert!(request.contains("\r\nif-none-match: \"v1\"\r\n"), "{request}");
    assert!(request.contains("\r\nif-modified-since: wed, 21 oct 2015 07:28:00 gmt\r\n"), "{request}");
}

#[tokio::test]
async fn nothing_can_be_unchanged_for_whoever_has_nothing() {
    let provider = Provider::saying(status("304 Not Modified", ""));
    let outcome = fetch(&source(|_| {}), &provider.url()).await;
    assert_eq!(unavailable(&outcome), "it answered with status 304; that was attempt 3");
}

#[tokio::test]
async fn a_validator_that_is_too_long_is_not_kept() {
    let (long, longer) = ("x".repeat(1024), "x".repeat(1025));
    let provider = Provider::saying(ok(&format!("ETag: {longer}\r\nLast-Modified: {long}\r\n"), feed_of(1)));
    let outcome = fetch(&source(|_| {}), &provider.url()).await;
    assert_eq!(outcome.end, Ok(FetchEnd::Whole(Validators { etag: None, last_modified: Some(long) })));
}

#[tokio::test]
async fn compression_is_undone_however_it_is_told() {
    let feed = feed_of(300);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(feed.as_bytes()).unwrap();
    let gzip = gzip.finish().unwrap();
    let mut brotli = Vec::new();
    brotli::CompressorWriter::new(&mut brotli, 4096, 5, 22).write_all(feed.as_bytes()).unwrap();
    for (headers, body) in [
        ("", feed.as_bytes()),
        ("Content-Encoding: identity\r\n", feed.as_bytes()),
        ("Content-Encoding: gzip\r\n", &gzip),
        ("Content-Encoding: X-GZip\r\n", &gzip),
        ("Content-Type: application/gzip\r\n", &gzip),
        ("Content-Encoding: br\r\n", &brotli),
    ] {
        let provider = Provider::saying(ok(headers, body));
        let outcome = fetch(&source(|_| {}), &provider.url()).await;
        assert_eq!((outcome.end, outcome.plans), (whole(), 300), "{headers}");
        assert_eq!(outcome.cost.bytes, feed.len() as u64);
    }
    for (headers, text) in [
        ("Content-Encoding: zstd\r\n", "it is compressed with zstd"),
        ("Content-Encoding: gzip, br\r\n", "several times over"),
        ("Content-Encoding: gzip\r\nContent-Encoding: gzip\r\n", "several times over"),
        ("Content-Encoding: gzip\r\n", "it cannot be decompressed"),
    ] {
        let provider = Provider::saying(ok(headers, &feed));
        let outcome = fetch(&source(|_| {}), &provider.url()).await;
        assert!(unreadable(&outcome).contains(text), "{headers}: {:?}", outcome.end);
        assert_eq!(outcome.cost.attempts, 1);
    }
}

#[tokio::test]
async fn a_body_may_come_in_chunks_or_until_the_connection_ends() {
    let feed = feed_of(3);
    let (one, two) = feed.split_at(feed.len() / 2);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{one}\r\n{:x}\r\n{two}\r\n0\r\n\r\n",
        one.len(),
        two.len()
    );
    for answer in [chunked, format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{feed}")] {
        let provider = Provider::saying(answer);
        let outcome = fetch(&source(|_| {}), &provider.url()).await;
        assert_eq!((outcome.end, outcome.plans), (whole(), 3));
    }
}

#[tokio::test]
async fn what_is_no_feed_is_asked_for_once() {
    for body in ["<html>Down for maintenance</html>", "", "{}", "<!DOCTYPE x [<!ENTITY a \"b\">]><planList/>"]
    {
        let provider = Provider::saying(ok("Content-Type: text/html\r\n", body));
        let outcome = fetch(&source(|options| options.max_attempts = 2), &provider.url()).await;
        // Nothing at all may be all there was of something.
        let attempts = if body.is_empty() { 2 } else { 1 };
        assert_eq!((outcome.cost.attempts, outcome.plans), (attempts, 0), "{body}: {:?}", outcome.end);
        assert!(outcome.end.is_err());
    }
}

#[tokio::test]
async fn an_answer_that_will_not_change_is_not_asked_for_again() {
    for (answer, text) in [
        (status("404 Not Found", ""), "it answered with status 404"),
        (status("401 Unauthorized", "WWW-Authenticate: Basic\r\n"), "it answered with status 401"),
        (status("204 No Content", ""), "it answered with status 204"),
        (status("206 Partial Content", ""), "it answered with status 206"),
        (status("302 Found", ""), "it redirects, and does not say where to"),
        (status("302 Found", "Location: http://[\r\n"), "it redirects to what is no URL"),
        (status("302 Found", "Location: /again\r\n"), "it redirects more than 5 times"),
    ] {
        let provider = Provider::saying(answer);
        let outcome = fetch(&source(|_| {}), &provider.url()).await;
        assert_eq!((unavailable(&outcome), outcome.cost.attempts), (text, 1));
    }
}

#[tokio::test]
async fn redirects_are_followed_with_the_validators_and_without_credentials() {
    let last = Provider::saying(ok("", feed_of(2)));
    let location = format!("Location: http://user:password@{}/there\r\n", last.address);
    let first = Provider::saying_each(vec![
        status("301 Moved", "Location: elsewhere\r\n"),
        status("307 Moved", &location),
    ]);
    let mut request = request(&first.url());
    request.validators.etag = Some("\"v1\"".to_owned());
    let outcome = fetch_to(&source(|_| {}), request, Collector::default()).await;
    assert_eq!((outcome.end, outcome.plans, outcome.cost.attempts), (whole(), 2, 1));
    assert!(first.requests()[1].starts_with("get /elsewhere http/1.1\r\n"));
    let request = &last.requests()[0];
    assert!(request.starts_with("get /there ") && request.contains("if-none-match: \"v1\""), "{request}");
    assert!(!request.contains("authorization") && !request.contains("referer"), "{request}");
}

#[tokio::test]
async fn a_sink_that_wants_no_more_ends_the_fetch() {
    let provider = Provider::new(|_, stream| {
        write(stream, b"HTTP/1.1 200 OK\r\n\r\n");
        write(stream, feed_of(5000).as_bytes());
    });
    let sink = Collector { closes_at: Some(300), ..Collector::default() };
    let outcome = fetch_to(&source(|_| {}), request(&provider.url()), sink).await;
    assert_eq!((outcome.end, outcome.cost.attempts), (Err(FetchError::Stopped), 1));
}
