//! How far long work is, on standard error: a line that is written over on a terminal, a line every few seconds elsewhere.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often it is said on a terminal, and elsewhere.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const ELSEWHERE: Duration = Duration::from_secs(5);
/// The characters of the bar.
const BAR: usize = 30;

/// How far something is.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    /// What is done, as one word: another one begins anew.
    pub(super) verb: &'static str,
    pub(super) done: u64,
    pub(super) total: u64,
    /// Of what: `rows`, …
    pub(super) unit: &'static str,
}

pub(super) struct Progress {
    is_terminal: bool,
    state: Mutex<State>,
}

struct State {
    verb: Option<&'static str>,
    begun: Instant,
    /// What was done before this run, of the step.
    before: u64,
    said: Instant,
}

impl Progress {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let state = State { verb: None, begun: now, before: 0, said: now };
        Self { is_terminal: io::stderr().is_terminal(), state: Mutex::new(state) }
    }

    pub(super) fn show(&self, at: At) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if state.verb != Some(at.verb) {
            *state = State { verb: Some(at.verb), begun: now, before: at.done, said: now };
        }
        let is_done = at.done >= at.total;
        let pause = if self.is_terminal { ON_TERMINAL } else { ELSEWHERE };
        if !is_done && now.duration_since(state.said) < pause {
            return;
        }
        state.said = now;
        let seconds = now.duration_since(state.begun).as_secs_f64();
        let line = line(at, (at.done.saturating_sub(state.before)) as f64 / seconds.max(0.001));
        // Where nobody listens there is nobody to tell.
        let _ = match (self.is_terminal, is_done) {
            (true, false) => write!(io::stderr(), "\r{line}\u{1b}[K"),
            (true, true) => writeln!(io::stderr(), "\r{line}\u{1b}[K"),
            (false, _) => writeln!(io::stderr(), "{line}"),
        };
    }
}

fn line(at: At, per_second: f64) -> String {
    let share = if at.total == 0 { 1.0 } else { at.done as f64 / at.total as f64 };
    let full = (share * BAR as f64) as usize;
    let bar = format!("{}{}", "#".repeat(full.min(BAR)), ".".repeat(BAR - full.min(BAR)));
    let At { verb, done, total, unit } = at;
    format!("{verb:9} [{bar}] {done} of {total} {unit}, {per_second:.0}/s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        let at = At { verb: "copying", done: 50, total: 100, unit: "rows" };
        assert_eq!(line(at, 1234.4), "copying   [###############...............] 50 of 100 rows, 1234/s");
        let empty = At { verb: "verifying", done: 0, total: 0, unit: "rows" };
        assert!(line(empty, 0.0).contains("[##############################] 0 of 0 rows"));
    }
}
