//! Key-values: listed.

use bytes::Bytes;
use tenantry_domain::{Key, Page, PageLimit, Precondition, TenantNumber};
use tenantry_ports::{EntryQuery, ListedEntry};

use crate::fixture::Fixture;
use crate::samples::{key, unknown_tenant};
use crate::walk::{PAGE_SIZES, limit, walk};

/// Keys of which several orders other than that of the bytes would differ: upper and lower case, UTF-16
/// (where U+1F980 stands before U+FF5E), and an alphabet's.
const KEYS: [&str; 34] = [
    "a",
    "A",
    "b",
    "Z",
    "z",
    "aa",
    "aB",
    "ab",
    "a b",
    "a/b",
    "a/b/c",
    "a%",
    "a%b",
    "a_",
    "a_b",
    "axb",
    "a\\",
    "a\\b",
    "é",
    "e",
    "e\u{301}",
    "\u{d7ff}",
    "\u{e000}",
    "\u{ff5e}",
    "\u{ffff}",
    "\u{1f980}",
    "\u{10ffff}",
    "\u{10ffff}\u{10ffff}",
    "a\u{10ffff}",
    "a\u{10ffff}b",
    "\u{7f}",
    "\u{7f}x",
    "\u{80}",
    "it's",
];

fn all() -> EntryQuery {
    let (prefix, after) = (String::new(), None);
    EntryQuery { prefix, after, limit: PageLimit::MAX, keys_only: false, max_value_bytes: u64::MAX }
}

async fn page(s: &Fixture, tenant: TenantNumber, query: EntryQuery) -> Page<ListedEntry> {
    s.key_values.list(tenant, query).await.unwrap()
}

fn names(entries: &[ListedEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.meta.key.as_str()).collect()
}

async fn walked(s: &Fixture, tenant: TenantNumber, query: EntryQuery) -> Vec<ListedEntry> {
    walk(
        query.limit,
        |entry: &ListedEntry| entry.meta.key.clone(),
        async |after, limit| {
            page(s, tenant, EntryQuery { after: after.or(query.after.clone()), limit, ..query.clone() }).await
        },
    )
    .await
}

/// Puts every key, in an order that is not that of their bytes, and gives them in order.
async fn varied_keys(s: &Fixture, tenant: TenantNumber) -> Vec<&'static str> {
    for name in KEYS {
        s.put(tenant, name, name).await;
    }
    let mut sorted = KEYS.to_vec();
    sorted.sort_by_key(|name| name.as_bytes());
    sorted
}

pub async fn entries_are_listed_once_each_in_the_order_of_their_keys_bytes(s: &Fixture) {
    let tenant = s.tenant().await;
    let expected = varied_keys(s, tenant).await;
    for size in PAGE_SIZES {
        let listed = walked(s, tenant, EntryQuery { limit: limit(size), ..all() }).await;
        assert_eq!(names(&listed), expected, "in pages of {size}");
    }
}

pub async fn a_listed_entry_is_the_one_that_is_found(s: &Fixture) {
    let tenant = s.tenant().await;
    s.put_for(tenant, "ends", 60).await;
    s.clock.advance_seconds(1);
    s.put(tenant, "ends", "").await;
    s.put_for(tenant, "all bytes", 60).await;
    s.put(tenant, "all bytes", Bytes::from((0..=255).collect::<Vec<u8>>())).await;
    for listed in page(s, tenant, all()).await.items {
        let found = s.entry(tenant, listed.meta.key.as_str()).await.unwrap();
        assert_eq!(listed, ListedEntry { meta: found.meta.clone(), value: Some(found.value.clone()) });
    }
}

pub async fn a_list_of_keys_only_leaves_out_the_values_and_nothing_else(s: &Fixture) {
    let tenant = s.tenant().await;
    varied_keys(s, tenant).await;
    let mut expected = page(s, tenant, all()).await.items;
    expected.iter_mut().for_each(|entry| entry.value = None);
    for size in PAGE_SIZES {
        let query = EntryQuery { keys_only: true, limit: limit(size), ..all() };
        assert_eq!(walked(s, tenant, query).await, expected, "in pages of {size}");
    }
}

pub async fn a_prefix_goes_by_bytes_and_knows_no_wildcards(s: &Fixture) {
    let tenant = s.tenant().await;
    let sorted = varied_keys(s, tenant).await;
    let too_long = "a".repeat(Key::MAX_BYTES + 1);
    for prefix in [
        "",
        "a",
        "A",
        "a/",
        "a%",
        "a_",
        "a\\",
        "%",
        "_",
        "*",
        "?",
        "'",
        "it'",
        "e",
        "é",
        "\u{7f}",
        "\u{d7ff}",
        "\u{e000}",
        "\u{ffff}",
        "\u{1f980}",
        "\u{10ffff}",
        "\u{10ffff}\u{10ffff}",
        "a\u{10ffff}",
        "\u{10ffff}\u{10ffff}\u{10ffff}",
        "absent",
        &too_long,
    ] {
        let expected: Vec<_> = sorted.iter().copied().filter(|name| name.starts_with(prefix)).collect();
        for size in PAGE_SIZES {
            let query = EntryQuery { prefix: prefix.to_owned(), limit: limit(size), ..all() };
            let listed = walked(s, tenant, query).await;
            assert_eq!(names(&listed), expected, "{prefix:?} in pages of {size}");
        }
    }
}

