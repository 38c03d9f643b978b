//! What may go wrong, and what becomes of it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::mpsc;
use std::time::Instant;

use super::provider::{ok, status, write};
use super::*;

/// Waits until the other side has closed.
fn wait_for_the_end(stream: &mut TcpStream) {
    let _ = stream.read(&mut [0]);
}

/// An answer that says that it is longer than it is.
fn cut(feed: &str, at: usize) -> Vec<u8> {
    let mut answer = ok("", feed);
    answer.truncate(answer.len() - feed.len() + at);
    answer
}

#[tokio::test]
async fn a_provider_that_is_not_able_to_is_asked_again() {
    let down = status("503 Service Unavailable", "");
    let provider = Provider::saying_each(vec![down.clone(), status("429 Slow down", ""), ok("", feed_of(4))]);
    let outcome = fetch(&source(|_| {}), &provider.url()).await;
    assert_eq!((outcome.end, outcome.plans, outcome.cost.attempts), (whole(), 4, 3));
    assert_eq!(outcome.restarts, 0);

    let provider = Provider::saying(down);
    let outcome = fetch(&source(|_| {}), &provider.url()).await;
    assert_eq!(unavailable(&outcome), "it answered with status 503; that was attempt 3");
    assert_eq!((outcome.cost.attempts, provider.requests().len()), (3, 3));
}

#[tokio::test]
async fn a_feed_that_was_cut_off_begins_anew() {
    let feed = feed_of(2000);
    for broken in [
        cut(&feed, feed.len() - 10),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{feed}", feed.len() + 5)
            .into_bytes(),
        format!("HTTP/1.1 200 OK\r\n\r\n{}", &feed[..feed.len() - 20]).into_bytes(),
    ] {
        let provider = Provider::saying_each(vec![broken, ok("", &feed)]);
        let outcome = fetch(&source(|_| {}), &provider.url()).await;
        assert_eq!((outcome.end, outcome.plans, outcome.restarts), (whole(), 2000, 1));
        assert_eq!(outcome.cost.attempts, 2);
        assert!(outcome.cost.bytes > feed.len() as u64 * 3 / 2, "{}", outcome.cost.bytes);
    }
}

#[tokio::test]
async fn a_connection_that_always_breaks_is_told_without_the_url() {
    let provider = Provider::saying(cut(&feed_of(100), 50));
    let outcome = fetch(&source(|_| {}), &provider.url()).await;
    assert_eq!(unavailable(&outcome), "the connection broke off after 50 bytes; that was attempt 3");

    for answer in [&b""[..], b"HTTP/1.1 2", b"SMTP\r\n\r\n"] {
        let provider = Provider::saying(answer);
        let outcome = fetch(&source(|_| {}), &provider.url()).await;
        assert!(unavailable(&outcome).starts_with("it gave no answer in HTTP"), "{:?}", outcome.end);
        assert!(!unavailable(&outcome).contains("token"), "{:?}", outcome.end);
    }

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outcome = fetch(&source(|_| {}), &format!("http://{free}/?token=secret")).await;
    assert!(
        unavailable(&outcome).starts_with("it cannot be connected to: Connection refused"),
        "{:?}",
        outcome.end
    );
    assert!(!unavailable(&outcome).contains("token"));
}

#[tokio::test]
async fn a_server_without_tls_is_told_from_one_with() {
    let provider = Provider::saying(ok("", feed_of(1)));
    let outcome = fetch(&source(|_| {}), &provider.url().replace("http:", "https:")).await;
    assert!(unavailable(&outcome).starts_with("it cannot be connected to: "), "{:?}", outcome.end);
    assert!(!unavailable(&outcome).contains("token"));
}

