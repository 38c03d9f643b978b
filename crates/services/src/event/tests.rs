use mockall::predicate::eq;
use tenantry_domain::{Order, PageLimit, Sequence, Violation};
use tenantry_ports::MockEventRepository;

use super::*;
use crate::samples::{down, number, time};

fn draft(message: &str) -> EventDraft<'static> {
    EventDraft {
        component: Some("billing".to_owned()),
        environment: Some("production".to_owned()),
        message: Some(message.to_owned()),
        ..EventDraft::default()
    }
}

fn service(events: MockEventRepository) -> EventService {
    EventService::new(Arc::new(events))
}

/// Storage that stores everything that it is asked to in one go.
fn storing() -> MockEventRepository {
    let mut events = MockEventRepository::new();
    events.expect_append().once().returning(|_, events| {
        Ok(events.into_iter().zip(1..).map(|(event, at)| Stored::New(stored(event, at))).collect())
    });
    events
}

fn stored(event: NewEvent, at: u64) -> Event {
    event.into_event(Sequence::new(at).unwrap(), time(1))
}

fn event(message: &str) -> Event {
    stored(NewEvent::parse(draft(message), Uuid::nil).unwrap(), 1)
}

/// The messages of what was stored, and the codes of what was refused, in order.
fn outcomes(batch: &[Result<Stored, Violations>]) -> Vec<String> {
    let outcome = |item: &Result<Stored, Violations>| match item {
        Ok(stored) => stored.event().message.as_str().to_owned(),
        Err(violations) => violations.as_slice()[0].code.to_string(),
    };
    batch.iter().map(outcome).collect()
}

#[tokio::test]
async fn an_event_is_stored_for_its_tenant_under_a_new_time_ordered_id() {
    let mut events = MockEventRepository::new();
    events
        .expect_append()
        .once()
        .withf(|tenant, events| *tenant == number(7) && events.len() == 1 && events[0].has_new_id)
        .returning(|_, mut events| Ok(vec![Stored::New(stored(events.remove(0), 1))]));
    let event = service(events).append(number(7), draft("failed")).await.unwrap();
    assert_eq!(event.event().message.as_str(), "failed");
    assert_eq!(event.event().id.get().get_version_num(), 7);
}

#[tokio::test]
async fn the_callers_id_is_kept() {
    let given = EventDraft { id: Some(Uuid::max()), ..draft("failed") };
    let event = service(storing()).append(number(7), given).await.unwrap();
    assert_eq!(event.event().id.get(), Uuid::max());
}

#[tokio::test]
async fn of_the_callers_ids_alone_it_must_be_looked_whether_they_are_held() {
    let mut events = MockEventRepository::new();
    events
        .expect_append()
        .once()
        .withf(|_, events| events.iter().map(|event| event.has_new_id).eq([false, true]))
        .returning(|_, events| Ok(events.into_iter().map(|event| Stored::New(stored(event, 1))).collect()));
    let given = EventDraft { id: Some(Uuid::max()), ..draft("failed") };
    service(events).append_batch(number(7), vec![Ok(given), Ok(draft("failed"))]).await.unwrap();
}

#[tokio::test]
async fn an_event_that_was_there_already_is_answered_as_such() {
    let mut events = MockEventRepository::new();
    events.expect_append().returning(|_, _| Ok(vec![Stored::Duplicate(event("the first"))]));
    let answered = service(events).append(number(7), draft("the second")).await;
    assert_eq!(answered, Ok(Stored::Duplicate(event("the first"))));
}

#[tokio::test]
async fn a_draft_that_breaks_a_rule_is_not_stored() {
    let refused = service(MockEventRepository::new()).append(number(7), draft("")).await;
    let Err(EventError::Invalid(violations)) = refused else { panic!("{refused:?}") };
    assert_eq!(violations.as_slice()[0].pointer, "/message");
}

