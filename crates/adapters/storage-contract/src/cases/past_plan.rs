//! Plans that another system has seen in the feed once.

use tenantry_domain::{PlanId, PlanSource, Price, PriceRange, RejectCode, RunCounts, RunState, ZoneList};
use tenantry_ports::{RunEnd, StagedBatch};
use uuid::Uuid;

use crate::catalog::{
    batch, catalog_revision, feed_id, offline, past, past_plan, plan_id, plan_key, record, run_id,
    validators, whole, whole_if_half_stay,
};
use crate::fixture::Fixture;
use crate::recorded_commits::Commit;

fn id(number: u128) -> PlanId {
    PlanId::new(Uuid::from_u128(number))
}

pub async fn past_plans_come_in_beside_what_is_in_the_feed_and_are_not_on_sale(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let first = s.now();
    let end = RunEnd::Whole { validators: validators("v1"), max_leaving_permille: 0 };
    s.run(tenant, feed, 1, batch(vec![record("1", "one")]), end).await;
    let now = s.clock.advance_seconds(60);
    s.commits.take();
    let plans = vec![
        past_plan(11, record("1", "one")),
        past_plan(12, record("2", "two")),
        past_plan(13, offline("3", "x")),
    ];
    let run = s.run(tenant, feed, 2, past(plans), RunEnd::Past).await;
    let counts = RunCounts { plans_seen: 3, plans_new: 2, plans_unchanged: 1, ..RunCounts::default() };
    assert_eq!((run.state, run.counts, run.detail.clone()), (RunState::Succeeded, counts, None));
    assert_eq!(run, s.run_now(tenant, feed, 2).await);
    assert_eq!(s.commits.take(), [Commit::Catalog(tenant, catalog_revision(2))]);
    let found = s.plans.searchable(tenant).await.unwrap().plans;
    let mut titles: Vec<_> = found.iter().map(|plan| plan.title.as_str()).collect();
    titles.sort_unstable();
    assert_eq!((titles, s.on_sale(tenant).await), (vec!["one", "two"], vec!["one".to_owned()]));
    let plan = s.plans.find(tenant, id(12)).await.unwrap().unwrap();
    assert_eq!(plan.source, PlanSource { feed, key: plan_key("base", "2") });
    assert_eq!((plan.version, plan.content), (1, record("2", "two").content));
    assert_eq!((plan.first_seen_at, plan.last_seen_at, plan.on_sale), (now, now, false));
    assert_eq!(s.versions(tenant, feed, "1").await.len(), 1);
    assert_eq!(s.plan(tenant, feed, "1").await.unwrap().last_seen_at, first);
    assert_eq!(s.feed_now(tenant, feed).await.last_success_at, Some(first));
}

pub async fn a_past_plan_keeps_its_id_also_when_its_feed_is_fetched(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    s.run(tenant, feed, 1, past(vec![past_plan(7, record("1", "one"))]), RunEnd::Past).await;
    for (run, title, version) in [(2, "one", 1), (3, "changed", 2), (4, "changed", 2)] {
        let ended = s.import(tenant, feed, run, vec![record("1", title), record("2", "two")]).await;
        assert_eq!(ended.counts.plans_new, u64::from(run == 2));
        let plan = s.plan(tenant, feed, "1").await.unwrap();
        assert_eq!((plan.id, plan.version, plan.on_sale), (id(7), version, true), "{run}");
    }
    assert_eq!(s.plans.find(tenant, plan_id(feed, "1")).await, Ok(None));
    assert_eq!(s.plans.searchable(tenant).await.unwrap().plans.len(), 2);
    let left = s.import(tenant, feed, 5, vec![record("2", "two")]).await;
    assert_eq!(left.counts.plans_left_sale, 1);
    let plan = s.plans.find(tenant, id(7)).await.unwrap().unwrap();
    assert!(!plan.on_sale);
    assert_eq!(s.plan(tenant, feed, "2").await.unwrap().id, plan_id(feed, "2"));
}

pub async fn a_past_plan_without_an_id_has_the_one_that_a_fetch_gives_it(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let mut plan = past_plan(7, record("1", "one"));
    plan.id = None;
    s.run(tenant, feed, 1, past(vec![plan]), RunEnd::Past).await;
    assert!(s.plans.find(tenant, plan_id(feed, "1")).await.unwrap().is_some());
    let ended = s.import(tenant, feed, 2, vec![record("1", "one")]).await;
    assert_eq!((ended.counts.plans_new, ended.counts.plans_unchanged), (0, 1));
    assert_eq!(s.on_sale(tenant).await, ["one"]);
}

