//! `tenantry migrate-data`: moves a whole installation from one database to another.

mod side;

use std::sync::Arc;

use tenantry_ports::{ExportRepository, ImportRepository};
use tenantry_services::{DataMove, MoveProgress, MoveReport, MoveStep};

use super::progress::{At, Progress};
use super::{CommandError, print_line};
use crate::config::{Config, Database};
use crate::logging;
use side::{Source, Target};

/// Where from, where to, and whether only to look.
pub(super) struct Plan<'a> {
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) verify_only: bool,
}

pub(super) fn run(config: &Config, plan: &Plan<'_>) -> Result<(), CommandError> {
    let from = database("--from", plan.from)?;
    let to = database("--to", plan.to)?;
    if from == to {
        return Err(CommandError::Failed("--from and --to name the same database".to_owned()));
    }
    logging::start(&config.settings().log);
    let runtime = actix_web::rt::System::new();
    let source = Source::open(config, &from).map_err(CommandError::failed)?;
    let report = if plan.verify_only {
        let target = Source::open(config, &to).map_err(CommandError::failed)?;
        runtime.block_on(verify(source.export(), target.export()))?
    } else {
        let target = Target::open(config, &to).map_err(CommandError::failed)?;
        let moved = runtime.block_on(carry(source.export(), target.export(), target.import()));
        // What was written is on disk before anything is said of it.
        target.close();
        moved?
    };
    let MoveReport { tenants, access_keys, events, key_values, catalog_rows, was_resumed } = report;
    let verb = match (plan.verify_only, was_resumed) {
        (true, _) => "verified",
        (false, true) => "moved (resumed) and verified",
        (false, false) => "moved and verified",
    };
    print_line(&format!(
        "{verb}: {tenants} tenants, {access_keys} access keys, {events} events, {key_values} key-values, \
         {catalog_rows} rows of catalogs"
    ))
}

fn database(flag: &str, url: &str) -> Result<Database, CommandError> {
    let parsed = match url {
        "" => Err("must be sqlite:PATH or postgres://…".to_owned()),
        url => Database::parse(url),
    };
    parsed.map_err(|problem| CommandError::Usage(format!("{flag} {problem}")))
}

async fn carry(
    source: Arc<dyn ExportRepository>,
    target: Arc<dyn ExportRepository>,
    import: Arc<dyn ImportRepository>,
) -> Result<MoveReport, CommandError> {
    let progress = Progress::new();
    DataMove::new(source, target, move |at| progress.show(shown(at)))
        .run(&*import)
        .await
        .map_err(CommandError::failed)
}

async fn verify(
    source: Arc<dyn ExportRepository>,
    target: Arc<dyn ExportRepository>,
) -> Result<MoveReport, CommandError> {
    let progress = Progress::new();
    DataMove::new(source, target, move |at| progress.show(shown(at)))
        .verify()
        .await
        .map_err(CommandError::failed)
}

fn shown(MoveProgress { step, done, total }: MoveProgress) -> At {
    let verb = match step {
        MoveStep::Copying => "copying",
        MoveStep::Verifying => "verifying",
    };
    At { verb, done, total, unit: "rows" }
}
