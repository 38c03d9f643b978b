//! What the provider serves, and how badly.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use xtask::arguments::Arguments;
use xtask::random::fresh_seed;

use super::Feed;
use crate::Result;

/// The settings of a provider.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The port on 127.0.0.1; 0 takes any free one.
    pub(crate) port: u16,
    /// What the feed holds.
    pub(crate) feed: Feed,
    /// Of a hundred requests, so many are answered 503.
    pub(crate) failures: u64,
    /// What a 503 says in `Retry-After`, in seconds.
    pub(crate) retry_after: Option<u64>,
    /// Of a hundred feeds, so many break off.
    pub(crate) cuts: u64,
    /// How long an answer takes to begin, in milliseconds: anywhere within.
    pub(crate) latency_ms: Range,
    /// Whether an answer has an `ETag`, and a request with it is answered 304 as long as nothing has changed.
    pub(crate) has_validators: bool,
    /// Whether an answer is compressed for whoever takes that.
    pub(crate) compresses: bool,
}

/// From … to …, both within.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl FromStr for Range {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        Ok(Self { from: from.parse()?, to: to.parse()? })
    }
}

impl Settings {
    /// A provider of that feed without a fault, on any free port.
    pub(crate) fn faultless(feed: Feed) -> Self {
        Self {
            port: 0,
            feed,
            failures: 0,
            retry_after: None,
            cuts: 0,
            latency_ms: Range { from: 0, to: 0 },
            has_validators: true,
            compresses: true,
        }
    }

    /// Reads the flags that `docs/development.md` lists.
    pub(super) fn read(mut arguments: Arguments) -> Result<Self> {
        let seed = arguments.value("--seed")?.unwrap_or_else(fresh_seed);
        let mut percent = |name| arguments.value(name).map(Option::unwrap_or_default);
        let (failures, cuts) = (percent("--failures")?, percent("--cuts")?);
        let (bad_dates, duplicates) = (percent("--bad-dates")?, percent("--duplicates")?);
        let (changes, leaving) = (percent("--changes")?, percent("--leaving")?);
        let feed = Feed {
            plans: arguments.value("--plans")?.unwrap_or(1000),
            zones: arguments.value("--zones")?.unwrap_or(20),
            dialect: arguments.value("--dialect")?.unwrap_or_default(),
            seed,
            bad_dates,
            duplicates,
            changes,
            leaving,
        };
        let settings = Self {
            port: arguments.value("--port")?.unwrap_or(8090),
            retry_after: arguments.value("--retry-after")?,
            latency_ms: arguments.value("--latency-ms")?.unwrap_or(Range { from: 0, to: 0 }),
            has_validators: !arguments.switch("--no-validators"),
            compresses: !arguments.switch("--no-compression"),
            failures,
            cuts,
            feed,
        };
        if let Some(word) = arguments.words()?.first() {
            return Err(format!("there is no {word}").into());
        }
        let percents = [failures, cuts, bad_dates, duplicates, changes, leaving];
        if percents.iter().any(|percent| *percent > 100) || settings.latency_ms.from > settings.latency_ms.to
        {
            return Err("percentages are 0 to 100, and --latency-ms is FROM-TO".into());
        }
        Ok(settings)
    }

    /// How long the longest answer takes to begin.
    pub(super) fn latency(&self, random: &mut xtask::random::Random) -> Duration {
        let Range { from, to } = self.latency_ms;
        Duration::from_millis(from + random.below(to - from + 1))
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { port, feed, failures, cuts, latency_ms, .. } = self;
        let Feed { plans, zones, dialect, seed, bad_dates, duplicates, changes, leaving } = feed;
        write!(
            f,
            "cargo xtask provider --port {port} --plans {plans} --zones {zones} --dialect {dialect} --seed {seed}"
        )?;
        write!(f, " --failures {failures} --cuts {cuts} --latency-ms {}-{}", latency_ms.from, latency_ms.to)?;
        write!(
            f,
            " --bad-dates {bad_dates} --duplicates {duplicates} --changes {changes} --leaving {leaving}"
        )?;
        if let Some(seconds) = self.retry_after {
            write!(f, " --retry-after {seconds}")?;
        }
        f.write_str(if self.has_validators { "" } else { " --no-validators" })?;
        f.write_str(if self.compresses { "" } else { " --no-compression" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Settings> {
        Settings::read(Arguments::new(line.split_whitespace().map(str::to_owned)))
    }

    #[test]
    fn what_is_said_of_a_provider_makes_the_same_again() {
        let line =
            "--plans 7 --dialect older --failures 33 --latency-ms 200-4000 --retry-after 2 --no-compression";
        let said = read(line).unwrap().to_string();
        let again = read(said.trim_start_matches("cargo xtask provider")).unwrap();
        assert_eq!(again.to_string(), said);
        assert!(said.contains("--latency-ms 200-4000") && said.contains("--dialect older"), "{said}");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for line in
            ["--failures 101", "--latency-ms 9-1", "--latency-ms x", "--dialect new", "--plan 3", "word"]
        {
            assert!(read(line).is_err(), "{line}");
        }
    }
}
