//! Lists of events by their data, where the index is asked.

use tenantry_domain::{EventFilter, Order, Page, PageLimit};
use tenantry_ports::{EventQuery, EventRepository};

use crate::support::{Schema, event, open, tenant};

/// Enough that the rows that are looked at first are passed.
const EVENTS: usize = 6000;

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_found_by_its_data_however_many_others_there_are() {
    let schema = Schema::new();
    let storage = open(&schema).unwrap();
    let (ours, theirs) = (tenant(&storage).await, tenant(&storage).await);
    for of in [ours, theirs] {
        for chunk in (0..EVENTS).collect::<Vec<_>>().chunks(1000) {
            // Numbers that jsonb would tell apart and the domain does not, and some that no float holds.
            let data = |number: usize| match number % 1500 {
                7 => format!(r#"{{"order": {number}.0, "rare": [1, {{"of": "two"}}]}}"#),
                8 => format!(r#"{{"order": {number}, "huge": 1{}}}"#, "0".repeat(400)),
                9 => r#"{"tiny": 0.1000000000000000055511151231257827}"#.to_owned(),
                _ => format!(r#"{{"order": {number}, "even": {}}}"#, number.is_multiple_of(2)),
            };
            let events = chunk.iter().map(|number| event("an event", &data(*number))).collect();
            storage.append(of, events).await.unwrap();
        }
    }
    for (part, count) in [
        (serde_json::json!({"order": 7}), 1),
        (serde_json::json!({"order": 5999}), 1),
        (serde_json::json!({"rare": [{"of": "two"}]}), 4),
        (serde_json::json!({"rare": [{"of": "three"}]}), 0),
        (serde_json::json!({"tiny": 0.1}), 4),
        (serde_json::json!({"even": true}), 2996),
        (serde_json::json!({"even": {}}), 0),
        (serde_json::json!({"order": 7, "rare": {}}), 0),
    ] {
        for order in [Order::Ascending, Order::Descending] {
            let filter = EventFilter { data_contains: Some(part.clone()), ..EventFilter::default() };
            let mut query = EventQuery { filter: filter.clone(), order, limit: PageLimit::MAX, after: None };
            let mut found = Vec::new();
            loop {
                let Page { items, more } =
                    EventRepository::list(&storage, ours, query.clone()).await.unwrap();
                query.after = items.last().map(|event| event.sequence);
                found.extend(items);
                if !more {
                    break;
                }
            }
            assert!(found.iter().all(|event| filter.matches(event)), "{part}");
            let mut sequences: Vec<_> = found.iter().map(|event| event.sequence).collect();
            if order == Order::Descending {
                sequences.reverse();
            }
            assert!(sequences.is_sorted_by(|a, b| a < b), "{part}");
            assert_eq!(sequences.len(), count, "{part} {order:?}");
        }
    }
}
