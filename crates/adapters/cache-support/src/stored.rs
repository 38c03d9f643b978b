//! What a cache stores of a key: a head of fixed length in ASCII, and what follows it.
//!
//! | bytes | what |
//! |---|---|
//! | 1 | the kind: `E` an entry, `A` an absence, `L` a lease, `X` something that the cache cannot hold |
//! | 20 | the generation, in decimal |
//! | 20 | the version, in decimal: of an `L`, the highest that is known |
//! | 16 | of an `L`, its token in hexadecimal |
//! | any | of an `E`, the value |
//!
//! Numbers have their zeros before them, so that a script in the cache compares them as they stand, and none is
//! too large for it.

#[cfg(test)]
mod tests;

use bytes::{BufMut as _, Bytes, BytesMut};
use tenantry_domain::Revision;
use tenantry_ports::{FillLease, SharedLookup, SharedValue};

const KIND_BYTES: usize = 1;
const NUMBER_BYTES: usize = 20;
const TOKEN_BYTES: usize = 16;

/// How long a head is.
pub const HEAD_BYTES: usize = KIND_BYTES + 2 * NUMBER_BYTES;

/// How long a lease is.
pub const LEASE_BYTES: usize = HEAD_BYTES + TOKEN_BYTES;

/// What is stored of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// The generation that was current when it was stored, or when the lease was given.
    pub generation: u64,
    /// The newest version that is known of the key.
    pub version: Revision,
    /// The rest.
    pub content: Content,
}

/// What is stored of a key, beside its generation and version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Its value.
    Entry(Bytes),
    /// That it is absent.
    Absent,
    /// Somebody reads it, who has this token.
    Lease(u64),
    /// That the cache cannot hold it.
    Unheld,
}

impl Stored {
    /// What is stored of a key with this value.
    #[must_use]
    pub fn of(value: SharedValue, generation: u64) -> Self {
        let content = value.value.map_or(Content::Absent, Content::Entry);
        Self { generation, version: value.version, content }
    }

    /// What is stored of a key with this version that the cache cannot hold.
    #[must_use]
    pub fn unheld(version: Revision, generation: u64) -> Self {
        Self { generation, version, content: Content::Unheld }
    }

    /// What is stored of a key while the lease lasts; `known` is the newest version that is known.
    #[must_use]
    pub fn lease(lease: FillLease, known: Revision) -> Self {
        Self { generation: lease.generation, version: known, content: Content::Lease(lease.token) }
    }

    /// A number as it stands in a head.
    #[must_use]
    pub fn digits(number: u64) -> String {
        format!("{number:020}")
    }

    /// A token as it stands in a lease.
    #[must_use]
    pub fn token_digits(token: u64) -> String {
        format!("{token:016x}")
    }

    /// The bytes that are stored.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let (kind, rest) = match &self.content {
            Content::Entry(value) => (b'E', value.clone()),
            Content::Absent => (b'A', Bytes::new()),
            Content::Lease(token) => (b'L', Self::token_digits(*token).into()),
            Content::Unheld => (b'X', Bytes::new()),
        };
        let mut bytes = BytesMut::with_capacity(HEAD_BYTES + rest.len());
        bytes.put_u8(kind);
        bytes.put_slice(Self::digits(self.generation).as_bytes());
        bytes.put_slice(Self::digits(self.version.get()).as_bytes());
        bytes.put_slice(&rest);
        bytes.freeze()
    }

    /// What the bytes say; nothing where this Tenantry did not store them. A value shares them.
    #[must_use]
    pub fn parse(bytes: &Bytes) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEAD_BYTES)?;
        let (kind, numbers) = head.split_first()?;
        let (generation, version) = numbers.split_at_checked(NUMBER_BYTES)?;
        let content = match kind {
            b'E' => Content::Entry(bytes.slice(HEAD_BYTES..)),
            b'A' => Content::Absent,
            b'L' => Content::Lease(u64::from_str_radix(std::str::from_utf8(rest).ok()?, 16).ok()?),
            b'X' => Content::Unheld,
            _ => return None,
        };
        Some(Self { generation: number(generation)?, version: Revision::new(number(version)?)?, content })
    }

    /// What a reader is told of this. (Whether its generation is believed was decided before.)
    #[must_use]
    pub fn told(self) -> SharedLookup {
        match self.content {
            Content::Entry(value) => {
                SharedLookup::Held(SharedValue { version: self.version, value: Some(value) })
            }
            Content::Absent => SharedLookup::Held(SharedValue { version: self.version, value: None }),
            Content::Lease(_) => SharedLookup::Busy,
            Content::Unheld => SharedLookup::Unknown,
        }
    }

    /// Whether this takes the place of `held`: a higher version always does, a lower one never. Of the same
    /// version the one of the newer generation stays, and a value rather than a lease.
    #[must_use]
    pub fn replaces(&self, held: &Self) -> bool {
        match self.version.cmp(&held.version) {
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Equal => {
                matches!(held.content, Content::Lease(_)) || self.generation > held.generation
            }
        }
    }

    /// What this becomes where it fills a place that is leased to `lease`; nothing where it must not. An absence
    /// that was read has no version of its own, and takes the newest that is known.
    #[must_use]
    pub fn filling(mut self, held: &Self, lease: FillLease) -> Option<Self> {
        if held.content != Content::Lease(lease.token) {
            return None;
        }
        if self.content == Content::Absent {
            self.version = self.version.max(held.version);
        }
        (self.version >= held.version).then_some(self)
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    let all_digits = digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| all_digits)?.parse().ok()
}
