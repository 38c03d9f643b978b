//! A server of one test's own, to be killed and frozen.

use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// How long a server may take to start.
const START_DEADLINE: Duration = Duration::from_secs(20);

/// What a case may do to a server, or to several that are one.
pub trait FaultyServer {
    /// Where it is.
    fn url(&self) -> String;

    /// It answers nothing any more, and keeps its connections.
    fn freeze(&mut self);

    /// It goes on where it stopped.
    fn thaw(&mut self);

    /// It ends at once.
    fn kill(&mut self);

    /// It starts once more, in the same place, with what it had on disk.
    fn restart(&mut self);
}

/// A process that listens on a port of 127.0.0.1 that was free, in a directory of its own. It ends with this.
pub struct PrivateServer {
    scheme: &'static str,
    program: &'static str,
    arguments: Box<dyn Fn(u16) -> Vec<String>>,
    port: u16,
    directory: TempDir,
    child: Child,
}

impl PrivateServer {
    /// Starts the program, which is found by `PATH`, with what `arguments` makes of its port. Its URL begins with
    /// `scheme`.
    ///
    /// # Panics
    /// When it cannot be started, or does not listen in time.
    #[must_use]
    pub fn start(
        scheme: &'static str,
        program: &'static str,
        arguments: impl Fn(u16) -> Vec<String> + 'static,
    ) -> Self {
        let (port, directory) = (free_port(), tempfile::tempdir().expect("a directory"));
        let child = spawn(program, &arguments(port), &directory);
        let mut server = Self { scheme, program, arguments: Box::new(arguments), port, directory, child };
        server.wait_until_it_listens();
        server
    }

    /// Its port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it keeps what it has on disk.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(pid, signal).expect("the process takes the signal");
    }

    fn wait_until_it_listens(&mut self) {
        let end = Instant::now() + START_DEADLINE;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let ended = self.child.try_wait().expect("its state");
            assert!(ended.is_none(), "{} ended as it started: {ended:?}", self.program);
            assert!(Instant::now() < end, "{} does not listen on port {}", self.program, self.port);
            std::thread::yield_now();
        }
    }
}

impl FaultyServer for PrivateServer {
    fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    fn freeze(&mut self) {
        self.signal(Signal::STOP);
    }

    fn thaw(&mut self) {
        self.signal(Signal::CONT);
    }

    fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }

    fn restart(&mut self) {
        self.child = spawn(self.program, &(self.arguments)(self.port), &self.directory);
        self.wait_until_it_listens();
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        // A process that is frozen is killed all the same.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port of 127.0.0.1 that nobody listens on.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port()
}

fn spawn(program: &str, arguments: &[String], directory: &TempDir) -> Child {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory.path());
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|error| panic!("{program} cannot be started ({error}): is it installed?"))
}
