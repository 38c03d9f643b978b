//! Feeds and plans in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use tenantry_domain::{
    CatalogRevision, Feed, FeedId, FeedRun, FeedSettings, Page, PageLimit, Plan, PlanId, PlanKey, PlanRecord,
    PlanSource, PlanVersion, Precondition, Reject, RejectId, RejectedRecord, RunId, SearchablePlan, SellMode,
    TenantNumber, Timestamp,
};
use tenantry_ports::{
    FeedRepository, FeedWriteError, PlanRepository, SearchablePlans, StorageError, Validators,
};

use super::Memory;

/// A tenant's feeds and plans.
#[derive(Default)]
pub(crate) struct Catalog {
    pub(crate) revision: u64,
    pub(crate) feeds: BTreeMap<FeedId, HeldFeed>,
    pub(crate) plans: BTreeMap<PlanId, HeldPlan>,
    /// Versions that a move has brought, before their plans.
    pub(crate) moved_versions: BTreeMap<PlanId, Vec<PlanVersion>>,
}

pub(crate) struct HeldFeed {
    pub(crate) feed: Feed,
    pub(crate) validators: Validators,
    pub(crate) runs: BTreeMap<RunId, HeldRun>,
    pub(crate) rejects: BTreeMap<RejectId, Reject>,
}

pub(crate) struct HeldRun {
    pub(crate) run: FeedRun,
    pub(crate) claim: u32,
    pub(crate) until: Option<Timestamp>,
    pub(crate) plans: BTreeMap<PlanId, PlanRecord>,
    pub(crate) rejects: BTreeMap<RejectId, RejectedRecord>,
    pub(crate) feed_version: u64,
    pub(crate) validators: Validators,
}

pub(crate) struct HeldPlan {
    pub(crate) source: PlanSource,
    pub(crate) versions: Vec<PlanVersion>,
    pub(crate) in_feed: bool,
    pub(crate) seen_at: Timestamp,
}

impl HeldRun {
    /// A run that nobody has claimed.
    pub(crate) fn new(run: FeedRun) -> Self {
        Self {
            run,
            claim: 0,
            until: None,
            plans: BTreeMap::new(),
            rejects: BTreeMap::new(),
            feed_version: 0,
            validators: Validators::default(),
        }
    }
}

impl HeldPlan {
    pub(crate) fn newest(&self) -> &PlanVersion {
        self.versions.last().unwrap()
    }

    pub(crate) fn on_sale(&self) -> bool {
        self.in_feed && self.newest().content.sell_mode == SellMode::Online
    }
}

impl Catalog {
    /// Whether anything was there to be taken away.
    pub(crate) fn pop(&mut self) -> bool {
        self.plans.pop_last().is_some() || self.feeds.pop_last().is_some()
    }

    /// The id of the feed's plan with that key.
    pub(crate) fn id_of(&self, feed: FeedId, key: &PlanKey) -> Option<PlanId> {
        let mut plans = self.plans.iter();
        plans.find(|(_, plan)| plan.source.feed == feed && plan.source.key == *key).map(|(id, _)| *id)
    }

    /// Takes plans out of their feed. Whether any was on sale.
    pub(crate) fn leave(&mut self, feed: FeedId, leaves: impl Fn(PlanId) -> bool) -> bool {
        let success = self.feeds[&feed].feed.last_success_at;
        let mut any = false;
        for (id, plan) in &mut self.plans {
            if plan.source.feed == feed && plan.in_feed && leaves(*id) {
                any |= plan.on_sale();
                plan.in_feed = false;
                plan.seen_at = success.map_or(plan.seen_at, |success| success.max(plan.seen_at));
            }
        }
        any
    }
}

impl Memory {
    pub(crate) fn next_revision(&self, tenant: TenantNumber, catalog: &mut Catalog) {
        catalog.revision += 1;
        self.listener.catalog_changed(tenant, CatalogRevision::new(catalog.revision).unwrap());
    }
}

#[async_trait]
impl FeedRepository for Memory {
    async fn create(
        &self,
        tenant: TenantNumber,
        id: FeedId,
        settings: FeedSettings,
        max_feeds: u32,
    ) -> Result<Feed, FeedWriteError> {
        let (mut state, now) = (self.state(), self.now());
        let catalog = &mut state.writable(tenant).ok_or(FeedWriteError::TenantNotFound)?.catalog;
        let held = u32::try_from(catalog.feeds.len()).unwrap();
        if held >= max_feeds {
            return Err(FeedWriteError::TooMany(held));
        }
        let next_run_at = settings.enabled.then_some(now);
        let feed = Feed {
            id,
            settings,
            version: 1,
            created_at: now,
            updated_at: now,
            next_run_at,
            last_success_at: None,
        };
        let new = HeldFeed {
            feed: feed.clone(),
            validators: Validators::default(),
            runs: BTreeMap::new(),
            rejects: BTreeMap::new(),
        };
        catalog.feeds.insert(id, new);
        Ok(feed)
    }

    async fn find(&self, tenant: TenantNumber, feed: FeedId) -> Result<Option<Feed>, StorageError> {
        let state = self.state();
        let held = state.tenants.get(&tenant).and_then(|held| held.catalog.feeds.get(&feed));
        Ok(held.map(|held| held.feed.clone()))
    }

    async fn list(
        &self,
        tenant: TenantNumber,
        after: Option<FeedId>,
        limit: PageLimit,
    ) -> Result<Page<Feed>, StorageError> {
        let state = self.state();
        let feeds = state.tenants.get(&tenant).into_iter().flat_map(|held| held.catalog.feeds.values());
        let behind = feeds.map(|held| held.feed.clone()).filter(|feed| Some(feed.id) > after);
        Ok(Page::from_one_more(behind.take(limit.get() + 1).collect(), limit))
    }

