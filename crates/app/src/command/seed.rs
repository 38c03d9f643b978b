//! `tenantry seed`: stores sample tenants from a file.

use std::path::Path;

use super::{CommandError, complain, print_line};
use crate::application::Core;
use crate::config::Config;
use crate::logging;
use crate::sample_tenants::{self, SampleTenant, Seeded};

/// So many faults of a file are told; a file of another kind would have as many as it has rows.
const MOST_FAULTS: usize = 100;

pub(super) fn run(config: &Config, file: &Path) -> Result<(), CommandError> {
    let samples = read(file)?;
    logging::start(&config.settings().log);
    super::prepare_place_of_database(config)?;
    let outcomes = actix_web::rt::System::new().block_on(store(config, &samples))?;
    let created = outcomes.iter().filter(|outcome| matches!(outcome, Seeded::Created(_))).count();
    print_line(&format!(
        "{created} tenants created, {} skipped: they were there already",
        outcomes.len() - created
    ))
}

fn read(file: &Path) -> Result<Vec<SampleTenant>, CommandError> {
    let shown = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| CommandError::Failed(format!("{shown} cannot be read: {error}")))?;
    let faults = match sample_tenants::parse(&text) {
        Ok(samples) => return Ok(samples),
        Err(faults) => faults,
    };
    for fault in faults.iter().take(MOST_FAULTS) {
        complain(&format!("{shown}: {fault}"));
    }
    Err(CommandError::Failed(format!("nothing was stored, since {shown} has {} faults", faults.len())))
}

async fn store(config: &Config, samples: &[SampleTenant]) -> Result<Vec<Seeded>, CommandError> {
    let core = Core::open(config).map_err(CommandError::failed)?;
    let caches = core.caches.start();
    core.caches.until_up().await;
    let outcomes = sample_tenants::store_missing(&core.tenants, samples).await;
    core.storage.close().await;
    caches.finish().await;
    outcomes.map_err(CommandError::failed)
}
