//! The feed that a command line means.

use tenantry_domain::{Feed, FeedId, PageLimit, TenantNumber};
use tenantry_services::{FeedError, FeedService};

use super::CommandError;

/// The tenant's feed of that id, or the only one of that name; nothing where there is none.
pub(super) async fn find_feed(
    feeds: &FeedService,
    tenant: TenantNumber,
    wanted: &str,
) -> Result<Option<Feed>, CommandError> {
    if let Some(id) = FeedId::parse(wanted) {
        return match feeds.get(tenant, id).await {
            Ok(feed) => Ok(Some(feed)),
            Err(FeedError::NotFound) => Ok(None),
            Err(error) => Err(CommandError::failed(error)),
        };
    }
    let (mut found, mut after) = (None, None);
    loop {
        let page = feeds.list(tenant, after, PageLimit::MAX).await.map_err(CommandError::failed)?;
        after = page.items.last().map(|feed| feed.id);
        for feed in page.items.into_iter().filter(|feed| feed.settings.name.as_str() == wanted) {
            if found.replace(feed).is_some() {
                let text = format!("there are several feeds named {wanted}: say which by its id");
                return Err(CommandError::Failed(text));
            }
        }
        if !page.more {
            return Ok(found);
        }
    }
}
