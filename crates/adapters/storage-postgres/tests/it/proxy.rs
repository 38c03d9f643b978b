//! A network that can be broken: a proxy before the tests' server.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::support::server;

/// What the proxy does with what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It hands everything on.
    Forward,
    /// It takes everything and hands nothing on, as a server does that is frozen.
    Frozen,
    /// It cuts all connections, and whoever comes.
    Refuse,
    /// It hands everything on, up to the first COMMIT, which it keeps, and cuts the connection.
    CutBeforeCommit,
    /// The same, but the COMMIT still goes to the server; its answer does not come back.
    CutAfterCommit,
}

#[derive(Default)]
struct State {
    mode: Option<Mode>,
    open: Vec<TcpStream>,
}

/// A proxy on a port of its own, for as long as the test runs.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Proxy {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new((Mutex::new(State::default()), Condvar::new()));
        let proxy = Self { address, shared: Arc::clone(&shared) };
        thread::spawn(move || {
            for client in listener.incoming() {
                accept(client.unwrap(), &shared);
            }
        });
        proxy
    }

    /// The tests' server as it is reached through the proxy.
    pub(crate) fn url(&self) -> String {
        url_through(self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn set(&self, mode: Mode) {
        let (state, changed) = &*self.shared;
        let mut state = state.lock().unwrap();
        state.mode = Some(mode);
        if mode == Mode::Refuse {
            cut_all(&mut state);
        }
        changed.notify_all();
    }
}

/// The tests' server as it is reached through a proxy there.
pub(crate) fn url_through(proxy: SocketAddr) -> String {
    let server = server();
    let (before, behind) = server.rsplit_once('@').expect("a URL with a user");
    let (_, database) = behind.split_once('/').expect("a URL with a database");
    let mark = if database.contains('?') { '&' } else { '?' };
    // What is encrypted can't be read on its way.
    format!("{before}@{proxy}/{database}{mark}sslmode=disable")
}

/// A connection to the tests' server, for what passes a proxy.
pub(crate) fn connect_upstream() -> io::Result<TcpStream> {
    let server = server();
    let host = server.rsplit_once('@').and_then(|(_, behind)| behind.split_once('/')).expect("a host").0;
    TcpStream::connect(host)
}

fn cut_all(state: &mut State) {
    for stream in state.open.drain(..) {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

fn accept(client: TcpStream, shared: &Arc<(Mutex<State>, Condvar)>) {
    let Ok(upstream) = connect_upstream() else { return };
    {
        let mut state = shared.0.lock().unwrap();
        if state.mode == Some(Mode::Refuse) {
            return;
        }
        state.open.extend([client.try_clone().unwrap(), upstream.try_clone().unwrap()]);
    }
    for (from, to, is_client) in
        [(client.try_clone().unwrap(), upstream.try_clone().unwrap(), true), (upstream, client, false)]
    {
        let shared = Arc::clone(shared);
        thread::spawn(move || pump(from, to, is_client, &shared));
    }
}

/// Hands on what comes from one side.
fn pump(mut from: TcpStream, mut to: TcpStream, is_client: bool, shared: &(Mutex<State>, Condvar)) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let count = from.read(&mut bytes).unwrap_or(0);
        let (state, changed) = shared;
        let mut state = state.lock().unwrap();
        while state.mode == Some(Mode::Frozen) {
            state = changed.wait(state).unwrap();
        }
        let has_commit = is_client && bytes[..count].windows(6).any(|window| window == b"COMMIT");
        match state.mode {
            Some(Mode::CutBeforeCommit) if has_commit => {
                state.mode = Some(Mode::Forward);
                cut_all(&mut state);
            }
            Some(Mode::CutAfterCommit) if has_commit => {
                state.mode = Some(Mode::Forward);
                // Before the answer can be handed back, for which the other side needs the lock.
                to.write_all(&bytes[..count]).unwrap();
                let (mine, others): (Vec<_>, Vec<_>) =
                    state.open.drain(..).partition(|stream| stream.peer_addr().ok() == from.peer_addr().ok());
                for stream in mine {
                    let _ = stream.shutdown(Shutdown::Both);
                }
                state.open = others;
                continue;
            }
            _ => {}
        }
        drop(state);
        if count == 0 || to.write_all(&bytes[..count]).is_err() {
            let _ = to.shutdown(Shutdown::Both);
            let _ = from.shutdown(Shutdown::Both);
            return;
        }
    }
}
