//! Log lines, to standard error.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;

use crate::config::{LogFormat, LogSettings};

/// Starts logging for the whole process. What was started first stays.
pub fn start(settings: &LogSettings) {
    let builder = SubscriberBuilder::default()
        .with_env_filter(EnvFilter::new(&settings.level))
        .with_writer(stderr)
        // It would complain on standard error, and panic, where that is what cannot be written to.
        .log_internal_errors(false)
        .with_ansi(stderr().is_terminal());
    let started = match settings.format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).with_current_span(false).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}
