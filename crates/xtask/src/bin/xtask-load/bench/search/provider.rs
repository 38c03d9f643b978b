//! The provider of the bench: serves the feed, and fails as real ones do.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use xtask::random::Random;

use super::feed;
use crate::Result;

/// A provider on a free port, for as long as this process lives.
pub(super) struct Provider {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

struct State {
    plans: u64,
    fetch: u64,
    /// The feed of that fetch, made before it is asked for: that takes longer than to serve it.
    next: Arc<String>,
    faults: Option<Random>,
}

impl Provider {
    /// Starts one that never fails, with a feed of so many plans.
    pub(super) fn start(plans: u64) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let state = State { plans, fetch: 0, next: Arc::new(feed::text(plans, 0)), faults: None };
        let provider = Self { address: listener.local_addr()?, state: Arc::new(Mutex::new(state)) };
        let state = Arc::clone(&provider.state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // That a client has gone is its own business.
                let _ = answer(&stream, &state);
            }
        });
        Ok(provider)
    }

    /// Where the feed is.
    pub(super) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// From now on one answer in three is 503, and one in three ends in the middle.
    pub(super) fn fail_two_times_in_three(&self, seed: u64) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).faults = Some(Random::part(seed, 7));
    }
}

fn answer(mut stream: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream).lines();
    while lines.next().transpose()?.is_some_and(|line| !line.is_empty()) {}
    let (luck, feed) = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        (state.faults.as_mut().map_or(2, |faults| faults.below(3)), Arc::clone(&state.next))
    };
    if luck == 0 {
        return stream.write_all(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    }
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", feed.len());
    stream.write_all(head.as_bytes())?;
    if luck == 1 {
        return stream.write_all(&feed.as_bytes()[..feed.len() / 2]);
    }
    stream.write_all(feed.as_bytes())?;
    let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
    state.fetch += 1;
    state.next = Arc::new(feed::text(state.plans, state.fetch));
    Ok(())
}
