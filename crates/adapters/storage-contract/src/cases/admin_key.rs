//! Access keys: the first administrator's.

use tenantry_ports::AccessGrant;

use crate::fixture::Fixture;
use crate::samples::{admin_key, key_id, tenant_key};
use crate::wait::at_once;

pub async fn the_first_admin_key_is_stored_and_found_without_a_tenants_status(s: &Fixture) {
    let key = admin_key("admin0000000", s.now());
    assert!(!s.access_keys.has_admin_key().await.unwrap());
    assert!(s.access_keys.insert_first_admin_key(key.clone()).await.unwrap());
    assert!(s.access_keys.has_admin_key().await.unwrap());
    let grant = s.access_keys.find_grant(key.id).await.unwrap();
    assert_eq!(grant, Some(AccessGrant { key, tenant_status: None }));
}

pub async fn a_second_first_admin_key_is_not_stored(s: &Fixture) {
    assert!(s.access_keys.insert_first_admin_key(admin_key("admin0000000", s.now())).await.unwrap());
    assert!(!s.access_keys.insert_first_admin_key(admin_key("admin0000001", s.now())).await.unwrap());
    assert_eq!(s.access_keys.find_grant(key_id("admin0000001")).await.unwrap(), None);
}

pub async fn a_tenants_key_is_no_admin_key(s: &Fixture) {
    let tenant = s.tenant().await;
    s.access_keys.insert(tenant, tenant_key(tenant, "000000000000", s.now())).await.unwrap();
    assert!(!s.access_keys.has_admin_key().await.unwrap());
    assert!(s.access_keys.insert_first_admin_key(admin_key("admin0000000", s.now())).await.unwrap());
}

pub async fn of_several_first_admin_keys_at_once_one_is_stored(s: &Fixture) {
    let insert = |number: u32| {
        let s = s.clone();
        async move {
            let key = admin_key(&format!("admin{number:07}"), s.now());
            let id = key.id;
            (id, s.access_keys.insert_first_admin_key(key).await.unwrap())
        }
    };
    let answers = at_once((0..32).map(insert)).await;
    assert_eq!(answers.iter().filter(|(_, stored)| *stored).count(), 1);
    for (id, stored) in answers {
        assert_eq!(s.access_keys.find_grant(id).await.unwrap().is_some(), stored);
    }
}
