//! The drill's events. All of an event follows from its id, so nothing but ids has to be remembered.

use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;
use xtask::random::mix;

use crate::event_walk::StoredEvent;

/// An event as it is sent.
#[derive(Debug, Serialize)]
pub(super) struct EventText {
    id: Uuid,
    component: &'static str,
    environment: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    data: Value,
}

/// Text that stands in this event's message and nowhere else.
pub(super) fn marker(id: u128) -> String {
    format!("event {id:032x}")
}

impl EventText {
    /// The event of that id: of one of a few components, short or long, with or without an address.
    pub(super) fn of(id: u128) -> Self {
        let bits = mix((id >> 64) as u64 ^ id as u64);
        let component = ["billing", "checkout", "mailer", "søk"][(bits & 3) as usize];
        let environment = if bits & 4 == 0 { "production" } else { "staging" };
        let message = format!("{} {}", marker(id), "…".repeat((bits >> 8) as usize % 64));
        let email = (bits & 8 == 0).then(|| format!("ada+{}@example.com", bits >> 48));
        let data =
            json!({ "number": bits, "text": "a \"quote\", a \\ and a \n line", "list": [1, null, {}] });
        Self { id: Uuid::from_u128(id), component, environment, message, email, data }
    }

    /// Whether a stored event is this one.
    pub(super) fn is(&self, stored: &StoredEvent) -> bool {
        self.id == stored.id
            && self.component == stored.component
            && self.environment == stored.environment
            && self.message == stored.message
            && self.email == stored.email
            && serde_json::from_str::<Value>(stored.data.get()).is_ok_and(|data| data == self.data)
    }
}

#[test]
fn an_event_is_itself_and_no_other() {
    let stored = |id: u128| {
        let mut json = serde_json::to_value(EventText::of(id)).unwrap();
        json["sequence"] = json!(1);
        serde_json::from_str::<StoredEvent>(&json.to_string()).unwrap()
    };
    for id in [1, 1 << 100, u128::MAX] {
        assert!(EventText::of(id).is(&stored(id)));
        assert!(!EventText::of(id).is(&stored(2)));
        let mut altered = stored(id);
        altered.message.push('.');
        assert!(!EventText::of(id).is(&altered));
    }
}
