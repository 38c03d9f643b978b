//! How far long work is, on standard error, where that is a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often it is said.
const PAUSE: Duration = Duration::from_millis(100);

/// One line that is written over.
pub(super) struct Progress {
    is_shown: bool,
    said: Option<Instant>,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self { is_shown: io::stderr().is_terminal(), said: None }
    }

    /// Says so, unless something was said just now.
    pub(super) fn say(&mut self, line: impl FnOnce() -> String) {
        let is_due = self.said.is_none_or(|said| said.elapsed() >= PAUSE);
        if self.is_shown && is_due {
            self.said = Some(Instant::now());
            // Where nobody listens there is nobody to tell.
            let _ = write!(io::stderr(), "\r{}\u{1b}[K", line());
        }
    }

    /// Takes the line away, so that something else can be said.
    pub(super) fn clear(&mut self) {
        if self.said.take().is_some() {
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}