pub async fn a_list_goes_on_behind_any_key_also_one_that_is_not_there(s: &Fixture) {
    let tenant = s.tenant().await;
    let sorted = varied_keys(s, tenant).await;
    for prefix in ["", "a", "\u{10ffff}"] {
        for after in
            ["\u{1}", "A", "a", "a%", "a%a", "aZ", "b", "\u{d7ff}", "\u{1f980}", "\u{10ffff}", "\u{10ffff}z"]
        {
            let expected: Vec<_> =
                sorted.iter().copied().filter(|name| name.starts_with(prefix) && *name > after).collect();
            let query =
                EntryQuery { prefix: prefix.to_owned(), after: Some(key(after)), limit: limit(3), ..all() };
            assert_eq!(names(&walked(s, tenant, query).await), expected, "{prefix:?} behind {after:?}");
        }
    }
}

pub async fn a_page_of_entries_that_ends_with_the_list_says_so(s: &Fixture) {
    let tenant = s.tenant().await;
    for name in ["a", "b", "c", "d"] {
        s.put(tenant, name, "value").await;
    }
    for (prefix, size, more) in
        [("", 3, true), ("", 4, false), ("", 5, false), ("a", 1, false), ("e", 1, false)]
    {
        let query = EntryQuery { prefix: prefix.to_owned(), limit: limit(size), ..all() };
        assert_eq!(page(s, tenant, query).await.more, more, "{prefix:?} in pages of {size}");
    }
}

pub async fn a_page_ends_behind_the_entry_with_which_its_values_reach_max_value_bytes(s: &Fixture) {
    let tenant = s.tenant().await;
    for name in ["a", "b", "c", "d", "e", "f"] {
        s.put(tenant, name, vec![b'x'; 10]).await;
    }
    for (max_value_bytes, items, more) in [
        (1, 1, true),
        (10, 1, true),
        (11, 2, true),
        (20, 2, true),
        (25, 3, true),
        (59, 6, false),
        (60, 6, false),
    ] {
        let page = page(s, tenant, EntryQuery { max_value_bytes, ..all() }).await;
        assert_eq!((page.items.len(), page.more), (items, more), "at most {max_value_bytes} bytes");
    }
    let limited = page(s, tenant, EntryQuery { max_value_bytes: 25, limit: limit(2), ..all() }).await;
    assert_eq!((limited.items.len(), limited.more), (2, true));
}

pub async fn a_page_holds_at_least_one_entry_however_large(s: &Fixture) {
    let tenant = s.tenant().await;
    for name in ["a", "b", "c"] {
        s.put(tenant, name, vec![0; 100_000]).await;
    }
    for max_value_bytes in [0, 1, 99_999] {
        let page = page(s, tenant, EntryQuery { max_value_bytes, ..all() }).await;
        assert_eq!((names(&page.items), page.more), (vec!["a"], true), "at most {max_value_bytes} bytes");
        assert_eq!(page.items[0].value.as_ref().map(Bytes::len), Some(100_000));
    }
}

pub async fn pages_ended_by_their_bytes_give_every_entry_once(s: &Fixture) {
    let tenant = s.tenant().await;
    for number in 0..40_usize {
        s.put(tenant, &format!("{number:02}"), vec![b'x'; number * 7 % 13]).await;
    }
    let expected = page(s, tenant, all()).await.items;
    for max_value_bytes in [1, 5, 12, 50] {
        let query = EntryQuery { max_value_bytes, limit: limit(7), ..all() };
        assert_eq!(walked(s, tenant, query).await, expected, "at most {max_value_bytes} bytes");
    }
}

pub async fn a_list_of_entries_shows_no_other_tenants(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    let third = s.tenant().await;
    for tenant in [one, third] {
        varied_keys(s, tenant).await;
    }
    for tenant in [other, unknown_tenant()] {
        assert_eq!(page(s, tenant, all()).await.items, []);
    }
    s.put(other, "b", "the other's").await;
    let listed = walked(s, other, EntryQuery { limit: limit(1), ..all() }).await;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].value.as_deref(), Some("the other's".as_bytes()));
}

pub async fn deleted_keys_are_not_listed(s: &Fixture) {
    let tenant = s.tenant().await;
    for name in ["a", "b", "c"] {
        s.put(tenant, name, "value").await;
    }
    s.key_values.delete(tenant, key("b"), Precondition::default()).await.unwrap();
    assert_eq!(names(&walked(s, tenant, EntryQuery { limit: limit(1), ..all() }).await), ["a", "c"]);
}