pub async fn a_plan_that_the_catalog_has_keeps_its_id(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    s.import(tenant, feed, 1, vec![record("1", "one")]).await;
    s.run(tenant, feed, 2, past(vec![past_plan(7, record("1", "one"))]), RunEnd::Past).await;
    assert_eq!(s.plan(tenant, feed, "1").await.unwrap().id, plan_id(feed, "1"));
    assert_eq!(s.plans.find(tenant, id(7)).await, Ok(None));
    assert_eq!(s.plans.searchable(tenant).await.unwrap().plans.len(), 1);
}

pub async fn an_id_that_another_plan_has_is_not_given_twice(s: &Fixture) {
    let tenant = s.tenant().await;
    let (feed, other) = (s.feed(tenant, 1).await.id, s.feed(tenant, 2).await.id);
    let claim = s.claimed(tenant, feed, 1).await.claim;
    s.stage(&claim, past(vec![past_plan(7, record("1", "one")), past_plan(7, record("2", "two"))])).await;
    s.stage(&claim, past(vec![past_plan(7, record("3", "three"))])).await;
    s.finish(&claim, RunEnd::Past).await;
    s.run(tenant, other, 2, past(vec![past_plan(7, record("1", "of the other"))]), RunEnd::Past).await;
    let of = async |feed, plan| s.plan(tenant, feed, plan).await.unwrap().id;
    assert_eq!(of(feed, "1").await, id(7));
    for plan in ["2", "3"] {
        assert_eq!(of(feed, plan).await, plan_id(feed, plan));
    }
    assert_eq!(of(other, "1").await, plan_id(other, "1"));
    assert_eq!(s.plans.searchable(tenant).await.unwrap().plans.len(), 4);
}

pub async fn of_past_plans_with_the_same_key_the_first_is_taken(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let claim = s.claimed(tenant, feed, 1).await.claim;
    s.stage(&claim, past(vec![past_plan(7, record("1", "one")), past_plan(8, record("1", "one"))])).await;
    s.stage(&claim, past(vec![past_plan(9, record("1", "other")), past_plan(10, record("1", "one"))])).await;
    s.stage(&claim, batch(vec![record("1", "one")])).await;
    let run = s.finish(&claim, RunEnd::Past).await;
    assert_eq!((run.counts.plans_new, run.counts.plans_seen, run.counts.rejected), (1, 1, 1));
    let plan = s.plan(tenant, feed, "1").await.unwrap();
    assert_eq!((plan.id, plan.content.title.as_str()), (id(7), "one"));
    assert_eq!(s.rejects(tenant, feed).await[0].record.reason.code, RejectCode::Duplicate);
}

pub async fn past_plans_are_changed_by_later_ones_until_their_feed_is_fetched(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let bring = async |run, title: &str| {
        s.clock.advance_seconds(1);
        let plans = vec![past_plan(7, record("1", title)), past_plan(8, record("2", "two"))];
        let run = s.run(tenant, feed, run, past(plans), RunEnd::Past).await;
        (run.counts.plans_new, run.counts.plans_changed, run.counts.plans_unchanged, run.detail.is_some())
    };
    assert_eq!(bring(1, "one").await, (2, 0, 0, false));
    assert_eq!(bring(2, "renamed").await, (0, 1, 1, false));
    let versions = s.versions(tenant, feed, "1").await;
    assert_eq!((versions[0].version, versions[0].seen_at), (2, s.now()));
    s.import(tenant, feed, 3, vec![record("1", "as the provider tells")]).await;
    assert_eq!(bring(4, "renamed again").await, (0, 0, 2, true));
    let run = s.run_now(tenant, feed, 4).await;
    assert!(run.detail.as_deref().unwrap().contains('1'), "{run:?}");
    assert_eq!(run.catalog_revision, Some(catalog_revision(3)));
    assert_eq!(s.plan(tenant, feed, "1").await.unwrap().content.title.as_str(), "as the provider tells");
    assert_eq!(s.on_sale(tenant).await, ["as the provider tells"]);
}

pub async fn past_plans_that_are_brought_again_change_nothing(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let plans = || vec![past_plan(7, record("1", "one")), past_plan(8, offline("2", "two"))];
    s.run(tenant, feed, 1, past(plans()), RunEnd::Past).await;
    let standing = s.plan(tenant, feed, "1").await;
    s.commits.take();
    s.clock.advance_seconds(60);
    let claim = s.claimed(tenant, feed, 2).await.claim;
    s.stage(&claim, past(plans())).await;
    s.stage(&claim, past(plans())).await;
    let run = s.finish(&claim, RunEnd::Past).await;
    let counts = RunCounts { plans_seen: 2, plans_unchanged: 2, ..RunCounts::default() };
    assert_eq!((run.state, run.counts), (RunState::Succeeded, counts));
    assert_eq!((s.catalog(tenant).await, s.commits.take()), (1, vec![]));
    assert_eq!(s.plan(tenant, feed, "1").await, standing);
}

