//! A provider of feeds: a small HTTP server on a free port, which answers what the test says.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What the provider does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Does {
    /// Answers 200 with this feed.
    Serve(String),
    /// Answers this status, with `Retry-After: 0`.
    Refuse(u16),
    /// Takes the request, and says nothing.
    Hang,
    /// Answers nine tenths of this feed, and then says nothing more.
    Stall(String),
    /// Begins to answer this feed, and closes the connection in the middle.
    Cut(String),
}

/// A provider. Each request takes the first of what it was told to do; the last one is done for good.
#[derive(Clone)]
pub(crate) struct Provider {
    address: SocketAddr,
    script: Arc<Mutex<Vec<Does>>>,
    asked: Arc<AtomicUsize>,
}

impl Provider {
    /// One that does this. It lives as long as the process.
    pub(crate) fn that(script: &[Does]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let provider = Self {
            address: listener.local_addr().unwrap(),
            script: Arc::new(Mutex::new(script.to_vec())),
            asked: Arc::default(),
        };
        let serving = provider.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (serving, stream) = (serving.clone(), stream.unwrap());
                thread::spawn(move || serving.answer(&stream));
            }
        });
        provider
    }

    /// One that serves this feed.
    pub(crate) fn of(feed: &str) -> Self {
        Self::that(&[Does::Serve(feed.to_owned())])
    }

    /// From now on it does this.
    pub(crate) fn does(&self, script: &[Does]) {
        *self.script.lock().unwrap() = script.to_vec();
    }

    /// From now on it serves this feed.
    pub(crate) fn serves(&self, feed: &str) {
        self.does(&[Does::Serve(feed.to_owned())]);
    }

    /// Where the feed is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/events", self.address)
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A client that has gone is no fault of the provider's.
    fn answer(&self, stream: &TcpStream) -> std::io::Result<()> {
        let mut lines = BufReader::new(stream).lines();
        while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
        self.asked.fetch_add(1, Ordering::SeqCst);
        let does = {
            let mut script = self.script.lock().unwrap();
            if script.len() > 1 { script.remove(0) } else { script[0].clone() }
        };
        let head = |feed: &str| {
            let length = feed.len();
            format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            )
        };
        let text = match does {
            Does::Hang => {
                // Until the client has gone.
                while lines.next().transpose()?.is_some() {}
                return Ok(());
            }
            Does::Serve(feed) => head(&feed) + &feed,
            Does::Stall(feed) => {
                let mut stalled = stream;
                stalled.write_all((head(&feed) + &feed[..feed.len() / 10 * 9]).as_bytes())?;
                while lines.next().transpose()?.is_some() {}
                return Ok(());
            }
            Does::Cut(feed) => head(&feed) + &feed[..feed.len() / 2],
            Does::Refuse(status) => {
                format!(
                    "HTTP/1.1 {status} No\r\nRetry-After: 0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
            }
        };
        let mut stream = stream;
        stream.write_all(text.as_bytes())
    }
}

/// A feed of these base plans.
pub(crate) fn feed(base_plans: &[String]) -> String {
    let all = base_plans.concat();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?><planList version="1.0"><output>{all}</output></planList>"#
    )
}

/// A base plan of one plan, sold online, with one zone.
pub(crate) fn online(base: &str, plan: &str, title: &str, starts: &str, ends: &str, price: &str) -> String {
    base_plan("online", base, plan, title, starts, ends, price)
}

/// A base plan of one plan, with one zone.
pub(crate) fn base_plan(
    sell_mode: &str,
    base: &str,
    plan: &str,
    title: &str,
    starts: &str,
    ends: &str,
    price: &str,
) -> String {
    format!(
        r#"<base_plan base_plan_id="{base}" sell_mode="{sell_mode}" title="{title}"><plan plan_id="{plan}" plan_start_date="{starts}" plan_end_date="{ends}" sell_from="2020-07-01T00:00:00" sell_to="{starts}" sold_out="false"><zone zone_id="40" capacity="240" price="{price}" name="Platea" numbered="true"/></plan></base_plan>"#
    )
}