#[tokio::test]
async fn each_kind_of_silence_has_an_end() {
    let short = Duration::from_millis(100);
    let silent = Provider::new(|_, stream| wait_for_the_end(stream));
    let started = Instant::now();
    let outcome = fetch(&source(|options| options.answer_timeout = short), &silent.url()).await;
    assert_eq!(unavailable(&outcome), "it did not answer within 100ms; that was attempt 3");

    let stuck = Provider::new(|_, stream| {
        write(stream, &cut(&feed_of(9), 99));
        wait_for_the_end(stream);
    });
    let outcome = fetch(&source(|options| options.idle_timeout = short), &stuck.url()).await;
    assert_eq!(unavailable(&outcome), "it sent nothing for 100ms, after 99 bytes; that was attempt 3");

    // One byte now and then keeps it from being silent, but not from being slow.
    let dripping = Provider::new(|_, stream| {
        write(stream, b"HTTP/1.1 200 OK\r\n\r\n");
        let (_never, wait) = mpsc::channel::<()>();
        while stream.write_all(b" ").is_ok() {
            let _ = wait.recv_timeout(Duration::from_millis(10));
        }
    });
    let outcome = fetch(&source(|options| options.attempt_timeout = short), &dripping.url()).await;
    assert_eq!(unavailable(&outcome), "it did not deliver all within 100ms; that was attempt 3");
    assert!(started.elapsed() < PATIENCE);
}

#[tokio::test]
async fn all_attempts_together_have_an_end() {
    let silent = Provider::new(|_, stream| wait_for_the_end(stream));
    let started = Instant::now();
    let source = source(|options| {
        options.fetch_timeout = Duration::from_millis(300);
        options.answer_timeout = Duration::from_millis(200);
        options.max_attempts = 1000;
    });
    let outcome = fetch(&source, &silent.url()).await;
    assert!(unavailable(&outcome).starts_with("it did not "), "{:?}", outcome.end);
    assert!(outcome.cost.attempts <= 3 && started.elapsed() < PATIENCE);
}

