//! Events: stored and found.

use tenantry_domain::{
    Component, Environment, Event, JsonObject, Message, NewEvent, Stored, TenantNumber, TenantStatus,
};
use tenantry_ports::EventWriteError;

use crate::fixture::Fixture;
use crate::samples::{AWKWARD_TEXTS, email, event, event_id, events, object, sequence, unknown_tenant};

async fn sequences(s: &Fixture, tenant: TenantNumber) -> Vec<u64> {
    s.all_events(tenant).await.iter().map(|event| event.sequence.get()).collect()
}

/// Stores an event and reads it back: both must be what was handed in.
async fn assert_kept(s: &Fixture, tenant: TenantNumber, new: NewEvent) -> Event {
    let stored = s.append(tenant, new.clone()).await;
    assert_eq!(stored, new.into_event(stored.sequence, s.now()));
    assert_eq!(s.events.find(tenant, stored.id).await.unwrap(), Some(stored.clone()));
    stored
}

pub async fn the_first_event_takes_sequence_1_and_each_the_next(s: &Fixture) {
    let tenant = s.tenant().await;
    for number in 1..=5 {
        assert_eq!(s.append(tenant, event(number)).await.sequence.get(), u64::try_from(number).unwrap());
    }
}

pub async fn each_tenant_has_sequences_of_its_own(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    s.events.append(one, events(0..3)).await.unwrap();
    assert_eq!(s.append(other, event(7)).await.sequence.get(), 1);
    assert_eq!(s.append(one, event(7)).await.sequence.get(), 4);
}

pub async fn a_list_is_stored_and_answered_in_the_order_given(s: &Fixture) {
    let tenant = s.tenant().await;
    let ids: Vec<u128> = (0..1000).map(|at| at * 7919 % 1000).collect();
    let stored = s.events.append(tenant, ids.iter().copied().map(event).collect()).await.unwrap();
    let expected: Vec<_> =
        (1..).zip(&ids).map(|(at, id)| event(*id).into_event(sequence(at), s.now())).collect();
    let stored: Vec<_> = stored
        .into_iter()
        .map(|stored| match stored {
            Stored::New(event) => event,
            Stored::Duplicate(event) => panic!("{event:?} was new"),
        })
        .collect();
    assert!(stored == expected, "the answers are not in the order of the list");
    assert!(s.all_events(tenant).await == expected, "the events are not stored in the order of the list");
}

pub async fn an_empty_list_stores_nothing(s: &Fixture) {
    let tenant = s.tenant().await;
    assert_eq!(s.events.append(tenant, vec![]).await, Ok(vec![]));
    assert_eq!(s.append(tenant, event(1)).await.sequence.get(), 1);
}

