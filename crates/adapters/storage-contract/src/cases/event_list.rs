//! Events: listed by sequence.

use tenantry_domain::{Event, EventFilter, Order, TenantNumber};
use tenantry_ports::EventQuery;

use crate::fixture::Fixture;
use crate::samples::{event, events, sequence, unknown_tenant};
use crate::walk::{PAGE_SIZES, limit, walk};

/// The events that the filter shows, read in pages of that size.
pub(super) async fn listed(
    s: &Fixture,
    tenant: TenantNumber,
    filter: &EventFilter,
    order: Order,
    page_size: u64,
) -> Vec<Event> {
    walk(
        limit(page_size),
        |event: &Event| event.sequence,
        async |after, limit| {
            let query = EventQuery { filter: filter.clone(), order, after, limit };
            s.events.list(tenant, query).await.unwrap()
        },
    )
    .await
}

async fn sequences(s: &Fixture, tenant: TenantNumber, query: EventQuery) -> (Vec<u64>, bool) {
    let page = s.events.list(tenant, query).await.unwrap();
    (page.items.iter().map(|event| event.sequence.get()).collect(), page.more)
}

pub async fn events_are_listed_once_each_in_both_orders_in_pages_of_any_size(s: &Fixture) {
    let tenant = s.tenant().await;
    // The ids fall as the sequences grow: the order is not that of the ids.
    let mut expected: Vec<_> = events(0..101);
    expected.reverse();
    let stored = s.events.append(tenant, expected).await.unwrap();
    let mut expected: Vec<_> = stored.iter().map(|stored| stored.event().clone()).collect();
    for order in [Order::Ascending, Order::Descending] {
        for size in PAGE_SIZES {
            let listed = listed(s, tenant, &EventFilter::default(), order, size).await;
            assert_eq!(listed, expected, "{order:?} in pages of {size}");
        }
        expected.reverse();
    }
}

pub async fn a_list_of_events_begins_with_the_newest_unless_told(s: &Fixture) {
    let tenant = s.tenant().await;
    s.events.append(tenant, events(0..60)).await.unwrap();
    let (listed, more) = sequences(s, tenant, EventQuery::default()).await;
    assert_eq!(listed, (11..=60).rev().collect::<Vec<_>>());
    assert!(more);
}

pub async fn a_page_of_events_goes_on_behind_after_in_its_direction(s: &Fixture) {
    let tenant = s.tenant().await;
    s.events.append(tenant, events(0..5)).await.unwrap();
    let from = |order, after| EventQuery { order, after: Some(sequence(after)), ..EventQuery::default() };
    for (order, after, expected) in [
        (Order::Ascending, 0, vec![1, 2, 3, 4, 5]),
        (Order::Ascending, 3, vec![4, 5]),
        (Order::Ascending, 5, vec![]),
        (Order::Ascending, i64::MAX.unsigned_abs(), vec![]),
        (Order::Descending, 0, vec![]),
        (Order::Descending, 3, vec![2, 1]),
        (Order::Descending, 1, vec![]),
        (Order::Descending, 9, vec![5, 4, 3, 2, 1]),
    ] {
        let listed = sequences(s, tenant, from(order, after)).await;
        assert_eq!(listed, (expected, false), "{order:?} behind {after}");
    }
}

pub async fn a_page_of_events_that_ends_with_the_list_says_so(s: &Fixture) {
    let tenant = s.tenant().await;
    s.events.append(tenant, events(0..3)).await.unwrap();
    for order in [Order::Ascending, Order::Descending] {
        for (size, more) in [(2, true), (3, false), (4, false), (1000, false)] {
            let query = EventQuery { order, limit: limit(size), ..EventQuery::default() };
            assert_eq!(sequences(s, tenant, query).await.1, more, "{order:?} in pages of {size}");
        }
    }
}

pub async fn a_list_of_events_shows_no_other_tenants(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    let empty = s.tenant().await;
    for number in 0..3 {
        s.append(one, event(number)).await;
        s.append(other, event(number + 10)).await;
    }
    for order in [Order::Ascending, Order::Descending] {
        for tenant in [empty, unknown_tenant()] {
            assert_eq!(listed(s, tenant, &EventFilter::default(), order, 3).await, []);
        }
        let listed = listed(s, one, &EventFilter::default(), order, 1).await;
        assert_eq!(listed.len(), 3);
        assert!(listed.iter().all(|event| event.id.get().as_u128() < 3), "{listed:?}");
    }
}

pub async fn a_filtered_list_of_events_shows_no_other_tenants(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    s.events.append(one, events(0..3)).await.unwrap();
    let now = Some(s.now());
    let everything = EventFilter {
        components: vec!["api".to_owned(), "web".to_owned()],
        environments: vec!["production".to_owned()],
        message_contains: Some("event".to_owned()),
        from: now,
        to: now,
        data_contains: Some(serde_json::json!({})),
        after_sequence: Some(sequence(0)),
        ..EventFilter::default()
    };
    assert_eq!(listed(s, one, &everything, Order::Ascending, 50).await.len(), 3);
    assert_eq!(listed(s, other, &everything, Order::Ascending, 50).await, []);
}
