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
    bare: Option<Vec<f64>>,
    latencies: Option<(Latency, Latency)>,
    /// The share of the machine that others used, over the rounds of both sides.
    others: Vec<f64>,
    target: Target,
}

/// What a figure is to reach.
#[derive(Debug, Clone, Copy)]
pub(super) enum Target {
    /// At least this share of the bare server's figure.
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
        Self {
            number,
            work,
            unit: "/s",
            ours: ours.per_second,
            bare: Some(bare.per_second),
            latencies: Some((ours.latency, bare.latency)),
            others: [ours.others, bare.others].concat(),
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
            bare: None,
            latencies: None,
            others: Vec::new(),
            target,
        }
    }

    fn markdown(&self) -> String {
        let ours = median(&self.ours);
        let bare = self.bare.as_deref().map(median);
        let ratio = bare.map(|bare| ours / bare);
        let (to_reach, is_reached) = match self.target {
            Target::Ratio(least) => (format!("≥ {least} ×"), ratio.is_some_and(|ratio| ratio >= least)),
            Target::AtMost(most) => (format!("≤ {most} {}", self.unit), ours <= most),
        };
        let cells = [
            self.number.to_owned(),
            self.work.clone(),
            self.figure(ours),
            bare.map(|bare| self.figure(bare)).unwrap_or_default(),
            ratio.map(|ratio| format!("{ratio:.2} ×{}", self.spread())).unwrap_or_default(),
            to_reach,
            if is_reached { "yes".to_owned() } else { "**no**".to_owned() },
            self.disturbance(),
            self.latencies.map(|(ours, _)| ours.text()).unwrap_or_default(),
            self.latencies.map(|(_, bare)| bare.text()).unwrap_or_default(),
        ];
        format!("| {} |", cells.join(" | "))
    }

    /// The lowest and the highest ratio of a round.
    fn spread(&self) -> String {
        let bare = self.bare.as_deref().unwrap_or_default();
        let ratios = self.ours.iter().zip(bare).map(|(ours, bare)| ours / bare);
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
| # | work | ours | bare | ratio (rounds) | to reach | reached | used by others | ours: p50 · p99 · p99.9 ms | bare: p50 · p99 · p99.9 ms |
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
        Side { per_second: per_second.to_vec(), latency, others: vec![0.02, 0.07, 0.01] }
    }

    #[test]
    fn a_comparison_shows_medians_and_whether_the_target_is_reached() {
        let row = |least| {
            let (ours, bare) = (side(&[90_000.0, 80_000.0, 100_000.0]), side(&[100_000.0; 3]));
            Row::against_bare("P1", "reading".to_owned(), ours, bare, Target::Ratio(least)).markdown()
        };
        let expected = "| P1 | reading | 90,000/s | 100,000/s | 0.90 × (0.80 to 1.00) | ≥ 0.9 × | yes | 2 % (≤ 7 %) | \
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
