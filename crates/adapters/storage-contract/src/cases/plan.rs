//! The catalog, as it is read.

use tenantry_domain::{PageLimit, PlanTitle, PlanVersion, ProviderId, SearchablePlan, Timestamp, ZoneList};

use crate::catalog::{feed_id, offline, plan_id, plan_key, record, record_at};
use crate::fixture::Fixture;
use crate::samples::{AWKWARD_TEXTS, unknown_tenant};
use crate::wait::at_once;
use crate::walk::{PAGE_SIZES, limit, walk};

pub async fn what_a_provider_told_is_kept_to_the_letter(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let records: Vec<_> = AWKWARD_TEXTS
        .into_iter()
        .map(|text| {
            let mut record = record("1", "plan");
            record.key = plan_key(text, text);
            record.content.title = PlanTitle::new(text).unwrap();
            record.content.organizer_company_id = ProviderId::new(text);
            record.content.sold_out = true;
            record.content.sell_to = Some(Timestamp::MAX);
            record
        })
        .collect();
    s.import(tenant, feed, 1, records.clone()).await;
    for record in records {
        let plan =
            s.plans.find(tenant, tenantry_domain::PlanId::of(feed, &record.key)).await.unwrap().unwrap();
        assert_eq!((plan.source.key, plan.content), (record.key, record.content));
    }
}

pub async fn a_plan_without_zones_has_no_price(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let mut empty = record("1", "empty");
    (empty.content.zones, empty.content.prices) = (ZoneList::of(&[]), None);
    s.import(tenant, feed, 1, vec![empty.clone()]).await;
    assert_eq!(s.plan(tenant, feed, "1").await.unwrap().content, empty.content);
    assert_eq!(s.plans.searchable(tenant).await.unwrap().plans[0].prices, None);
}

pub async fn an_empty_catalog_has_revision_0_and_no_plan(s: &Fixture) {
    let tenant = s.tenant().await;
    for tenant in [tenant, unknown_tenant()] {
        assert_eq!(s.catalog(tenant).await, 0);
        assert_eq!(s.plans.searchable(tenant).await.unwrap(), Default::default());
        assert_eq!(s.plans.find(tenant, plan_id(feed_id(1), "1")).await, Ok(None));
    }
}

pub async fn a_search_may_find_what_was_ever_sold_online_with_its_newest_content(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let first =
        vec![record("1", "online"), offline("2", "offline"), offline("3", "later"), record("4", "left")];
    s.import(tenant, feed, 1, first).await;
    let second = vec![offline("1", "now offline"), offline("2", "offline"), record("3", "now online")];
    s.import(tenant, feed, 2, second).await;
    let found = s.plans.searchable(tenant).await.unwrap();
    let mut titles: Vec<_> = found.plans.iter().map(|plan| plan.title.as_str()).collect();
    titles.sort_unstable();
    assert_eq!((titles, found.revision.get()), (vec!["left", "now offline", "now online"], 2));
    assert_eq!(s.on_sale(tenant).await, ["now online"]);
}

pub async fn searchable_plans_are_ordered_by_their_start_and_then_by_id(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let starts = [5, -300_000_000, 5, 7, 5, 1_000_000_000];
    let records: Vec<_> = (0..).zip(starts).map(|(id, at)| record_at(&id.to_string(), "plan", at)).collect();
    s.import(tenant, feed, 1, records.clone()).await;
    let mut expected: Vec<_> = records
        .into_iter()
        .map(|record| SearchablePlan {
            id: plan_id(feed, record.key.plan_id.as_str()),
            title: record.content.title,
            time: record.content.time,
            prices: record.content.prices,
        })
        .collect();
    expected.sort_by_key(|plan| (plan.time.starts_at(), plan.id));
    assert_eq!(s.plans.searchable(tenant).await.unwrap().plans, expected);
}

