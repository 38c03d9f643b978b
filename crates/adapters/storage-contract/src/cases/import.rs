//! Writing a whole installation that was read elsewhere.

use bytes::Bytes;
use tenantry_domain::{
    ContentType, Entry, EntryMeta, Erasure, Feed, FeedRun, JsonObject, PlanId, PlanSource, PlanVersion,
    Reject, RejectId, RunCounts, RunState, RunTrigger, Tenant, TenantName, TenantNumber, TenantStatus,
    Timestamp,
};
use tenantry_ports::{
    CatalogRow, ExportBound, ImportRows, ImportStart, MOVE_MARKER, StorageError, StoredTenant, TenantCounters,
};
use uuid::Uuid;

use crate::catalog::{
    batch, catalog_revision, feed_id, offline, plan_id, plan_key, record, reject, run_id, settings,
    validators, whole,
};
use crate::fixture::Fixture;
use crate::samples::{admin_key, event, key, object, revision, sequence, tenant_key};

const ALL: ExportBound = ExportBound { rows: 1000, bytes: u64::MAX };

fn number(number: i64) -> TenantNumber {
    TenantNumber::new(number).unwrap()
}

fn stored(tenant: TenantNumber, status: TenantStatus) -> StoredTenant {
    let time = Timestamp::from_micros(1);
    let erasure = (status == TenantStatus::Deleting).then_some(Erasure { started_at: time, erased_rows: 77 });
    let info: JsonObject = object(r#"{ "n": 0.10 }"#);
    let name = TenantName::from_stored("moved".to_owned());
    let tenant = Tenant {
        number: tenant,
        name,
        status,
        info,
        version: 5,
        created_at: time,
        updated_at: time,
        erasure,
    };
    let counters = TenantCounters {
        event_sequence: sequence(7),
        last_event_at: Some(Timestamp::from_micros(9)),
        key_value_revision: revision(12),
        catalog_revision: catalog_revision(33),
    };
    StoredTenant { tenant, counters }
}

fn entry() -> Entry {
    let meta = EntryMeta {
        key: key("key"),
        content_type: ContentType::plain_text(),
        size: 5,
        version: 3,
        revision: revision(12),
        created_at: Timestamp::from_micros(1),
        updated_at: Timestamp::from_micros(2),
        expires_at: Some(Timestamp::from_micros(3)),
    };
    Entry { meta, value: Bytes::from_static(b"value") }
}

/// A feed with a run and a reject, a plan with two versions that was sold online once, and one that is.
fn catalog_rows() -> Vec<CatalogRow> {
    let at = Timestamp::from_micros;
    let feed = Feed {
        id: feed_id(7),
        settings: settings("moved"),
        version: 3,
        created_at: at(1),
        updated_at: at(2),
        next_run_at: Some(at(9)),
        last_success_at: Some(at(4)),
    };
    let run = FeedRun {
        id: run_id(5),
        feed: feed.id,
        trigger: RunTrigger::Schedule,
        state: RunState::Superseded,
        queued_at: at(1),
        started_at: Some(at(2)),
        finished_at: Some(at(3)),
        counts: RunCounts {
            bytes: 1,
            attempts: 2,
            plans_seen: 3,
            plans_new: 4,
            plans_changed: 5,
            plans_unchanged: 6,
            plans_left_sale: 7,
            rejected: 8,
        },
        detail: Some("it's held".to_owned()),
        catalog_revision: Some(catalog_revision(3)),
    };
    let record_of = reject("<plan/>");
    let moved = Reject {
        id: RejectId::of(feed.id, &record_of),
        record: record_of,
        run: run_id(4),
        first_seen_at: at(1),
        last_seen_at: at(2),
    };
    let version = |plan: &str, version, content| {
        let seen_at = at(i64::from(version));
        CatalogRow::Version(plan_id(feed.id, plan), PlanVersion { version, seen_at, content })
    };
    let plan = |plan: &str, in_feed, seen_at| {
        let source = PlanSource { feed: feed.id, key: plan_key("base", plan) };
        CatalogRow::Plan { id: plan_id(feed.id, plan), source, in_feed, seen_at: at(seen_at) }
    };
    let mut rows = vec![
        version("1", 1, record("1", "was online").content),
        version("1", 2, offline("1", "is offline").content),
        version("2", 1, record("2", "online").content),
        plan("1", false, 2),
        plan("2", true, 3),
        CatalogRow::Run(run),
        CatalogRow::Reject(feed.id, moved),
        CatalogRow::Feed(feed.clone(), validators("v7")),
    ];
    rows.sort_by_key(CatalogRow::position);
    rows
}

/// Something in each table, of two tenants: 3 and 8, and 20 was the last number that was given.
fn rows() -> Vec<ImportRows> {
    let tenant = number(3);
    vec![
        ImportRows::Settings(vec![("secret".to_owned(), vec![1, 2])]),
        ImportRows::AdminKeys(vec![admin_key("abcdefghijkl", Timestamp::from_micros(4))]),
        ImportRows::LastTenantNumber(number(20)),
        ImportRows::Tenants(vec![
            stored(tenant, TenantStatus::Active),
            stored(number(8), TenantStatus::Deleting),
        ]),
        ImportRows::AccessKeys(tenant, vec![tenant_key(tenant, "bcdefghijklm", Timestamp::from_micros(5))]),
        ImportRows::Events(tenant, vec![event(6).into_event(sequence(7), Timestamp::from_micros(9))]),
        ImportRows::KeyValues(tenant, vec![entry()]),
        ImportRows::KeyValues(number(8), vec![entry()]),
        ImportRows::Catalog(tenant, catalog_rows()),
    ]
}

async fn imported(s: &Fixture) {
    assert_eq!(s.imports.begin(b"0".to_vec()).await.unwrap(), ImportStart::Begun);
    s.imports.import(rows(), b"1".to_vec()).await.unwrap();
}

pub async fn what_was_imported_is_exported_as_it_was(s: &Fixture) {
    imported(s).await;
    let tenant = number(3);
    let expected = [
        ImportRows::Settings(s.exports.settings().await.unwrap()),
        ImportRows::AdminKeys(s.exports.admin_keys().await.unwrap()),
        ImportRows::LastTenantNumber(s.exports.last_tenant_number().await.unwrap().unwrap()),
        ImportRows::Tenants(s.exports.tenants(None, ALL).await.unwrap()),
        ImportRows::AccessKeys(tenant, s.exports.access_keys(tenant, None, ALL).await.unwrap()),
        ImportRows::Events(tenant, s.exports.events(tenant, None, ALL).await.unwrap()),
        ImportRows::KeyValues(tenant, s.exports.key_values(tenant, None, ALL).await.unwrap()),
        ImportRows::KeyValues(number(8), s.exports.key_values(number(8), None, ALL).await.unwrap()),
        ImportRows::Catalog(tenant, exported_catalog(s, tenant).await),
    ];
    assert_eq!(rows(), expected);
}

async fn exported_catalog(s: &Fixture, tenant: TenantNumber) -> Vec<CatalogRow> {
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = s.exports.catalog(tenant, after, ALL).await.unwrap();
        let Some(last) = page.last() else { return rows };
        after = Some(last.position());
        rows.extend(page);
    }
}

