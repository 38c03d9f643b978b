//! Tenants: deleted, and erased step by step.

use std::sync::Arc;

use tenantry_domain::{
    AccessKey, Entry, Erasure, Event, KeyOwner, PageLimit, Precondition, Tenant, TenantNumber, TenantStatus,
};
use tenantry_ports::{
    AccessKeyWriteError, ClaimError, ClaimOutcome, ConfirmError, EventWriteError, FeedWriteError,
    KeyValueWriteError, RequestError,
};

use crate::catalog::{HOUR, batch, feed_id, plan_id, record, reject, settings, whole};
use crate::fixture::Fixture;
use crate::recorded_commits::Commit;
use crate::samples::{admin_key, event, event_id, events, key, key_id, tenant_key, unknown_tenant, value};
use crate::wait::at_once;

/// The rows that [`filled_tenant`] stores.
const ROWS: u64 = 9;

/// A tenant with four events, three key-values and two keys, whose ids begin with `name`.
async fn filled_tenant(s: &Fixture, name: char) -> TenantNumber {
    let tenant = s.tenant().await;
    s.events.append(tenant, events(0..4)).await.unwrap();
    for key in ["a", "b", "c"] {
        s.put(tenant, key, "value").await;
    }
    for number in 0..2 {
        let key = tenant_key(tenant, &format!("{name}{number:011}"), s.now());
        s.access_keys.insert(tenant, key).await.unwrap();
    }
    tenant
}

/// Everything that can be read of a tenant.
async fn everything(
    s: &Fixture,
    tenant: TenantNumber,
) -> (Option<Tenant>, Vec<Event>, Vec<Option<Arc<Entry>>>, Vec<AccessKey>) {
    let mut entries = Vec::new();
    for key in ["a", "b", "c"] {
        entries.push(s.entry(tenant, key).await);
    }
    let keys = s.access_keys.list(tenant, None, PageLimit::MAX).await.unwrap();
    (s.tenants.find(tenant).await.unwrap(), s.all_events(tenant).await, entries, keys.items)
}

pub async fn a_deleted_tenant_says_since_when_and_that_nothing_is_erased_yet(s: &Fixture) {
    let tenant = filled_tenant(s, 'a').await;
    let started_at = s.clock.advance_seconds(7);
    let expected = Some(Erasure { started_at, erased_rows: 0 });
    assert_eq!(s.set_status(tenant, TenantStatus::Deleting).await.erasure, expected);
    assert_eq!(s.tenant_now(tenant).await.erasure, expected);
}

pub async fn the_keys_of_a_deleted_tenant_do_not_authenticate(s: &Fixture) {
    let tenant = filled_tenant(s, 'a').await;
    s.set_status(tenant, TenantStatus::Deleting).await;
    let grant = s.access_keys.find_grant(key_id("a00000000000")).await.unwrap();
    let status = grant.and_then(|grant| grant.tenant_status);
    assert!(matches!(status, None | Some(TenantStatus::Deleting)), "the key is good: {status:?}");
}

pub async fn writes_of_a_deleted_tenants_data_find_no_such_tenant(s: &Fixture) {
    let tenant = filled_tenant(s, 'a').await;
    s.set_status(tenant, TenantStatus::Deleting).await;
    s.commits.take();
    let any = Precondition::default;
    assert_eq!(s.events.append(tenant, events(7..9)).await, Err(EventWriteError::TenantNotFound));
    assert_eq!(
        s.key_values.put(tenant, key("d"), value("x"), any()).await,
        Err(KeyValueWriteError::TenantNotFound)
    );
    for name in ["a", "absent"] {
        let deleted = s.key_values.delete(tenant, key(name), any()).await;
        assert_eq!(deleted, Err(KeyValueWriteError::TenantNotFound));
        let incremented = s.key_values.increment(tenant, key(name), 1, Some(1), any()).await;
        assert_eq!(incremented, Err(KeyValueWriteError::TenantNotFound));
    }
    let inserted = s.access_keys.insert(tenant, tenant_key(tenant, "a00000000009", s.now())).await;
    assert_eq!(inserted, Err(AccessKeyWriteError::TenantNotFound));
    assert_eq!(s.commits.take(), []);
}

