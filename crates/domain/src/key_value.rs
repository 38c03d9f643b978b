//! Key-values: bytes under a name, each write a new revision.

use std::fmt;

use bytes::Bytes;
use compact_str::CompactString;

use crate::timestamp::Timestamp;

/// A key: 1 to 512 bytes of UTF-8, any character but U+0000. Keys are ordered by their bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(CompactString);

/// Why bytes are not a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No bytes at all.
    #[error("a key must not be empty")]
    Empty,
    /// More than [`Key::MAX_BYTES`].
    #[error("a key must be at most {} bytes long", Key::MAX_BYTES)]
    TooLong,
    /// Not UTF-8.
    #[error("a key must be UTF-8")]
    NotUtf8,
    /// U+0000 in it.
    #[error("a key must not contain the character U+0000")]
    Nul,
}

impl KeyError {
    /// The broken rule as a stable word.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Empty | Self::TooLong => "length",
            Self::NotUtf8 => "utf8",
            Self::Nul => "nul",
        }
    }
}

impl Key {
    /// The most bytes of a key.
    pub const MAX_BYTES: usize = 512;

    /// Reads a key.
    ///
    /// # Errors
    /// The first rule that the bytes break.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.is_empty() {
            return Err(KeyError::Empty);
        }
        if bytes.len() > Self::MAX_BYTES {
            return Err(KeyError::TooLong);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| KeyError::NotUtf8)?;
        if bytes.contains(&0) {
            return Err(KeyError::Nul);
        }
        Ok(Self(text.into()))
    }

    /// Wraps text that was checked before it was stored. Only for storage adapters.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A tenant's count of key-value writes, in commit order and without gaps; an entry's is that of the
/// write that made it what it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(u64);

impl Revision {
    /// The revision `number`; 0 stands before the first write. At most 2⁶³ − 1.
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

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What kind of bytes a value is: a media type (RFC 9110, section 8.3) of at most 255 bytes, kept as
/// it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContentType(CompactString);

impl ContentType {
    /// The kind of bytes about which nothing was said: `application/octet-stream`.
    #[must_use]
    pub fn octet_stream() -> Self {
        Self(CompactString::const_new("application/octet-stream"))
    }

    /// Plain text: `text/plain; charset=utf-8`.
    #[must_use]
    pub fn plain_text() -> Self {
        Self(CompactString::const_new("text/plain; charset=utf-8"))
    }

    /// Reads a media type: `type/subtype`, with or without parameters, in visible ASCII.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        let essence = text.split(';').next().unwrap_or_default().trim_end();
        let (kind, subtype) = essence.split_once('/')?;
        let token = |text: &str| !text.is_empty() && text.bytes().all(is_token);
        let printable = text.bytes().all(|b| (b' '..=b'~').contains(&b));
        (text.len() <= 255 && printable && token(kind) && token(subtype)).then(|| Self(text.into()))
    }

    /// Wraps text that was checked before it was stored. Only for storage adapters.
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The media type.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// How long a value lives after it was written: 1 second to 100 years.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeToLive(u32);

impl TimeToLive {
    /// The longest life, in seconds: 100 years of 365.25 days.
    pub const MAX_SECONDS: u64 = 3_155_760_000;

    /// A life of 1 to [`TimeToLive::MAX_SECONDS`] seconds.
    #[must_use]
    pub fn from_seconds(seconds: u64) -> Option<Self> {
        if !(1..=Self::MAX_SECONDS).contains(&seconds) {
            return None;
        }
        u32::try_from(seconds).ok().map(Self)
    }

    /// When a value that is written at `now` ends.
    #[must_use]
    pub fn ends_at(self, now: Timestamp) -> Timestamp {
        now.plus_seconds(i64::from(self.0))
    }
}

/// Everything about a key-value but its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryMeta {
    /// Its key.
    pub key: Key,
    /// What kind of bytes the value is.
    pub content_type: ContentType,
    /// How many bytes the value has.
    pub size: u64,
    /// How many writes the key has had since it was last absent: 1 at its creation.
    pub version: u64,
    /// The write that made it what it is.
    pub revision: Revision,
    /// When the key last came to be.
    pub created_at: Timestamp,
    /// When it was last written.
    pub updated_at: Timestamp,
    /// From when on it is absent, if ever.
    pub expires_at: Option<Timestamp>,
}

