//! The hidden task `guard`: a process that ends servers whose owner has gone without ending them.
//!
//! It hears on its standard input which processes to watch, and which no longer. When that input ends, however its
//! owner ended, it ends those that are left. It is in no terminal's foreground, so that Ctrl-C does not end it first.

use std::io::{self, BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};
use std::{collections::HashSet, env};

use rustix::process::Signal;

use super::process_tree::{runs, signal, tree, wait_until_gone};
use crate::Result;

/// The task's name.
pub(crate) const TASK: &str = "guard";

/// How long a server may take to end when asked to, before it is killed.
const PATIENCE: Duration = Duration::from_secs(5);

/// The guard, as seen by the owner of the servers.
pub(super) struct Guard {
    child: Child,
    input: Mutex<Option<ChildStdin>>,
}

impl Guard {
    /// Starts it.
    pub(super) fn start() -> Result<Self> {
        let mut command = Command::new(env::current_exe()?);
        let mut child = command.arg(TASK).stdin(Stdio::piped()).process_group(0).spawn()?;
        let input = Mutex::new(child.stdin.take());
        Ok(Self { child, input })
    }

    /// This process is to be ended, should it be left behind.
    pub(super) fn watch(&self, process: u32) -> Result<()> {
        self.say(&format!("watch {process}\n"))
    }

    /// This process has been ended.
    pub(super) fn forget(&self, process: u32) -> Result<()> {
        self.say(&format!("forget {process}\n"))
    }

    fn say(&self, line: &str) -> Result<()> {
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let input = input.as_mut().ok_or("the guard is gone")?;
        Ok(input.write_all(line.as_bytes())?)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        *self.input.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Err(error) = self.child.wait() {
            eprintln!("xtask-load: whether all servers have ended is not known: {error}");
        }
    }
}

/// Watches until standard input ends, and ends what is left then.
pub(crate) fn run() -> Result<()> {
    let mut watched = HashSet::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        match line.split_once(' ').and_then(|(verb, process)| Some((verb, process.parse::<u32>().ok()?))) {
            Some(("watch", process)) => watched.insert(process),
            Some(("forget", process)) => watched.remove(&process),
            _ => return Err(format!("this task is for xtask-load itself, and has no {line}").into()),
        };
    }
    watched.into_iter().try_for_each(end)
}

/// Asks a server to end, and kills what has not.
pub(super) fn end(process: u32) -> Result<()> {
    let all = tree(process);
    // What is frozen hears nothing. SIGINT ends all of them, and PostgreSQL without waiting for its clients.
    signal(&all, Signal::CONT);
    signal(&[process], Signal::INT);
    let deadline = Instant::now() + PATIENCE;
    while runs(process) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    let left: Vec<u32> = if runs(process) { tree(process) } else { Vec::new() };
    signal(&left, Signal::KILL);
    wait_until_gone(&left)
}

#[test]
fn a_frozen_process_is_ended_too() {
    use std::os::unix::process::ExitStatusExt;

    let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
    signal(&[child.id()], Signal::STOP);
    end(child.id()).unwrap();
    // Whether by SIGINT: shells have what they start in the background ignore that.
    assert!(child.wait().unwrap().signal().is_some());
}