pub async fn an_erasure_goes_in_steps_of_at_most_max_rows_and_counts_them(s: &Fixture) {
    for max_rows in [1, 2, 4, 1000] {
        let tenant = filled_tenant(s, char::from_digit(max_rows, 36).unwrap_or('z')).await;
        s.set_status(tenant, TenantStatus::Deleting).await;
        let mut erased = 0;
        while !s.tenants.erase_some(tenant, max_rows).await.unwrap() {
            let now = s.tenant_now(tenant).await.erasure.expect("a tenant being deleted shows its erasure");
            let step = now.erased_rows.checked_sub(erased).expect("progress never falls");
            assert!((1..=u64::from(max_rows)).contains(&step), "a step of {max_rows} erased {step} rows");
            assert!(now.erased_rows <= ROWS, "{} of {ROWS} rows were erased", now.erased_rows);
            erased = now.erased_rows;
        }
        // The last step, which also takes the tenant, may take rows with it.
        assert!(erased + u64::from(max_rows) >= ROWS, "only {erased} rows of {ROWS} were counted");
        assert_eq!(s.tenants.find(tenant).await.unwrap(), None);
    }
}

pub async fn an_erased_tenant_leaves_nothing(s: &Fixture) {
    let tenant = filled_tenant(s, 'a').await;
    s.delete_and_erase(tenant).await;
    assert_eq!(everything(s, tenant).await, (None, vec![], vec![None, None, None], vec![]));
    assert_eq!(s.all_entries(tenant).await, []);
    assert_eq!(s.events.find(tenant, event_id(0)).await.unwrap(), None);
    assert_eq!(s.access_keys.find_grant(key_id("a00000000000")).await.unwrap(), None);
    assert_eq!(s.events.append(tenant, vec![event(1)]).await, Err(EventWriteError::TenantNotFound));
}

pub async fn an_erasure_leaves_other_tenants_and_administrators_as_they_are(s: &Fixture) {
    let before = filled_tenant(s, 'a').await;
    let erased = filled_tenant(s, 'b').await;
    let after = filled_tenant(s, 'c').await;
    assert!(s.access_keys.insert_first_admin_key(admin_key("adminadmin00", s.now())).await.unwrap());
    let held = (everything(s, before).await, everything(s, after).await);
    s.delete_and_erase(erased).await;
    assert_eq!((everything(s, before).await, everything(s, after).await), held);
    let admin = s.access_keys.find_grant(key_id("adminadmin00")).await.unwrap().expect("the admin's key");
    assert_eq!(admin.key.owner, KeyOwner::Admin);
}

pub async fn a_tenant_that_is_not_being_deleted_is_not_erased(s: &Fixture) {
    let tenant = filled_tenant(s, 'a').await;
    for status in [TenantStatus::Active, TenantStatus::Suspended] {
        s.set_status(tenant, status).await;
        let held = everything(s, tenant).await;
        assert!(!s.tenants.erase_some(tenant, 1000).await.unwrap());
        assert_eq!(everything(s, tenant).await, held);
    }
}

pub async fn an_unknown_tenant_counts_as_erased(s: &Fixture) {
    assert!(s.tenants.erase_some(unknown_tenant(), 1).await.unwrap());
    let tenant = s.tenant().await;
    s.delete_and_erase(tenant).await;
    assert!(s.tenants.erase_some(tenant, 1).await.unwrap());
}

pub async fn a_tenant_without_data_is_erased(s: &Fixture) {
    let tenant = s.tenant().await;
    s.delete_and_erase(tenant).await;
    assert_eq!(s.tenants.find(tenant).await.unwrap(), None);
}

pub async fn the_listener_hears_that_a_tenant_is_gone(s: &Fixture) {
    let tenant = filled_tenant(s, 'a').await;
    s.set_status(tenant, TenantStatus::Deleting).await;
    s.commits.take();
    let mut steps = 0;
    while !s.tenants.erase_some(tenant, 3).await.unwrap() {
        s.commits.take();
        steps += 1;
        assert!(steps <= ROWS, "the erasure has no end");
    }
    let heard = s.commits.take();
    assert!(heard.contains(&Commit::Tenant(tenant)), "it heard only {heard:?}");
}

pub async fn an_erasure_that_several_carry_on_at_once_ends(s: &Fixture) {
    let tenant = filled_tenant(s, 'a').await;
    let other = filled_tenant(s, 'b').await;
    let held = everything(s, other).await;
    s.set_status(tenant, TenantStatus::Deleting).await;
    let worker = |_| {
        let s = s.clone();
        async move {
            let mut steps = 0;
            while !s.tenants.erase_some(tenant, 1).await.unwrap() {
                steps += 1;
                assert!(steps < 1000, "the erasure has no end");
            }
        }
    };
    at_once((0..4).map(worker)).await;
    assert_eq!(s.tenants.find(tenant).await.unwrap(), None);
    assert_eq!(everything(s, other).await, held);
}

