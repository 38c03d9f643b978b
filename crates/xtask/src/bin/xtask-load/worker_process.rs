//! `tenantry worker` as a child process: started, waited for, made to stand still.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::Result;

/// A running worker. Dropped, it is killed.
pub(crate) struct WorkerProcess {
    child: Child,
}

impl WorkerProcess {
    /// Starts it, and waits until it says that it works, or ends.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        // From here on it is killed whatever happens.
        let mut worker = Self { child };
        let output = worker.child.stdout.take().ok_or("a worker has no output")?;
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line)?;
        if line.trim_end() != "tenantry works" {
            return Err(format!("a worker did not say that it works; see tenantry.log: {line}").into());
        }
        Ok(worker)
    }

    /// It does nothing any more, until it is [thawed](Self::thaw).
    pub(crate) fn freeze(&self) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), Signal::STOP)?)
    }

    /// It goes on.
    pub(crate) fn thaw(&self) -> Result<()> {
        Ok(kill_process(Pid::from_child(&self.child), Signal::CONT)?)
    }
}

impl Drop for WorkerProcess {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
