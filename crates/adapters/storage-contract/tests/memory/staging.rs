//! What a run of a feed stages in memory, and how it becomes the catalog.

use tenantry_domain::{
    FeedId, PlanId, PlanRecord, PlanSource, PlanVersion, Reject, RunCounts, RunId, TenantNumber, Timestamp,
};
use tenantry_ports::{RunKey, Validators};

use super::Memory;
use super::catalog::{Catalog, HeldPlan, HeldRun};

pub(crate) fn run_of(catalog: &mut Catalog, feed: FeedId, run: RunId) -> &mut HeldRun {
    catalog.feeds.get_mut(&feed).unwrap().runs.get_mut(&run).unwrap()
}

/// Which plan a record is.
pub(crate) fn identify(catalog: &Catalog, key: RunKey, record: &PlanRecord, past: Option<PlanId>) -> PlanId {
    let staged = &catalog.feeds[&key.feed].runs[&key.run].plans;
    let brought = || staged.iter().find(|(_, staged)| staged.key == record.key).map(|(id, _)| *id);
    let is_free = |id: &PlanId| !catalog.plans.contains_key(id) && !staged.contains_key(id);
    let known = catalog.id_of(key.feed, &record.key).or_else(brought).or(past.filter(is_free));
    known.unwrap_or_else(|| PlanId::of(key.feed, &record.key))
}

/// Whether a plan of the past that is staged under an id of its own would be another one's.
pub(crate) fn is_overtaken(catalog: &Catalog, feed: FeedId, run: RunId) -> bool {
    let mut staged = catalog.feeds[&feed].runs[&run].plans.iter();
    staged.any(|(id, record)| {
        let other = |plan: &HeldPlan| plan.source.feed != feed || plan.source.key != record.key;
        catalog.plans.get(id).is_some_and(other)
    })
}

pub(crate) fn begin_staging(held: &mut HeldRun) {
    held.plans.clear();
    held.rejects.clear();
    held.run.counts = RunCounts::default();
}

pub(crate) fn compare(catalog: &Catalog, feed: FeedId, run: RunId) -> (RunCounts, u64) {
    let held = &catalog.feeds[&feed].runs[&run];
    let mut counts = RunCounts { rejected: held.rejects.len() as u64, ..held.run.counts };
    (counts.plans_new, counts.plans_changed, counts.plans_unchanged) = (0, 0, 0);
    for (id, record) in &held.plans {
        match catalog.plans.get(id) {
            None => counts.plans_new += 1,
            Some(plan) if plan.newest().content != record.content => counts.plans_changed += 1,
            Some(_) => counts.plans_unchanged += 1,
        }
    }
    let in_feed = catalog.plans.iter().filter(|(_, plan)| plan.source.feed == feed && plan.in_feed);
    let in_feed: Vec<PlanId> = in_feed.map(|(id, _)| *id).collect();
    counts.plans_left_sale = in_feed.iter().filter(|id| !held.plans.contains_key(id)).count() as u64;
    (counts, in_feed.len() as u64)
}

/// Where staged plans come from.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Whence {
    Feed,
    Past,
}

/// Leaves plans of the past as they are that the catalog has with other content. How many.
pub(crate) fn leave_changed(catalog: &mut Catalog, feed: FeedId, run: RunId) -> usize {
    let mut staged = std::mem::take(&mut run_of(catalog, feed, run).plans);
    let before = staged.len();
    staged.retain(|id, record| {
        catalog.plans.get(id).is_none_or(|plan| plan.newest().content == record.content)
    });
    let left = before - staged.len();
    run_of(catalog, feed, run).plans = staged;
    left
}

/// Takes what is staged. Whether anything has changed.
pub(crate) fn take(
    catalog: &mut Catalog,
    (feed, run): (FeedId, RunId),
    now: Timestamp,
    max_rejects: u32,
    whence: Whence,
) -> bool {
    let held = run_of(catalog, feed, run);
    let (plans, rejects) = (std::mem::take(&mut held.plans), std::mem::take(&mut held.rejects));
    let mut has_changed = false;
    for (id, record) in plans {
        let plan = catalog.plans.entry(id).or_insert_with(|| HeldPlan {
            source: PlanSource { feed, key: record.key },
            versions: Vec::new(),
            in_feed: false,
            seen_at: now,
        });
        let is_same = plan.versions.last().is_some_and(|newest| newest.content == record.content);
        if is_same && whence == Whence::Past {
            continue;
        }
        plan.seen_at = plan.seen_at.max(now);
        let version = plan.versions.last().map_or(0, |newest| newest.version);
        if !is_same {
            let seen_at = plan.seen_at;
            plan.versions.push(PlanVersion { version: version + 1, seen_at, content: record.content });
            has_changed = true;
        }
        let was_on_sale = plan.on_sale();
        plan.in_feed |= whence == Whence::Feed;
        has_changed |= plan.on_sale() != was_on_sale;
    }
    let kept = &mut catalog.feeds.get_mut(&feed).unwrap().rejects;
    for (id, record) in rejects.into_iter().take(max_rejects as usize) {
        let first_seen_at = kept.get(&id).map_or(now, |reject| reject.first_seen_at);
        kept.insert(id, Reject { id, record, run, first_seen_at, last_seen_at: now });
    }
    while kept.len() > max_rejects as usize {
        let oldest = kept.values().map(|reject| (reject.last_seen_at, reject.id)).min().unwrap().1;
        kept.remove(&oldest);
    }
    has_changed
}

impl Memory {
    pub(crate) fn take_whole(
        &self,
        tenant: TenantNumber,
        catalog: &mut Catalog,
        (feed, run): (FeedId, RunId),
        now: Timestamp,
        validators: Validators,
        max_rejects: u32,
    ) {
        let staged: Vec<_> = run_of(catalog, feed, run).plans.keys().copied().collect();
        let mut has_changed = catalog.leave(feed, |id| !staged.contains(&id));
        has_changed |= take(catalog, (feed, run), now, max_rejects, Whence::Feed);
        let version = run_of(catalog, feed, run).feed_version;
        let held = catalog.feeds.get_mut(&feed).unwrap();
        held.validators = if held.feed.version == version { validators } else { Validators::default() };
        held.feed.last_success_at = held.feed.last_success_at.max(Some(now));
        if has_changed {
            self.next_revision(tenant, catalog);
        }
    }
}
