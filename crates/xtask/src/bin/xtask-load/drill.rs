//! `xtask-load drill`: what must hold when something breaks.

mod check;
mod crash;
mod event_text;
mod hostile_providers;
mod load;
mod nodes;
mod notes;
mod outage;
mod pair;
mod plant;
mod settings;
mod value_text;

use std::fmt::Display;

use xtask::arguments::Arguments;

use crate::Result;

/// Runs the drill that is named first.
///
/// # Errors
/// When a promise was broken; with `--self-test`, when the planted fault was not found.
pub(crate) fn run(mut arguments: Arguments) -> Result<()> {
    match arguments.word().as_deref() {
        Some("crash") => announced(settings::Settings::read(arguments)?, crash::run),
        Some("nodes") => announced(nodes::Settings::read(arguments)?, nodes::run),
        Some("outage") => announced(outage::Settings::read(arguments)?, outage::run),
        Some("provider") => announced(hostile_providers::Settings::read(arguments)?, hostile_providers::run),
        _ => Err("there are four drills so far: crash, nodes, outage, provider".into()),
    }
}

/// Says with which settings, the seed among them, and says them again if it fails.
fn announced<S: Display>(settings: S, drill: impl FnOnce(&S) -> Result<()>) -> Result<()> {
    println!("{settings}");
    drill(&settings).map_err(|failure| format!("{failure}\n{settings}: FAILED").into())
}
