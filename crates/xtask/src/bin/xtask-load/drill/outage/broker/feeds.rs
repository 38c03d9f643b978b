//! The provider of the drill: many small feeds. Each fetch of a feed gets a text of its own, so that whatever comes of
//! it can be told apart afterwards.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use xtask::random::Random;

use crate::Result;

/// Plans that each fetch of a feed holds, in the same words.
pub(super) const STEADY: u64 = 20;

/// The longest time that an answer takes to begin.
const LATENCY: Duration = Duration::from_millis(40);

/// Serves feeds by their numbers, for as long as this process lives.
pub(super) struct Feeds {
    address: SocketAddr,
    all: Arc<Vec<Fetches>>,
}

/// What became of one feed.
#[derive(Default)]
struct Fetches {
    begun: AtomicU64,
    under_way: AtomicU64,
    /// How often it was asked for while it was under way to another.
    at_once: AtomicU64,
}

impl Feeds {
    /// Serves so many.
    pub(super) fn serve(count: usize, seed: u64) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let all: Arc<Vec<Fetches>> = Arc::new((0..count).map(|_| Fetches::default()).collect());
        let served = Arc::clone(&all);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let served = Arc::clone(&served);
                let mut random = Random::part(seed, 1_000_000 + number as u64);
                thread::spawn(move || {
                    let latency = random.below(LATENCY.as_millis() as u64);
                    // That a client has gone is its own business.
                    let _ = answer(&stream, &served, Duration::from_millis(latency));
                });
            }
        });
        Ok(Self { address, all })
    }

    /// Where the feed of that number is.
    pub(super) fn url(&self, number: usize) -> String {
        format!("http://{}/{number}", self.address)
    }

    /// How often it was fetched.
    pub(super) fn fetches(&self, number: usize) -> u64 {
        self.all[number].begun.load(Ordering::Relaxed)
    }

    /// How often it was fetched by two at once.
    pub(super) fn at_once(&self, number: usize) -> u64 {
        self.all[number].at_once.load(Ordering::Relaxed)
    }
}

fn answer(mut stream: &TcpStream, feeds: &[Fetches], latency: Duration) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().transpose()?.unwrap_or_default();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let number = first.split([' ', '/']).find_map(|word| word.parse::<usize>().ok());
    let Some((number, feed)) = number.and_then(|number| Some((number, feeds.get(number)?))) else {
        return stream.write_all(b"HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    };
    let fetch = feed.begun.fetch_add(1, Ordering::Relaxed) + 1;
    if feed.under_way.fetch_add(1, Ordering::Relaxed) > 0 {
        feed.at_once.fetch_add(1, Ordering::Relaxed);
    }
    thread::sleep(latency);
    let text = text(number, fetch);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", text.len());
    let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(text.as_bytes()));
    feed.under_way.fetch_sub(1, Ordering::Relaxed);
    sent
}

/// The feed at that fetch: plans that stay as they are, one whose title says the fetch, and one that no other fetch
/// holds.
fn text(feed: usize, fetch: u64) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><planList version=\"1.0\"><output>".to_owned();
    let mut plan = |id: &str, title: &str| {
        // Writing to a string does not fail.
        let _ = write!(
            text,
            "<base_plan base_plan_id=\"{id}\" sell_mode=\"online\" title=\"{title}\">\
             <plan plan_id=\"{id}\" plan_start_date=\"2031-06-30T20:00:00\" plan_end_date=\"2031-06-30T21:00:00\" \
             sell_from=\"2020-07-01T00:00:00\" sell_to=\"2031-06-30T20:00:00\" sold_out=\"false\">\
             <zone zone_id=\"1\" capacity=\"240\" price=\"15.00\" name=\"Platea\" numbered=\"true\"/>\
             <zone zone_id=\"2\" capacity=\"50\" price=\"50.00\" name=\"Grada\" numbered=\"false\"/></plan></base_plan>"
        );
    };
    for steady in 0..STEADY {
        plan(&format!("s{steady}"), &format!("{feed} steady {steady}"));
    }
    plan("c", &format!("{feed} changing {fetch}"));
    plan(&format!("o{fetch}"), &format!("{feed} once {fetch}"));
    text.push_str("</output></planList>");
    text
}

/// The feed and the fetch that a title names, and which of the three it is of.
pub(super) fn read_title(title: &str) -> Option<(usize, &str, u64)> {
    let mut words = title.split(' ');
    let (feed, kind, fetch) = (words.next()?, words.next()?, words.next()?);
    Some((feed.parse().ok()?, kind, fetch.parse().ok()?))
}

#[test]
fn each_fetch_has_a_text_of_its_own_and_titles_tell_which() {
    let (first, second) = (text(7, 1), text(7, 2));
    for (text, fetch) in [(&first, 1), (&second, 2)] {
        let titles = text.split("title=\"").skip(1).filter_map(|rest| read_title(rest.split('"').next()?));
        let titles: Vec<_> = titles.collect();
        assert_eq!(titles.len() as u64, STEADY + 2);
        assert!(titles.contains(&(7, "changing", fetch)) && titles.contains(&(7, "once", fetch)));
    }
    assert_eq!(first.matches("steady").count(), second.matches("steady").count());
}
