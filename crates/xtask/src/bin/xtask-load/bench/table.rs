//! The table of figures, in Markdown.

use std::fmt::Write;

use hdrhistogram::Histogram;
use xtask::median::median;

use super::turns::Side;

/// One line.
pub(super) struct Row {
    number: &'static str,
    work: String,
    unit: &'static str,
    ours: Vec<f64>,
    peer: Option<Peer>,
    latency: Option<Latency>,
    /// The share of the machine that others used, over the rounds of both sides.
    others: Vec<f64>,
    target: Target,
}

/// The other side of a comparison.
struct Peer {
    name: &'static str,
    per_second: Vec<f64>,
    latency: Option<Latency>,
}

/// What a figure is to reach.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// At least this multiple of the other side's figure.
    Ratio(f64),
    /// At most this much.
    AtMost(f64),
}

/// Latencies in microseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latency {
    median: u64,
    p99: u64,
    p999: u64,
}

impl Latency {
    /// Those of a histogram.
    pub(super) fn of(latency_us: &Histogram<u64>) -> Self {
        let at = |quantile| latency_us.value_at_quantile(quantile);
        Self { median: at(0.5), p99: at(0.99), p999: at(0.999) }
    }

    fn text(self) -> String {
        let milliseconds = |us: u64| format!("{:.2}", us as f64 / 1000.0);
        [self.median, self.p99, self.p999].map(milliseconds).join(" · ")
    }
}

impl Row {
    /// A comparison with the bare server, in requests a second.
    pub(super) fn against_bare(
        number: &'static str,
        work: String,
        ours: Side,
        bare: Side,
        target: Target,
    ) -> Self {
        Self::against("bare", number, work, ours, bare, target)
    }

    /// A comparison with another program, in requests a second.
    pub(super) fn against(
        name: &'static str,
        number: &'static str,
        work: String,
        ours: Side,
        theirs: Side,
        target: Target,
    ) -> Self {
        let others = [ours.others, theirs.others].concat();
        let peer = Peer { name, per_second: theirs.per_second, latency: theirs.latency };
        Self {
            number,
            work,
            unit: "/s",
            ours: ours.per_second,
            peer: Some(peer),
            latency: ours.latency,
            others,
            target,
        }
    }

    /// A figure that stands for itself.
    pub(super) fn alone(
        number: &'static str,
        work: &str,
        unit: &'static str,
        ours: Vec<f64>,
        target: Target,
    ) -> Self {
        Self {
            number,
            work: work.to_owned(),
            unit,
            ours,
            peer: None,
            latency: None,
            others: Vec::new(),
            target,
        }
    }

    fn markdown(&self) -> String {
        let ours = median(&self.ours);
        let theirs = self.peer.as_ref().map(|peer| (peer.name, median(&peer.per_second)));
        let ratio = theirs.map(|(_, theirs)| ours / theirs);
        let their_latency = self.peer.as_ref().and_then(|peer| peer.latency);
        let (to_reach, is_reached) = match self.target {
            Target::Ratio(least) => (format!("≥ {least} ×"), ratio.is_some_and(|ratio| ratio >= least)),
            Target::AtMost(most) => (format!("≤ {most} {}", self.unit), ours <= most),
        };
        let cells = [
            self.number.to_owned(),
            self.work.clone(),
            self.figure(ours),
            theirs.map(|(name, theirs)| format!("{name} {}", self.figure(theirs))).unwrap_or_default(),
            ratio.map(|ratio| format!("{ratio:.2} ×{}", self.spread())).unwrap_or_default(),
            to_reach,
            if is_reached { "yes".to_owned() } else { "**no**".to_owned() },
            self.disturbance(),
            self.latency.map(Latency::text).unwrap_or_default(),
            their_latency.map(Latency::text).unwrap_or_default(),
        ];
        format!("| {} |", cells.join(" | "))
    }

    /// The lowest and the highest ratio of a round.
    fn spread(&self) -> String {
        let theirs = self.peer.as_ref().map(|peer| &peer.per_second[..]).unwrap_or_default();
        let ratios = self.ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs);
        let (low, high) =
            ratios.fold((f64::INFINITY, 0.0_f64), |(low, high), ratio| (low.min(ratio), high.max(ratio)));
        format!(" ({low:.2} to {high:.2})")
    }

    /// The median and the highest share of the machine that others used in a round.
    fn disturbance(&self) -> String {
        let highest = self.others.iter().copied().reduce(f64::max);
        let median = median(&self.others);
        highest
            .map(|highest| format!("{:.0} % (≤ {:.0} %)", median * 100.0, highest * 100.0))
            .unwrap_or_default()
    }

    fn figure(&self, figure: f64) -> String {
        match self.unit {
            "/s" => format!("{}/s", with_thousands(figure)),
            unit => format!("{figure:.1} {unit}"),
        }
    }
}

/// The whole table.
pub(super) fn markdown(rows: &[Row]) -> String {
    let mut table = "\
| # | work | ours | theirs | ratio (rounds) | to reach | reached | used by others | ours: p50 · p99 · p99.9 ms | theirs: p50 · p99 · p99.9 ms |
|---|---|---|---|---|---|---|---|---|---|
"
    .to_owned();
    for row in rows {
        // Writing to memory does not fail.
        let _ = writeln!(table, "{}", row.markdown());
    }
    table
}

fn with_thousands(figure: f64) -> String {
    let digits = format!("{figure:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(per_second: &[f64]) -> Side {
        let latency = Latency { median: 1, p99: 20, p999: 3000 };
        Side { per_second: per_second.to_vec(), latency: Some(latency), others: vec![0.02, 0.07, 0.01] }
    }

    #[test]
    fn a_comparison_shows_medians_and_whether_the_target_is_reached() {
        let row = |least| {
            let (ours, bare) = (side(&[90_000.0, 80_000.0, 100_000.0]), side(&[100_000.0; 3]));
            Row::against_bare("P1", "reading".to_owned(), ours, bare, Target::Ratio(least)).markdown()
        };
        let expected = "| P1 | reading | 90,000/s | bare 100,000/s | 0.90 × (0.80 to 1.00) | ≥ 0.9 × | yes | 2 % (≤ 7 %) | \
                        0.00 · 0.02 · 3.00 | 0.00 · 0.02 · 3.00 |";
        assert_eq!(row(0.9), expected);
        assert!(row(0.91).contains("**no**"));
    }

    #[test]
    fn a_figure_alone_is_compared_with_its_bound() {
        let row = |most| {
            Row::alone("P10", "memory", "MiB", vec![31.0, 29.0, 30.0], Target::AtMost(most)).markdown()
        };
        assert_eq!(row(30.0), "| P10 | memory | 30.0 MiB |  |  | ≤ 30 MiB | yes |  |  |  |");
        assert!(row(29.0).contains("**no**"));
    }

    #[test]
    fn thousands_are_parted() {
        assert_eq!(with_thousands(1_234_567.4), "1,234,567");
        assert_eq!(with_thousands(999.0), "999");
    }
}
