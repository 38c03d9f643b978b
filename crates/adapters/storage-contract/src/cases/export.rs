//! Reading a whole installation.

use tenantry_domain::{TenantNumber, TenantStatus};
use tenantry_ports::{CatalogRow, ExportBound, KeyPosition, RunEnd, StoredTenant, Validators};

use crate::catalog::{batch, feed_id, offline, record, reject, validators, whole_if_half_stay};
use crate::fixture::Fixture;
use crate::samples::{admin_key, event, events, tenant_key};

const ALL: ExportBound = ExportBound { rows: 1000, bytes: u64::MAX };
const ONE: ExportBound = ExportBound { rows: 1, bytes: u64::MAX };

pub async fn an_empty_storage_exports_nothing(s: &Fixture) {
    assert_eq!(s.exports.settings().await.unwrap(), []);
    assert_eq!(s.exports.admin_keys().await.unwrap(), []);
    assert_eq!(s.exports.tenants(None, ALL).await.unwrap(), []);
    assert_eq!(s.exports.last_tenant_number().await.unwrap(), None);
}

pub async fn settings_and_admin_keys_are_exported_as_they_are_stored(s: &Fixture) {
    let key = admin_key("abcdefghijkl", s.now());
    assert!(s.access_keys.insert_first_admin_key(key.clone()).await.unwrap());
    for name in ["b", "a"] {
        s.settings.find_or_insert(name, vec![0, 255]).await.unwrap();
    }
    let settings = [("a".to_owned(), vec![0, 255]), ("b".to_owned(), vec![0, 255])];
    assert_eq!(s.exports.settings().await.unwrap(), settings);
    assert_eq!(s.exports.admin_keys().await.unwrap(), [key]);
}

pub async fn tenants_of_any_status_are_exported_with_what_was_given_out_last(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    let stored = s.append(one, event(1)).await;
    s.put(one, "key", "value").await;
    s.set_status(other, TenantStatus::Deleting).await;
    let all = s.exports.tenants(None, ALL).await.unwrap();
    let [first, second] = &all[..] else { panic!("{all:?}") };
    assert_eq!(first.tenant, s.tenant_now(one).await);
    assert_eq!(first.counters.event_sequence, stored.sequence);
    assert_eq!(first.counters.last_event_at, Some(stored.created_at));
    assert_eq!(first.counters.key_value_revision.get(), 1);
    let StoredTenant { tenant, counters } = second;
    assert_eq!((tenant, counters), (&s.tenant_now(other).await, &Default::default()));
    assert_eq!(s.exports.tenants(Some(one), ONE).await.unwrap(), vec![second.clone()]);
}

pub async fn the_last_number_is_that_of_a_tenant_that_is_gone_too(s: &Fixture) {
    let (_, last) = s.two_tenants().await;
    s.delete_and_erase(last).await;
    assert_eq!(s.exports.last_tenant_number().await.unwrap(), Some(last));
}

pub async fn a_tenants_rows_are_exported_once_each_in_pages_and_no_other_tenants(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    for tenant in [one, other] {
        s.events.append(tenant, events(0..5)).await.unwrap();
        for key in ["b", "a", "c"] {
            s.put(tenant, key, format!("of {tenant}")).await;
        }
    }
    let key = tenant_key(one, "abcdefghijkl", s.now());
    s.access_keys.insert(one, key.clone()).await.unwrap();

    let two = ExportBound { rows: 2, ..ALL };
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = s.exports.events(one, after, two).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 2);
        after = Some(last.sequence);
        found.extend(page);
    }
    assert_eq!(found, s.all_events(one).await);

    let entries = s.exports.key_values(one, None, two).await.unwrap();
    let keys: Vec<_> = entries.iter().map(|entry| entry.meta.key.as_str()).collect();
    assert_eq!(keys, ["a", "b"]);
    let rest = s.exports.key_values(one, Some(entries[1].meta.key.clone()), two).await.unwrap();
    assert_eq!(rest, [(*s.entry(one, "c").await.unwrap()).clone()]);

    assert_eq!(s.exports.access_keys(one, None, ALL).await.unwrap(), vec![key.clone()]);
    let behind = Some(KeyPosition { created_at: key.created_at, id: key.id });
    assert_eq!(s.exports.access_keys(one, behind, ALL).await.unwrap(), []);
    assert_eq!(s.exports.access_keys(other, None, ALL).await.unwrap(), []);
    assert_eq!(s.exports.count_rows(one).await.unwrap(), 9);
    assert_eq!(s.exports.count_rows(other).await.unwrap(), 8);
}

