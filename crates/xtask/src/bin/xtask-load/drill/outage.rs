//! S3: a server under the product is killed, or frozen, under load, and comes back.

mod broker;
mod clients;
mod record;
mod run;
mod settings;
mod timeline;
mod verdict;
mod written_keys;

use xtask::servers::Server;

use super::pair::Bond;
use crate::Result;
use crate::scratch::Scratch;
use run::{Plant, Run};
use verdict::Fault;

pub(super) use settings::Settings;

/// Runs the drill, or its self-test.
pub(super) fn run(settings: &Settings) -> Result<()> {
    let mut scratch = Scratch::new("outage")?;
    let done = match (settings.server, settings.is_self_test) {
        (Server::RabbitMq, false) => broker::drill(settings, &scratch),
        (Server::RabbitMq, true) => broker::self_test(settings, &scratch),
        (_, false) => drill(settings, &scratch),
        (_, true) => self_test(settings, &scratch),
    };
    if done.is_err() {
        scratch.keep();
    }
    done
}

fn drill(settings: &Settings, scratch: &Scratch) -> Result<()> {
    let faults = Run { settings, plant: Plant::default() }.go(scratch.path())?;
    if faults.is_empty() {
        println!("{settings}: held");
        return Ok(());
    }
    Err(text(&faults).into())
}

/// Plants a loss, and what the outage of this server must bring to light: with PostgreSQL, nodes that can't keep
/// access keys; with a cache, nodes that have one each and don't hear of one another.
fn self_test(settings: &Settings, scratch: &Scratch) -> Result<()> {
    let is_postgres = settings.server == Server::Postgres;
    let plant = Plant {
        loses_an_event: true,
        bond: if is_postgres { Bond::Whole } else { Bond::Broken },
        settings: if is_postgres { vec![("cache.access_max_bytes", "0".to_owned())] } else { Vec::new() },
    };
    let faults = Run { settings, plant }.go(scratch.path())?;
    let wanted: [fn(&Fault) -> bool; 2] = [
        |fault| matches!(fault, Fault::NotAsSent(..)),
        if is_postgres {
            |fault| matches!(fault, Fault::CachedReads(_))
        } else {
            |fault| matches!(fault, Fault::Stale(_))
        },
    ];
    if wanted.into_iter().all(|is_it| faults.iter().any(is_it)) {
        println!("{settings}: both planted faults were found:\n{}", text(&faults));
        return Ok(());
    }
    Err(format!("not all that was planted was found:\n{}", text(&faults)).into())
}

fn text(faults: &[Fault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
