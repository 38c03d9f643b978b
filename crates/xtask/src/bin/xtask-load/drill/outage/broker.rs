//! S3, the broker: RabbitMQ is killed, or frozen, under load, and comes back. Nobody who writes notices; runs are taken
//! and wait; and when it is back each of them is carried out once.

mod effects;
mod feeds;
mod plant;
mod requests;
mod run;
mod stand;
mod stories;
mod verdict;

use super::settings::Settings;
use crate::Result;
use crate::scratch::Scratch;
use run::Run;
use verdict::Fault;

/// The most faults that are told.
const TOLD: usize = 20;

/// Runs the drill.
pub(super) fn drill(settings: &Settings, scratch: &Scratch) -> Result<()> {
    let faults = Run { settings, is_spoilt: false }.go(scratch.path())?;
    if faults.is_empty() {
        println!("{settings}: held");
        return Ok(());
    }
    Err(text(&faults).into())
}

/// Plants a loss of what was stored, one of a run, an effect that is there twice, and workers that stand still when the
/// broker is back.
pub(super) fn self_test(settings: &Settings, scratch: &Scratch) -> Result<()> {
    let faults = Run { settings, is_spoilt: true }.go(scratch.path())?;
    let wanted: [fn(&Fault) -> bool; 4] = [
        |fault| matches!(fault, Fault::NotAsSent(..)),
        Fault::is_lost_run,
        Fault::is_doubled_effect,
        |fault| matches!(fault, Fault::Backlog(_)),
    ];
    if wanted.into_iter().all(|is_it| faults.iter().any(is_it)) {
        println!("{settings}: all four planted faults were found:\n{}", text(&faults));
        return Ok(());
    }
    Err(format!("not all that was planted was found:\n{}", text(&faults)).into())
}

fn text(faults: &[Fault]) -> String {
    let mut lines: Vec<_> = faults.iter().take(TOLD).map(ToString::to_string).collect();
    if let Some(more) = faults.len().checked_sub(TOLD + 1) {
        lines.push(format!("and {} more", more + 1));
    }
    lines.join("\n")
}