pub async fn an_imported_catalog_is_served_and_goes_on_from_what_it_was(s: &Fixture) {
    imported(s).await;
    s.imports.finish().await.unwrap();
    let (tenant, feed) = (number(3), feed_id(7));
    let plan = s.plan(tenant, feed, "2").await.unwrap();
    let seen = (plan.version, plan.first_seen_at.as_micros(), plan.last_seen_at.as_micros(), plan.on_sale);
    assert_eq!(seen, (1, 1, 4, true));
    let left = s.plan(tenant, feed, "1").await.unwrap();
    let seen = (left.version, left.first_seen_at.as_micros(), left.last_seen_at.as_micros(), left.on_sale);
    assert_eq!(seen, (2, 1, 2, false));
    let found = s.plans.searchable(tenant).await.unwrap();
    assert_eq!((found.plans.len(), found.revision), (2, catalog_revision(33)));
    assert_eq!(s.validators(tenant, feed, 8).await, validators("v7"));
    let mut next = batch(vec![record("1", "online again"), record("2", "online")]);
    next.rejects = vec![reject("<plan/>")];
    let run = s.run(tenant, feed, 9, next, whole()).await;
    let counts = (run.counts.plans_changed, run.counts.plans_unchanged, run.counts.rejected);
    assert_eq!((counts, run.catalog_revision), ((1, 1, 1), Some(catalog_revision(34))));
    assert_eq!(s.versions(tenant, feed, "1").await.len(), 3);
    let rejects = s.rejects(tenant, feed).await;
    assert_eq!((rejects.len(), rejects[0].first_seen_at.as_micros()), (1, 1));
    assert_eq!(rejects[0].record.raw, "<plan/>");
    s.delete_feed(tenant, feed).await.unwrap();
    assert_eq!(s.on_sale(tenant).await, Vec::<String>::new());
    assert_eq!(s.versions(tenant, feed, "1").await.len(), 3);
}