pub async fn a_page_ends_behind_the_row_with_which_it_reaches_its_bytes(s: &Fixture) {
    let tenant = s.tenant().await;
    for key in ["a", "b", "c"] {
        s.put(tenant, key, vec![7; 1000]).await;
    }
    for (bytes, rows) in [(1, 1), (1000, 1), (1001, 2), (3000, 3)] {
        let bound = ExportBound { bytes, ..ALL };
        assert_eq!(s.exports.key_values(tenant, None, bound).await.unwrap().len(), rows, "{bytes}");
    }
    s.events.append(tenant, events(0..3)).await.unwrap();
    let bound = ExportBound { bytes: 1, ..ALL };
    assert_eq!(s.exports.events(tenant, None, bound).await.unwrap().len(), 1);
}

/// A tenant whose catalog has rows in each table, with a run that is held and one that is open.
async fn tenant_with_catalog(s: &Fixture) -> TenantNumber {
    let tenant = s.tenant().await;
    let (feed, other) = (s.feed(tenant, 2).await.id, s.feed(tenant, 1).await.id);
    let end = RunEnd::Whole { validators: validators("v1"), max_leaving_permille: 1000 };
    let mut first = batch(vec![record("1", "one"), record("2", "two"), offline("3", "three")]);
    first.rejects = vec![reject("<a/>"), reject("<b/>")];
    s.run(tenant, feed, 1, first, end).await;
    s.clock.advance_seconds(60);
    s.import(tenant, feed, 2, vec![record("1", "changed"), offline("3", "three")]).await;
    s.run(tenant, other, 1, batch(vec![]), RunEnd::Failed { detail: "it's down".to_owned() }).await;
    s.run(tenant, feed, 3, batch(vec![]), whole_if_half_stay()).await;
    s.queued(tenant, feed, 4).await;
    tenant
}

pub async fn a_catalog_is_exported_in_pages_by_its_positions_and_no_other_tenants(s: &Fixture) {
    let tenant = tenant_with_catalog(s).await;
    tenant_with_catalog(s).await;
    let pages = async |bound| {
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let page = s.exports.catalog(tenant, after, bound).await.unwrap();
            let Some(last) = page.last() else { return rows };
            assert!(page.len() <= bound.rows as usize);
            after = Some(last.position());
            rows.extend(page);
        }
    };
    let all = pages(ALL).await;
    for bound in [ONE, ExportBound { rows: 2, ..ALL }, ExportBound { bytes: 1, ..ALL }] {
        assert_eq!(pages(bound).await, all);
    }
    assert!(all.is_sorted_by_key(CatalogRow::position));
    let count = |is: fn(&CatalogRow) -> bool| all.iter().filter(|row| is(row)).count();
    // Of the runs, the held and the open one stay where they are.
    let tables = [
        count(|row| matches!(row, CatalogRow::Feed(..))),
        count(|row| matches!(row, CatalogRow::Run(_))),
        count(|row| matches!(row, CatalogRow::Reject(..))),
        count(|row| matches!(row, CatalogRow::Version(..))),
        count(|row| matches!(row, CatalogRow::Plan { .. })),
    ];
    assert_eq!(tables, [2, 3, 2, 4, 3]);
    assert_eq!(s.exports.count_rows(tenant).await.unwrap(), 14);
    let feed = s.feed_now(tenant, feed_id(2)).await;
    assert!(all.contains(&CatalogRow::Feed(feed, Validators::default())), "{all:?}");
    assert!(all.contains(&CatalogRow::Run(s.run_now(tenant, feed_id(1), 1).await)));
    for reject in s.rejects(tenant, feed_id(2)).await {
        assert!(all.contains(&CatalogRow::Reject(feed_id(2), reject)));
    }
    let tenants = s.exports.tenants(None, ALL).await.unwrap();
    assert_eq!(tenants[0].counters.catalog_revision.get(), 2);
}

pub async fn key_values_that_have_ended_are_exported(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put_for(tenant, "short", 1).await;
    s.clock.advance_seconds(2);
    assert_eq!(s.entry(tenant, "short").await, None);
    assert_eq!(s.exports.key_values(tenant, None, ALL).await.unwrap().len(), 1);
}
