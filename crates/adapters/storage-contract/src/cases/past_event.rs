//! Events that another system stored before: kept with their times.

use tenantry_domain::{NewEvent, PastEvent, Stored, TenantNumber, TenantStatus, Timestamp};
use tenantry_ports::EventWriteError;

use crate::fixture::Fixture;
use crate::samples::{event, event_id, events, sequence, unknown_tenant};
use crate::wait::{at_once, begin_and_drop, until};

fn past(event: NewEvent, seconds_ago: i64, now: Timestamp) -> PastEvent {
    PastEvent { event, created_at: now.plus_seconds(-seconds_ago) }
}

async fn append(s: &Fixture, tenant: TenantNumber, past: Vec<PastEvent>) -> Vec<Stored> {
    s.events.append_past(tenant, past).await.unwrap()
}

pub async fn past_events_keep_their_times_and_take_the_next_sequences(s: &Fixture) {
    let tenant = s.tenant().await;
    let list = vec![past(event(1), 50, s.now()), past(event(2), 40, s.now()), past(event(3), 40, s.now())];
    let expected: Vec<_> = (1..)
        .zip(&list)
        .map(|(number, past)| past.event.clone().into_event(sequence(number), past.created_at))
        .collect();
    let stored: Vec<_> = expected.iter().cloned().map(Stored::New).collect();
    assert_eq!(append(s, tenant, list).await, stored);
    assert_eq!(s.all_events(tenant).await, expected);
    assert_eq!(s.events.find(tenant, event_id(2)).await.unwrap().as_ref(), Some(&expected[1]));
}

pub async fn events_behind_past_ones_take_the_next_sequence_and_the_time_of_their_write(s: &Fixture) {
    let tenant = s.tenant().await;
    append(s, tenant, vec![past(event(1), 50, s.now())]).await;
    let new = s.append(tenant, event(2)).await;
    assert_eq!((new.sequence.get(), new.created_at), (2, s.now()));
}

pub async fn a_past_event_from_before_the_newest_is_raised_to_its_time(s: &Fixture) {
    let tenant = s.tenant().await;
    let newest = s.append(tenant, event(1)).await;
    s.clock.advance_seconds(60);
    let list = vec![past(event(2), 7200, s.now()), past(event(3), 30, s.now()), past(event(4), 45, s.now())];
    let times: Vec<_> =
        append(s, tenant, list).await.iter().map(|stored| stored.event().created_at).collect();
    let third = s.now().plus_seconds(-30);
    assert_eq!(times, [newest.created_at, third, third]);
    let found: Vec<_> = s.all_events(tenant).await.iter().map(|event| event.created_at).collect();
    assert!(found.is_sorted(), "{found:?}");
}

pub async fn a_past_event_from_the_future_is_lowered_to_now(s: &Fixture) {
    let tenant = s.tenant().await;
    let stored = append(s, tenant, vec![past(event(1), -1, s.now())]).await;
    assert_eq!(stored[0].event().created_at, s.now());
}

pub async fn a_past_event_whose_id_is_held_changes_nothing(s: &Fixture) {
    let tenant = s.tenant().await;
    let held = s.append(tenant, event(1)).await;
    s.clock.advance_seconds(60);
    let list = [event(1), event(2), event(2), event(1)].map(|event| past(event, 10, s.now())).to_vec();
    let stored = append(s, tenant, list.clone()).await;
    let Stored::New(second) = stored[1].clone() else { panic!("{stored:?}") };
    assert_eq!(second.sequence.get(), 2);
    let expected = [
        Stored::Duplicate(held.clone()),
        Stored::New(second.clone()),
        Stored::Duplicate(second.clone()),
        Stored::Duplicate(held.clone()),
    ];
    assert_eq!(stored, expected);
    assert!(append(s, tenant, list).await.iter().all(Stored::is_duplicate));
    assert_eq!(s.all_events(tenant).await, [held, second]);
}

pub async fn a_long_list_of_past_events_is_stored_whole(s: &Fixture) {
    let tenant = s.tenant().await;
    let list: Vec<_> = events(0..2500).into_iter().map(|event| past(event, 10, s.now())).collect();
    let stored = append(s, tenant, list.clone()).await;
    let numbers: Vec<_> = stored.iter().map(|stored| stored.event().sequence.get()).collect();
    assert_eq!(numbers, (1..=2500).collect::<Vec<_>>());
    assert_eq!(append(s, tenant, list).await.iter().filter(|stored| stored.is_duplicate()).count(), 2500);
    assert_eq!(s.append(tenant, event(9999)).await.sequence.get(), 2501);
}

pub async fn past_events_are_each_tenants_own(s: &Fixture) {
    let (one, other) = s.two_tenants().await;
    append(s, one, vec![past(event(1), 10, s.now())]).await;
    assert_eq!(s.events.find(other, event_id(1)).await.unwrap(), None);
    assert!(!append(s, other, vec![past(event(1), 20, s.now())]).await[0].is_duplicate());
    assert_eq!(s.all_events(one).await.len(), 1);
}

pub async fn past_events_of_a_tenant_that_is_absent_or_being_deleted_are_refused(s: &Fixture) {
    let tenant = s.tenant().await;
    s.set_status(tenant, TenantStatus::Deleting).await;
    for tenant in [tenant, unknown_tenant()] {
        let refused = s.events.append_past(tenant, vec![past(event(1), 10, s.now())]).await;
        assert_eq!(refused, Err(EventWriteError::TenantNotFound));
        assert_eq!(s.events.find(tenant, event_id(1)).await.unwrap(), None);
    }
}

pub async fn past_events_and_new_ones_at_once_leave_no_gap_and_no_time_that_falls(s: &Fixture) {
    let tenant = s.tenant().await;
    let write = |number: u128| {
        let s = s.clone();
        async move {
            let list = events(number * 10..number * 10 + 5);
            if number.is_multiple_of(2) {
                s.events.append(tenant, list).await.unwrap()
            } else {
                let now = s.now();
                append(&s, tenant, list.into_iter().map(|event| past(event, 5, now)).collect()).await
            }
        }
    };
    let mut numbers: Vec<_> = at_once((0..40).map(write))
        .await
        .iter()
        .flatten()
        .map(|stored| stored.event().sequence.get())
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=200).collect::<Vec<_>>());
    let found = s.all_events(tenant).await;
    assert_eq!(found.len(), 200);
    assert!(found.iter().map(|event| event.created_at).is_sorted());
}

pub async fn dropped_past_events_are_stored(s: &Fixture) {
    let tenant = s.tenant().await;
    begin_and_drop(s.events.append_past(tenant, vec![past(event(1), 10, s.now())]));
    until("the event is stored", async || s.events.find(tenant, event_id(1)).await.unwrap().is_some()).await;
}
