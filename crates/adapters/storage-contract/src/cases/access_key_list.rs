//! Access keys: listed.

use tenantry_domain::{AccessKey, TenantNumber};
use tenantry_ports::KeyPosition;

use crate::fixture::Fixture;
use crate::samples::{admin_key, key_id, tenant_key, unknown_tenant};
use crate::walk::{PAGE_SIZES, limit, walk};

fn position(key: &AccessKey) -> KeyPosition {
    KeyPosition { created_at: key.created_at, id: key.id }
}

async fn listed(s: &Fixture, tenant: TenantNumber, page_size: u64) -> Vec<AccessKey> {
    walk(limit(page_size), position, async |after, limit| {
        s.access_keys.list(tenant, after, limit).await.unwrap()
    })
    .await
}

/// Stores keys out of order, some made at the same time, and gives them in order.
async fn varied_keys(s: &Fixture, tenant: TenantNumber) -> Vec<AccessKey> {
    let mut keys = Vec::new();
    let ids = ["zzzzzzzzzzz", "ZZZZZZZZZZZ", "00000000000", "aaaaaaaaaaa", "AAAAAAAAAAA", "mMmMmMmMmMm"];
    for (at, second) in [3, 1, 2, 1, 1, 3].into_iter().enumerate() {
        let id = format!("{}{}", ids[at], tenant.get() % 10);
        let key = tenant_key(tenant, &id, s.now().plus_seconds(second));
        s.access_keys.insert(tenant, key.clone()).await.unwrap();
        keys.push(key);
    }
    keys.sort_by_key(position);
    keys
}

pub async fn keys_are_listed_once_each_in_the_order_in_which_they_were_made(s: &Fixture) {
    let tenant = s.tenant().await;
    let expected = varied_keys(s, tenant).await;
    for size in PAGE_SIZES {
        assert_eq!(listed(s, tenant, size).await, expected, "in pages of {size}");
    }
}

pub async fn a_list_of_keys_shows_no_other_tenants_and_no_administrators(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    let expected = varied_keys(s, one).await;
    assert_eq!(listed(s, other, 3).await, []);
    varied_keys(s, other).await;
    assert!(s.access_keys.insert_first_admin_key(admin_key("admin0000000", s.now())).await.unwrap());
    assert_eq!(listed(s, one, 3).await, expected);
    assert_eq!(listed(s, unknown_tenant(), 3).await, []);
}

pub async fn a_list_behind_a_key_that_is_gone_goes_on_behind_its_place(s: &Fixture) {
    let tenant = s.tenant().await;
    let keys = varied_keys(s, tenant).await;
    assert!(s.access_keys.revoke(tenant, keys[2].id).await.unwrap());
    let page = s.access_keys.list(tenant, Some(position(&keys[2])), limit(2)).await.unwrap();
    assert_eq!(page.items, keys[3..5]);
    assert!(page.more);
    let end = s.access_keys.list(tenant, Some(position(&keys[5])), limit(2)).await.unwrap();
    assert_eq!((end.items, end.more), (vec![], false));
}

pub async fn a_page_of_keys_that_ends_with_the_list_says_so(s: &Fixture) {
    let tenant = s.tenant().await;
    for id in ["000000000001", "000000000002"] {
        s.access_keys.insert(tenant, tenant_key(tenant, id, s.now())).await.unwrap();
    }
    for (size, more) in [(1, true), (2, false), (3, false)] {
        let page = s.access_keys.list(tenant, None, limit(size)).await.unwrap();
        assert_eq!(page.more, more, "in pages of {size}");
        assert_eq!(page.items[0].id, key_id("000000000001"));
    }
}
