//! Events: filtered. [`EventFilter::matches`] is the oracle: a storage shows exactly what it shows.

use serde_json::json;
use tenantry_domain::{
    Component, Environment, Event, EventFilter, Message, NewEvent, Order, TenantNumber, Timestamp,
};

use super::event_list::listed;
use crate::fixture::Fixture;
use crate::samples::{AWKWARD_TEXTS, email, event, object, sequence};
use crate::walk::PAGE_SIZES;

/// Lists in both orders and in pages of every size, and compares each list with what the oracle shows.
pub(super) async fn assert_shows(s: &Fixture, tenant: TenantNumber, events: &[Event], filter: &EventFilter) {
    let mut expected: Vec<_> = events.iter().filter(|event| filter.matches(event)).cloned().collect();
    for order in [Order::Ascending, Order::Descending] {
        for size in PAGE_SIZES {
            let listed = listed(s, tenant, filter, order, size).await;
            assert_eq!(listed, expected, "{filter:?}, {order:?} in pages of {size}");
        }
        expected.reverse();
    }
}

/// As [`assert_shows`], of filters that show something and not everything, which is what a case is about.
pub(super) async fn assert_tells_apart(
    s: &Fixture,
    tenant: TenantNumber,
    events: &[Event],
    filter: &EventFilter,
) {
    let shown = events.iter().filter(|event| filter.matches(event)).count();
    assert!(
        (1..events.len()).contains(&shown),
        "{filter:?} shows {shown} of {}: a fault of the case",
        events.len()
    );
    assert_shows(s, tenant, events, filter).await;
}

/// Stores events that differ in everything a filter looks at, a second apart, and some at one time.
async fn varied_events(s: &Fixture) -> (TenantNumber, Vec<Event>) {
    let tenant = s.tenant().await;
    let mut events = Vec::new();
    for number in 0..24_usize {
        if number % 6 != 1 {
            s.clock.advance_seconds(1);
        }
        let parity = if number % 2 == 0 { "even" } else { "odd" };
        let new = NewEvent {
            component: Component::from_stored(["api", "worker", "web"][number % 3].to_owned()),
            environment: Environment::from_stored(["production", "staging"][number % 2].to_owned()),
            message: Message::from_stored(if number % 5 == 0 {
                "all quiet".to_owned()
            } else {
                format!("Error {number}: it broke")
            }),
            email: [None, Some("ann@example.com"), Some("bob@example.com"), Some("Ann@example.com")]
                [number % 4]
                .map(email),
            data: object(
                &json!({ "n": number, "tags": [parity, "all"], "deep": { "third": number % 3 } }).to_string(),
            ),
            ..event(u128::try_from(number * 7 % 24).unwrap())
        };
        events.push(s.append(tenant, new).await);
    }
    (tenant, events)
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn between(from: Option<Timestamp>, to: Option<Timestamp>) -> EventFilter {
    EventFilter { from, to, ..EventFilter::default() }
}

pub async fn every_combination_of_filters_shows_what_all_of_them_show(s: &Fixture) {
    let (tenant, events) = varied_events(s).await;
    for combination in 0..256_u32 {
        let with = |bit: u32| combination >> bit & 1 == 1;
        let list = |bit, list: &[&str]| if with(bit) { words(list) } else { vec![] };
        let filter = EventFilter {
            components: list(0, &["api", "worker"]),
            environments: list(1, &["production"]),
            emails: list(2, &["ann@example.com", "bob@example.com"]),
            message_contains: with(3).then(|| "ERROR".to_owned()),
            from: with(4).then(|| events[4].created_at),
            to: with(5).then(|| events[20].created_at),
            data_contains: with(6).then(|| json!({ "tags": ["even"] })),
            after_sequence: with(7).then(|| sequence(3)),
        };
        if combination == 0 {
            assert_shows(s, tenant, &events, &filter).await;
        } else {
            assert_tells_apart(s, tenant, &events, &filter).await;
        }
    }
}

pub async fn components_environments_and_emails_go_by_the_letter_and_any_of_several_will_do(s: &Fixture) {
    let (tenant, events) = varied_events(s).await;
    let lists: [&[&str]; 14] = [
        &["api"],
        &["worker", "web"],
        &["production", "api", "ann@example.com"],
        &["staging", "staging"],
        &["Ann@example.com"],
        &["ann@example.com", "Ann@example.com", "bob@example.com"],
        &["API"],
        &["ap"],
        &["api "],
        &[""],
        &["a%", "_eb", "%", "*"],
        &["api','web"],
        &["ANN@EXAMPLE.COM"],
        &["null"],
    ];
    for list in lists.map(words) {
        for filter in [
            EventFilter { components: list.clone(), ..EventFilter::default() },
            EventFilter { environments: list.clone(), ..EventFilter::default() },
            EventFilter { emails: list.clone(), ..EventFilter::default() },
        ] {
            assert_shows(s, tenant, &events, &filter).await;
        }
    }
}

pub async fn awkward_components_environments_and_emails_are_told_apart(s: &Fixture) {
    let tenant = s.tenant().await;
    let mut events = Vec::new();
    for (number, text) in (0..).zip(AWKWARD_TEXTS) {
        let new = NewEvent {
            component: Component::from_stored(text.to_owned()),
            environment: Environment::from_stored(text.to_owned()),
            email: Some(email(text)),
            ..event(number)
        };
        events.push(s.append(tenant, new).await);
    }
    for text in AWKWARD_TEXTS {
        let list = words(&[text, "another"]);
        for filter in [
            EventFilter { components: list.clone(), ..EventFilter::default() },
            EventFilter { environments: list.clone(), ..EventFilter::default() },
            EventFilter { emails: list.clone(), ..EventFilter::default() },
        ] {
            assert_tells_apart(s, tenant, &events, &filter).await;
        }
    }
}

pub async fn a_filter_may_name_many_components(s: &Fixture) {
    let (tenant, events) = varied_events(s).await;
    let mut components: Vec<_> = (0..500).map(|number| format!("component {number}")).collect();
    components.push("web".to_owned());
    assert_tells_apart(s, tenant, &events, &EventFilter { components, ..EventFilter::default() }).await;
}

pub async fn a_range_of_times_holds_both_its_ends(s: &Fixture) {
    let (tenant, events) = varied_events(s).await;
    let time =
        |at: usize, micros: i64| Some(Timestamp::from_micros(events[at].created_at.as_micros() + micros));
    for filter in [
        between(time(5, 0), None),
        between(time(5, 1), None),
        between(time(5, -1), None),
        between(None, time(5, 0)),
        between(None, time(5, 1)),
        between(None, time(5, -1)),
        between(time(5, 0), time(5, 0)),
        between(time(5, 0), time(9, 0)),
        between(time(0, 1), time(23, -1)),
    ] {
        assert_tells_apart(s, tenant, &events, &filter).await;
    }
    for filter in [
        between(time(9, 0), time(5, 0)),
        between(time(5, 1), time(5, 2)),
        between(None, time(0, -1)),
        between(time(23, 1), None),
        between(Some(Timestamp::from_micros(i64::MIN)), Some(Timestamp::MAX)),
    ] {
        assert_shows(s, tenant, &events, &filter).await;
    }
}

pub async fn after_sequence_shows_only_later_events_in_both_orders(s: &Fixture) {
    let (tenant, events) = varied_events(s).await;
    for after in [0, 1, 12, 23, 24, 25, i64::MAX.unsigned_abs()] {
        let filter = EventFilter { after_sequence: Some(sequence(after)), ..EventFilter::default() };
        assert_shows(s, tenant, &events, &filter).await;
    }
}
