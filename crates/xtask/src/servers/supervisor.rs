//! The supervisor, as seen by whoever asked for the servers.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};

use super::discovery::Found;
use super::supervise;

/// A process that runs servers until this is dropped, or this process ends.
#[derive(Debug)]
pub(super) struct Supervisor {
    child: Child,
    /// The supervisor watches the other end of it.
    lifeline: Option<ChildStdin>,
    environment: Vec<(OsString, OsString)>,
}

impl Supervisor {
    /// Starts these servers, and returns when each answers.
    ///
    /// # Errors
    /// When one does not start; the supervisor has said why on standard error.
    pub(super) fn start(found: &[Found]) -> io::Result<Self> {
        let mut child = Command::new(env::current_exe()?)
            .arg(supervise::TASK)
            .args(found.iter().flat_map(supervise::arguments))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()?;
        let lifeline = child.stdin.take();
        let output = child.stdout.take();
        let mut supervisor = Self { child, lifeline, environment: Vec::new() };
        for line in output.into_iter().flat_map(|output| BufReader::new(output).lines()) {
            let line = line?;
            match line.split_once('=') {
                Some((name, url)) => supervisor.environment.push((name.into(), url.into())),
                None => return Ok(supervisor),
            }
        }
        Err(io::Error::other("the servers that the tests need could not be started"))
    }

    /// The servers' variables and their values.
    pub(super) fn environment(&self) -> &[(OsString, OsString)] {
        &self.environment
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.lifeline = None;
        if let Err(error) = self.child.wait() {
            eprintln!("xtask: whether the servers have ended is not known: {error}");
        }
    }
}
