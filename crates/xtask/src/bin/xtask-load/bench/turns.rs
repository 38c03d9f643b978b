//! The two sides in turns: what disturbs the machine for longer than a round disturbs both.

use hdrhistogram::Histogram;

use super::settings::Settings;
use super::table::Latency;
use crate::Result;
use crate::disturbance::Meter;
use crate::generator::Outcome;

/// What one side did over all rounds.
pub(super) struct Side {
    /// Answers a second, for each round.
    pub(super) per_second: Vec<f64>,
    /// Latencies over all rounds, where they are known.
    pub(super) latency: Option<Latency>,
    /// The share of the machine that others used, for each round.
    pub(super) others: Vec<f64>,
}

/// What came of one round of one side.
pub(super) struct Figures {
    /// Answers a second.
    pub(super) per_second: f64,
    /// Their latencies in microseconds, where they are known.
    pub(super) latency_us: Option<Histogram<u64>>,
}

impl<C> From<Outcome<C>> for Figures {
    fn from(outcome: Outcome<C>) -> Self {
        Self { per_second: outcome.per_second, latency_us: Some(outcome.latency_us) }
    }
}

/// Runs ours, theirs, ours, theirs, …; each is told the round's number.
pub(super) fn take(
    settings: &Settings,
    name: &str,
    mut ours: impl FnMut(u64) -> Result<Figures>,
    mut theirs: impl FnMut(u64) -> Result<Figures>,
) -> Result<(Side, Side)> {
    let (mut our_rounds, mut their_rounds) = (Rounds::new()?, Rounds::new()?);
    for round in 1..=settings.rounds as u64 {
        let ours = our_rounds.add(|| ours(round))?;
        let theirs = their_rounds.add(|| theirs(round))?;
        println!("{name}, round {round}: ours {ours}, theirs {theirs}");
    }
    Ok((our_rounds.finish(), their_rounds.finish()))
}

struct Rounds {
    per_second: Vec<f64>,
    others: Vec<f64>,
    latency_us: Histogram<u64>,
}

impl Rounds {
    fn new() -> Result<Self> {
        Ok(Self { per_second: Vec::new(), others: Vec::new(), latency_us: Histogram::new(3)? })
    }

    /// Runs a round, and says in words what came of it.
    fn add(&mut self, round: impl FnOnce() -> Result<Figures>) -> Result<String> {
        let meter = Meter::start()?;
        let figures = round()?;
        let others = meter.share_of_others()?;
        self.per_second.push(figures.per_second);
        self.others.push(others);
        if let Some(latency_us) = &figures.latency_us {
            self.latency_us.add(latency_us)?;
        }
        Ok(format!("{:.0}/s (others used {:.0} %)", figures.per_second, others * 100.0))
    }

    fn finish(self) -> Side {
        let latency = (!self.latency_us.is_empty()).then(|| Latency::of(&self.latency_us));
        Side { per_second: self.per_second, latency, others: self.others }
    }
}
