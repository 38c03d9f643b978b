//! What each sample tenant has: a few days of a small firm's business.

use bytes::Bytes;
use serde_json::value::RawValue;
use tenantry_domain::{ContentType, EventDraft, Key, NewEvent, PastEvent, Timestamp, Violations};
use tenantry_ports::NewValue;
use uuid::Uuid;

/// How many events each sample tenant has.
const EVENTS: usize = 84;

/// Over how long they are spread, up to now: 30 days.
const SPAN_SECONDS: i64 = 30 * 24 * 3600;

/// The name space of the sample events' ids. Any UUID will do, if it never changes.
const NAMESPACE: Uuid = Uuid::from_u128(0x7c4e_9b1a_52d3_4f6e_8a90_1d2b_3c4d_5e6f);

/// Component, message, and data with `#` in place of a number.
const HAPPENINGS: [(&str, &str, &str); 12] = [
    ("checkout", "order placed", r##"{"order": #, "items": 3, "currency": "EUR"}"##),
    ("checkout", "order paid", r##"{"order": #, "method": "card"}"##),
    ("accounts", "signed in", r##"{"session": #, "two_factor": true}"##),
    ("mailer", "receipt sent", r##"{"order": #, "attempts": 1}"##),
    ("checkout", "order failed: the card was declined", r##"{"order": #, "reason": "card_declined"}"##),
    ("accounts", "password changed", r##"{"session": #}"##),
    ("stock", "item ran low", r##"{"item": #, "left": 2}"##),
    ("mailer", "delivery failed: the mailbox is full", r##"{"message": #, "attempts": 5}"##),
    ("stock", "delivery arrived", r##"{"delivery": #, "boxes": 7}"##),
    ("scheduler", "nightly report made", r##"{"report": #, "pages": 4}"##),
    ("accounts", "sign-in failed: wrong password", r##"{"session": #, "two_factor": false}"##),
    ("checkout", "order shipped", r##"{"order": #, "carrier": "Northpost"}"##),
];

/// The events of the tenant of this name, oldest first: but for their times the same at each call.
///
/// # Errors
/// When one breaks a rule, which a test excludes.
pub(super) fn events(tenant: &str, email: &str, now: Timestamp) -> Result<Vec<PastEvent>, Violations> {
    let event = |place: usize| {
        let (component, message, data) = HAPPENINGS[place * 7 % HAPPENINGS.len()];
        let id = Uuid::new_v5(&NAMESPACE, format!("{tenant}/{place}").as_bytes());
        let data = RawValue::from_string(data.replace('#', &(1000 + place).to_string())).ok();
        let draft = EventDraft {
            id: Some(id),
            component: Some(component.to_owned()),
            environment: Some(if place % 10 == 9 { "staging" } else { "production" }.to_owned()),
            message: Some(message.to_owned()),
            email: (place % 3 != 2).then(|| email.to_owned()),
            data: data.as_deref(),
        };
        let ago = SPAN_SECONDS * (EVENTS - place) as i64 / EVENTS as i64;
        Ok(PastEvent { event: NewEvent::parse(draft, || id)?, created_at: now.plus_seconds(-ago) })
    };
    (0..EVENTS).map(event).collect()
}

/// The key-values of the tenant of this name.
pub(super) fn key_values(tenant: &str) -> Vec<(Key, NewValue)> {
    let json = ContentType::new("application/json").unwrap_or_else(ContentType::octet_stream);
    let values = [
        ("settings/theme", r#"{"colour":"teal","dark":false}"#.to_owned(), json.clone()),
        ("settings/opening-hours", r#"{"monday":"closed","saturday":"9-13"}"#.to_owned(), json.clone()),
        ("settings/currency", r#"{"code":"EUR","decimals":2}"#.to_owned(), json.clone()),
        ("features/new-checkout", r#"{"enabled":true,"share_percent":25}"#.to_owned(), json.clone()),
        ("features/gift-cards", r#"{"enabled":false}"#.to_owned(), json),
        ("counters/orders", "1047".to_owned(), ContentType::plain_text()),
        ("counters/visits", "20519".to_owned(), ContentType::plain_text()),
        ("pages/about", format!("{tenant} has been here since 1994."), ContentType::plain_text()),
        ("welcome", format!("Welcome to {tenant}!"), ContentType::plain_text()),
    ];
    let value = |(key, text, content_type): (&str, String, ContentType)| {
        let value = NewValue { bytes: Bytes::from(text), content_type, ttl: None };
        Key::new(key.as_bytes()).ok().map(|key| (key, value))
    };
    values.into_iter().filter_map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::TENANTS;
    use crate::sample_tenants;

    const NOW: Timestamp = Timestamp::MAX;

    #[test]
    fn there_are_a_hundred_tenants_ten_thousand_events_and_a_thousand_key_values_all_valid() {
        let samples = sample_tenants::parse(TENANTS).unwrap();
        let (mut event_count, mut key_value_count) = (0, 0);
        for sample in &samples {
            let name = sample.tenant.name.as_str();
            event_count += events(name, &sample.email, NOW).unwrap().len();
            let keys: std::collections::HashSet<_> =
                key_values(name).into_iter().map(|(key, _)| key).collect();
            key_value_count += keys.len();
        }
        assert!(samples.len() >= 100 && event_count >= 10_000 && key_value_count >= 1000);
        assert_eq!(event_count, samples.len() * EVENTS);
    }

    #[test]
    fn an_event_has_the_same_id_each_time_and_no_other_has_it() {
        let ids = |tenant| -> Vec<_> {
            events(tenant, "a@example.com", NOW).unwrap().iter().map(|past| past.event.id).collect()
        };
        assert_eq!(ids("a"), ids("a"));
        let all: std::collections::HashSet<_> = ids("a").into_iter().chain(ids("b")).collect();
        assert_eq!(all.len(), 2 * EVENTS);
    }

    #[test]
    fn events_come_by_time_and_end_before_now() {
        let times: Vec<_> =
            events("a", "a@example.com", NOW).unwrap().iter().map(|past| past.created_at).collect();
        assert!(times.is_sorted());
        assert_eq!(times.first(), Some(&NOW.plus_seconds(-SPAN_SECONDS)));
        assert!(times.last() < Some(&NOW));
    }

    #[test]
    fn every_happening_occurs_in_production() {
        let events = events("a", "a@example.com", NOW).unwrap();
        for (component, message, _) in HAPPENINGS {
            let occurs = |past: &PastEvent| {
                let event = &past.event;
                (event.component.as_str(), event.message.as_str(), event.environment.as_str())
                    == (component, message, "production")
            };
            assert!(events.iter().any(occurs), "{component}: {message}");
        }
    }
}
