//! Writes whose caller stops waiting: each is carried out all the same.

use std::time::Duration;

use tenantry_domain::{
    NewTenant, PageLimit, Precondition, RunCounts, RunState, TenantFilter, TenantName, TenantStatus,
};
use tenantry_ports::{RunEnd, RunKey, ScheduleSlot, TenantUpdate};

use crate::catalog::{HOUR, batch, feed_id, record, run_id, settings, whole, whole_if_half_stay};
use crate::fixture::Fixture;
use crate::recorded_commits::Commit;
use crate::samples::{admin_key, event, event_id, key, key_id, object, revision, tenant_key, value};
use crate::wait::{begin_and_drop, until};

pub async fn a_dropped_append_is_carried_out(s: &Fixture) {
    let tenant = s.tenant().await;
    begin_and_drop(s.events.append(tenant, vec![event(1), event(2)]));
    until("both events are stored", async || s.events.find(tenant, event_id(2)).await.unwrap().is_some())
        .await;
    assert_eq!(s.all_events(tenant).await.len(), 2);
    assert_eq!(s.append(tenant, event(3)).await.sequence.get(), 3);
}

pub async fn a_dropped_put_is_carried_out_and_told_to_the_listener(s: &Fixture) {
    let tenant = s.tenant().await;
    s.commits.take();
    begin_and_drop(s.key_values.put(tenant, key("key"), value("value"), Precondition::default()));
    until("the value is stored", async || s.entry(tenant, "key").await.is_some()).await;
    let heard = std::sync::Mutex::new(Vec::new());
    until("the listener is told", async || {
        let mut heard = heard.lock().unwrap();
        heard.extend(s.commits.take());
        !heard.is_empty()
    })
    .await;
    let told = Commit::KeyValue {
        tenant,
        key: key("key"),
        revision: revision(1),
        entry: s.entry(tenant, "key").await,
    };
    assert_eq!(heard.into_inner().unwrap(), [told]);
}

pub async fn a_dropped_delete_is_carried_out(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put(tenant, "key", "value").await;
    begin_and_drop(s.key_values.delete(tenant, key("key"), Precondition::default()));
    until("the key is gone", async || s.entry(tenant, "key").await.is_none()).await;
}

pub async fn a_dropped_increment_is_carried_out_once(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put(tenant, "key", "1").await;
    begin_and_drop(s.key_values.increment(tenant, key("key"), 1, None, Precondition::default()));
    until("the value is incremented", async || s.entry(tenant, "key").await.unwrap().value == "2").await;
    assert_eq!(s.next_revision(tenant).await, revision(3));
}

pub async fn a_dropped_removal_of_ended_keys_is_carried_out(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put_for(tenant, "key", 10).await;
    s.clock.advance_seconds(10);
    s.commits.take();
    begin_and_drop(s.key_values.remove_expired(10));
    until("the listener is told of the removal", async || {
        s.commits.take().iter().any(|commit| matches!(commit, Commit::KeyValue { entry: None, .. }))
    })
    .await;
    assert_eq!(s.key_values.remove_expired(10).await, Ok(0));
}

pub async fn a_dropped_creation_of_a_tenant_is_carried_out(s: &Fixture) {
    let new = NewTenant { name: TenantName::new("dropped").unwrap(), info: object("{}") };
    begin_and_drop(s.tenants.create(new));
    until("the tenant is there", async || {
        let page = s.tenants.list(TenantFilter::default(), None, PageLimit::MAX).await.unwrap();
        page.items.iter().any(|tenant| tenant.name.as_str() == "dropped")
    })
    .await;
}

pub async fn a_dropped_update_of_a_tenant_is_carried_out(s: &Fixture) {
    let tenant = s.tenant().await;
    let name = TenantName::new("changed").unwrap();
    let update = TenantUpdate { name, info: object("{}"), status: TenantStatus::Suspended };
    begin_and_drop(s.tenants.update(tenant, 1, update));
    until("the tenant is changed", async || s.tenant_now(tenant).await.version == 2).await;
    assert_eq!(s.tenant_now(tenant).await.status, TenantStatus::Suspended);
}

pub async fn a_dropped_step_of_an_erasure_is_carried_out(s: &Fixture) {
    let tenant = s.tenant().await;
    s.append(tenant, event(1)).await;
    s.set_status(tenant, TenantStatus::Deleting).await;
    begin_and_drop(s.tenants.erase_some(tenant, 1));
    until("a row is erased", async || match s.tenants.find(tenant).await.unwrap() {
        Some(tenant) => tenant.erasure.is_some_and(|erasure| erasure.erased_rows == 1),
        None => true,
    })
    .await;
    assert_eq!(s.all_events(tenant).await, []);
}