#[tokio::test]
async fn the_good_events_of_a_batch_are_stored_together_and_the_bad_ones_refused_alone() {
    let unreadable = Violations::one(Violation::new("", "json", "is not JSON"));
    let drafts =
        vec![Err(unreadable), Ok(draft("one")), Ok(draft("")), Ok(EventDraft::default()), Ok(draft("two"))];
    let batch = service(storing()).append_batch(number(7), drafts).await.unwrap();
    assert_eq!(outcomes(&batch), ["json", "one", "length", "required", "two"]);
    let sequences: Vec<_> = batch.iter().flatten().map(|stored| stored.event().sequence.get()).collect();
    assert_eq!(sequences, [1, 2]);
}

#[tokio::test]
async fn each_event_of_a_batch_gets_an_id_of_its_own_in_order() {
    let drafts = (0..1000).map(|_| Ok(draft("failed"))).collect();
    let batch = service(storing()).append_batch(number(7), drafts).await.unwrap();
    let ids: Vec<_> = batch.into_iter().map(|stored| stored.unwrap().event().id).collect();
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
}

#[tokio::test]
async fn a_batch_without_a_good_event_does_not_reach_storage() {
    let service = service(MockEventRepository::new());
    let batch = service.append_batch(number(7), vec![Ok(draft(""))]).await.unwrap();
    assert_eq!(outcomes(&batch), ["length"]);
    assert_eq!(service.append_batch(number(7), Vec::new()).await, Ok(Vec::new()));
}

#[tokio::test]
async fn what_storage_answers_to_an_append_is_passed_on() {
    for (answer, expected) in [
        (EventWriteError::TenantNotFound, EventError::TenantNotFound),
        (EventWriteError::Storage(down()), EventError::Storage(down())),
    ] {
        let mut events = MockEventRepository::new();
        events.expect_append().return_const(Err(answer));
        let service = service(events);
        assert_eq!(service.append(number(7), draft("failed")).await, Err(expected.clone()));
        let drafts = vec![Ok(draft("failed")), Ok(draft(""))];
        assert_eq!(service.append_batch(number(7), drafts).await, Err(expected));
    }
}

#[tokio::test]
async fn storage_that_answers_for_another_number_of_events_has_failed() {
    for answered in [0, 2] {
        let mut events = MockEventRepository::new();
        events.expect_append().returning(move |_, _| Ok(vec![Stored::New(event("failed")); answered]));
        let service = service(events);
        let failed = |error| matches!(error, EventError::Storage(StorageError::Failed(_)));
        assert!(failed(service.append(number(7), draft("failed")).await.unwrap_err()));
        assert!(failed(service.append_batch(number(7), vec![Ok(draft("failed"))]).await.unwrap_err()));
    }
}

#[tokio::test]
async fn an_event_is_found_by_its_id() {
    for (found, expected) in [
        (Ok(Some(event("failed"))), Ok(event("failed"))),
        (Ok(None), Err(EventError::NotFound)),
        (Err(down()), Err(EventError::Storage(down()))),
    ] {
        let id = EventId::new(Uuid::max());
        let mut events = MockEventRepository::new();
        events.expect_find().once().with(eq(number(7)), eq(id)).return_once(|_, _| found);
        assert_eq!(service(events).get(number(7), id).await, expected);
    }
}

#[tokio::test]
async fn a_list_is_asked_for_as_it_was_ordered() {
    let query = EventQuery {
        order: Order::Ascending,
        after: Sequence::new(3),
        limit: PageLimit::MAX,
        ..EventQuery::default()
    };
    let page = Page { items: vec![event("failed")], more: true };
    for (answer, expected) in [(Ok(page.clone()), Ok(page)), (Err(down()), Err(EventError::Storage(down())))]
    {
        let mut events = MockEventRepository::new();
        events.expect_list().once().with(eq(number(7)), eq(query.clone())).return_once(|_, _| answer);
        assert_eq!(service(events).list(number(7), query.clone()).await, expected);
    }
}
