//! S5: two nodes as one. Whoever reads on the node that has answered a write sees it, on the other soon; and a
//! crowd that misses the same key on both causes one read of the database.

mod cold_key;
mod probes;
mod settings;

use xtask::servers::Server;

use super::pair::{Bond, Pair};
use crate::Result;
use crate::scratch::Scratch;

pub(super) use probes::BOUND;
pub(super) use settings::Settings;

/// Probes of a self-test.
const PROBES_OF_SELF_TEST: u64 = 5_000;

/// Runs the drill, or its self-test.
pub(super) fn run(settings: &Settings) -> Result<()> {
    let mut scratch = Scratch::new("nodes")?;
    let done = if settings.is_self_test { self_test(settings, &scratch) } else { drill(settings, &scratch) };
    if done.is_err() {
        scratch.keep();
    }
    done
}

fn drill(settings: &Settings, scratch: &Scratch) -> Result<()> {
    let pair = Pair::start(scratch.path(), Server::Redis, Bond::Whole, &[])?;
    let found = probes::run(&pair, settings.probes, settings.seed)?;
    println!("{found}");
    found.expect_good(settings.minimum)?;
    let cold = cold_key::run(&pair)?;
    println!("{cold}");
    cold.expect_good()?;
    println!("{settings}: held");
    Ok(())
}

/// Shows that nothing is reported where nothing is wrong; then that it is, of two nodes that don't hear of one another.
fn self_test(settings: &Settings, scratch: &Scratch) -> Result<()> {
    for bond in [Bond::Whole, Bond::Broken] {
        let folder = scratch.path().join(format!("{bond:?}").to_lowercase());
        std::fs::create_dir(&folder)?;
        let pair = Pair::start(&folder, Server::Redis, bond, &[])?;
        let found = probes::run(&pair, PROBES_OF_SELF_TEST, settings.seed)?;
        let cold = cold_key::run(&pair)?;
        println!("{bond:?}: {found}\n{bond:?}: {cold}");
        let (stale, reads) = (found.expect_good(0), cold.expect_good());
        if bond == Bond::Whole {
            stale.and(reads)?;
        } else if stale.is_ok() || reads.is_ok() {
            return Err("a node that does not hear of the other was not found".into());
        }
    }
    println!("{settings}: both planted faults were found");
    Ok(())
}
