//! Cursors: where a list goes on, sealed so that they fit only the list that gave them.
//!
//! A cursor is `base64url(position ‖ tag)`, where the tag is the first 16 bytes of HMAC-SHA-256, under the
//! installation's secret, of the list's name, its tenant, its filters and the position.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use tenantry_domain::TenantNumber;

use crate::problem::Problem;
use crate::problem_code::Code;

const TAG_BYTES: usize = 16;

/// Seals and opens cursors.
#[derive(Clone)]
pub(crate) struct CursorSeal {
    mac: Hmac<Sha256>,
}

/// Which list a cursor belongs to.
pub(crate) struct ListIdentity<'a> {
    /// The list's name.
    pub(crate) list: &'static str,
    /// Whose it is; nothing for the list of tenants itself.
    pub(crate) tenant: Option<TenantNumber>,
    /// What it shows and in which order, as text.
    pub(crate) filter: &'a str,
}

impl CursorSeal {
    /// Seals with `secret`, which every node of an installation must share.
    pub(crate) fn new(secret: &[u8; 32]) -> Result<Self, hmac::digest::InvalidLength> {
        Ok(Self { mac: Hmac::new_from_slice(secret)? })
    }

    /// The cursor that stands behind `position`.
    pub(crate) fn seal(&self, list: &ListIdentity<'_>, position: &[u8]) -> String {
        let mut bytes = position.to_vec();
        bytes.extend_from_slice(&self.tag(list, position).finalize().into_bytes()[..TAG_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The position of a cursor of this very list.
    pub(crate) fn open(&self, list: &ListIdentity<'_>, cursor: &str) -> Result<Vec<u8>, Problem> {
        let refused = || Problem::plain(Code::InvalidCursor);
        if cursor.len() > 1024 {
            return Err(refused());
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| refused())?;
        let tag = bytes.split_off(bytes.len().checked_sub(TAG_BYTES).ok_or_else(refused)?);
        self.tag(list, &bytes).verify_truncated_left(&tag).map_err(|_| refused())?;
        Ok(bytes)
    }

    fn tag(&self, list: &ListIdentity<'_>, position: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        for part in [list.list.as_bytes(), list.filter.as_bytes(), position] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.update(&list.tenant.map_or(0, TenantNumber::get).to_be_bytes());
        mac
    }
}

/// Reads the eight bytes of a position that is a number.
pub(crate) fn number(position: &[u8]) -> Result<u64, Problem> {
    let bytes: [u8; 8] = position.try_into().map_err(|_| Problem::plain(Code::InvalidCursor))?;
    Ok(u64::from_be_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(list: &'static str, tenant: i64, filter: &'static str) -> ListIdentity<'static> {
        ListIdentity { list, tenant: TenantNumber::new(tenant), filter }
    }

    #[test]
    fn a_cursor_opens_for_its_own_list_and_no_other() {
        let seal = CursorSeal::new(&[7; 32]).unwrap();
        let cursor = seal.seal(&list("events", 1, "a=b"), b"position");
        assert_eq!(seal.open(&list("events", 1, "a=b"), &cursor).unwrap(), b"position");
        for other in [list("keys", 1, "a=b"), list("events", 2, "a=b"), list("events", 1, "a=c")] {
            assert_eq!(seal.open(&other, &cursor).unwrap_err().code, Code::InvalidCursor);
        }
        let foreign = CursorSeal::new(&[8; 32]).unwrap();
        assert!(foreign.open(&list("events", 1, "a=b"), &cursor).is_err());
    }

    #[test]
    fn one_changed_character_is_noticed() {
        let seal = CursorSeal::new(&[7; 32]).unwrap();
        let cursor = seal.seal(&list("events", 1, ""), &5_u64.to_be_bytes());
        for at in 0..cursor.len() {
            let mut changed = cursor.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(seal.open(&list("events", 1, ""), &changed).is_err(), "at {at}");
        }
        for text in ["", "A", "!!!!", "AAAA", &"A".repeat(2000)] {
            assert!(seal.open(&list("events", 1, ""), text).is_err(), "{text}");
        }
    }
}
