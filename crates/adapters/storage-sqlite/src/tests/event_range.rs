//! Ranges of time and of sequences show what the domain's filter shows.

use std::sync::atomic::Ordering;

use proptest::prelude::*;
use tenantry_domain::{Event, EventFilter, Order, PageLimit, Sequence, Timestamp};
use tenantry_ports::{EventQuery, EventRepository};

use super::rig::{Rig, event};

/// Times that lie close together, so that many are equal, and the clock goes back now and then.
fn time() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0..12_i64, 1 => Just(Timestamp::MAX.as_micros()), 1 => Just(-5)]
}

fn query() -> impl Strategy<Value = EventQuery> {
    let bound = || proptest::option::of(time().prop_map(Timestamp::from_micros));
    let sequence = || proptest::option::of((0..40_u64).prop_map(|number| Sequence::new(number).unwrap()));
    let order = prop_oneof![Just(Order::Ascending), Just(Order::Descending)];
    (bound(), bound(), sequence(), sequence(), order, 1..10_u64).prop_map(
        |(from, to, after_sequence, after, order, limit)| EventQuery {
            filter: EventFilter { from, to, after_sequence, ..EventFilter::default() },
            order,
            after,
            limit: PageLimit::new(limit).unwrap(),
        },
    )
}

/// The page as the domain has it.
fn expected(events: &[Event], query: &EventQuery) -> (Vec<Event>, bool) {
    let mut shown: Vec<_> = events.iter().filter(|event| query.filter.matches(event)).cloned().collect();
    if query.order == Order::Descending {
        shown.reverse();
        shown.retain(|event| query.after.is_none_or(|after| event.sequence < after));
    } else {
        shown.retain(|event| query.after.is_none_or(|after| event.sequence > after));
    }
    let more = shown.len() > query.limit.get();
    shown.truncate(query.limit.get());
    (shown, more)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_range_shows_what_the_filter_shows(
        times in proptest::collection::vec(time(), 0..35),
        queries in proptest::collection::vec(query(), 100),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let rig = Rig::new().await;
            for time in times {
                rig.clock.0.store(time, Ordering::SeqCst);
                rig.storage.append(rig.tenant, vec![event("an event")]).await.unwrap();
            }
            let events = rig.events().await;
            assert!(events.is_sorted_by_key(|event| event.created_at));
            for query in queries {
                let page = EventRepository::list(&rig.storage, rig.tenant, query.clone()).await.unwrap();
                assert_eq!((page.items, page.more), expected(&events, &query), "{query:?}");
            }
        });
    }
}
