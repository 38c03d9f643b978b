//! `xtask-load drill`: what must hold when something breaks.

mod check;
mod crash;
mod event_text;
mod load;
mod plant;
mod settings;
mod value_text;

use xtask::arguments::Arguments;

use crate::Result;
use settings::Settings;

/// Runs the drill that is named.
///
/// # Errors
/// When a promise was broken; with `--self-test`, when the planted fault was not found.
pub(crate) fn run(arguments: Arguments) -> Result<()> {
    let settings = Settings::read(arguments)?;
    println!("{settings}");
    crash::run(&settings).map_err(|failure| format!("{failure}\n{settings}: FAILED").into())
}
