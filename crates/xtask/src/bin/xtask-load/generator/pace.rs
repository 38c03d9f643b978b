//! When requests are due.

use std::time::{Duration, Instant};

/// The requests of one thread, evenly spread over time.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    next: Option<Instant>,
    offset: Duration,
}

impl Pace {
    /// A thread's share of so many requests a second. The threads' requests come in turns.
    pub(super) fn new(per_second: u32, threads: usize, thread: usize) -> Self {
        let between = Duration::from_secs(1) / per_second.max(1);
        let times = |count: usize| between * u32::try_from(count).unwrap_or(u32::MAX);
        Self { interval: times(threads), next: None, offset: times(thread) }
    }

    /// From now on requests are due.
    pub(super) fn start(&mut self, now: Instant) {
        self.next = Some(now + self.offset);
    }

    /// When a request was due that is to be sent by now, the earliest first.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Instant> {
        let due = self.next.filter(|next| *next <= now)?;
        self.next = Some(due + self.interval);
        Some(due)
    }
}

#[test]
fn requests_are_due_in_even_steps_and_none_is_left_out() {
    let begun = Instant::now();
    let mut dues = Vec::new();
    for thread in 0..2 {
        let mut pace = Pace::new(1000, 2, thread);
        assert_eq!(pace.take_due(begun), None, "it has not begun");
        pace.start(begun);
        let late = begun + Duration::from_millis(9);
        dues.extend(std::iter::from_fn(|| pace.take_due(late)).map(|due| (due - begun).as_millis()));
    }
    dues.sort_unstable();
    assert_eq!(dues, (0..=9).collect::<Vec<_>>());
}