pub async fn an_event_is_kept_with_all_that_it_has(s: &Fixture) {
    let tenant = s.tenant().await;
    let new = NewEvent {
        id: event_id(u128::MAX),
        has_new_id: false,
        component: Component::from_stored("component".to_owned()),
        environment: Environment::from_stored("environment".to_owned()),
        message: Message::from_stored("message".to_owned()),
        email: Some(email("Ann.O'Neil+tag@example.com")),
        data: object(r#"{"a": {"b": [1, 2.5, null, true, "x"]}, "empty": {}}"#),
    };
    assert_kept(s, tenant, new).await;
}

pub async fn awkward_texts_are_kept_to_the_letter(s: &Fixture) {
    let tenant = s.tenant().await;
    for (number, text) in (0..).zip(AWKWARD_TEXTS) {
        let new = NewEvent {
            component: Component::from_stored(text.to_owned()),
            environment: Environment::from_stored(text.to_owned()),
            message: Message::from_stored(text.to_owned()),
            email: Some(email(text)),
            data: object(&serde_json::json!({ text: text }).to_string()),
            ..event(number)
        };
        assert_kept(s, tenant, new).await;
    }
}

pub async fn the_longest_texts_are_kept_to_the_letter(s: &Fixture) {
    let tenant = s.tenant().await;
    let data = format!(r#"{{"long": "{}"}}"#, "x".repeat(JsonObject::MAX_BYTES - 12));
    assert_eq!(data.len(), JsonObject::MAX_BYTES);
    let new = NewEvent {
        component: Component::from_stored("\u{1f980}".repeat(255)),
        environment: Environment::from_stored("\u{10ffff}".repeat(255)),
        message: Message::from_stored("\u{1f980}".repeat(8192)),
        email: None,
        data: object(&data),
        ..event(1)
    };
    assert_kept(s, tenant, new).await;
}

pub async fn the_data_keeps_every_digit_of_its_numbers(s: &Fixture) {
    let tenant = s.tenant().await;
    let numbers =
        ["123456789012345678901234567890", "0.1000000000000000055511151231257827", "-9223372036854775808"];
    let new = NewEvent { data: object(&format!(r#"{{"numbers": [{}]}}"#, numbers.join(", "))), ..event(1) };
    let stored = assert_kept(s, tenant, new).await;
    let found = s.events.find(tenant, stored.id).await.unwrap().unwrap();
    for number in numbers {
        assert!(found.data.as_str().contains(number), "{number} became {:?}", found.data);
    }
}

pub async fn the_deepest_data_is_kept(s: &Fixture) {
    let tenant = s.tenant().await;
    let depth = JsonObject::MAX_DEPTH;
    let data = object(&format!("{}1{}", r#"{"d":"#.repeat(depth), "}".repeat(depth)));
    assert_kept(s, tenant, NewEvent { data, ..event(1) }).await;
}

pub async fn an_id_that_the_tenant_has_already_changes_nothing_and_answers_what_is_stored(s: &Fixture) {
    let tenant = s.tenant().await;
    let first = s.append(tenant, event(1)).await;
    s.clock.advance_seconds(1);
    let again = NewEvent { message: Message::from_stored("another".to_owned()), ..event(1) };
    assert_eq!(s.events.append(tenant, vec![again]).await, Ok(vec![Stored::Duplicate(first.clone())]));
    assert_eq!(s.all_events(tenant).await, [first]);
}

pub async fn an_id_twice_in_one_list_is_stored_once(s: &Fixture) {
    let tenant = s.tenant().await;
    let again = NewEvent { message: Message::from_stored("another".to_owned()), ..event(1) };
    let stored = s.events.append(tenant, vec![event(1), again, event(2), event(1)]).await.unwrap();
    let first = event(1).into_event(sequence(1), s.now());
    let second = event(2).into_event(sequence(2), s.now());
    let expected = [
        Stored::New(first.clone()),
        Stored::Duplicate(first.clone()),
        Stored::New(second.clone()),
        Stored::Duplicate(first.clone()),
    ];
    assert_eq!(stored, expected);
    assert_eq!(s.all_events(tenant).await, [first, second]);
}

pub async fn duplicates_among_new_events_take_no_sequence(s: &Fixture) {
    let tenant = s.tenant().await;
    s.events.append(tenant, events(0..3)).await.unwrap();
    let stored = s.events.append(tenant, [5, 1, 6, 0, 7, 2].map(event).to_vec()).await.unwrap();
    let taken: Vec<_> =
        stored.iter().map(|stored| (stored.is_duplicate(), stored.event().sequence.get())).collect();
    assert_eq!(taken, [(false, 4), (true, 2), (false, 5), (true, 1), (false, 6), (true, 3)]);
    assert_eq!(sequences(s, tenant).await, [1, 2, 3, 4, 5, 6]);
}

pub async fn one_id_in_two_tenants_is_two_events(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    let held = s.append(one, event(1)).await;
    let new = NewEvent { message: Message::from_stored("the other's".to_owned()), ..event(1) };
    let others = s.append(other, new).await;
    assert_eq!(others.message.as_str(), "the other's");
    assert_eq!(s.events.find(one, event_id(1)).await.unwrap(), Some(held));
    assert_eq!(s.events.find(other, event_id(1)).await.unwrap(), Some(others));
}

pub async fn events_of_an_unknown_tenant_are_refused(s: &Fixture) {
    let refused = s.events.append(unknown_tenant(), events(0..2)).await;
    assert_eq!(refused, Err(EventWriteError::TenantNotFound));
    assert_eq!(s.events.find(unknown_tenant(), event_id(0)).await.unwrap(), None);
}

pub async fn created_at_is_the_time_of_the_write(s: &Fixture) {
    let tenant = s.tenant().await;
    for number in 0..3 {
        let now = s.clock.advance_micros(1);
        assert_eq!(s.append(tenant, event(number)).await.created_at, now);
    }
}

pub async fn created_at_never_falls_within_a_tenant_when_the_clock_is_set_back(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    let late = s.clock.advance_seconds(60);
    s.append(one, event(1)).await;
    let early = s.clock.advance_seconds(-3600);
    for stored in s.events.append(one, events(2..4)).await.unwrap() {
        assert!(stored.event().created_at >= late, "{:?} fell below {late}", stored.event());
    }
    assert_eq!(s.append(other, event(1)).await.created_at, early, "another tenant's time is its own");
    let found: Vec<_> = s.all_events(one).await.iter().map(|event| event.created_at).collect();
    assert!(found.is_sorted(), "{found:?}");
    let later = s.clock.advance_seconds(7200);
    assert_eq!(s.append(one, event(9)).await.created_at, later);
}

pub async fn an_unknown_id_finds_no_event(s: &Fixture) {
    let tenant = s.tenant().await;
    s.append(tenant, event(1)).await;
    assert_eq!(s.events.find(tenant, event_id(2)).await.unwrap(), None);
    assert_eq!(s.events.find(unknown_tenant(), event_id(1)).await.unwrap(), None);
}

pub async fn an_event_is_not_found_for_another_tenant(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    s.append(one, event(1)).await;
    assert_eq!(s.events.find(other, event_id(1)).await.unwrap(), None);
}

pub async fn events_of_a_suspended_tenant_are_stored(s: &Fixture) {
    let tenant = s.tenant().await;
    s.set_status(tenant, TenantStatus::Suspended).await;
    assert_eq!(s.append(tenant, event(1)).await.sequence.get(), 1);
}
