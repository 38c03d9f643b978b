//! Which events a list shows. [`EventFilter::matches`] is what the filters mean; storage adapters may
//! find the same events faster, never others.

use serde_json::Value;

use crate::event::{Event, Sequence};
use crate::timestamp::Timestamp;

/// In which direction a list of events runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Order {
    /// Newest first: the largest sequence first.
    #[default]
    Descending,
    /// Oldest first.
    Ascending,
}

/// Conditions that all must hold; the default shows every event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct EventFilter {
    /// The component is one of these; none: any.
    pub components: Vec<String>,
    /// The environment is one of these; none: any.
    pub environments: Vec<String>,
    /// The e-mail address is one of these, letter for letter; none: any, or no address.
    pub emails: Vec<String>,
    /// The message contains this text, whatever the case of its letters.
    pub message_contains: Option<String>,
    /// Stored at this time or later.
    pub from: Option<Timestamp>,
    /// Stored at this time or earlier.
    pub to: Option<Timestamp>,
    /// The data contains this JSON, in the sense of PostgreSQL's `@>` ([`json_contains`]).
    pub data_contains: Option<Value>,
    /// Behind this sequence, in whichever order the list runs.
    pub after_sequence: Option<Sequence>,
}

impl EventFilter {
    /// Whether the filter shows `event`.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        let one_of = |list: &[String], text: Option<&str>| {
            list.is_empty() || text.is_some_and(|text| list.iter().any(|one| one == text))
        };
        one_of(&self.components, Some(event.component.as_str()))
            && one_of(&self.environments, Some(event.environment.as_str()))
            && one_of(&self.emails, event.email.as_ref().map(|email| email.as_str()))
            && self
                .message_contains
                .as_ref()
                .is_none_or(|part| contains_ignoring_case(event.message.as_str(), part))
            && self.from.is_none_or(|from| event.created_at >= from)
            && self.to.is_none_or(|to| event.created_at <= to)
            && self.after_sequence.is_none_or(|after| event.sequence > after)
            && self.data_contains.as_ref().is_none_or(|part| json_contains(&event.data.to_value(), part))
    }
}

/// Whether `text` contains `part` when the case of letters does not count: both are compared in
/// Unicode lower case.
#[must_use]
pub fn contains_ignoring_case(text: &str, part: &str) -> bool {
    if text.is_ascii() && part.is_ascii() {
        let (text, part) = (text.as_bytes(), part.as_bytes());
        return part.is_empty() || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part));
    }
    text.to_lowercase().contains(&part.to_lowercase())
}

/// Whether `whole` contains `part`, as PostgreSQL's `jsonb @>` has it: an object contains another if
/// each member of it is contained in the member of the same name; an array contains another if each
/// element of it is contained in some element; an array at the top contains a plain value that is one
/// of its elements; plain values contain their equals, and 1 equals 1.0.
#[must_use]
pub fn json_contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Array(elements), Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null) => {
            elements.iter().any(|element| plain_equal(element, part))
        }
        _ => contains(whole, part),
    }
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, value)| whole.get(name).is_some_and(|held| contains(held, value)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            part.iter().all(|value| whole.iter().any(|held| contains(held, value)))
        }
        _ => plain_equal(whole, part),
    }
}

fn plain_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || a.as_f64() == b.as_f64() && (a.is_f64() || b.is_f64())
        }
        (Value::Object(_) | Value::Array(_), _) => false,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn containment_is_that_of_postgresql() {
        for (whole, part, expected) in [
            (json!({"a":1,"b":2}), json!({"b":2}), true),
            (json!({"a":1}), json!({}), true),
            (json!({"a":{"b":{"c":1},"d":2}}), json!({"a":{"b":{}}}), true),
            (json!({"a":1}), json!({"a":2}), false),
            (json!({"a":1}), json!({"a":null}), false),
            (json!({"a":1}), json!({"b":null}), false),
            (json!({"a":[1,2,3]}), json!({"a":[3,1]}), true),
            (json!({"a":[1,2,3]}), json!({"a":[1,1]}), true),
            (json!({"a":[1,[2]]}), json!({"a":[2]}), false),
            (json!({"a":["x"]}), json!({"a":"x"}), false),
            (json!(["x", 1]), json!("x"), true),
            (json!({"a":1.0}), json!({"a":1}), true),
            (json!({"a":9007199254740993_i64}), json!({"a":9007199254740992_i64}), false),
            (json!({"a":"1"}), json!({"a":1}), false),
            (json!({"a":[{"b":1,"c":2}]}), json!({"a":[{"b":1}]}), true),
        ] {
            assert_eq!(json_contains(&whole, &part), expected, "{whole} @> {part}");
        }
    }

    #[test]
    fn case_does_not_count_in_any_script() {
        assert!(contains_ignoring_case("Order FAILED again", "failed"));
        assert!(contains_ignoring_case("ÜBERWEISUNG fehlt", "überweisung"));
        assert!(contains_ignoring_case("anything", ""));
        assert!(!contains_ignoring_case("order", "orders"));
        assert!(!contains_ignoring_case("100%", "0_%"));
    }
}
