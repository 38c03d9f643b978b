//! Under which name a key stands, and on which server.

use std::fmt::Write as _;

use bytes::{BufMut as _, Bytes, BytesMut};
use sha2::{Digest as _, Sha256};
use tenantry_cache_support::Stored;
use tenantry_domain::{Key, TenantNumber};

/// memcached's limit.
const MAX_NAME_BYTES: usize = 250;

/// Where a key stands. What memcached does not take as a name, being too long or holding a space or more than
/// ASCII, stands under its SHA-256, and then the whole name is stored with the value and compared.
pub(crate) struct Place {
    pub(crate) name: String,
    whole: Option<String>,
}

impl Place {
    pub(crate) fn of(namespace: &str, tenant: TenantNumber, key: &Key) -> Self {
        let name = format!("{namespace}:{tenant}:{key}");
        if name.len() <= MAX_NAME_BYTES && name.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Self { name, whole: None };
        }
        let mut hashed = format!("{namespace}:#");
        for byte in Sha256::digest(&name) {
            // Writing to a string does not fail.
            let _ = write!(hashed, "{byte:02x}");
        }
        Self { name: hashed, whole: Some(name) }
    }

    /// What is stored here as bytes.
    pub(crate) fn to_bytes(&self, stored: &Stored) -> Bytes {
        let stored = stored.to_bytes();
        let Some(whole) = &self.whole else { return stored };
        let mut bytes = BytesMut::with_capacity(whole.len() + 1 + stored.len());
        bytes.put_slice(whole.as_bytes());
        // No key has it.
        bytes.put_u8(0);
        bytes.put_slice(&stored);
        bytes.freeze()
    }

    /// What the bytes say that are stored here; nothing where they are another key's, or not Tenantry's.
    pub(crate) fn parse(&self, bytes: &Bytes) -> Option<Stored> {
        let Some(whole) = &self.whole else { return Stored::parse(bytes) };
        let rest = bytes.strip_prefix(whole.as_bytes())?.strip_prefix(&[0])?;
        Stored::parse(&bytes.slice_ref(rest))
    }
}

/// The number, of those below `servers`, of the server that holds this name: of each pair of server and name
/// there is a number by chance, and the highest wins (rendezvous hashing). So where one server is more or less,
/// all names stay in their places but those of that server.
pub(crate) fn server_of(servers: &[String], name: &str) -> usize {
    let score = |server: &String| mixed(fnv(fnv(FNV_OFFSET, server.as_bytes()), name.as_bytes()));
    let best = servers.iter().enumerate().max_by_key(|(_, server)| (score(server), *server));
    best.map_or(0, |(number, _)| number)
}

const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a: the same on every node and in every version.
fn fnv(state: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(state, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Spreads what differs in the lowest bits over all.
fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use tenantry_domain::Revision;

    use super::*;

    fn place(key: &str) -> Place {
        Place::of("tenantry", TenantNumber::new(7).unwrap(), &Key::new(key.as_bytes()).unwrap())
    }

    fn stored() -> Stored {
        Stored::unheld(Revision::new(5).unwrap(), 9)
    }

    #[test]
    fn a_plain_key_stands_under_its_own_name() {
        assert_eq!(place("a/b:c").name, "tenantry:7:a/b:c");
        assert_eq!(place("a").to_bytes(&stored()), stored().to_bytes());
    }

    #[test]
    fn any_other_key_stands_under_its_hash() {
        for key in ["a b", "a\r\nflush_all", "ä", "a\u{7f}", &"x".repeat(512)] {
            let name = place(key).name;
            let hash = name.strip_prefix("tenantry:#").unwrap();
            assert!(hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
        }
    }

    #[test]
    fn what_is_stored_is_read_by_the_same_key_only() {
        let bytes = place("a b").to_bytes(&stored());
        assert_eq!(place("a b").parse(&bytes), Some(stored()));
        for other in ["a c", "a", "a b c"] {
            assert_eq!(place(other).parse(&bytes), None, "{other}");
        }
    }

    #[test]
    fn names_are_spread_over_the_servers_and_stay_where_they_are_when_one_is_added() {
        let name = |n: usize| format!("tenantry:7:key {n}");
        let two: Vec<String> = ["a:1", "b:1"].map(str::to_owned).into();
        let three: Vec<String> = ["c:1", "b:1", "a:1"].map(str::to_owned).into();
        let mut counts = [0; 3];
        for n in 0..3_000 {
            let (before, after) = (&two[server_of(&two, &name(n))], &three[server_of(&three, &name(n))]);
            assert!(after == before || after == "c:1", "{before} {after}");
            counts[server_of(&three, &name(n))] += 1;
        }
        assert!(counts.iter().all(|count| (800..1_200).contains(count)), "{counts:?}");
    }
}
