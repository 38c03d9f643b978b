//! How far an import is: a bar on standard error, where that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

pub(super) struct Progress(ProgressBar);

impl Progress {
    /// Of so many bytes, if that is known.
    pub(super) fn of_bytes(verb: &'static str, total: Option<u64>) -> Self {
        match total {
            Some(total) => Self::new(
                ProgressBar::new(total),
                verb,
                "{msg} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            ),
            None => Self::new(ProgressBar::no_length(), verb, "{msg} {spinner} {bytes}, {bytes_per_sec}"),
        }
    }

    /// Of so many rows.
    pub(super) fn of_rows(verb: &'static str, total: u64) -> Self {
        Self::new(
            ProgressBar::new(total),
            verb,
            "{msg} [{bar:30}] {pos} of {len} rows, {per_sec}, {eta} left",
        )
    }

    fn new(bar: ProgressBar, verb: &'static str, template: &str) -> Self {
        // A template that is wrong leaves the usual style.
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("#>."));
        }
        bar.set_message(verb);
        Self(bar)
    }

    pub(super) fn set(&self, position: u64) {
        self.0.set_position(position);
    }

    /// Takes the bar away: what there is to say stands in the result.
    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