    async fn update(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        expected_version: u64,
        settings: FeedSettings,
    ) -> Result<Feed, FeedWriteError> {
        let (mut state, now) = (self.state(), self.now());
        let catalog = &mut state.writable(tenant).ok_or(FeedWriteError::TenantNotFound)?.catalog;
        let held = catalog.feeds.get_mut(&feed).ok_or(FeedWriteError::NotFound)?;
        let feed = &mut held.feed;
        if feed.version != expected_version {
            return Err(FeedWriteError::VersionConflict { current: feed.version });
        }
        let before = std::mem::replace(&mut feed.settings, settings);
        let after = &feed.settings;
        if before.url != after.url || before.time_zone != after.time_zone {
            held.validators = Validators::default();
        }
        if !after.enabled {
            feed.next_run_at = None;
        } else if !before.enabled || before.interval_seconds != after.interval_seconds {
            feed.next_run_at = Some(now);
        }
        feed.version += 1;
        feed.updated_at = feed.updated_at.max(now);
        Ok(feed.clone())
    }

    async fn delete(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        precondition: Precondition,
    ) -> Result<(), FeedWriteError> {
        let mut state = self.state();
        let catalog = &mut state.writable(tenant).ok_or(FeedWriteError::TenantNotFound)?.catalog;
        let current = catalog.feeds.get(&feed).ok_or(FeedWriteError::NotFound)?.feed.version;
        if !precondition.holds(Some(current)) {
            return Err(FeedWriteError::VersionConflict { current });
        }
        let was_on_sale = catalog.leave(feed, |_| true);
        catalog.feeds.remove(&feed);
        if was_on_sale {
            self.next_revision(tenant, catalog);
        }
        Ok(())
    }
}

#[async_trait]
impl PlanRepository for Memory {
    async fn find(&self, tenant: TenantNumber, plan: PlanId) -> Result<Option<Plan>, StorageError> {
        let state = self.state();
        let Some(catalog) = state.tenants.get(&tenant).map(|held| &held.catalog) else { return Ok(None) };
        let Some(held) = catalog.plans.get(&plan) else { return Ok(None) };
        let feed = catalog.feeds.get(&held.source.feed).filter(|_| held.in_feed);
        let success = feed.and_then(|feed| feed.feed.last_success_at);
        Ok(Some(Plan {
            id: plan,
            source: held.source.clone(),
            content: held.newest().content.clone(),
            version: held.newest().version,
            first_seen_at: held.versions[0].seen_at,
            last_seen_at: success.map_or(held.seen_at, |success| success.max(held.seen_at)),
            on_sale: held.on_sale(),
        }))
    }

    async fn find_of(
        &self,
        tenant: TenantNumber,
        feed: FeedId,
        key: &PlanKey,
    ) -> Result<Option<Plan>, StorageError> {
        let id = self.state().tenants.get(&tenant).and_then(|held| held.catalog.id_of(feed, key));
        match id {
            Some(id) => PlanRepository::find(self, tenant, id).await,
            None => Ok(None),
        }
    }

    async fn history(
        &self,
        tenant: TenantNumber,
        plan: PlanId,
        after: Option<u32>,
        limit: PageLimit,
        max_zone_bytes: u64,
    ) -> Result<Option<Page<PlanVersion>>, StorageError> {
        let state = self.state();
        let held = state.tenants.get(&tenant).and_then(|held| held.catalog.plans.get(&plan));
        let Some(held) = held else { return Ok(None) };
        let (mut page, mut bytes) = (Page { items: Vec::new(), more: false }, 0);
        for version in
            held.versions.iter().rev().filter(|held| after.is_none_or(|after| held.version < after))
        {
            let is_full = !page.items.is_empty() && bytes >= max_zone_bytes;
            if is_full || page.items.len() == limit.get() {
                page.more = true;
                break;
            }
            bytes += version.content.zones.as_json().len() as u64;
            page.items.push(version.clone());
        }
        Ok(Some(page))
    }

    async fn version_at(
        &self,
        tenant: TenantNumber,
        plan: PlanId,
        moment: Timestamp,
    ) -> Result<Option<PlanVersion>, StorageError> {
        let state = self.state();
        let held = state.tenants.get(&tenant).and_then(|held| held.catalog.plans.get(&plan));
        let versions = held.into_iter().flat_map(|held| held.versions.iter().rev());
        Ok(versions.into_iter().find(|version| version.seen_at <= moment).cloned())
    }

    async fn revision(&self, tenant: TenantNumber) -> Result<CatalogRevision, StorageError> {
        let state = self.state();
        let revision = state.tenants.get(&tenant).map_or(0, |held| held.catalog.revision);
        Ok(CatalogRevision::new(revision).unwrap())
    }

    async fn searchable(&self, tenant: TenantNumber) -> Result<SearchablePlans, StorageError> {
        let state = self.state();
        let Some(catalog) = state.tenants.get(&tenant).map(|held| &held.catalog) else {
            return Ok(SearchablePlans::default());
        };
        let was_online = |plan: &HeldPlan| {
            plan.versions.iter().any(|version| version.content.sell_mode == SellMode::Online)
        };
        let online = catalog.plans.iter().filter(|(_, plan)| was_online(plan));
        let mut plans: Vec<_> = online
            .map(|(id, plan)| {
                let content = &plan.newest().content;
                SearchablePlan {
                    id: *id,
                    title: content.title.clone(),
                    time: content.time,
                    prices: content.prices,
                }
            })
            .collect();
        plans.sort_by_key(|plan| (plan.time.starts_at(), plan.id));
        Ok(SearchablePlans { revision: CatalogRevision::new(catalog.revision).unwrap(), plans })
    }
}
