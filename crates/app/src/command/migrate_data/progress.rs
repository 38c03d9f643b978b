//! How far a move is, on standard error: a line that is written over on a terminal, a line every few seconds elsewhere.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tenantry_services::{MoveProgress, MoveStep};

/// How often it is said on a terminal, and elsewhere.
const ON_TERMINAL: Duration = Duration::from_millis(200);
const ELSEWHERE: Duration = Duration::from_secs(5);
/// The characters of the bar.
const BAR: usize = 30;

pub(super) struct Progress {
    is_terminal: bool,
    state: Mutex<State>,
}

struct State {
    step: Option<MoveStep>,
    begun: Instant,
    /// What was done before this run, of the step.
    before: u64,
    said: Instant,
}

impl Progress {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let state = State { step: None, begun: now, before: 0, said: now };
        Self { is_terminal: io::stderr().is_terminal(), state: Mutex::new(state) }
    }

    pub(super) fn show(&self, at: MoveProgress) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if state.step != Some(at.step) {
            *state = State { step: Some(at.step), begun: now, before: at.done, said: now };
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

fn line(at: MoveProgress, rows_per_second: f64) -> String {
    let verb = match at.step {
        MoveStep::Copying => "copying  ",
        MoveStep::Verifying => "verifying",
    };
    let share = if at.total == 0 { 1.0 } else { at.done as f64 / at.total as f64 };
    let full = (share * BAR as f64) as usize;
    let bar = format!("{}{}", "#".repeat(full.min(BAR)), ".".repeat(BAR - full.min(BAR)));
    format!("{verb} [{bar}] {} of {} rows, {rows_per_second:.0}/s", at.done, at.total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        let at = MoveProgress { step: MoveStep::Copying, done: 50, total: 100 };
        assert_eq!(line(at, 1234.4), "copying   [###############...............] 50 of 100 rows, 1234/s");
        let empty = MoveProgress { step: MoveStep::Verifying, done: 0, total: 0 };
        assert!(line(empty, 0.0).contains("[##############################] 0 of 0 rows"));
    }
}