impl EntryMeta {
    /// Whether the entry is still there at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.expires_at.is_none_or(|end| now < end)
    }
}

/// A key-value, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Everything but the bytes.
    pub meta: EntryMeta,
    /// The bytes: at most 1 MiB unless configured otherwise.
    pub value: Bytes,
}

/// Why a value could not be incremented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IncrementError {
    /// The value is not a decimal integer of 64 bits.
    #[error("the value is not a decimal integer of 64 bits")]
    NotAnInteger,
    /// The sum does not fit 64 bits.
    #[error("the sum does not fit a signed integer of 64 bits")]
    Overflow,
}

/// The value `by` more than `value`, a decimal integer in ASCII.
///
/// # Errors
/// When `value` is not a decimal integer, or the sum does not fit 64 bits.
pub fn incremented(value: &[u8], by: i64) -> Result<i64, IncrementError> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || digits.len() > 19 || !digits.iter().all(u8::is_ascii_digit) {
        return Err(IncrementError::NotAnInteger);
    }
    let current: i64 = std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or(IncrementError::NotAnInteger)?;
    current.checked_add(by).ok_or(IncrementError::Overflow)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn any_text_is_a_key_but_nul_and_nothing() {
        for key in ["watch", "a/b", "a//b", "..", " ", "🦀", "%2F", &"x".repeat(512)] {
            assert_eq!(Key::new(key.as_bytes()).unwrap().as_str(), key);
        }
        assert_eq!(Key::new(b""), Err(KeyError::Empty));
        assert_eq!(Key::new(&[b'x'; 513]), Err(KeyError::TooLong));
        assert_eq!(Key::new(b"a\xffb"), Err(KeyError::NotUtf8));
        assert_eq!(Key::new(b"a\0b"), Err(KeyError::Nul));
    }

    #[test]
    fn a_content_type_has_a_type_and_a_subtype() {
        for text in ["text/plain", "text/plain; charset=utf-8", "application/vnd.a+json"] {
            assert_eq!(ContentType::new(text).unwrap().as_str(), text);
        }
        for text in
            ["", "text", "/", "text/", "te xt/plain", "text/plain\r\nX: y", "text/pläin", &"x/".repeat(200)]
        {
            assert_eq!(ContentType::new(text), None, "{text}");
        }
    }

    #[test]
    fn a_life_is_a_second_to_a_century() {
        assert!(TimeToLive::from_seconds(0).is_none());
        assert!(TimeToLive::from_seconds(TimeToLive::MAX_SECONDS + 1).is_none());
        let now = Timestamp::from_micros(5);
        assert_eq!(TimeToLive::from_seconds(2).unwrap().ends_at(now).as_micros(), 2_000_005);
        assert!(TimeToLive::from_seconds(TimeToLive::MAX_SECONDS).unwrap().ends_at(now) > now);
    }

    #[test]
    fn only_a_decimal_integer_is_incremented() {
        assert_eq!(incremented(b"41", 1), Ok(42));
        assert_eq!(incremented(b"-1", -1), Ok(-2));
        assert_eq!(incremented(b"007", 1), Ok(8));
        for value in [
            &b""[..],
            b"-",
            b"+1",
            b"1.0",
            b" 1",
            b"1 ",
            b"x",
            b"99999999999999999999",
            b"9223372036854775808",
        ] {
            assert_eq!(incremented(value, 1), Err(IncrementError::NotAnInteger));
        }
        assert_eq!(incremented(b"9223372036854775807", 1), Err(IncrementError::Overflow));
        assert_eq!(incremented(b"-9223372036854775808", -1), Err(IncrementError::Overflow));
    }

    proptest! {
        #[test]
        fn an_increment_is_an_addition(a in any::<i64>(), b in any::<i64>()) {
            prop_assert_eq!(incremented(a.to_string().as_bytes(), b).ok(), a.checked_add(b));
        }
    }
}
