//! What to measure, and how long.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use xtask::arguments::Arguments;
use xtask::random::fresh_seed;

use crate::Result;
use crate::generator::Load;

/// Keys that are read and written at random.
pub(super) const KEYS: u64 = 100_000;
/// Connections that read.
pub(super) const READ_CONNECTIONS: usize = 64;
/// Connections that write: waiting for a disk, more can be under way at once.
pub(super) const WRITE_CONNECTIONS: usize = 256;
/// What passes before each round is measured.
const WARM_UP: Duration = Duration::from_secs(1);

/// A line of the targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// `GET kv/{key}`, cached.
    KeyValueRead,
    /// `GET kv/{key}`, past every cache.
    KeyValueColdRead,
    /// `POST events`, one event a request, durable.
    EventWrite,
    /// `PUT kv/{key}`, durable.
    KeyValueWrite,
    /// `search`, alone and during imports.
    Search,
    /// A provider's feed, from bytes to records.
    FeedRead,
    /// Memory, start and size.
    Footprint,
}

impl Work {
    const ALL: [Self; 7] = [
        Self::KeyValueRead,
        Self::KeyValueColdRead,
        Self::EventWrite,
        Self::KeyValueWrite,
        Self::Search,
        Self::FeedRead,
        Self::Footprint,
    ];

    /// Its number among the targets.
    pub(super) fn number(self) -> &'static str {
        match self {
            Self::KeyValueRead => "P1",
            Self::KeyValueColdRead => "P2",
            Self::EventWrite => "P3",
            Self::KeyValueWrite => "P5",
            Self::Search => "P7",
            Self::FeedRead => "P8",
            Self::Footprint => "P10",
        }
    }

    fn of_number(number: &str) -> Result<Self> {
        let work = Self::ALL.into_iter().find(|work| work.number().eq_ignore_ascii_case(number));
        work.ok_or_else(|| {
            let known = Self::ALL.map(Self::number).join(", ");
            format!("there is no {number}; there are {known}").into()
        })
    }
}

/// The settings of a run.
#[derive(Debug)]
pub(super) struct Settings {
    /// What to measure.
    pub(super) works: Vec<Work>,
    /// How long a round is measured.
    pub(super) seconds: u64,
    /// Rounds of each side.
    pub(super) rounds: usize,
    /// Threads of the load generator.
    pub(super) threads: usize,
    /// What the random keys are made from.
    pub(super) seed: u64,
    /// Whether `docs/benchmarks.md` is written.
    pub(super) is_written: bool,
}

impl Settings {
    /// Reads `[P1 P3 …] [--seconds N] [--rounds N] [--threads N] [--seed N] [--write | --no-write]`. The
    /// document is replaced as a whole, so a run of a part of the works leaves it alone unless told otherwise.
    pub(super) fn read(mut arguments: Arguments) -> Result<Self> {
        let seconds = arguments.value("--seconds")?.unwrap_or(5);
        let rounds = arguments.value("--rounds")?.unwrap_or(5);
        let threads = arguments.value("--threads")?.unwrap_or(2);
        let seed = arguments.value("--seed")?.unwrap_or_else(fresh_seed);
        let (may_write, must_write) = (!arguments.switch("--no-write"), arguments.switch("--write"));
        let words = arguments.words()?;
        if !(1..=600).contains(&seconds) || !(1..=100).contains(&rounds) || !(1..=64).contains(&threads) {
            return Err("--seconds is 1 to 600, --rounds 1 to 100, --threads 1 to 64".into());
        }
        let works = match &words[..] {
            [] => Work::ALL.to_vec(),
            words => words.iter().map(|word| Work::of_number(word)).collect::<Result<_>>()?,
        };
        let is_whole = Work::ALL.iter().all(|work| works.contains(work));
        let is_written = may_write && (is_whole || must_write);
        if is_written && rounds < 5 {
            return Err(
                "medians of fewer than 5 rounds are not for docs/benchmarks.md: add --no-write".into()
            );
        }
        Ok(Self { works, seconds, rounds, threads, seed, is_written })
    }

    /// A caller for each thread of the load generator.
    pub(super) fn per_thread<C>(&self, make: impl FnMut() -> C) -> Vec<C> {
        std::iter::repeat_with(make).take(self.threads).collect()
    }

    /// The load of one round.
    pub(super) fn load(&self, address: SocketAddr, connections: usize) -> Load {
        let measured = Duration::from_secs(self.seconds);
        Load { address, connections, warm_up: WARM_UP, measured, per_second: None, may_break: false }
    }

    /// The command that runs this again.
    pub(super) fn command(&self) -> String {
        let works: Vec<_> = self.works.iter().map(|work| work.number()).collect();
        let Self { seconds, rounds, threads, seed, .. } = self;
        let works = works.join(" ");
        format!(
            "cargo xtask bench {works} --seconds {seconds} --rounds {rounds} --threads {threads} --seed {seed}"
        )
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.command())
    }
}

/// A load that is not measured and ends when the callers do: to fill, or to look.
pub(super) fn unmeasured(address: SocketAddr, connections: usize) -> Load {
    let measured = Duration::from_secs(300);
    Load { address, connections, warm_up: Duration::ZERO, measured, per_second: None, may_break: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Settings> {
        Settings::read(Arguments::new(line.split_whitespace().map(str::to_owned)))
    }

    #[test]
    fn only_a_whole_run_replaces_the_document_unless_told_otherwise() {
        for (line, is_written) in [
            ("", true),
            ("P10 P8 P7 P5 P3 P2 P1", true),
            ("--no-write", false),
            ("P10", false),
            ("P10 --write", true),
            ("P10 --rounds 2", false),
        ] {
            assert_eq!(read(line).unwrap().is_written, is_written, "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in ["P4", "--rounds 2", "--rounds 0", "--seconds 601", "--threads 0", "--wirte"] {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
