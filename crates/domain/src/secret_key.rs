//! The text of an access key, and what of it may be stored.
//!
//! A key's text is `tnt_<id>_<secret><checksum>` for a tenant's key and `tna_…` for an administrator's:
//! 12 characters of public id, 43 of 256 random bits in base 62, and 6 of the CRC-32 of all that stands
//! before them. The checksum lets a mistyped or foreign string be refused without a look-up; only the
//! SHA-256 of the whole text is ever stored.

use std::fmt;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LENGTH: usize = 12;
const SECRET_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
/// `tnt_` + id + `_` + secret + checksum.
const TEXT_LENGTH: usize = 4 + ID_LENGTH + 1 + SECRET_LENGTH + CHECKSUM_LENGTH;

/// A key's public name: 12 base-62 characters. It may be shown and logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; ID_LENGTH]);

impl KeyId {
    /// Reads an id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let id: [u8; ID_LENGTH] = text.as_bytes().try_into().ok()?;
        id.iter().all(u8::is_ascii_alphanumeric).then_some(Self(id))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose keys there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// A tenant's: begins `tnt_`.
    Tenant,
    /// An administrator's: begins `tna_`.
    Admin,
}

impl KeyKind {
    /// How the text of such a key begins.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Tenant => "tnt_",
            Self::Admin => "tna_",
        }
    }
}

/// The SHA-256 of a key's text: all that is stored of the secret. Compared in constant time.
#[derive(Clone, Copy)]
pub struct KeyHash([u8; 32]);

impl KeyHash {
    /// Wraps a hash that was stored. Only for storage adapters.
    #[must_use]
    pub fn from_stored(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// The 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyHash {}

impl fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHash(…)")
    }
}

/// The whole text of a key. It is shown once, to whoever made the key; `Debug` hides it.
#[derive(Clone)]
pub struct SecretKey(String);

impl SecretKey {
    /// Makes a key of random bytes; the caller draws them from a cryptographic source.
    #[must_use]
    pub fn from_entropy(kind: KeyKind, id: [u8; 16], secret: [u8; 32]) -> Self {
        let mut text = String::with_capacity(TEXT_LENGTH);
        text.push_str(kind.prefix());
        text.extend(base62::<ID_LENGTH>(&id).map(char::from));
        text.push('_');
        text.extend(base62::<SECRET_LENGTH>(&secret).map(char::from));
        text.extend(checksum(&text).map(char::from));
        Self(text)
    }

    /// Takes the text of a key that was made before.
    ///
    /// # Errors
    /// When the text is not a key.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        PresentedKey::parse(text).map(|_| Self(text.to_owned()))
    }

    /// The text: what a client sends behind `Bearer`.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The parts of the key that may be stored.
    ///
    /// # Errors
    /// When the text is not a key, which that of a `SecretKey` always is.
    pub fn presented(&self) -> Result<PresentedKey, MalformedKey> {
        PresentedKey::parse(&self.0)
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretKey(…)")
    }
}

/// The text is not a key: it has another form, or its checksum is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the text is not an access key")]
pub struct MalformedKey;

/// A key that a caller shows: its form is right, whether it is known remains to be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentedKey {
    /// Whose kind of key it says to be.
    pub kind: KeyKind,
    /// Its public name.
    pub id: KeyId,
    /// The hash of its whole text.
    pub hash: KeyHash,
}

impl PresentedKey {
    /// Reads the text of a key.
    ///
    /// # Errors
    /// When its form or its checksum is wrong.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        if text.len() != TEXT_LENGTH || !text.is_ascii() {
            return Err(MalformedKey);
        }
        let kind = match &text[..4] {
            "tnt_" => KeyKind::Tenant,
            "tna_" => KeyKind::Admin,
            _ => return Err(MalformedKey),
        };
        let (body, sum) = text.split_at(TEXT_LENGTH - CHECKSUM_LENGTH);
        let id = KeyId::parse(&text[4..4 + ID_LENGTH]).ok_or(MalformedKey)?;
        let separated = body.as_bytes()[4 + ID_LENGTH] == b'_';
        if !separated || !sum.bytes().eq(checksum(body)) {
            return Err(MalformedKey);
        }
        Ok(Self { kind, id, hash: KeyHash::of(text) })
    }
}

/// The CRC-32 (IEEE) of `text` in base 62.
fn checksum(text: &str) -> impl Iterator<Item = u8> + use<> {
    base62::<CHECKSUM_LENGTH>(&crc32fast::hash(text.as_bytes()).to_be_bytes())
}

/// The last `N` base-62 digits of a big-endian number, most significant first.
fn base62<const N: usize>(number: &[u8]) -> impl Iterator<Item = u8> + use<N> {
    let mut number = number.to_vec();
    let mut digits = [0_u8; N];
    for digit in digits.iter_mut().rev() {
        let mut remainder = 0_u32;
        for byte in &mut number {
            let value = remainder * 256 + u32::from(*byte);
            *byte = u8::try_from(value / 62).unwrap_or_default();
            remainder = value % 62;
        }
        *digit = BASE62[remainder as usize];
    }
    digits.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> SecretKey {
        SecretKey::from_entropy(KeyKind::Tenant, [7; 16], [9; 32])
    }

    #[test]
    fn a_key_has_the_documented_form() {
        let text = sample().expose().to_owned();
        assert_eq!(text.len(), 66);
        assert!(text.starts_with("tnt_"));
        let presented = PresentedKey::parse(&text).unwrap();
        assert_eq!(presented.kind, KeyKind::Tenant);
        assert_eq!(presented.id.as_str(), &text[4..16]);
        assert!(SecretKey::from_entropy(KeyKind::Admin, [0; 16], [0; 32]).expose().starts_with("tna_"));
    }

    #[test]
    fn two_hundred_and_fifty_six_bits_fit_forty_three_digits() {
        let digits: Vec<u8> = base62::<SECRET_LENGTH>(&[0xff; 32]).collect();
        let mut value = [0_u8; 33];
        for digit in digits {
            let mut carry = BASE62.iter().position(|b| *b == digit).unwrap();
            for byte in value.iter_mut().rev() {
                let sum = usize::from(*byte) * 62 + carry;
                *byte = (sum % 256) as u8;
                carry = sum / 256;
            }
        }
        assert_eq!(value[0], 0);
        assert_eq!(value[1..], [0xff; 32]);
    }

    #[test]
    fn one_wrong_character_anywhere_is_noticed() {
        let text = sample().expose().to_owned();
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'x' { b'y' } else { b'x' };
            assert_eq!(
                PresentedKey::parse(std::str::from_utf8(&changed).unwrap()),
                Err(MalformedKey),
                "at {at}"
            );
        }
        assert_eq!(PresentedKey::parse(&text[1..]), Err(MalformedKey));
        assert_eq!(PresentedKey::parse(&format!("{text}x")), Err(MalformedKey));
    }

    #[test]
    fn the_secret_is_not_in_what_is_printed_for_debugging() {
        let secret = sample();
        let shown = format!("{secret:?} {:?}", secret.presented().unwrap());
        assert!(!shown.contains(&secret.expose()[17..]));
        assert!(shown.contains("KeyHash(…)"));
    }

    proptest! {
        #[test]
        fn every_key_that_is_made_is_read_back(id in any::<[u8; 16]>(), secret in any::<[u8; 32]>()) {
            let key = SecretKey::from_entropy(KeyKind::Admin, id, secret);
            let presented = PresentedKey::parse(key.expose()).unwrap();
            prop_assert_eq!(presented.kind, KeyKind::Admin);
        }

        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = PresentedKey::parse(&text);
        }
    }
}
