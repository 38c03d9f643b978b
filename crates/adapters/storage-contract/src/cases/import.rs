//! Writing a whole installation that was read elsewhere.

use bytes::Bytes;
use tenantry_domain::{
    ContentType, Entry, EntryMeta, Erasure, JsonObject, Tenant, TenantName, TenantNumber, TenantStatus,
    Timestamp,
};
use tenantry_ports::{
    ExportBound, ImportRows, ImportStart, MOVE_MARKER, StorageError, StoredTenant, TenantCounters,
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
    ];
    assert_eq!(rows(), expected);
}

pub async fn rows_that_are_brought_again_change_nothing(s: &Fixture) {
    imported(s).await;
    s.imports.import(rows(), b"2".to_vec()).await.unwrap();
    what_stands(s).await;
}

async fn what_stands(s: &Fixture) {
    assert_eq!(s.exports.count_rows(number(3)).await.unwrap(), 3);
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
