//! A JSON object kept as it was written: every digit of a number and the order of members survive.

use std::fmt;

use serde_json::value::RawValue;

use crate::json_text::{JsonTextError, check_json_text};
use crate::violation::Violation;

/// A JSON object of at most [`JsonObject::MAX_BYTES`], nested at most [`JsonObject::MAX_DEPTH`] levels.
#[derive(Clone)]
pub struct JsonObject(Box<RawValue>);

/// Why a JSON value is not taken as an object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JsonObjectError {
    /// It is not JSON at all.
    #[error("is not JSON: {0}")]
    NotJson(String),
    /// An array, a string, a number, a boolean or null.
    #[error("must be a JSON object")]
    NotAnObject,
    /// More than [`JsonObject::MAX_BYTES`].
    #[error("must be at most {} bytes long", JsonObject::MAX_BYTES)]
    TooLarge,
    /// Too deep, or text that cannot be stored.
    #[error(transparent)]
    Text(#[from] JsonTextError),
}

impl JsonObject {
    /// The most bytes of JSON text: 64 KiB.
    pub const MAX_BYTES: usize = 64 * 1024;
    /// The most arrays and objects inside one another, the object itself included.
    pub const MAX_DEPTH: usize = 32;

    /// The object `{}`.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the two characters are JSON")]
    pub fn empty() -> Self {
        Self(serde_json::from_str("{}").expect("{} is JSON"))
    }

    /// Takes a JSON value that a parser has read.
    ///
    /// # Errors
    /// When it is not an object, is too large or too deep, or holds text that cannot be stored.
    pub fn from_raw(raw: &RawValue) -> Result<Self, JsonObjectError> {
        let text = raw.get();
        if !text.starts_with('{') {
            return Err(JsonObjectError::NotAnObject);
        }
        if text.len() > Self::MAX_BYTES {
            return Err(JsonObjectError::TooLarge);
        }
        check_json_text(text, Self::MAX_DEPTH)?;
        Ok(Self(raw.to_owned()))
    }

    /// Reads JSON text.
    ///
    /// # Errors
    /// As [`JsonObject::from_raw`], and when it is not JSON.
    pub fn parse(text: &str) -> Result<Self, JsonObjectError> {
        let raw: &RawValue =
            serde_json::from_str(text).map_err(|error| JsonObjectError::NotJson(error.to_string()))?;
        Self::from_raw(raw)
    }

    /// Wraps text that was checked before it was stored. Only for storage adapters.
    ///
    /// # Errors
    /// When what was stored is not JSON: the database was changed by other hands.
    pub fn from_stored(text: String) -> Result<Self, JsonObjectError> {
        RawValue::from_string(text).map(Self).map_err(|error| JsonObjectError::NotJson(error.to_string()))
    }

    /// The JSON text, as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// The JSON text, for serialisation without a copy.
    #[must_use]
    pub fn as_raw(&self) -> &RawValue {
        &self.0
    }

    /// The object as a value tree. Numbers are those of `serde_json`: 64 bits, or binary floats.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        serde_json::from_str(self.0.get()).unwrap_or_default()
    }
}

impl Default for JsonObject {
    fn default() -> Self {
        Self::empty()
    }
}

impl fmt::Debug for JsonObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.get())
    }
}

impl PartialEq for JsonObject {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get() || self.to_value() == other.to_value()
    }
}

/// Reads an optional member of a draft: absent is `{}`, anything else is checked.
pub(crate) fn optional_object(
    raw: Option<&RawValue>,
    pointer: &str,
    violations: &mut Vec<Violation>,
) -> JsonObject {
    let Some(raw) = raw else { return JsonObject::empty() };
    JsonObject::from_raw(raw).unwrap_or_else(|error| {
        violations.push(violation(&error, pointer));
        JsonObject::empty()
    })
}

fn violation(error: &JsonObjectError, pointer: &str) -> Violation {
    let code = match error {
        JsonObjectError::NotJson(_) | JsonObjectError::NotAnObject => "object",
        JsonObjectError::TooLarge => "length",
        JsonObjectError::Text(JsonTextError::TooDeep { .. }) => "depth",
        JsonObjectError::Text(JsonTextError::Nul) => "nul",
        JsonObjectError::Text(JsonTextError::LoneSurrogate) => "surrogate",
    };
    Violation::new(pointer, code, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_kept_to_the_letter() {
        let text = r#"{ "b": 12345678901234567890123.10, "a": null }"#;
        assert_eq!(JsonObject::parse(text).unwrap().as_str(), text);
        assert_eq!(JsonObject::empty().as_str(), "{}");
    }

    #[test]
    fn only_an_object_is_an_object() {
        for text in ["[]", "null", "1", r#""{}""#, "true"] {
            assert_eq!(JsonObject::parse(text), Err(JsonObjectError::NotAnObject), "{text}");
        }
        assert!(matches!(JsonObject::parse("{"), Err(JsonObjectError::NotJson(_))));
        assert!(matches!(JsonObject::parse("{} {}"), Err(JsonObjectError::NotJson(_))));
    }

    #[test]
    fn its_size_and_depth_are_bounded() {
        let of_size = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8));
        assert!(JsonObject::parse(&of_size(JsonObject::MAX_BYTES)).is_ok());
        assert_eq!(JsonObject::parse(&of_size(JsonObject::MAX_BYTES + 1)), Err(JsonObjectError::TooLarge));
        let of_depth =
            |depth: usize| format!("{}{}", r#"{"a":"#.repeat(depth - 1) + "{}", "}".repeat(depth - 1));
        assert!(JsonObject::parse(&of_depth(JsonObject::MAX_DEPTH)).is_ok());
        assert!(matches!(
            JsonObject::parse(&of_depth(JsonObject::MAX_DEPTH + 1)),
            Err(JsonObjectError::Text(_))
        ));
    }

    #[test]
    fn equality_is_of_the_value_not_of_the_text() {
        assert_eq!(JsonObject::parse(r#"{"a":1,"b":2}"#), JsonObject::parse(r#"{"b": 2, "a": 1}"#));
        assert_ne!(JsonObject::parse(r#"{"a":1}"#), JsonObject::parse(r#"{"a":2}"#));
    }
}
