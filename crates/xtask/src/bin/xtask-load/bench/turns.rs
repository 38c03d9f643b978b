//! The two sides in turns: what disturbs the machine for longer than a round disturbs both.

use hdrhistogram::Histogram;

use super::settings::Settings;
use super::table::Latency;
use crate::Result;
use crate::generator::Outcome;

/// What one side did over all rounds.
pub(super) struct Side {
    /// Answers a second, for each round.
    pub(super) per_second: Vec<f64>,
    /// Latencies over all rounds.
    pub(super) latency: Latency,
}

/// Runs ours, bare, ours, bare, …; each is told the round's number.
pub(super) fn take<A, B>(
    settings: &Settings,
    name: &str,
    mut ours: impl FnMut(u64) -> Result<Outcome<A>>,
    mut bare: impl FnMut(u64) -> Result<Outcome<B>>,
) -> Result<(Side, Side)> {
    let (mut our_rounds, mut bare_rounds) = (Rounds::new()?, Rounds::new()?);
    for round in 1..=settings.rounds as u64 {
        let our_figure = our_rounds.add(&ours(round)?)?;
        let bare_figure = bare_rounds.add(&bare(round)?)?;
        let ratio = our_figure / bare_figure;
        println!("{name}, round {round}: ours {our_figure:.0}/s, bare {bare_figure:.0}/s, ratio {ratio:.3}");
    }
    Ok((our_rounds.finish(), bare_rounds.finish()))
}

struct Rounds {
    per_second: Vec<f64>,
    latency_us: Histogram<u64>,
}

impl Rounds {
    fn new() -> Result<Self> {
        Ok(Self { per_second: Vec::new(), latency_us: Histogram::new(3)? })
    }

    fn add<C>(&mut self, outcome: &Outcome<C>) -> Result<f64> {
        self.per_second.push(outcome.per_second);
        self.latency_us.add(&outcome.latency_us)?;
        Ok(outcome.per_second)
    }

    fn finish(self) -> Side {
        Side { per_second: self.per_second, latency: Latency::of(&self.latency_us) }
    }
}
