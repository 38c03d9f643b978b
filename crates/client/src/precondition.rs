//! Entity tags, and what a write may ask of what stands (RFC 9110, sections 8.8.3 and 13).

use std::fmt;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, IF_MATCH, IF_NONE_MATCH};

use crate::error::ClientError;

/// An entity tag, in its quotation marks: `"5"`. Of a key-value it is the revision.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntityTag(String);

impl EntityTag {
    /// The tag of a key-value at this revision.
    #[must_use]
    pub fn of_revision(revision: u64) -> Self {
        Self(format!("\"{revision}\""))
    }

    /// A tag as it stands in a header, or without its quotation marks.
    #[must_use]
    pub fn new(text: &str) -> Self {
        if text.contains('"') { Self(text.to_owned()) } else { Self(format!("\"{text}\"")) }
    }

    /// As it stands in a header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The revision, where it is the tag of a key-value.
    #[must_use]
    pub fn revision(&self) -> Option<u64> {
        self.0.trim_matches('"').parse().ok()
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a write asks of what stands. Where it does not hold, the server answers 412 and changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    #[default]
    None,
    /// That it is what this tag names: nobody has changed it since.
    Matches(EntityTag),
    /// That it is there.
    Exists,
    /// That it is not there.
    Absent,
}

impl Precondition {
    /// Whether it holds no more once the write is done, so that the write cannot happen twice.
    #[must_use]
    pub fn holds_once(&self) -> bool {
        matches!(self, Self::Matches(_) | Self::Absent)
    }

    /// Writes it into the head of a request.
    pub(crate) fn write(&self, headers: &mut HeaderMap) -> Result<(), ClientError> {
        let (name, value): (HeaderName, &str) = match self {
            Self::None => return Ok(()),
            Self::Matches(tag) => (IF_MATCH, tag.as_str()),
            Self::Exists => (IF_MATCH, "*"),
            Self::Absent => (IF_NONE_MATCH, "*"),
        };
        let value = HeaderValue::from_str(value)
            .map_err(|_| ClientError::Invalid(format!("{value:?} is no entity tag")))?;
        headers.insert(name, value);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_quoted_once() {
        assert_eq!(EntityTag::new("5").as_str(), "\"5\"");
        assert_eq!(EntityTag::new("\"5\""), EntityTag::of_revision(5));
        assert_eq!(EntityTag::of_revision(5).revision(), Some(5));
        assert_eq!(EntityTag::new("x").revision(), None);
    }
}
