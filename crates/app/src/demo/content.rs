//! What each sample tenant has: a few days of a small firm's business.

use bytes::Bytes;
use serde_json::value::RawValue;
use tenantry_domain::{ContentType, EventDraft, Key};
use tenantry_ports::NewValue;
use uuid::Uuid;

/// How many events each sample tenant has.
const EVENTS: usize = 48;

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

/// A sample event.
pub(super) struct SampleEvent {
    id: Uuid,
    component: &'static str,
    environment: &'static str,
    message: &'static str,
    email: Option<String>,
    data: Box<RawValue>,
}

impl SampleEvent {
    /// The event as a client hands it in.
    pub(super) fn draft(&self) -> EventDraft<'_> {
        EventDraft {
            id: Some(self.id),
            component: Some(self.component.to_owned()),
            environment: Some(self.environment.to_owned()),
            message: Some(self.message.to_owned()),
            email: self.email.clone(),
            data: Some(&self.data),
        }
    }
}

/// The events of the tenant of this name: the same at each call.
pub(super) fn events(tenant: &str, email: &str) -> Vec<SampleEvent> {
    let event = |place: usize| {
        let (component, message, data) = HAPPENINGS[place * 7 % HAPPENINGS.len()];
        let data = data.replace('#', &(1000 + place).to_string());
        Some(SampleEvent {
            id: Uuid::new_v5(&NAMESPACE, format!("{tenant}/{place}").as_bytes()),
            component,
            environment: if place % 10 == 9 { "staging" } else { "production" },
            message,
            email: (place % 3 != 2).then(|| email.to_owned()),
            data: RawValue::from_string(data).ok()?,
        })
    };
    (0..EVENTS).filter_map(event).collect()
}

/// The key-values of the tenant of this name.
pub(super) fn key_values(tenant: &str) -> Vec<(Key, NewValue)> {
    let json = ContentType::new("application/json").unwrap_or_else(ContentType::octet_stream);
    let values = [
        ("settings/theme", r#"{"colour":"teal","dark":false}"#.to_owned(), json.clone()),
        ("settings/opening-hours", r#"{"monday":"closed","saturday":"9-13"}"#.to_owned(), json.clone()),
        ("features/new-checkout", r#"{"enabled":true,"share_percent":25}"#.to_owned(), json),
        ("counters/orders", "1047".to_owned(), ContentType::plain_text()),
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
    use tenantry_domain::NewEvent;

    use super::*;
    use crate::demo::TENANTS;
    use crate::sample_tenants;

    #[test]
    fn every_sample_is_valid() {
        let samples = sample_tenants::parse(TENANTS).unwrap();
        assert!(samples.len() >= 20);
        for sample in &samples {
            let name = sample.tenant.name.as_str();
            let events = events(name, &sample.email);
            assert_eq!(events.len(), EVENTS);
            for event in &events {
                NewEvent::parse(event.draft(), Uuid::now_v7).unwrap();
            }
            assert_eq!(key_values(name).len(), 5);
        }
    }

    #[test]
    fn an_event_has_the_same_id_each_time_and_no_other_has_it() {
        let ids = |tenant| events(tenant, "a@example.com").iter().map(|event| event.id).collect::<Vec<_>>();
        assert_eq!(ids("a"), ids("a"));
        let all: std::collections::HashSet<_> = ids("a").into_iter().chain(ids("b")).collect();
        assert_eq!(all.len(), 2 * EVENTS);
    }

    #[test]
    fn every_happening_occurs_in_production() {
        for (component, message, _) in HAPPENINGS {
            let occurs = |event: &SampleEvent| {
                (event.component, event.message, event.environment) == (component, message, "production")
            };
            assert!(events("a", "a@example.com").iter().any(occurs), "{component}: {message}");
        }
    }
}
