//! Bringing servers, from outside: whatever ends those who asked for them, nothing is left.
//!
//! Each server that is installed is tried; one that is not is passed for given, so that none is installed here.

#![expect(clippy::unwrap_used, reason = "a test that does not find what it needs has failed")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use xtask::servers::Server;
use xtask::servers::discovery::Places;

/// Nothing that these tests wait for takes as long as this, unless it never comes.
const DEADLINE: Duration = Duration::from_secs(60);

/// A directory for temporary files that nobody else uses.
struct Temporary(PathBuf);

impl Temporary {
    fn make() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("xtask-servers-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn is_empty(&self) -> bool {
        fs::read_dir(&self.0).unwrap().next().is_none()
    }

    /// The processes that were started with this as their place for temporary files: the supervisor, its
    /// servers, and whoever uses them.
    fn processes(&self) -> Vec<String> {
        let wanted = format!("TMPDIR={}", self.0.display());
        let is_ours = |process: &PathBuf| {
            let environment = fs::read(process.join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
        };
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten().map(|entry| entry.path());
        let command = |process: PathBuf| {
            fs::read_to_string(process.join("cmdline")).unwrap_or_default().replace('\0', " ")
        };
        processes.filter(is_ours).map(command).collect()
    }

    /// Runs `xtask servers` with a shell's script.
    fn servers(&self, script: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.args(["servers", "sh", "-c", script]).env("TMPDIR", &self.0);
        let places = Places::of_this_machine();
        for server in Server::ALL {
            match places.find(server) {
                Some(_) => command.env_remove(server.variable()),
                None => command.env(server.variable(), "given:"),
            };
        }
        command
    }

    fn until_nothing_is_left(&self, addresses: &[SocketAddr]) {
        until("the directory is gone", || self.is_empty());
        until("the processes are gone", || self.processes().is_empty());
        for address in addresses {
            assert!(TcpStream::connect(address).is_err(), "{address} is still served");
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < end, "this never came to be: {what}");
        std::thread::yield_now();
    }
}

/// Servers with somebody who uses them until `user`'s standard input ends.
struct Used {
    user: Child,
    addresses: Vec<SocketAddr>,
}

impl Used {
    fn start(temporary: &Temporary) -> Self {
        let variables = Server::ALL.map(|server| format!("\"${}\"", server.variable()));
        let script = format!("printf '%s\\n' {} end; exec cat", variables.join(" "));
        let mut user =
            temporary.servers(&script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(user.stdout.take().unwrap()).lines().map(Result::unwrap);
        let urls: Vec<String> = lines.take_while(|line| line != "end").collect();
        assert_eq!(urls.len(), Server::ALL.len());
        let addresses = urls.iter().filter(|url| *url != "given:").map(|url| {
            let authority = url.split_once("://").unwrap().1.split('/').next().unwrap();
            authority.rsplit('@').next().unwrap().parse().unwrap()
        });
        Self { user, addresses: addresses.collect() }
    }

    fn are_served(&self) {
        for address in &self.addresses {
            TcpStream::connect(address).unwrap();
        }
    }
}

#[test]
fn servers_serve_as_long_as_they_are_used_and_leave_nothing() {
    let temporary = Temporary::make();
    let mut used = Used::start(&temporary);
    used.are_served();
    drop(used.user.stdin.take());
    assert!(used.user.wait().unwrap().success());
    // It has waited for their end.
    assert!(temporary.is_empty());
    temporary.until_nothing_is_left(&used.addresses);
}

#[test]
fn servers_leave_nothing_when_those_who_asked_for_them_are_killed() {
    let temporary = Temporary::make();
    let mut used = Used::start(&temporary);
    used.are_served();
    used.user.kill().unwrap();
    used.user.wait().unwrap();
    until("the directory is gone, while the command still runs", || temporary.is_empty());
    drop(used.user.stdin.take());
    temporary.until_nothing_is_left(&used.addresses);
}

#[test]
fn servers_leave_nothing_when_they_are_not_wanted_any_more_before_they_run() {
    let temporary = Temporary::make();
    let mut asking = temporary.servers("cat").stdin(Stdio::piped()).spawn().unwrap();
    let places = Places::of_this_machine();
    if Server::ALL.iter().any(|server| places.find(*server).is_some()) {
        until("the directory is there", || !temporary.is_empty());
    }
    asking.kill().unwrap();
    asking.wait().unwrap();
    drop(asking.stdin.take());
    temporary.until_nothing_is_left(&[]);
}

#[test]
fn a_command_that_fails_is_told_and_nothing_is_left() {
    let temporary = Temporary::make();
    assert_eq!(temporary.servers("exit 3").status().unwrap().code(), Some(1));
    temporary.until_nothing_is_left(&[]);
}

#[test]
fn an_address_in_the_environment_is_used_as_it_is() {
    let temporary = Temporary::make();
    let mut command = temporary.servers("env");
    for server in Server::ALL {
        command.env(server.variable(), "given:");
    }
    let output = command.output().unwrap();
    let environment = String::from_utf8(output.stdout).unwrap();
    for server in Server::ALL {
        let line = format!("{}=given:", server.variable());
        assert!(environment.lines().any(|found| found == line), "{environment}");
    }
    assert!(temporary.is_empty());
}

#[test]
fn a_server_that_does_not_start_is_told_with_what_it_said() {
    let temporary = Temporary::make();
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["supervise", "memcached", "/bin/false"]).env("TMPDIR", &temporary.0);
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lifeline = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(lifeline);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("memcached (/bin/false) has ended at once"), "{said}");
    temporary.until_nothing_is_left(&[]);
}
