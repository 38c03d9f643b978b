//! Events: what happened, kept in the order in which it was stored.

use std::fmt;

use serde_json::value::RawValue;
use uuid::Uuid;
use validator::Validate;

use crate::json_object::{JsonObject, optional_object};
use crate::text::{no_nul, text_type};
use crate::timestamp::Timestamp;
use crate::violation::{Violations, from_validator};

/// An event's id, and its deduplication key: within a tenant the same id is the same event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(Uuid);

impl EventId {
    /// The id that this UUID is; any UUID will do.
    #[must_use]
    pub fn new(uuid: Uuid) -> Self {
        Self(uuid)
    }

    /// Reads a UUID in its usual form with hyphens.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        (text.len() == 36).then(|| Uuid::try_parse(text).ok().map(Self)).flatten()
    }

    /// The UUID.
    #[must_use]
    pub fn get(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An event's place in its tenant: 1 for the first, one more for each, in commit order, without gaps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);

impl Sequence {
    /// The place `number`; 0 stands before the first event. At most 2⁶³ − 1.
    #[must_use]
    pub fn new(number: u64) -> Option<Self> {
        i64::try_from(number).is_ok().then_some(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

text_type! {
    /// Which part of a system an event tells of: 1 to 255 characters.
    Component
}
text_type! {
    /// Where that part ran (`production`, `staging`, …): 1 to 255 characters.
    Environment
}
text_type! {
    /// What happened, for a person: 1 to 8,192 characters.
    Message
}
text_type! {
    /// Whom it concerns: a valid e-mail address (as HTML's `<input type=email>` has it).
    Email
}

/// An event as a caller hands it in, unchecked.
#[derive(Debug, Clone, Default, Validate)]
pub struct EventDraft<'a> {
    /// The caller's own id for it, if any: a UUID.
    #[validate(skip)]
    pub id: Option<Uuid>,
    /// Required.
    #[validate(
        required(message = "is required"),
        length(min = 1, max = 255, message = "must be 1 to 255 characters long"),
        custom(function = no_nul)
    )]
    pub component: Option<String>,
    /// Required.
    #[validate(
        required(message = "is required"),
        length(min = 1, max = 255, message = "must be 1 to 255 characters long"),
        custom(function = no_nul)
    )]
    pub environment: Option<String>,
    /// Required.
    #[validate(
        required(message = "is required"),
        length(min = 1, max = 8192, message = "must be 1 to 8192 characters long"),
        custom(function = no_nul)
    )]
    pub message: Option<String>,
    /// Optional.
    #[validate(email(message = "is not a valid e-mail address"))]
    pub email: Option<String>,
    /// A JSON object; `{}` where absent.
    #[validate(skip)]
    pub data: Option<&'a RawValue>,
}

/// An event that may be stored.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// Its id: the caller's, or one made for it.
    pub id: EventId,
    /// Nobody need look whether a stored event has the id: it was made for this event just now, at random, and is
    /// handed in for the first time. Said only by who knows; not where an event may be sent again.
    pub has_new_id: bool,
    /// Which part of a system.
    pub component: Component,
    /// Where it ran.
    pub environment: Environment,
    /// What happened.
    pub message: Message,
    /// Whom it concerns.
    pub email: Option<Email>,
    /// Anything else.
    pub data: JsonObject,
}

impl NewEvent {
    /// Checks a draft; `make_id` gives the id where the caller gave none.
    ///
    /// # Errors
    /// Every rule that it breaks.
    pub fn parse(draft: EventDraft<'_>, make_id: impl FnOnce() -> Uuid) -> Result<Self, Violations> {
        let mut violations = from_validator(draft.validate());
        let data = optional_object(draft.data, "/data", &mut violations);
        if let Some(violations) = Violations::from_list(violations) {
            return Err(violations);
        }
        let text = |text: Option<String>| text.unwrap_or_default().into_boxed_str();
        Ok(Self {
            id: EventId(draft.id.unwrap_or_else(make_id)),
            has_new_id: false,
            component: Component(text(draft.component)),
            environment: Environment(text(draft.environment)),
            message: Message(text(draft.message)),
            email: draft.email.map(|email| Email(email.into_boxed_str())),
            data,
        })
    }

