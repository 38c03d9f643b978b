//! What stands in paths.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::error::ClientError;

/// All but the unreserved characters (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const ENCODED_BUT_SLASHES: &AsciiSet = &ENCODED.remove(b'/');

/// One segment of a path.
pub(crate) fn segment(text: &str) -> Result<String, ClientError> {
    if matches!(text, "" | "." | "..") {
        return Err(ClientError::Invalid(format!("{text:?} cannot stand in an address")));
    }
    Ok(utf8_percent_encode(text, ENCODED).to_string())
}

/// The path of a key-value. Slashes stand as they are, unless something on the way might take a piece between two of
/// them for something else.
///
/// `.` and `..` alone have no way into an address: whoever reads one (WHATWG URL) takes them for steps in the path,
/// encoded or not. The server knows such keys, and lists show them.
pub(crate) fn of_key(key: &str) -> Result<String, ClientError> {
    let is_plain = key.split('/').all(|piece| !matches!(piece, "" | "." | ".."));
    let encoded = match is_plain {
        true => utf8_percent_encode(key, ENCODED_BUT_SLASHES).to_string(),
        false => segment(key)?,
    };
    Ok(format!("/api/v1/kv/{encoded}"))
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::*;

    #[test]
    fn a_key_arrives_as_it_is() {
        for key in [
            "a", "a/b", "a//b", "/a", "a/", "a/../b", "./a", "%2e%2e", "a b", "ä🎉", "a?b#c", "...", "a\\b",
            "\n",
        ] {
            let path = of_key(key).unwrap();
            let url = Url::parse(&format!("http://localhost{path}")).unwrap();
            assert_eq!(url.path(), path, "{key:?}: the address is not changed");
            let arrived = path.strip_prefix("/api/v1/kv/").unwrap();
            let decoded = percent_encoding::percent_decode_str(arrived).decode_utf8().unwrap();
            assert_eq!(decoded, key);
        }
        assert_eq!(of_key("config/theme").unwrap(), "/api/v1/kv/config/theme");
    }

    #[test]
    fn what_cannot_stand_in_an_address_is_refused() {
        for key in ["", ".", ".."] {
            assert!(matches!(of_key(key), Err(ClientError::Invalid(_))), "{key:?}");
        }
    }
}
