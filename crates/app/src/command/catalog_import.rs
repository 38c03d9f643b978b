//! `tenantry catalog import`: imports a feed from a file.

use std::path::Path;
use std::sync::Arc;

use tenantry_domain::{FeedRun, RunState, TenantRef};
use tenantry_feed_http::FileFeedSource;

use super::find_feed::find_feed;
use super::progress::{At, Progress};
use super::{CommandError, print_line};
use crate::application::Core;
use crate::config::Config;
use crate::logging;

/// Which file, and into which feed.
pub(super) struct Import<'a> {
    pub(super) file: &'a Path,
    pub(super) tenant: &'a str,
    pub(super) feed: &'a str,
}

pub(super) fn run(config: &Config, import: &Import<'_>) -> Result<(), CommandError> {
    let tenant = TenantRef::parse(import.tenant)
        .ok_or_else(|| CommandError::Usage("--tenant must be a tenant's number or id".to_owned()))?;
    let shown = import.file.display();
    let metadata = std::fs::metadata(import.file)
        .map_err(|error| CommandError::Failed(format!("{shown} cannot be read: {error}")))?;
    if !metadata.is_file() {
        return Err(CommandError::Failed(format!("{shown} is not a file")));
    }
    logging::start(&config.settings().log);
    super::prepare_place_of_database(config)?;
    let run = actix_web::rt::System::new().block_on(carry_out(config, import, &tenant, metadata.len()))?;
    say(&run)
}

async fn carry_out(
    config: &Config,
    import: &Import<'_>,
    tenant: &TenantRef,
    bytes: u64,
) -> Result<FeedRun, CommandError> {
    let core = Core::open(config).map_err(CommandError::failed)?;
    let caches = core.caches.start();
    core.caches.until_up().await;
    let imported = import_into(&core, config, import, tenant, bytes).await;
    core.storage.close().await;
    caches.finish().await;
    imported
}

async fn import_into(
    core: &Core,
    config: &Config,
    import: &Import<'_>,
    tenant: &TenantRef,
    total: u64,
) -> Result<FeedRun, CommandError> {
    let tenant = core.tenants.get(tenant).await.map_err(CommandError::failed)?.number;
    let feed = find_feed(&core.feeds, tenant, import.feed).await?;
    let feed = feed.ok_or_else(|| CommandError::Failed(format!("there is no feed named {}", import.feed)))?;
    let progress = Progress::new();
    let show = move |done| progress.show(At { verb: "reading", done, total, unit: "bytes" });
    let file = FileFeedSource::new(import.file, config.feed_file_limits(), show);
    core.imports.import_file(tenant, feed.id, Arc::new(file)).await.map_err(CommandError::failed)
}

fn say(run: &FeedRun) -> Result<(), CommandError> {
    let detail = run.detail.as_deref().unwrap_or_default();
    match run.state {
        RunState::Failed => Err(CommandError::Failed(format!("nothing was changed: {detail}"))),
        RunState::Held => Err(CommandError::Failed(format!(
            "nothing was changed yet, and the run {} waits to be confirmed: {detail}",
            run.id
        ))),
        _ => {
            let counts = run.counts;
            print_line(&format!(
                "{} plans seen: {} new, {} changed, {} unchanged; {} left the feed; {} records rejected",
                counts.plans_seen,
                counts.plans_new,
                counts.plans_changed,
                counts.plans_unchanged,
                counts.plans_left_sale,
                counts.rejected
            ))
        }
    }
}
