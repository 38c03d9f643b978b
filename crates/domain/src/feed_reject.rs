//! Records of a feed that could not be taken.

use std::fmt;

use sha2::{Digest as _, Sha256};

use crate::feed::FeedId;
use crate::feed_run::RunId;
use crate::timestamp::Timestamp;

/// A reject's id: the same record, refused for the same reason in the same feed, is the same reject in every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RejectId([u8; 16]);

impl RejectId {
    /// The id of this record's rejection in that feed.
    #[must_use]
    pub fn of(feed: FeedId, record: &RejectedRecord) -> Self {
        let mut hash = Sha256::new();
        hash.update(feed.get());
        hash.update(record.reason.code.as_str());
        hash.update([0]);
        hash.update(record.raw.as_bytes());
        let digest: [u8; 32] = hash.finalize().into();
        let mut id = [0; 16];
        id.copy_from_slice(&digest[..16]);
        Self(id)
    }

    /// Wraps an id that was stored.
    #[must_use]
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn get(self) -> [u8; 16] {
        self.0
    }

    /// Reads 32 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        digits.then(|| u128::from_str_radix(text, 16).ok().map(|number| Self(number.to_be_bytes()))).flatten()
    }
}

impl fmt::Display for RejectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

/// Which rule a record breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RejectCode {
    /// Something that is required is not there.
    Missing,
    /// A date or time that there is not.
    Time,
    /// It ends before it starts, or lasts too long.
    Order,
    /// A price that is none.
    Price,
    /// A number that is none.
    Number,
    /// Neither of two words.
    Word,
    /// A text that is empty, too long, or holds what cannot be stored.
    Text,
    /// More zones or bytes than a record may have.
    TooLarge,
    /// The same plan stands in the feed a second time, with other content. The first was taken.
    Duplicate,
}

impl RejectCode {
    /// Every code.
    pub const ALL: [Self; 9] = [
        Self::Missing,
        Self::Time,
        Self::Order,
        Self::Price,
        Self::Number,
        Self::Word,
        Self::Text,
        Self::TooLarge,
        Self::Duplicate,
    ];

    /// Its word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Time => "time",
            Self::Order => "order",
            Self::Price => "price",
            Self::Number => "number",
            Self::Word => "word",
            Self::Text => "text",
            Self::TooLarge => "too-large",
            Self::Duplicate => "duplicate",
        }
    }

    /// The code of that word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }
}

/// Why a record could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectReason {
    /// Which rule it breaks: the first that was found.
    pub code: RejectCode,
    /// What is wrong, for a person, with the attribute's name. At most 500 characters.
    pub detail: String,
}

impl RejectReason {
    /// The reason of that code.
    pub fn new(code: RejectCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// Where in a feed a record stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordPlace {
    /// How many bytes of the decompressed feed come before it.
    pub offset: u64,
    /// The provider's id of its base plan, where that could be read.
    pub base_plan_id: Option<String>,
    /// The provider's id of the plan, where that could be read.
    pub plan_id: Option<String>,
}

/// A record of a feed that could not be taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRecord {
    /// Where it stands.
    pub place: RecordPlace,
    /// Why.
    pub reason: RejectReason,
    /// The record as it stands in the feed: the start of its base plan and the plan whole, which can be read
    /// again by itself. At most [`RejectedRecord::MAX_RAW_BYTES`]; what was longer is cut, and is not tried again.
    pub raw: String,
}

impl RejectedRecord {
    /// The most bytes of `raw`: 256 KiB.
    pub const MAX_RAW_BYTES: usize = 256 * 1024;
}

/// A record that could not be taken, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Its id.
    pub id: RejectId,
    /// The record.
    pub record: RejectedRecord,
    /// The last run that met it.
    pub run: RunId,
    /// When a run first met it.
    pub first_seen_at: Timestamp,
    /// When a run last met it.
    pub last_seen_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn the_same_record_is_the_same_reject_wherever_it_stands() {
        let feed = FeedId::new(Uuid::from_u128(1));
        let record = |raw: &str, code, offset| RejectedRecord {
            place: RecordPlace { offset, ..RecordPlace::default() },
            reason: RejectReason::new(code, "…"),
            raw: raw.to_owned(),
        };
        let id = RejectId::of(feed, &record("<plan/>", RejectCode::Missing, 7));
        assert_eq!(id, RejectId::of(feed, &record("<plan/>", RejectCode::Missing, 9)));
        assert_ne!(id, RejectId::of(feed, &record("<plan />", RejectCode::Missing, 7)));
        assert_ne!(id, RejectId::of(feed, &record("<plan/>", RejectCode::Time, 7)));
        assert_eq!(RejectId::parse(&id.to_string()), Some(id));
        assert_eq!(RejectId::parse("x"), None);
    }
}