    /// The stored event that this became.
    #[must_use]
    pub fn into_event(self, sequence: Sequence, created_at: Timestamp) -> Event {
        Event {
            id: self.id,
            component: self.component,
            environment: self.environment,
            message: self.message,
            email: self.email,
            data: self.data,
            created_at,
            sequence,
        }
    }
}

/// An event, as stored. It never changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// Which part of a system.
    pub component: Component,
    /// Where it ran.
    pub environment: Environment,
    /// What happened.
    pub message: Message,
    /// Whom it concerns.
    pub email: Option<Email>,
    /// Anything else.
    pub data: JsonObject,
    /// When it was stored. Within a tenant it never falls as `sequence` grows.
    pub created_at: Timestamp,
    /// Its place in the tenant.
    pub sequence: Sequence,
}

/// What became of an event that was handed in.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// It is stored now.
    New(Event),
    /// An event of that id was there already: this one, unchanged.
    Duplicate(Event),
}

impl Stored {
    /// The event that is stored under the id.
    #[must_use]
    pub fn event(&self) -> &Event {
        match self {
            Self::New(event) | Self::Duplicate(event) => event,
        }
    }

    /// Whether the id was taken already.
    #[must_use]
    pub fn is_duplicate(&self) -> bool {
        matches!(self, Self::Duplicate(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> EventDraft<'static> {
        EventDraft {
            component: Some("billing".to_owned()),
            environment: Some("production".to_owned()),
            message: Some("order failed".to_owned()),
            ..EventDraft::default()
        }
    }

    fn faults(draft: EventDraft<'_>) -> Vec<(String, String)> {
        let violations = NewEvent::parse(draft, Uuid::nil).unwrap_err().into_vec();
        violations.into_iter().map(|v| (v.pointer, v.code.into_owned())).collect()
    }

    #[test]
    fn an_event_without_id_and_data_gets_both() {
        let event = NewEvent::parse(draft(), Uuid::max).unwrap();
        assert_eq!(event.id.get(), Uuid::max());
        assert_eq!(event.data, JsonObject::empty());
    }

    #[test]
    fn the_callers_id_is_kept() {
        let event = NewEvent::parse(EventDraft { id: Some(Uuid::nil()), ..draft() }, Uuid::max).unwrap();
        assert_eq!(event.id.get(), Uuid::nil());
    }

    #[test]
    fn every_missing_field_is_told_at_once() {
        let required = |name: &str| (name.to_owned(), "required".to_owned());
        assert_eq!(
            faults(EventDraft::default()),
            [required("/component"), required("/environment"), required("/message")]
        );
    }

    #[test]
    fn lengths_count_characters_not_bytes() {
        let of = |n| Some("é".repeat(n));
        assert!(
            NewEvent::parse(EventDraft { component: of(255), message: of(8192), ..draft() }, Uuid::nil)
                .is_ok()
        );
        assert_eq!(
            faults(EventDraft { component: of(256), ..draft() }),
            [("/component".into(), "length".into())]
        );
        assert_eq!(
            faults(EventDraft { message: of(8193), ..draft() }),
            [("/message".into(), "length".into())]
        );
        assert_eq!(
            faults(EventDraft { environment: of(0), ..draft() }),
            [("/environment".into(), "length".into())]
        );
    }

    #[test]
    fn nul_and_bad_addresses_are_refused() {
        assert_eq!(
            faults(EventDraft { message: Some("a\0b".into()), ..draft() }),
            [("/message".into(), "nul".into())]
        );
        for email in ["", "a", "a@", "@b.c", "a b@c.d", "a@b@c"] {
            assert_eq!(
                faults(EventDraft { email: Some(email.into()), ..draft() }),
                [("/email".into(), "email".into())]
            );
        }
        assert!(
            NewEvent::parse(EventDraft { email: Some("a.b+c@example.com".into()), ..draft() }, Uuid::nil)
                .is_ok()
        );
    }
}
