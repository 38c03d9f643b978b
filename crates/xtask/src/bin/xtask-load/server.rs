//! A server as a child process: started, waited for, stopped or killed.

use std::io::{self, BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Result;

/// How long a server may take to be ready, also after a crash, and to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running server. Dropped, it is killed.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// Starts a program that says `… is ready on http://ADDRESS` on standard output, and waits for that.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (ready, is_ready) = mpsc::channel();
        if let Some(output) = child.stdout.take() {
            thread::spawn(move || watch(output, &ready));
        }
        // From here on the child is killed whatever happens.
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        match is_ready.recv_timeout(PATIENCE) {
            Ok(address) => server.address = address?,
            Err(_) => {
                let state = server.child.try_wait()?;
                let state =
                    state.map_or_else(|| "still runs".to_owned(), |status| format!("ended: {status}"));
                return Err(format!("a server did not say that it is ready; it {state}").into());
            }
        }
        Ok(server)
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its process.
    pub(crate) fn process_id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it at once, as `kill -9` does. That it had ended by itself is a failure.
    pub(crate) fn kill(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            return Err(format!("a server ended before it was killed: {status}").into());
        }
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return if status.success() {
                    Ok(())
                } else {
                    Err(format!("a server ended: {status}").into())
                };
            }
            if Instant::now() > deadline {
                return Err("a server did not stop when asked to".into());
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Finds the address in the output, and reads the rest so that the server never waits for a reader.
fn watch(output: ChildStdout, ready: &mpsc::Sender<Result<SocketAddr>>) {
    let mut output = BufReader::new(output);
    let mut line = String::new();
    while output.read_line(&mut line).is_ok_and(|length| length > 0) {
        if let Some((_, address)) = line.trim_end().split_once(" is ready on http://") {
            // Nobody waits any longer if it took too long.
            let _ = ready.send(address.parse().map_err(Into::into));
            break;
        }
        line.clear();
    }
    let _ = io::copy(&mut output, &mut io::sink());
}
