//! `xtask-load provider`: serves feeds of any size, with the faults of real providers and of hostile ones.
//!
//! What belongs here: what a provider does on the wire. What never will: what a reader should make of it.

mod answer;
mod encoding;
mod feed;
mod hostile;
mod settings;

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use xtask::arguments::Arguments;

use crate::Result;
pub(crate) use feed::{Dialect, Feed};
pub(crate) use hostile::Hostility;
pub(crate) use settings::Settings;

/// How long a connection may be silent before its request is there.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The most bytes of a request's head.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// Serves until it is killed.
///
/// # Errors
/// When the arguments make no sense, or the port is taken.
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let settings = Settings::read(arguments)?;
    println!("{settings}");
    let provider = Provider::start(settings)?;
    let address = provider.address();
    println!("feed: http://{address}/feed");
    for hostility in Hostility::ALL {
        println!("      http://{address}/hostile/{}", hostility.name());
    }
    provider.serve();
    Ok(())
}

/// A provider that has its port.
pub(crate) struct Provider {
    listener: TcpListener,
    address: SocketAddr,
    state: Arc<State>,
}

/// What its connections share.
pub(crate) struct State {
    settings: Settings,
    address: SocketAddr,
    requests: AtomicU64,
    /// How often the feed was sent to its end.
    sent_whole: AtomicU64,
}

impl Provider {
    /// Takes the port.
    pub(crate) fn start(settings: Settings) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, settings.port))?;
        let address = listener.local_addr()?;
        let (requests, sent_whole) = (AtomicU64::new(0), AtomicU64::new(0));
        let state = Arc::new(State { settings, address, requests, sent_whole });
        Ok(Self { listener, address, state })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its connections do to it, for whoever watches while it serves.
    pub(crate) fn state(&self) -> Arc<State> {
        Arc::clone(&self.state)
    }

    /// Answers each connection on a thread of its own.
    pub(crate) fn serve(self) {
        for stream in self.listener.incoming().filter_map(std::result::Result::ok) {
            let state = Arc::clone(&self.state);
            thread::spawn(move || {
                // Whoever asked may go at any time, and whatever fails then matters to nobody.
                let _ = state.answer(stream);
            });
        }
    }
}

impl State {
    /// How many requests there have been.
    pub(crate) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    fn answer(&self, stream: TcpStream) -> Result<()> {
        stream.set_read_timeout(Some(REQUEST_TIMEOUT))?;
        let request = Request::read(&stream)?;
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        match request.path.strip_prefix("/hostile/") {
            Some(name) => match Hostility::of_name(name) {
                Some(hostility) => hostility.answer(stream, self.address)?,
                None => answer::status(stream, "404 Not Found", "")?,
            },
            None => answer::feed(self, stream, &request, number)?,
        }
        Ok(())
    }
}

/// What was asked for.
pub(crate) struct Request {
    path: String,
    /// The lines of the head, in lower case.
    headers: Vec<String>,
}

impl Request {
    fn read(stream: &TcpStream) -> Result<Self> {
        let mut lines = BufReader::new(std::io::Read::take(stream, MAX_HEAD_BYTES as u64));
        let mut first = String::new();
        lines.read_line(&mut first)?;
        let path = first.split(' ').nth(1).ok_or("this is no HTTP")?;
        let path = path.split('?').next().unwrap_or_default().to_owned();
        let mut headers = Vec::new();
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 || line == "\r\n" {
                return Ok(Self { path, headers });
            }
            headers.push(line.trim_end().to_lowercase());
        }
    }

    /// The value of that header, whose name is in lower case.
    fn header(&self, name: &str) -> Option<&str> {
        let values = self.headers.iter().filter_map(|line| line.split_once(':'));
        values.filter(|(known, _)| *known == name).map(|(_, value)| value.trim()).next()
    }
}
