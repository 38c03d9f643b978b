//! The real binary as a process.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{DEADLINE, choose_tls};

/// What a command left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The binary, with no variable of ours in its environment.
pub(crate) fn command<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    choose_tls();
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
    let ours = |name: &OsStr| name.to_string_lossy().starts_with("TENANTRY_");
    for (name, _) in std::env::vars_os().filter(|(name, _)| ours(name)) {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

/// Runs the binary to its end.
pub(crate) fn tenantry<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Finished {
    finish(&mut command(arguments))
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Finished {
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let id = child.id();
    let (ended, ending) = mpsc::channel();
    std::thread::spawn(move || ended.send(child.wait_with_output()));
    let Ok(output) = ending.recv_timeout(DEADLINE) else {
        signal(id, Signal::KILL);
        panic!("{command:?} did not end");
    };
    let output = output.unwrap();
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Finished {
    /// Checks that it failed with this code and one readable line, and answers with that line.
    pub(crate) fn one_line_of_failure(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{self:?}");
        let line = self.stderr.strip_suffix('\n').unwrap_or(&self.stderr);
        assert!(line.starts_with("tenantry: ") && !line.contains('\n'), "one line is expected: {self:?}");
        assert!(!line.contains("Error {") && !line.contains("panicked"), "it must be readable: {line}");
        line
    }
}

pub(crate) fn signal(id: u32, signal: Signal) {
    let pid = i32::try_from(id).ok().and_then(Pid::from_raw).unwrap();
    kill_process(pid, signal).unwrap();
}

/// A process that works on jobs. It is killed when it is dropped.
pub(crate) struct Working(Child);

impl Working {
    /// Starts it so, and waits until it works.
    pub(crate) fn from_command(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let working = Self(child);
        assert_eq!(stdout.recv_timeout(DEADLINE).as_deref(), Ok("tenantry works"));
        working
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Asks it to stop, and waits until it has.
    pub(crate) fn stop(mut self) -> ExitStatus {
        signal(self.0.id(), Signal::TERM);
        self.0.wait().unwrap()
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A serving process. It is killed when it is dropped.
pub(crate) struct Serving {
    child: Child,
    stdout: mpsc::Receiver<String>,
    /// The address of the server: `http://127.0.0.1:40000`.
    pub(crate) url: String,
}

impl Serving {
    /// Starts `tenantry serve` with this data directory on any free port, and waits until it is ready.
    pub(crate) fn start(data_dir: &Path, more: &[&str]) -> Self {
        let mut command = command(["serve", "--listen", "127.0.0.1:0", "--data-dir"]);
        // Log lines would be mixed with the tests' own.
        command.arg(data_dir).args(more).env("TENANTRY_LOG__LEVEL", "error");
        Self::from_command(command)
    }

    /// Starts it so.
    pub(crate) fn from_command(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = lines(child.stdout.take().unwrap());
        let first = stdout.recv_timeout(DEADLINE).expect("it becomes ready");
        let url = first.strip_prefix("tenantry is ready on ").expect("the first line says so").to_owned();
        Self { child, stdout, url }
    }

    /// The next line on its standard output.
    pub(crate) fn next_line(&self) -> String {
        self.stdout.recv_timeout(DEADLINE).expect("there is another line")
    }

    /// Asks it to stop.
    pub(crate) fn terminate(&self) {
        signal(self.child.id(), Signal::TERM);
    }

    /// Ends it as a crash does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits until it has ended by itself.
    pub(crate) fn wait(mut self) -> ExitStatus {
        // Its standard output is closed when it ends.
        loop {
            match self.stdout.recv_timeout(DEADLINE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return self.child.wait().unwrap(),
                Err(RecvTimeoutError::Timeout) => panic!("it did not end"),
            }
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stdout: ChildStdout) -> mpsc::Receiver<String> {
    let (read, reading) = mpsc::channel();
    std::thread::spawn(move || {
        let lines = BufReader::new(stdout.take(1 << 20)).lines();
        lines.map_while(Result::ok).try_for_each(|line| read.send(line))
    });
    reading
}
