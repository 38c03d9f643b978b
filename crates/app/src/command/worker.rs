//! `tenantry worker`: does jobs, and serves nothing, until it is told to stop.

use std::io::{self, Write};

use super::CommandError;
use super::signals::Signals;
use crate::application::Core;
use crate::config::Config;
use crate::logging;

pub(super) fn run(config: &Config) -> Result<(), CommandError> {
    logging::start(&config.settings().log);
    super::prepare_place_of_database(config)?;
    actix_web::rt::System::new().block_on(work(config))
}

async fn work(config: &Config) -> Result<(), CommandError> {
    let workers = config.settings().jobs.workers;
    let core = Core::open_with_workers(config, workers).map_err(CommandError::failed)?;
    let mut signals = Signals::listen().map_err(CommandError::failed)?;
    let caches = core.caches.start();
    let jobs = core.jobs.start();
    tracing::info!(workers, version = env!("CARGO_PKG_VERSION"), "working");
    // That nobody reads standard output is no reason to end.
    let _ = writeln!(io::stdout(), "tenantry works");
    signals.next().await;
    tracing::info!("stopping");
    let watch = actix_web::rt::spawn(async move {
        signals.next().await;
        tracing::warn!("stopped at once by a second signal: runs that were under way are taken over later");
        std::process::exit(1);
    });
    jobs.finish().await;
    core.storage.close().await;
    caches.finish().await;
    watch.abort();
    tracing::info!("stopped");
    Ok(())
}