pub async fn an_imported_plan_of_the_past_is_found_by_its_key(s: &Fixture) {
    assert_eq!(s.imports.begin(b"0".to_vec()).await.unwrap(), ImportStart::Begun);
    let (tenant, feed, id) = (number(3), feed_id(7), PlanId::new(Uuid::from_u128(77)));
    let mut moved = rows();
    let source = PlanSource { feed, key: plan_key("base", "3") };
    let content = record("3", "of the past").content;
    let version = PlanVersion { version: 1, seen_at: Timestamp::from_micros(1), content };
    let plan = CatalogRow::Plan { id, source, in_feed: false, seen_at: Timestamp::from_micros(1) };
    moved.push(ImportRows::Catalog(tenant, vec![CatalogRow::Version(id, version), plan.clone()]));
    s.imports.import(moved, b"1".to_vec()).await.unwrap();
    assert!(exported_catalog(s, tenant).await.contains(&plan));
    s.imports.finish().await.unwrap();
    assert_eq!(s.plan(tenant, feed, "3").await.unwrap().id, id);
    let run = s.run(tenant, feed, 9, batch(vec![record("3", "of the past")]), whole()).await;
    assert_eq!((run.counts.plans_new, run.counts.plans_unchanged), (0, 1));
    assert!(s.plans.find(tenant, id).await.unwrap().unwrap().on_sale);
}

pub async fn rows_that_are_brought_again_change_nothing(s: &Fixture) {
    imported(s).await;
    s.imports.import(rows(), b"2".to_vec()).await.unwrap();
    what_stands(s).await;
}

async fn what_stands(s: &Fixture) {
    assert_eq!(s.exports.count_rows(number(3)).await.unwrap(), 11);
    assert_eq!(s.exports.count_rows(number(8)).await.unwrap(), 1);
    let tenants = [stored(number(3), TenantStatus::Active), stored(number(8), TenantStatus::Deleting)];
    assert_eq!(s.exports.tenants(None, ALL).await.unwrap(), tenants);
}

pub async fn an_imported_storage_goes_on_with_the_next_number_sequence_and_revision(s: &Fixture) {
    imported(s).await;
    s.imports.finish().await.unwrap();
    assert_eq!(s.append(number(3), event(99)).await.sequence, sequence(8));
    assert_eq!(s.next_revision(number(3)).await, revision(13));
    assert_eq!(s.tenant().await, number(21));
    assert_eq!(s.settings.find("secret").await.unwrap(), Some(vec![1, 2]));
}

pub async fn a_move_that_is_not_finished_is_found_with_what_was_noted_last(s: &Fixture) {
    imported(s).await;
    assert_eq!(s.settings.find(MOVE_MARKER).await.unwrap(), Some(b"1".to_vec()));
    let again = s.imports.begin(b"other".to_vec()).await.unwrap();
    assert_eq!(again, ImportStart::Unfinished(b"1".to_vec()));
    s.imports.finish().await.unwrap();
    assert_eq!(s.settings.find(MOVE_MARKER).await.unwrap(), None);
    assert!(matches!(s.imports.begin(vec![]).await.unwrap(), ImportStart::NotEmpty(_)));
}

pub async fn a_storage_with_a_tenant_is_not_empty(s: &Fixture) {
    s.tenant().await;
    assert!(matches!(s.imports.begin(vec![]).await.unwrap(), ImportStart::NotEmpty(_)));
    assert_eq!(s.settings.find(MOVE_MARKER).await.unwrap(), None);
}

pub async fn a_storage_whose_tenants_are_gone_is_not_empty(s: &Fixture) {
    let tenant = s.tenant().await;
    s.delete_and_erase(tenant).await;
    assert!(matches!(s.imports.begin(vec![]).await.unwrap(), ImportStart::NotEmpty(_)));
}

pub async fn a_storage_with_a_setting_or_an_admin_key_is_not_empty(s: &Fixture) {
    s.settings.find_or_insert("secret", vec![1]).await.unwrap();
    assert!(matches!(s.imports.begin(vec![]).await.unwrap(), ImportStart::NotEmpty(_)));
}

pub async fn nothing_is_imported_before_a_move_has_begun(s: &Fixture) {
    let refused = s.imports.import(rows(), vec![]).await;
    assert!(matches!(refused, Err(StorageError::Failed(_))), "{refused:?}");
    assert_eq!(s.exports.tenants(None, ALL).await.unwrap(), []);
}