pub async fn whatever_is_read_meanwhile_is_the_catalog_of_one_revision(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let generation = |number: u64| -> Vec<_> {
        (0..60).map(|plan| record(&plan.to_string(), &number.to_string())).collect()
    };
    s.import(tenant, feed, 1, generation(1)).await;
    let reader = |s: Fixture| async move {
        loop {
            let found = s.plans.searchable(tenant).await.unwrap();
            let revision = found.revision.get().to_string();
            assert!(found.plans.iter().all(|plan| plan.title.as_str() == revision), "{found:?}");
            assert_eq!(found.plans.len(), 60);
            if found.revision.get() == 12 {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    let readers: Vec<_> = (0..3).map(|_| reader(s.clone())).collect();
    let readers = tokio::spawn(at_once(readers));
    for number in 2..=12 {
        s.import(tenant, feed, u128::from(number), generation(number)).await;
    }
    readers.await.unwrap();
}

pub async fn a_plans_versions_are_listed_once_each_the_newest_first(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    for run in 1..=7_u32 {
        s.import(tenant, feed, run.into(), vec![record("1", &format!("version {run}")), record("2", "two")])
            .await;
        s.clock.advance_seconds(1);
    }
    let id = plan_id(feed, "1");
    for size in PAGE_SIZES {
        let page =
            async |after, limit| s.plans.history(tenant, id, after, limit, u64::MAX).await.unwrap().unwrap();
        let versions = walk(limit(size), |version: &PlanVersion| version.version, page).await;
        let numbers: Vec<_> = versions.iter().map(|version| version.version).collect();
        assert_eq!(numbers, [7, 6, 5, 4, 3, 2, 1]);
        for version in versions {
            assert_eq!(version.content.title.as_str(), format!("version {}", version.version));
        }
    }
    let unknown = s.plans.history(tenant, plan_id(feed, "9"), None, PageLimit::MAX, 1).await;
    assert_eq!(unknown, Ok(None));
}

pub async fn a_page_of_versions_ends_behind_the_one_with_which_it_reaches_its_bytes(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    for run in 1..=4_u32 {
        s.import(tenant, feed, run.into(), vec![record("1", &run.to_string())]).await;
    }
    let size = record("1", "1").content.zones.as_json().len() as u64;
    for (bytes, rows) in [(0, 1), (1, 1), (size, 1), (size + 1, 2), (3 * size, 3), (3 * size + 1, 4)] {
        let page = s.plans.history(tenant, plan_id(feed, "1"), None, PageLimit::MAX, bytes).await;
        let page = page.unwrap().unwrap();
        assert_eq!((page.items.len(), page.more), (rows, rows < 4), "{bytes}");
    }
}

pub async fn the_version_of_a_moment_is_the_last_one_seen_by_then(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let mut seen = Vec::new();
    for run in 1..=3_u32 {
        seen.push(s.now());
        s.import(tenant, feed, run.into(), vec![record("1", &run.to_string())]).await;
        s.clock.advance_seconds(60);
    }
    let at = async |moment| {
        let version = s.plans.version_at(tenant, plan_id(feed, "1"), moment).await.unwrap();
        version.map(|version| (version.version, version.seen_at, version.content.title.to_string()))
    };
    let before = |time: Timestamp| Timestamp::from_micros(time.as_micros() - 1);
    assert_eq!(at(before(seen[0])).await, None);
    for (index, number) in [(0, 1), (1, 2), (2, 3)] {
        let expected = Some((number, seen[index], number.to_string()));
        assert_eq!(at(seen[index]).await, expected);
        let end = seen.get(index + 1).map_or(Timestamp::MAX, |next| before(*next));
        assert_eq!(at(end).await, expected);
    }
    assert_eq!(s.plans.version_at(tenant, plan_id(feed, "9"), Timestamp::MAX).await, Ok(None));
}

pub async fn another_tenant_sees_nothing_of_a_catalog(s: &Fixture) {
    let (tenant, other) = s.two_tenants().await;
    let feed = s.feed(tenant, 1).await.id;
    s.import(tenant, feed, 1, vec![record("1", "one")]).await;
    let id = plan_id(feed, "1");
    assert_eq!(s.plans.find(other, id).await, Ok(None));
    assert_eq!(s.plans.history(other, id, None, PageLimit::MAX, 9).await, Ok(None));
    assert_eq!(s.plans.version_at(other, id, Timestamp::MAX).await, Ok(None));
    assert_eq!(s.plans.searchable(other).await.unwrap(), Default::default());
    assert_eq!(s.catalog(other).await, 0);
}
