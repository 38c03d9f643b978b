//! The two sides in turns: what disturbs the machine for longer than a round disturbs both.

use hdrhistogram::Histogram;

use super::disturbance::Meter;
use super::settings::Settings;
use super::sides::Sides;
use super::table::Latency;
use crate::Result;
use crate::generator::Outcome;

/// What one side did over all rounds.
pub(super) struct Side {
    /// Answers a second, for each round.
    pub(super) per_second: Vec<f64>,
    /// Latencies over all rounds.
    pub(super) latency: Latency,
    /// The share of the machine that others used, for each round.
    pub(super) others: Vec<f64>,
}

/// Runs ours, bare, ours, bare, …; each is told the round's number.
pub(super) fn take<A, B>(
    settings: &Settings,
    sides: &Sides,
    name: &str,
    mut ours: impl FnMut(u64) -> Result<Outcome<A>>,
    mut bare: impl FnMut(u64) -> Result<Outcome<B>>,
) -> Result<(Side, Side)> {
    let processes = sides.processes();
    let (mut our_rounds, mut bare_rounds) = (Rounds::new()?, Rounds::new()?);
    for round in 1..=settings.rounds as u64 {
        let ours = our_rounds.add(&processes, || ours(round))?;
        let bare = bare_rounds.add(&processes, || bare(round))?;
        println!("{name}, round {round}: ours {ours}, bare {bare}");
    }
    Ok((our_rounds.finish(), bare_rounds.finish()))
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
    fn add<C>(&mut self, processes: &[u32], round: impl FnOnce() -> Result<Outcome<C>>) -> Result<String> {
        let meter = Meter::start(processes)?;
        let outcome = round()?;
        let others = meter.share_of_others()?;
        self.per_second.push(outcome.per_second);
        self.others.push(others);
        self.latency_us.add(&outcome.latency_us)?;
        Ok(format!("{:.0}/s (others used {:.0} %)", outcome.per_second, others * 100.0))
    }

    fn finish(self) -> Side {
        let latency = Latency::of(&self.latency_us);
        Side { per_second: self.per_second, latency, others: self.others }
    }
}