#[tokio::test]
async fn a_provider_is_not_asked_before_the_time_that_it_names() {
    let provider = Provider::saying_each(vec![status("503 Down", "Retry-After: 1\r\n"), ok("", feed_of(1))]);
    let started = Instant::now();
    let outcome = fetch(&source(|_| {}), &provider.url()).await;
    assert_eq!((outcome.end, outcome.cost.attempts), (whole(), 2));
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn a_provider_that_wants_a_long_rest_gets_it() {
    let provider = Provider::saying(status("429 Slow down", "Retry-After: 3600\r\n"));
    let source = source(|options| options.breaker_pause = Duration::from_secs(600));
    let outcome = fetch(&source, &provider.url()).await;
    assert_eq!((unavailable(&outcome), outcome.cost.attempts), ("it answered with status 429", 1));
    let outcome = fetch(&source, &provider.url()).await;
    assert!(matches!(outcome.end, Err(FetchError::LeftAlone(590..=600))), "{:?}", outcome.end);
    assert_eq!((outcome.cost.attempts, provider.requests().len()), (0, 1));
}

#[tokio::test]
async fn a_host_that_fails_again_and_again_is_left_alone_and_others_are_not() {
    let failing = Provider::saying(status("500 Broken", ""));
    let working = Provider::saying(ok("", feed_of(1)));
    let refusing = Provider::saying(status("404 Not Found", ""));
    let source = source(|options| (options.max_attempts, options.breaker_failures) = (1, 2));
    for _ in 0..2 {
        assert_eq!(unavailable(&fetch(&source, &failing.url()).await), "it answered with status 500");
        assert_eq!(unavailable(&fetch(&source, &refusing.url()).await), "it answered with status 404");
    }
    assert!(matches!(fetch(&source, &failing.url()).await.end, Err(FetchError::LeftAlone(_))));
    assert_eq!(failing.requests().len(), 2);
    assert_eq!(fetch(&source, &working.url()).await.end, whole());
    assert_eq!(unavailable(&fetch(&source, &refusing.url()).await), "it answered with status 404");
}

#[tokio::test]
async fn a_host_that_one_tenant_leaves_alone_is_asked_for_another() {
    // Two feeds of one host, one of which is broken.
    let provider =
        Provider::saying_each(vec![cut(&feed_of(9), 99), cut(&feed_of(9), 99), ok("", feed_of(4))]);
    let source = source(|options| (options.max_attempts, options.breaker_failures) = (1, 2));
    for _ in 0..2 {
        let outcome = fetch(&source, &provider.url()).await;
        assert_eq!(unavailable(&outcome), "the connection broke off after 99 bytes");
    }
    assert!(matches!(fetch(&source, &provider.url()).await.end, Err(FetchError::LeftAlone(_))));
    let of_another = FeedRequest { tenant: tenant(2), ..request(&provider.url()) };
    assert_eq!(fetch_to(&source, of_another, Collector::default()).await.end, whole());
    // That it works for one opens it to no other either.
    assert!(matches!(fetch(&source, &provider.url()).await.end, Err(FetchError::LeftAlone(_))));
    assert_eq!(provider.requests().len(), 3);
}

#[tokio::test]
async fn an_endless_body_ends_at_its_bound() {
    let (told, ended) = mpsc::channel();
    let endless = Provider::new(move |_, stream| {
        write(stream, b"HTTP/1.1 200 OK\r\n\r\n<planList><output>");
        let comment = format!("<!--{}-->", "x".repeat(10_000));
        while stream.write_all(comment.as_bytes()).is_ok() {}
        let _ = told.send(());
    });
    let source = source(|options| options.limits.max_feed_bytes = 1 << 20);
    let outcome = fetch(&source, &endless.url()).await;
    assert_eq!(unreadable(&outcome), "more than 1048576 bytes of it were sent");
    assert_eq!(outcome.cost.attempts, 1);
    let closed = tokio::task::spawn_blocking(move || ended.recv_timeout(PATIENCE));
    assert!(closed.await.unwrap().is_ok(), "the connection is still open");
}

#[tokio::test]
async fn endless_headers_end() {
    let endless = Provider::new(|_, stream| {
        write(stream, b"HTTP/1.1 200 OK\r\n");
        while stream.write_all(b"X-Header: and another one\r\n").is_ok() {}
    });
    let outcome = fetch(&source(|options| options.max_attempts = 1), &endless.url()).await;
    assert!(unavailable(&outcome).starts_with("it gave no answer in HTTP"), "{:?}", outcome.end);
}

#[tokio::test]
async fn whoever_drops_the_fetch_ends_it() {
    let (told, events) = mpsc::channel();
    let provider = Provider::new(move |_, stream| {
        write(stream, b"HTTP/1.1 200 OK\r\n\r\n<planList><output>");
        let _ = told.send("asked");
        let comment = format!("<!--{}-->", "x".repeat(10_000));
        while stream.write_all(comment.as_bytes()).is_ok() {}
        let _ = told.send("closed");
    });
    let url = provider.url();
    let fetching = tokio::spawn(async move { fetch(&source(|_| {}), &url).await.cost });
    let events = tokio::task::spawn_blocking(move || {
        assert_eq!(events.recv_timeout(PATIENCE), Ok("asked"));
        events
    });
    let events = events.await.unwrap();
    fetching.abort();
    let _ = fetching.await;
    let closed = tokio::task::spawn_blocking(move || events.recv_timeout(PATIENCE));
    assert_eq!(closed.await.unwrap(), Ok("closed"));
}

/// Takes nothing, and does not say so.
struct Stuck;

#[async_trait]
impl FeedSink for Stuck {
    async fn take(&self, _items: Vec<FeedItem>) -> Result<(), SinkClosed> {
        std::future::pending().await
    }

    async fn restart(&self) -> Result<(), SinkClosed> {
        Ok(())
    }
}

#[tokio::test]
async fn a_sink_that_waits_holds_the_provider_back() {
    let (told, written) = mpsc::channel();
    let provider = Provider::new(move |_, stream| {
        stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        let feed = feed_of(100);
        let plans = feed.split("online\">").nth(1).unwrap().split("</base_plan>").next().unwrap();
        write(stream, b"HTTP/1.1 200 OK\r\n\r\n");
        write(stream, feed.split("<plan ").next().unwrap().as_bytes());
        let mut bytes = 0;
        while stream.write_all(plans.as_bytes()).is_ok() {
            bytes += plans.len();
        }
        let _ = told.send(bytes);
    });
    let request = request(&provider.url());
    let fetching = tokio::spawn(async move { source(|_| {}).fetch(request, Arc::new(Stuck)).await.0 });
    let written = tokio::task::spawn_blocking(move || written.recv_timeout(PATIENCE)).await.unwrap();
    // The buffers of the sockets of both sides are the most of it.
    assert!(written.unwrap() < 32 << 20, "{written:?} bytes went somewhere");
    fetching.abort();
}