/// A tenant with a feed that has plans, a reject, a held run and one that stages: answers the claim to that.
async fn tenant_with_catalog(s: &Fixture) -> (TenantNumber, tenantry_ports::RunClaim) {
    let tenant = s.tenant().await;
    let feed = s.feed(tenant, 1).await.id;
    let mut first = batch((0..5).map(|plan| record(&plan.to_string(), "plan")).collect());
    first.rejects = vec![reject("<plan/>")];
    s.run(tenant, feed, 1, first, whole()).await;
    s.run(tenant, feed, 2, batch(vec![record("7", "held")]), crate::catalog::whole_if_half_stay()).await;
    let claim = s.claimed(tenant, feed, 3).await.claim;
    s.stage(&claim, batch(vec![record("8", "staged"), record("1", "plan")])).await;
    (tenant, claim)
}

pub async fn writes_of_a_deleted_tenants_catalog_find_nothing(s: &Fixture) {
    let (tenant, claim) = tenant_with_catalog(s).await;
    let (feed, now) = (feed_id(1), s.now());
    s.set_status(tenant, TenantStatus::Deleting).await;
    s.commits.take();
    let refused = Err(FeedWriteError::TenantNotFound);
    assert_eq!(s.feeds.create(tenant, feed_id(2), settings("feed"), 9).await, refused);
    assert_eq!(s.feeds.update(tenant, feed, 1, settings("feed")).await, refused);
    assert_eq!(s.delete_feed(tenant, feed).await, Err(FeedWriteError::TenantNotFound));
    assert_eq!(s.request(tenant, feed, 9).await, Err(RequestError::NotFound));
    assert_eq!(s.feed_runs.stage(&claim, batch(vec![record("9", "nine")])).await, Err(ClaimError::Lost));
    assert_eq!(s.feed_runs.restage(&claim).await, Err(ClaimError::Lost));
    assert_eq!(s.feed_runs.extend(&claim, HOUR).await, Err(ClaimError::Lost));
    let finished = s.feed_runs.finish(&claim, now, whole(), Default::default(), 9).await;
    assert_eq!(finished, Err(ClaimError::Lost));
    assert_eq!(s.try_confirm(tenant, feed, 2).await, Err(ConfirmError::NotFound));
    assert_eq!(s.feed_runs.prune(tenant, feed, 0).await, Ok(0));
    assert_eq!(s.claim(claim.key).await, ClaimOutcome::Ended);
    assert_eq!(s.commits.take(), []);
}

pub async fn an_erased_tenants_catalog_is_gone_and_no_other(s: &Fixture) {
    let (tenant, claim) = tenant_with_catalog(s).await;
    let (other, _) = tenant_with_catalog(s).await;
    let feed = feed_id(1);
    let all = async |tenant| {
        let found = s.plans.searchable(tenant).await.unwrap();
        let runs = s.feed_runs.list(tenant, feed, None, PageLimit::MAX).await.unwrap();
        (s.feeds.find(tenant, feed).await.unwrap(), runs, found, s.plan(tenant, feed, "1").await)
    };
    let held = all(other).await;
    s.set_status(tenant, TenantStatus::Deleting).await;
    let mut erased = 0;
    while !s.tenants.erase_some(tenant, 3).await.unwrap() {
        let now = s.tenant_now(tenant).await.erasure.unwrap().erased_rows;
        assert!((1..=3).contains(&(now - erased)), "a step of 3 erased {}", now - erased);
        erased = now;
    }
    assert_eq!(all(tenant).await, (None, None, Default::default(), None));
    assert_eq!(s.plans.history(tenant, plan_id(feed, "1"), None, PageLimit::MAX, 9).await, Ok(None));
    assert_eq!(s.feed_runs.extend(&claim, HOUR).await, Err(ClaimError::Lost));
    assert_eq!(s.catalog(tenant).await, 0);
    assert_eq!(all(other).await, held);
    assert_eq!(s.rejects(other, feed).await.len(), 1);
    s.confirm(other, feed, 2).await;
    assert_eq!(s.on_sale(other).await, ["held"]);
}

pub async fn a_tenant_made_after_an_erasure_starts_from_nothing(s: &Fixture) {
    let erased = filled_tenant(s, 'a').await;
    s.delete_and_erase(erased).await;
    let tenant = s.tenant().await;
    assert_eq!(s.all_entries(tenant).await, []);
    assert_eq!(s.append(tenant, event(1)).await.sequence.get(), 1);
    assert_eq!(s.next_revision(tenant).await.get(), 1);
}
