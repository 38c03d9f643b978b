//! Feeds.

use tenantry_domain::{Feed, FeedName, FeedSettings, FeedUrl, TimeZone};
use tenantry_ports::{ClaimError, ClaimOutcome, FeedWriteError};

use crate::catalog::{
    HOUR, batch, catalog_revision, feed_id, offline, record, reject, rejected, run_id, settings, validators,
    whole,
};
use crate::fixture::Fixture;
use crate::recorded_commits::Commit;
use crate::samples::{AWKWARD_TEXTS, unknown_tenant};
use crate::walk::{PAGE_SIZES, limit, walk};

pub async fn a_new_feed_is_of_version_1_made_now_and_due_at_once(s: &Fixture) {
    let tenant = s.tenant().await;
    let now = s.now();
    let expected = Feed {
        id: feed_id(1),
        settings: settings("feed"),
        version: 1,
        created_at: now,
        updated_at: now,
        next_run_at: Some(now),
        last_success_at: None,
    };
    assert_eq!(s.feed(tenant, 1).await, expected);
    assert_eq!(s.feed_now(tenant, feed_id(1)).await, expected);
}

pub async fn a_new_feed_that_is_not_enabled_has_no_next_run(s: &Fixture) {
    let tenant = s.tenant().await;
    let off = FeedSettings { enabled: false, ..settings("off") };
    let feed = s.feeds.create(tenant, feed_id(1), off, 9).await.unwrap();
    assert_eq!(feed.next_run_at, None);
    assert_eq!(s.feed_now(tenant, feed_id(1)).await, feed);
}

pub async fn what_a_feed_is_said_to_be_is_kept_to_the_letter(s: &Fixture) {
    let tenant = s.tenant().await;
    for (number, text) in (0..).zip(AWKWARD_TEXTS) {
        let settings = FeedSettings {
            name: FeedName::from_stored(text.to_owned()),
            url: FeedUrl::from_stored("http://[::1]:8080/a?b='c%20".to_owned()),
            interval_seconds: 2_592_000,
            time_zone: TimeZone::parse("Europe/Madrid").unwrap(),
            enabled: true,
        };
        s.feeds.create(tenant, feed_id(number), settings.clone(), 100).await.unwrap();
        assert_eq!(s.feed_now(tenant, feed_id(number)).await.settings, settings);
    }
}

pub async fn a_feed_too_many_is_refused_with_how_many_there_are(s: &Fixture) {
    let (tenant, other) = s.two_tenants().await;
    for number in 0..2 {
        s.feeds.create(tenant, feed_id(number), settings("feed"), 2).await.unwrap();
    }
    let refused = s.feeds.create(tenant, feed_id(2), settings("feed"), 2).await;
    assert_eq!(refused, Err(FeedWriteError::TooMany(2)));
    assert_eq!(s.feeds.find(tenant, feed_id(2)).await, Ok(None));
    assert!(s.feeds.create(other, feed_id(3), settings("feed"), 2).await.is_ok());
}

pub async fn feeds_are_listed_once_each_by_id_in_pages_of_any_size(s: &Fixture) {
    let (tenant, other) = s.two_tenants().await;
    for number in [5, 2, 9, 1, 7] {
        s.feed(tenant, number).await;
        s.feed(other, number).await;
    }
    for size in PAGE_SIZES {
        let page = async |after, limit| s.feeds.list(tenant, after, limit).await.unwrap();
        let feeds = walk(limit(size), |feed: &Feed| feed.id, page).await;
        let ids: Vec<_> = feeds.iter().map(|feed| feed.id).collect();
        assert_eq!(ids, [1, 2, 5, 7, 9].map(feed_id));
    }
}

pub async fn an_update_changes_the_feed_and_takes_its_next_version(s: &Fixture) {
    let tenant = s.tenant().await;
    let made = s.feed(tenant, 1).await;
    let updated_at = s.clock.advance_seconds(7);
    let settings = FeedSettings { name: FeedName::from_stored("it's new".to_owned()), ..settings("feed") };
    let updated = s.feeds.update(tenant, made.id, 1, settings.clone()).await.unwrap();
    assert_eq!(updated, Feed { settings, version: 2, updated_at, ..made });
    assert_eq!(s.feed_now(tenant, feed_id(1)).await, updated);
}