pub async fn a_past_plans_id_may_be_anothers_in_another_tenant(s: &Fixture) {
    let (tenant, other) = s.two_tenants().await;
    for tenant in [tenant, other] {
        let feed = s.feed(tenant, 1).await.id;
        let title = tenant.to_string();
        s.run(tenant, feed, 1, past(vec![past_plan(7, record("1", &title))]), RunEnd::Past).await;
    }
    for tenant in [tenant, other] {
        let plan = s.plan(tenant, feed_id(1), "1").await.unwrap();
        assert_eq!((plan.id, plan.content.title.to_string()), (id(7), tenant.to_string()));
    }
    let unknown = s.plans.find_of(other, feed_id(2), &plan_key("base", "1")).await;
    assert_eq!(unknown, Ok(None));
}

pub async fn a_run_of_the_past_whose_ids_were_taken_meanwhile_fails_and_changes_nothing(s: &Fixture) {
    let tenant = s.tenant().await;
    let (feed, other) = (s.feed(tenant, 1).await.id, s.feed(tenant, 2).await.id);
    let claim = s.claimed(tenant, feed, 1).await.claim;
    s.stage(&claim, past(vec![past_plan(7, record("1", "one"))])).await;
    s.run(tenant, other, 2, past(vec![past_plan(7, record("1", "other"))]), RunEnd::Past).await;
    let run = s.finish(&claim, RunEnd::Past).await;
    assert_eq!((run.state, run.counts, run.detail.is_some()), (RunState::Failed, RunCounts::default(), true));
    assert_eq!(s.plans.find(tenant, id(7)).await.unwrap().unwrap().source.feed, other);
    assert_eq!((s.plan(tenant, feed, "1").await, s.catalog(tenant).await), (None, 1));
}

pub async fn a_run_of_the_past_keeps_what_the_provider_said_and_supersedes_a_held_one(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let end = RunEnd::Whole { validators: validators("v1"), max_leaving_permille: 0 };
    s.run(tenant, feed, 1, batch(vec![record("1", "one")]), end).await;
    assert_eq!(s.run(tenant, feed, 2, batch(vec![]), whole_if_half_stay()).await.state, RunState::Held);
    let run = s.run(tenant, feed, 3, past(vec![past_plan(7, record("2", "two"))]), RunEnd::Past).await;
    assert_eq!(run.state, RunState::Succeeded);
    assert_eq!(s.run_now(tenant, feed, 2).await.state, RunState::Superseded);
    assert_eq!(s.validators(tenant, feed, 4).await, validators("v1"));
    assert_eq!(s.feed_runs.find(tenant, feed, run_id(3)).await.unwrap(), Some(run));
}

pub async fn prices_without_zones_are_kept_and_differ(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    for (run, cents) in [(1, 1500), (2, 1500), (3, 1600)] {
        let mut plan = past_plan(7, record("1", "one"));
        plan.record.content.zones = ZoneList::of(&[]);
        plan.record.content.prices =
            PriceRange::of([1234, cents].map(|cents| Price::from_cents(cents).unwrap()));
        let content = plan.record.content.clone();
        let ended = s.run(tenant, feed, run, past(vec![plan]), RunEnd::Past).await;
        assert_eq!(ended.counts.plans_changed, u64::from(run == 3));
        assert_eq!(s.plan(tenant, feed, "1").await.unwrap().content, content);
        assert_eq!(s.plans.searchable(tenant).await.unwrap().plans[0].prices, content.prices);
    }
}

pub async fn many_past_plans_come_in_and_are_found_by_their_keys(s: &Fixture) {
    const PLANS: u128 = 1200;
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let plan = |number: u128| (number << 112 | number, record(&number.to_string(), "plan"));
    let claim = s.claimed(tenant, feed, 1).await.claim;
    let numbers: Vec<u128> = (0..PLANS).collect();
    for some in numbers.chunks(500) {
        let plans = some.iter().map(|number| plan(*number)).map(|(id, record)| past_plan(id, record));
        s.stage(&claim, StagedBatch { past: plans.collect(), ..StagedBatch::default() }).await;
    }
    assert_eq!(s.finish(&claim, RunEnd::Past).await.counts.plans_new, PLANS as u64);
    let records = |numbers: &[u128]| numbers.iter().map(|number| plan(*number).1).collect::<Vec<_>>();
    let claim = s.claimed(tenant, feed, 2).await.claim;
    for some in numbers.chunks(500) {
        s.stage(&claim, batch(records(some))).await;
    }
    let run = s.finish(&claim, whole()).await;
    assert_eq!((run.counts.plans_new, run.counts.plans_unchanged), (0, PLANS as u64));
    for number in [0, 1, 700, PLANS - 1] {
        let found = s.plan(tenant, feed, &number.to_string()).await.unwrap();
        assert_eq!((found.id, found.on_sale), (id(plan(number).0), true));
    }
}