pub async fn dropped_writes_of_access_keys_are_carried_out(s: &Fixture) {
    let tenant = s.tenant().await;
    let found = async |id: &str| s.access_keys.find_grant(key_id(id)).await.unwrap();
    begin_and_drop(s.access_keys.insert(tenant, tenant_key(tenant, "000000000001", s.now())));
    until("the key is stored", async || found("000000000001").await.is_some()).await;
    begin_and_drop(s.access_keys.record_use(vec![(key_id("000000000001"), s.now())]));
    until("its use is noted", async || {
        found("000000000001").await.is_some_and(|grant| grant.key.last_used_at.is_some())
    })
    .await;
    begin_and_drop(s.access_keys.revoke(tenant, key_id("000000000001")));
    until("the key is revoked", async || found("000000000001").await.is_none()).await;
    begin_and_drop(s.access_keys.insert_first_admin_key(admin_key("admin0000000", s.now())));
    until("the first admin key is stored", async || found("admin0000000").await.is_some()).await;
}

pub async fn a_dropped_setting_is_stored(s: &Fixture) {
    begin_and_drop(s.settings.find_or_insert("secret", vec![1]));
    until("the setting is stored", async || s.settings.find("secret").await.unwrap().is_some()).await;
}

pub async fn dropped_writes_of_feeds_are_carried_out(s: &Fixture) {
    let tenant = s.tenant().await;
    let found = async || s.feeds.find(tenant, feed_id(1)).await.unwrap();
    begin_and_drop(s.feeds.create(tenant, feed_id(1), settings("feed"), 9));
    until("the feed is there", async || found().await.is_some()).await;
    begin_and_drop(s.feeds.update(tenant, feed_id(1), 1, settings("other")));
    until("the feed is changed", async || found().await.is_some_and(|feed| feed.version == 2)).await;
    begin_and_drop(s.delete_feed(tenant, feed_id(1)));
    until("the feed is gone", async || found().await.is_none()).await;
}

pub async fn dropped_steps_of_a_run_are_carried_out(s: &Fixture) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let state = async |run| s.feed_runs.find(tenant, feed, run_id(run)).await.unwrap().map(|run| run.state);
    let now = s.now();

    begin_and_drop(s.feed_runs.schedule(now, vec![ScheduleSlot { run: run_id(1), jitter_permille: 0 }]));
    until("the timer's run is there", async || state(1).await == Some(RunState::Queued)).await;
    let key = RunKey { tenant, feed, run: run_id(1) };
    let stranded = async || s.feed_runs.stranded(now, PageLimit::MAX).await.unwrap();
    begin_and_drop(s.feed_runs.claim(key, Duration::ZERO));
    until("the run is claimed", async || state(1).await == Some(RunState::Running)).await;
    assert_eq!(stranded().await, [key], "its claim has ended");
    let claim = tenantry_ports::RunClaim { key, number: 1 };
    begin_and_drop(s.feed_runs.extend(&claim, HOUR));
    until("the claim is longer", async || stranded().await.is_empty()).await;
    let seen = async |plans| s.run_now(tenant, feed, 1).await.counts.plans_seen == plans;
    begin_and_drop(s.feed_runs.stage(&claim, batch(vec![record("1", "one")])));
    until("a plan is staged", async || seen(1).await).await;
    begin_and_drop(s.feed_runs.restage(&claim));
    until("it is discarded", async || seen(0).await).await;
    s.stage(&claim, batch(vec![record("2", "two")])).await;
    begin_and_drop(s.feed_runs.finish(&claim, now, whole(), RunCounts::default(), 9));
    until("the run has ended", async || state(1).await == Some(RunState::Succeeded)).await;
    assert_eq!(s.on_sale(tenant).await, ["two"]);

    begin_and_drop(s.request(tenant, feed, 2));
    until("the run is there", async || state(2).await == Some(RunState::Queued)).await;
    let claimed = s.claim(RunKey { run: run_id(2), ..key }).await;
    let tenantry_ports::ClaimOutcome::Claimed(claimed) = claimed else { panic!("it is queued: {claimed:?}") };
    assert_eq!(s.finish(&claimed.claim, whole_if_half_stay()).await.state, RunState::Held);
    begin_and_drop(s.try_confirm(tenant, feed, 2));
    until("the run is confirmed", async || state(2).await == Some(RunState::Succeeded)).await;
    s.run(tenant, feed, 3, batch(vec![]), RunEnd::Unchanged).await;
    begin_and_drop(s.feed_runs.prune(tenant, feed, 0));
    until("the runs are pruned", async || state(3).await.is_none()).await;
}