pub async fn updated_at_of_a_feed_never_falls(s: &Fixture) {
    let tenant = s.tenant().await;
    let made = s.feed(tenant, 1).await;
    s.clock.advance_seconds(-60);
    let updated = s.feeds.update(tenant, made.id, 1, settings("feed")).await.unwrap();
    assert_eq!(updated.updated_at, made.updated_at);
}

pub async fn an_update_of_another_version_is_refused_with_the_one_that_stands(s: &Fixture) {
    let tenant = s.tenant().await;
    let made = s.feed(tenant, 1).await;
    for version in [0, 2, u64::MAX] {
        let refused = s.feeds.update(tenant, made.id, version, settings("other")).await;
        assert_eq!(refused, Err(FeedWriteError::VersionConflict { current: 1 }));
    }
    assert_eq!(s.feed_now(tenant, feed_id(1)).await, made);
}

pub async fn a_feed_that_is_not_there_is_neither_found_nor_changed(s: &Fixture) {
    let tenant = s.tenant().await;
    assert_eq!(s.feeds.find(tenant, feed_id(1)).await, Ok(None));
    assert_eq!(s.feeds.update(tenant, feed_id(1), 1, settings("feed")).await, Err(FeedWriteError::NotFound));
    assert_eq!(s.delete_feed(tenant, feed_id(1)).await, Err(FeedWriteError::NotFound));
}

pub async fn an_unknown_tenant_has_no_feed_and_gets_none(s: &Fixture) {
    let unknown = unknown_tenant();
    let refused = Err(FeedWriteError::TenantNotFound);
    assert_eq!(s.feeds.create(unknown, feed_id(1), settings("feed"), 9).await, refused);
    assert_eq!(s.feeds.update(unknown, feed_id(1), 1, settings("feed")).await, refused);
    assert_eq!(s.delete_feed(unknown, feed_id(1)).await, Err(FeedWriteError::TenantNotFound));
    assert_eq!(s.feeds.find(unknown, feed_id(1)).await, Ok(None));
    assert_eq!(s.feeds.list(unknown, None, limit(9)).await.unwrap().items, []);
}

pub async fn another_tenant_neither_sees_nor_changes_a_feed(s: &Fixture) {
    let (tenant, other) = s.two_tenants().await;
    let made = s.feed(tenant, 1).await;
    assert_eq!(s.feeds.find(other, made.id).await, Ok(None));
    assert_eq!(s.feeds.list(other, None, limit(9)).await.unwrap().items, []);
    assert_eq!(s.feeds.update(other, made.id, 1, settings("theirs")).await, Err(FeedWriteError::NotFound));
    assert_eq!(s.delete_feed(other, made.id).await, Err(FeedWriteError::NotFound));
    // Two tenants may have the same id, though none will.
    s.feed(other, 1).await;
    assert_eq!(s.delete_feed(other, made.id).await, Ok(()));
    assert_eq!(s.feed_now(tenant, made.id).await, made);
}

pub async fn a_feed_is_due_now_where_its_interval_changed_or_it_is_enabled_again(s: &Fixture) {
    let tenant = s.tenant().await;
    let made = s.feed(tenant, 1).await;
    let update = async |version, settings| s.feeds.update(tenant, made.id, version, settings).await.unwrap();
    s.clock.advance_seconds(1);
    assert_eq!(update(1, settings("another name")).await.next_run_at, made.next_run_at);
    let faster = FeedSettings { interval_seconds: 10, ..settings("feed") };
    assert_eq!(update(2, faster.clone()).await.next_run_at, Some(s.now()));
    let off = FeedSettings { enabled: false, ..faster.clone() };
    assert_eq!(update(3, off.clone()).await.next_run_at, None);
    let slower = FeedSettings { interval_seconds: 100, ..off };
    assert_eq!(update(4, slower.clone()).await.next_run_at, None);
    let now = s.clock.advance_seconds(1);
    let on = FeedSettings { enabled: true, ..slower };
    assert_eq!(update(5, on).await.next_run_at, Some(now));
    assert_eq!(s.feed_now(tenant, made.id).await.next_run_at, Some(now));
}

