//! Whether whoever asked for the servers is still there.

use std::io::{self, Read};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Watches the other end of this process's standard input. The operating system closes it when the process
/// that holds it ends, however that ends: no signal need be handled.
#[derive(Debug)]
pub(super) struct Watch(Receiver<()>);

impl Watch {
    pub(super) fn standard_input() -> Self {
        let (holder, watch) = mpsc::channel();
        thread::spawn(move || {
            let _gone_with_this_thread: mpsc::Sender<()> = holder;
            let mut input = io::stdin().lock();
            let mut bytes = [0; 64];
            while input.read(&mut bytes).is_ok_and(|count| count > 0) {}
        });
        Self(watch)
    }

    /// Waits so long, or until the other side has gone; whether it has.
    pub(super) fn is_over_within(&self, time: Duration) -> bool {
        self.0.recv_timeout(time) != Err(RecvTimeoutError::Timeout)
    }

    /// Waits until the other side has gone.
    pub(super) fn wait(&self) {
        let _ = self.0.recv();
    }
}
