//! Feeds that are fetched at the same moment, and only one of which may be read at a time.

use std::io::Write as _;
use std::sync::mpsc;

use flate2::Compression as Level;
use flate2::write::GzEncoder;

use super::provider::{ok, write};
use super::*;

/// A sink that takes nothing before it is told to.
struct Waiting {
    may_take: tokio::sync::Semaphore,
    was_asked: tokio::sync::Notify,
}

#[async_trait]
impl FeedSink for Waiting {
    async fn take(&self, _: Vec<FeedItem>) -> Result<(), SinkClosed> {
        self.was_asked.notify_one();
        self.may_take.acquire().await.map(drop).map_err(|_| SinkClosed)
    }

    async fn restart(&self) -> Result<(), SinkClosed> {
        Err(SinkClosed)
    }
}

#[tokio::test]
async fn a_provider_that_is_slow_and_a_sink_that_waits_hold_up_no_other_feed() {
    let source = source(|options| options.readers = 1);
    let (go_on, may_go_on) = mpsc::channel::<()>();
    let may_go_on = Mutex::new(may_go_on);
    let (begun, has_begun) = mpsc::channel();
    let slow = Provider::new(move |_, stream| {
        let (answer, half) = (ok("", feed_of(2000)), 100_000);
        write(stream, &answer[..half]);
        begun.send(()).unwrap();
        may_go_on.lock().unwrap().recv().unwrap();
        write(stream, &answer[half..]);
    });
    let good = Provider::saying(ok("", feed_of(2000)));
    let sink =
        Arc::new(Waiting { may_take: tokio::sync::Semaphore::new(0), was_asked: tokio::sync::Notify::new() });
    let (slow_url, good_url) = (slow.url(), good.url());
    let slow_fetch = fetch(&source, &slow_url);
    let waiting = source.fetch(request(&good_url), sink.clone());
    let others = async {
        sink.was_asked.notified().await;
        while has_begun.try_recv().is_err() {
            tokio::task::yield_now().await;
        }
        let outcome = tokio::time::timeout(PATIENCE, fetch(&source, &good_url)).await;
        go_on.send(()).unwrap();
        sink.may_take.add_permits(1);
        outcome
    };
    let (slow, waiting, other) = tokio::join!(slow_fetch, waiting, others);
    let other = other.expect("it waits for none of the two");
    for outcome in [&slow, &other] {
        assert_eq!((&outcome.end, outcome.plans), (&whole(), 2000));
    }
    assert_eq!(waiting.1, whole());
}

/// One that sends this member of gzip for ever; how much of it has been sent.
fn sends_for_ever(start: &'static str, text: &str, level: Level) -> (Provider, Arc<AtomicUsize>) {
    let packed = |text: &str| {
        let mut encoder = GzEncoder::new(Vec::new(), level);
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let (start, member) = (packed(start), packed(text));
    let many = member.repeat(1 + 8192 / member.len());
    let sent = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&sent);
    let provider = Provider::new(move |_, stream| {
        write(stream, b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n");
        write(stream, &start);
        while stream.write_all(&many).is_ok() {
            counted.fetch_add(many.len(), Ordering::Relaxed);
        }
    });
    (provider, sent)
}

#[tokio::test]
async fn a_feed_that_brings_no_records_lets_others_be_read() {
    for (start, text) in [("", String::new()), ("<planList><output>", "<a/>".repeat(1 << 18))] {
        let source = Arc::new(source(|options| {
            options.readers = 1;
            options.limits.max_expansion = u64::MAX;
        }));
        let (endless, sent) = sends_for_ever(start, &text, Level::best());
        let good = Provider::saying(ok("", feed_of(2000)));
        let (reading, url) = (Arc::clone(&source), endless.url());
        let endless_fetch = tokio::spawn(async move { fetch(&reading, &url).await.end });
        while sent.load(Ordering::Relaxed) < 1 << 20 {
            tokio::task::yield_now().await;
        }
        let other = tokio::time::timeout(PATIENCE, fetch(&source, &good.url())).await;
        let other = other.expect("it is never its turn");
        assert_eq!((other.end, other.plans), (whole(), 2000));
        assert!(!endless_fetch.is_finished(), "it no longer holds its turn: {:?}", endless_fetch.await);
        endless_fetch.abort();
    }
}
