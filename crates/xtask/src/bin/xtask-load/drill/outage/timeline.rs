//! What the records show: before, during and after the outage.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use super::record::{End, Kind, Record};

/// How long full speed may take to come back.
pub(super) const RECOVERY: Duration = Duration::from_secs(5);

/// When things happened, from the beginning of the load.
#[derive(Debug, Clone)]
pub(super) struct Timeline {
    /// The usual state, measured.
    pub(super) before: Range<Duration>,
    /// From the moment that the server was hit until it answered again.
    pub(super) outage: Range<Duration>,
    /// From [`RECOVERY`] after that on, measured.
    pub(super) after: Range<Duration>,
}

/// Counts of one kind of request within a time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) good: u64,
    pub(super) unavailable: u64,
    pub(super) stale: u64,
    pub(super) wrong: u64,
    pub(super) broken: u64,
    /// The longest time to an answer, or to none.
    pub(super) longest: Duration,
    /// Good ones that would have been had, in the place of those that were not good: a client that waits two
    /// seconds for a refusal asks for nothing else meanwhile.
    pub(super) missed: u64,
}

/// How often a client asks that need not wait.
const PACE: Duration = Duration::from_millis(2);

impl Counts {
    /// Of the records of these kinds whose answers came within that time.
    pub(super) fn of(records: &[Record], kinds: &[Kind], within: &Range<Duration>) -> Self {
        let mut counts = Self::default();
        for record in
            records.iter().filter(|record| kinds.contains(&record.kind) && within.contains(&record.at))
        {
            *match record.end {
                End::Good => &mut counts.good,
                End::Unavailable => &mut counts.unavailable,
                End::Stale => &mut counts.stale,
                End::Wrong => &mut counts.wrong,
                End::Broken => &mut counts.broken,
            } += 1;
            counts.longest = counts.longest.max(record.took);
            if record.end != End::Good {
                counts.missed += (record.took.as_millis() / PACE.as_millis()).max(1) as u64;
            }
        }
        counts
    }

    /// Those that were not as they should be.
    pub(super) fn bad(&self) -> u64 {
        self.all() - self.good
    }

    fn all(&self) -> u64 {
        self.good + self.unavailable + self.stale + self.wrong + self.broken
    }

    /// The share of good ones, 0 to 1, among them and those that were missed.
    pub(super) fn good_share(&self) -> f64 {
        self.good as f64 / (self.good + self.missed).max(1) as f64
    }

    /// Good ones a second.
    pub(super) fn per_second(&self, within: &Range<Duration>) -> f64 {
        self.good as f64 / (within.end - within.start).as_secs_f64().max(f64::EPSILON)
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { good, unavailable, stale, wrong, broken, longest, .. } = self;
        write!(
            f,
            "{good} good, {unavailable} × 503, {stale} stale, {wrong} wrong, {broken} without an answer, \
             the longest took {:.0} ms",
            longest.as_secs_f64() * 1000.0
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_within_the_time_is_counted_by_its_end() {
        let record = |kind, end, second| Record {
            kind,
            end,
            at: Duration::from_secs(second),
            took: Duration::from_secs(second),
        };
        let records = [
            record(Kind::Write, End::Good, 0),
            record(Kind::Write, End::Good, 1),
            record(Kind::Write, End::Unavailable, 2),
            record(Kind::CachedRead, End::Good, 2),
            record(Kind::Write, End::Broken, 3),
        ];
        let within = Duration::from_secs(1)..Duration::from_secs(3);
        let counts = Counts::of(&records, &[Kind::Write], &within);
        let longest = Duration::from_secs(2);
        assert_eq!(counts, Counts { good: 1, unavailable: 1, longest, missed: 1000, ..Counts::default() });
        assert_eq!((counts.bad(), counts.per_second(&within)), (1, 0.5));
        // Who waited two seconds for a refusal would have had a thousand answers.
        assert_eq!(counts.good_share(), 1.0 / 1001.0);
    }
}
