//! Tenants that another system kept: stored under their numbers.

use tenantry_domain::{NewTenant, PastTenant, Tenant, TenantName, TenantNumber, TenantStatus};
use tenantry_ports::PastTenantOutcome;

use crate::fixture::Fixture;
use crate::samples::{event, object};
use crate::wait::{at_once, begin_and_drop, until};

fn past(s: &Fixture, number: i64, name: &str) -> PastTenant {
    PastTenant {
        number: TenantNumber::new(number).unwrap(),
        tenant: NewTenant { name: TenantName::new(name).unwrap(), info: object(r#"{"a": [1.50]}"#) },
        created_at: Some(s.now().plus_seconds(-100)),
        updated_at: Some(s.now().plus_seconds(-50)),
    }
}

async fn create(s: &Fixture, number: i64, name: &str) -> PastTenantOutcome {
    s.tenants.create_past(past(s, number, name)).await.unwrap()
}

async fn created(s: &Fixture, number: i64, name: &str) -> Tenant {
    match create(s, number, name).await {
        PastTenantOutcome::Created(tenant) => tenant,
        other => panic!("{other:?}"),
    }
}

pub async fn a_past_tenant_is_stored_under_its_number_with_its_times(s: &Fixture) {
    let past = past(s, 4711, "acme");
    let expected = Tenant {
        number: past.number,
        name: past.tenant.name.clone(),
        status: TenantStatus::Active,
        info: past.tenant.info.clone(),
        version: 1,
        created_at: past.created_at.unwrap(),
        updated_at: past.updated_at.unwrap(),
        erasure: None,
    };
    assert_eq!(s.tenants.create_past(past).await, Ok(PastTenantOutcome::Created(expected.clone())));
    assert_eq!(s.tenants.find(expected.number).await, Ok(Some(expected)));
}

pub async fn a_past_tenant_without_times_has_those_of_its_write(s: &Fixture) {
    let past = PastTenant { created_at: None, updated_at: None, ..past(s, 7, "acme") };
    let outcome = s.tenants.create_past(past).await.unwrap();
    let PastTenantOutcome::Created(tenant) = outcome else { panic!("{outcome:?}") };
    assert_eq!((tenant.created_at, tenant.updated_at), (s.now(), s.now()));
}

pub async fn new_tenants_numbers_are_larger_than_those_of_past_ones(s: &Fixture) {
    created(s, 40, "forty").await;
    created(s, 20, "twenty").await;
    assert_eq!(s.tenant().await.get(), 41);
    assert_eq!(s.tenant().await.get(), 42);
    created(s, 30, "thirty").await;
    assert_eq!(s.tenant().await.get(), 43);
}

pub async fn a_number_that_is_taken_stays_its_holders(s: &Fixture) {
    let held = s.tenant_named("first").await;
    let outcome = create(s, held.number.get(), "second").await;
    assert_eq!(outcome, PastTenantOutcome::Held(held.clone()));
    let deleting = s.set_status(held.number, TenantStatus::Deleting).await;
    assert_eq!(create(s, held.number.get(), "second").await, PastTenantOutcome::Held(deleting));
    assert_eq!(s.tenant_now(held.number).await.name, held.name);
}

pub async fn the_number_of_an_erased_tenant_is_not_given_to_a_past_one(s: &Fixture) {
    let (first, _) = s.two_tenants().await;
    created(s, 50, "fifty").await;
    for number in [first, TenantNumber::new(50).unwrap()] {
        s.delete_and_erase(number).await;
        assert_eq!(create(s, number.get(), "again").await, PastTenantOutcome::Retired);
        assert_eq!(s.tenants.find(number).await, Ok(None));
    }
    created(s, 49, "never_given").await;
}

pub async fn a_past_tenant_can_be_written_to_and_changed(s: &Fixture) {
    let tenant = created(s, 12, "acme").await;
    assert_eq!(s.append(tenant.number, event(1)).await.sequence.get(), 1);
    assert_eq!(s.put(tenant.number, "key", "value").await.entry.meta.revision.get(), 1);
    assert_eq!(s.set_status(tenant.number, TenantStatus::Suspended).await.version, 2);
}

pub async fn of_past_tenants_at_once_of_one_number_one_is_stored(s: &Fixture) {
    let attempt = |n: usize| {
        let s = s.clone();
        async move { create(&s, 9, &format!("by-{n}")).await }
    };
    let answers = at_once((0..16).map(attempt)).await;
    let stored = s.tenant_now(TenantNumber::new(9).unwrap()).await;
    let is_created = |answer: &&PastTenantOutcome| matches!(answer, PastTenantOutcome::Created(_));
    assert_eq!(answers.iter().filter(is_created).count(), 1);
    for answer in answers {
        let (PastTenantOutcome::Created(tenant) | PastTenantOutcome::Held(tenant)) = answer else {
            panic!("{answer:?}")
        };
        assert_eq!(tenant, stored);
    }
}

pub async fn a_dropped_creation_of_a_past_tenant_is_carried_out(s: &Fixture) {
    begin_and_drop(s.tenants.create_past(past(s, 8, "dropped")));
    let number = TenantNumber::new(8).unwrap();
    until("the tenant is there", async || s.tenants.find(number).await.unwrap().is_some()).await;
}
