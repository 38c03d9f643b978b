//! JSON objects that are kept as text.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

/// A JSON object, as the text that was sent or read: every digit of its numbers stays.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct JsonObject(Box<RawValue>);

/// Why something is no JSON object.
#[derive(Debug, thiserror::Error)]
pub enum JsonObjectError {
    /// It is not JSON.
    #[error("is not JSON: {0}")]
    NotJson(#[from] serde_json::Error),
    /// It is JSON of another kind.
    #[error("is JSON, but no object")]
    NoObject,
}

impl JsonObject {
    /// The object that this text is.
    ///
    /// # Errors
    /// [`JsonObjectError`].
    pub fn parse(text: &str) -> Result<Self, JsonObjectError> {
        Self::of(serde_json::from_str(text)?)
    }

    /// What serialises to an object: a structure, or a map.
    ///
    /// # Errors
    /// [`JsonObjectError`].
    pub fn of_value(value: &impl Serialize) -> Result<Self, JsonObjectError> {
        Self::of(serde_json::value::to_raw_value(value)?)
    }

    fn of(raw: Box<RawValue>) -> Result<Self, JsonObjectError> {
        if raw.get().starts_with('{') { Ok(Self(raw)) } else { Err(JsonObjectError::NoObject) }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// What it says, as a type of yours.
    ///
    /// # Errors
    /// When it has another shape.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.as_str())
    }
}

impl Default for JsonObject {
    /// `{}`.
    fn default() -> Self {
        let empty = RawValue::from_string("{}".to_owned());
        #[expect(clippy::expect_used, reason = "it is JSON")]
        Self(empty.expect("{} is JSON"))
    }
}

impl PartialEq for JsonObject {
    /// Whether the texts are the same.
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for JsonObject {}

impl<'de> Deserialize<'de> for JsonObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(Box::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_keeps_its_text() {
        let text = r#"{"n": 1.10000000000000000001, "big": 123456789012345678901234567890}"#;
        let object = JsonObject::parse(&format!("  {text}\n")).unwrap();
        assert_eq!(object.as_str(), text);
        assert_eq!(serde_json::to_string(&object).unwrap(), text);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in ["", "{", "[]", "1", "null", "\"{}\"", "{} {}"] {
            assert!(JsonObject::parse(text).is_err(), "{text}");
        }
        assert!(serde_json::from_str::<JsonObject>("[1]").is_err());
    }
}
