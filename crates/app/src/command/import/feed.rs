//! Plans of the search: a run of their feed.

use std::sync::Arc;

use tenantry_domain::{Feed, FeedDraft, RunState, TenantNumber};
use tenantry_predecessor_files::PastData;

use super::past_plans::PastPlans;
use super::tally::Tally;
use super::{CommandError, ImportArgs, Origin, Path, find_feed};
use crate::application::Core;

/// Has the feed take the plans, and notes what became of them.
pub(super) async fn carry(
    core: &Core,
    tenant: TenantNumber,
    args: &ImportArgs,
    data: PastData,
    tally: &mut Tally,
) -> Result<(), CommandError> {
    let feed = feed(core, tenant, args).await?;
    tally.belongs_to(&feed);
    let is_file = args.file != Path::new("-");
    let bytes = is_file.then(|| Origin::File(args.file.clone()).size()).flatten().unwrap_or_default();
    let plans = Arc::new(PastPlans::new(data, bytes));
    let run = core.imports.import_file(tenant, feed.id, plans).await.map_err(CommandError::failed)?;
    match run.state {
        RunState::Succeeded => {
            tally.note_run(&run);
            Ok(())
        }
        _ => {
            let why = run.detail.unwrap_or_default();
            Err(CommandError::Failed(format!("nothing was stored: {why}")))
        }
    }
}

/// The feed that was named, made if there is none and its URL is known.
async fn feed(core: &Core, tenant: TenantNumber, args: &ImportArgs) -> Result<Feed, CommandError> {
    // Without one it was refused before.
    let named = args.feed.as_deref().unwrap_or_default();
    match (find_feed(&core.feeds, tenant, named).await?, &args.feed_url) {
        (Some(feed), Some(url)) if feed.settings.url.as_str() != url => {
            let text = format!("there is a feed {named}, and it has another URL than --feed-url says");
            Err(CommandError::Failed(text))
        }
        (Some(feed), _) => Ok(feed),
        (None, Some(url)) => {
            let draft = FeedDraft {
                name: Some(named.to_owned()),
                url: Some(url.clone()),
                // Whether to fetch is for its owner to say.
                enabled: Some(false),
                ..FeedDraft::default()
            };
            core.feeds.create(tenant, draft).await.map_err(CommandError::failed)
        }
        (None, None) => Err(CommandError::Failed(format!(
            "there is no feed {named}: --feed-url has it made, not enabled, with its provider's URL"
        ))),
    }
}
