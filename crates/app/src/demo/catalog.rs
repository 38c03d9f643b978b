//! The sample catalog: two fetches of a provider's feed, one after the other.

use std::io::Write as _;
use std::sync::Arc;

use tenantry_domain::{FeedDraft, FeedId, PageLimit, TenantNumber};
use tenantry_feed_http::{FeedLimits, FileFeedSource};
use tenantry_http::Services;
use tenantry_ports::SettingRepository;
use tenantry_services::ImportService;

use super::feeds::{PLAN_LIST, PLAN_LIST_LATER};
use super::{Demo, DemoError};

/// Stands once the sample catalog is stored.
const MARKER: &str = "demo_catalog";

/// The sample feed. Nobody serves it, so the timer leaves it alone.
const NAME: &str = "sample provider";
const URL: &str = "https://provider.example/api/events";

/// Imports the sample feed into the first sample tenant, unless that was done before.
///
/// # Errors
/// When something cannot be stored; another call goes on from there.
pub(crate) async fn fill_catalog_once(
    demo: &Demo,
    services: &Services,
    imports: &ImportService,
    limits: &FeedLimits,
    settings: &dyn SettingRepository,
) -> Result<(), DemoError> {
    if settings.find(MARKER).await?.is_some() {
        return Ok(());
    }
    let feed = sample_feed(services, demo.first_tenant).await?;
    for text in [PLAN_LIST, PLAN_LIST_LATER] {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(text.as_bytes())?;
        let source = FileFeedSource::new(file.path(), limits.clone(), |_| {});
        imports.import_file(demo.first_tenant, feed, Arc::new(source)).await?;
    }
    settings.find_or_insert(MARKER, Vec::new()).await?;
    Ok(())
}

/// The feed that an interrupted filling has left, or a new one.
async fn sample_feed(services: &Services, tenant: TenantNumber) -> Result<FeedId, DemoError> {
    let feeds = services.feeds.list(tenant, None, PageLimit::MAX).await?.items;
    if let Some(feed) = feeds.iter().find(|feed| feed.settings.name.as_str() == NAME) {
        return Ok(feed.id);
    }
    let draft = FeedDraft {
        name: Some(NAME.to_owned()),
        url: Some(URL.to_owned()),
        enabled: Some(false),
        ..FeedDraft::default()
    };
    Ok(services.feeds.create(tenant, draft).await?.id)
}
