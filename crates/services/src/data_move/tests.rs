use tenantry_domain::{JsonObject, Tenant, TenantName, TenantStatus, Timestamp};
use tenantry_ports::{MockExportRepository, MockImportRepository, StoredTenant, TenantCounters};

use super::*;

fn stored(number: i64, version: u64) -> StoredTenant {
    let time = Timestamp::from_micros(5);
    let tenant = Tenant {
        number: TenantNumber::new(number).unwrap(),
        name: TenantName::from_stored(format!("tenant-{number}")),
        status: TenantStatus::Active,
        info: JsonObject::empty(),
        version,
        created_at: time,
        updated_at: time,
        erasure: None,
    };
    StoredTenant { tenant, counters: TenantCounters::default() }
}

/// A storage with these tenants, which have nothing.
fn side(numbers: &'static [i64]) -> Arc<MockExportRepository> {
    holding(numbers, 1, 9, 1)
}

/// The same with a setting, the last number given to a tenant, and the version of each tenant.
fn holding(
    numbers: &'static [i64],
    setting: u8,
    last_number: i64,
    version: u64,
) -> Arc<MockExportRepository> {
    let mut side = MockExportRepository::new();
    side.expect_settings().returning(move || Ok(vec![("secret".to_owned(), vec![setting])]));
    side.expect_admin_keys().returning(|| Ok(vec![]));
    side.expect_last_tenant_number().returning(move || Ok(TenantNumber::new(last_number)));
    side.expect_tenants().returning(move |after, bound| {
        let after = after.map_or(0, TenantNumber::get);
        let behind = numbers.iter().filter(|number| **number > after);
        Ok(behind.take(bound.rows as usize).map(|number| stored(*number, version)).collect())
    });
    side.expect_count_rows().returning(|_| Ok(0));
    side.expect_access_keys().returning(|_, _, _| Ok(vec![]));
    side.expect_events().returning(|_, _, _| Ok(vec![]));
    side.expect_key_values().returning(|_, _, _| Ok(vec![]));
    side.expect_catalog().returning(|_, _, _| Ok(vec![]));
    Arc::new(side)
}

fn between(source: &'static [i64], target: &'static [i64]) -> DataMove {
    DataMove::new(side(source), side(target), |_| {})
}

#[tokio::test]
async fn a_target_that_is_not_empty_is_refused_and_not_written_to() {
    let mut import = MockImportRepository::new();
    import.expect_begin().once().returning(|_| Ok(ImportStart::NotEmpty("3 tenants".to_owned())));
    let refused = between(&[1], &[1]).run(&import).await;
    assert_eq!(refused, Err(MoveError::TargetNotEmpty("3 tenants".to_owned())));
}

#[tokio::test]
async fn an_unfinished_move_of_another_source_is_refused_and_not_written_to() {
    for held in [Marker { fingerprint: "other".to_owned(), position: None }.to_bytes(), vec![]] {
        let mut import = MockImportRepository::new();
        import.expect_begin().returning(move |_| Ok(ImportStart::Unfinished(held.clone())));
        assert_eq!(between(&[1], &[1]).run(&import).await, Err(MoveError::OtherMove));
    }
}

#[tokio::test]
async fn a_move_is_finished_only_when_nothing_differs() {
    let mut import = MockImportRepository::new();
    import.expect_begin().returning(|_| Ok(ImportStart::Begun));
    import.expect_import().returning(|_, _| Ok(()));
    import.expect_finish().never();
    let Err(MoveError::Differs(differences)) = between(&[1, 4], &[1]).run(&import).await else {
        panic!("another end")
    };
    let [difference] = &differences[..] else { panic!("{differences:?}") };
    assert_eq!(difference.to_string(), "tenant 4, table tenants: 1 rows in the source, 0 in the target");

    let mut import = MockImportRepository::new();
    import.expect_begin().returning(|_| Ok(ImportStart::Begun));
    import.expect_import().returning(|_, _| Ok(()));
    import.expect_finish().once().returning(|| Ok(()));
    let report = between(&[1, 4], &[1, 4]).run(&import).await.unwrap();
    assert_eq!(report, MoveReport { tenants: 2, ..MoveReport::default() });
}

#[tokio::test]
async fn tenants_that_only_the_target_has_are_differences() {
    let Err(MoveError::Differs(differences)) = between(&[2], &[1, 2, 3]).verify().await else {
        panic!("another end")
    };
    let numbers: Vec<_> = differences.iter().filter_map(|difference| difference.tenant).collect();
    assert_eq!(numbers.iter().map(|number| number.get()).collect::<Vec<_>>(), [1, 3]);
}

#[tokio::test]
async fn whatever_of_an_installation_differs_is_found_by_its_table() {
    for (target, differs) in [
        (holding(&[1], 2, 9, 1), "table settings: 1 rows on both sides, not the same"),
        (holding(&[1], 1, 8, 1), "table tenants: 0 rows on both sides, not the same"),
        (holding(&[1], 1, 9, 2), "tenant 1, table tenants: 1 rows on both sides, not the same"),
    ] {
        let compared = DataMove::new(side(&[1]), target, |_| {}).verify().await;
        let Err(MoveError::Differs(differences)) = compared else { panic!("{differs}: {compared:?}") };
        let [difference] = &differences[..] else { panic!("{differences:?}") };
        assert!(difference.to_string().ends_with(differs), "{difference}");
    }
}