pub async fn what_the_provider_said_is_forgotten_with_another_url_or_time_zone_and_only_then(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let url = FeedUrl::from_stored("https://elsewhere.example/".to_owned());
    let madrid = TimeZone::parse("Europe/Madrid").unwrap();
    let before = settings("feed");
    let cases = [
        (FeedSettings { name: FeedName::from_stored("other".to_owned()), ..before.clone() }, true),
        (FeedSettings { interval_seconds: 77, ..before.clone() }, true),
        (FeedSettings { url, ..before.clone() }, false),
        (FeedSettings { time_zone: madrid, ..before.clone() }, false),
    ];
    let mut run = 0;
    for (changed, stay) in cases {
        let version = s.feed_now(tenant, feed).await.version;
        s.feeds.update(tenant, feed, version, before.clone()).await.unwrap();
        run += 2;
        let end = tenantry_ports::RunEnd::Whole { validators: validators("v"), max_leaving_permille: 1000 };
        s.run(tenant, feed, run, batch(vec![]), end).await;
        s.feeds.update(tenant, feed, version + 1, changed).await.unwrap();
        let expected = if stay { validators("v") } else { Default::default() };
        assert_eq!(s.validators(tenant, feed, run + 1).await, expected);
    }
}

pub async fn a_deleted_feed_leaves_its_plans_and_they_are_on_sale_no_more(s: &Fixture) {
    let tenant = s.tenant().await;
    let (feed, other) = (s.feed(tenant, 1).await.id, s.feed(tenant, 2).await.id);
    s.import(tenant, feed, 1, vec![record("1", "one"), record("2", "two")]).await;
    s.import(tenant, other, 2, vec![record("1", "other")]).await;
    let seen_at = s.now();
    let standing = s.plan(tenant, feed, "1").await.unwrap();
    s.commits.take();
    s.clock.advance_seconds(5);
    assert_eq!(s.delete_feed(tenant, feed).await, Ok(()));
    let plan = s.plan(tenant, feed, "1").await.unwrap();
    assert_eq!(plan, tenantry_domain::Plan { on_sale: false, last_seen_at: seen_at, ..standing });
    assert_eq!(s.on_sale(tenant).await, ["other"]);
    assert_eq!(s.plans.searchable(tenant).await.unwrap().plans.len(), 3);
    assert_eq!(s.catalog(tenant).await, 3);
    assert_eq!(s.commits.take(), [Commit::Catalog(tenant, catalog_revision(3))]);
}

pub async fn a_deleted_feed_takes_its_runs_and_rejects_with_it(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    s.run(tenant, feed, 1, rejected(vec![reject("<plan/>")]), whole()).await;
    s.commits.take();
    assert_eq!(s.delete_feed(tenant, feed).await, Ok(()));
    assert_eq!(s.feeds.find(tenant, feed).await, Ok(None));
    assert_eq!(s.feed_runs.find(tenant, feed, run_id(1)).await, Ok(None));
    assert_eq!(s.feed_runs.list(tenant, feed, None, limit(9)).await, Ok(None));
    assert_eq!(s.feed_runs.rejects(tenant, feed, None, limit(9), u64::MAX).await, Ok(None));
    assert_eq!(s.delete_feed(tenant, feed).await, Err(FeedWriteError::NotFound));
    // A feed that gets its id, though none will, has nothing of it.
    s.feed(tenant, 1).await;
    assert_eq!(s.rejects(tenant, feed).await, []);
    assert_eq!(s.feed_runs.list(tenant, feed, None, limit(9)).await.unwrap().unwrap().items, []);
    assert_eq!(s.commits.take(), []);
}

pub async fn the_end_of_a_feed_that_had_nothing_on_sale_takes_no_revision(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    s.import(tenant, feed, 1, vec![offline("1", "one")]).await;
    s.commits.take();
    assert_eq!(s.delete_feed(tenant, feed).await, Ok(()));
    assert_eq!((s.catalog(tenant).await, s.commits.take()), (1, vec![]));
}

pub async fn a_worker_with_a_run_of_a_deleted_feed_finds_its_claim_lost(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let claim = s.claimed(tenant, feed, 1).await.claim;
    s.stage(&claim, batch(vec![record("1", "one")])).await;
    s.delete_feed(tenant, feed).await.unwrap();
    let one_more = batch(vec![record("2", "two")]);
    assert_eq!(s.feed_runs.stage(&claim, one_more).await, Err(ClaimError::Lost));
    assert_eq!(s.feed_runs.extend(&claim, HOUR).await, Err(ClaimError::Lost));
    let finished = s.feed_runs.finish(&claim, s.now(), whole(), Default::default(), 9).await;
    assert_eq!(finished, Err(ClaimError::Lost));
    assert_eq!(s.claim(claim.key).await, ClaimOutcome::Ended);
    assert_eq!(s.plan(tenant, feed, "1").await, None);
}
