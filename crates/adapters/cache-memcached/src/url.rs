//! Which memcached is meant.

use std::fmt;

use percent_encoding::percent_decode_str;

/// Where memcached is: `memcached://[USER:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]`. Each key is on one of the
/// servers, and all nodes must name the same ones, in whatever order. User and password are those of memcached's
/// `-Y` file. It is never shown with a password.
#[derive(Clone, PartialEq, Eq)]
pub struct MemcachedUrl {
    /// Host and port of each server.
    pub(crate) servers: Vec<String>,
    pub(crate) login: Option<Login>,
}

/// Who asks.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: String,
}

/// Why a URL cannot be used. It does not repeat the URL: there may be a password in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemcachedUrlError(&'static str);

impl fmt::Display for MemcachedUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for MemcachedUrlError {}

const FORM: MemcachedUrlError = MemcachedUrlError(
    "must be memcached://HOST:PORT,HOST:PORT,… with USER:PASSWORD@ before the first host if need be",
);

const SCHEME: &str = "memcached://";

impl MemcachedUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What it must be.
    pub fn parse(url: &str) -> Result<Self, MemcachedUrlError> {
        let rest = url.strip_prefix(SCHEME).ok_or(FORM)?;
        let (login, hosts) = match rest.rsplit_once('@') {
            Some((login, hosts)) => (Some(login_of(login)?), hosts),
            None => (None, rest),
        };
        let servers = hosts.split(',').map(server_of).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { servers, login })
    }
}

fn login_of(text: &str) -> Result<Login, MemcachedUrlError> {
    let decoded = |part| percent_decode_str(part).decode_utf8().map(String::from).map_err(|_| FORM);
    let (user, password) = text.split_once(':').ok_or(FORM)?;
    let login = Login { user: decoded(user)?, password: decoded(password)? };
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
    if is_word(&login.user) && is_word(&login.password) { Ok(login) } else { Err(FORM) }
}

fn server_of(text: &str) -> Result<String, MemcachedUrlError> {
    let is_bare = text.ends_with(']') || !text.contains(':');
    let server = if is_bare { format!("{text}:11211") } else { text.to_owned() };
    let (host, port) = server.rsplit_once(':').ok_or(FORM)?;
    let is_host =
        !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b));
    if is_host && port.parse::<u16>().is_ok() { Ok(server) } else { Err(FORM) }
}

impl fmt::Display for MemcachedUrl {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SCHEME}{}", self.servers.join(","))
    }
}

impl fmt::Debug for MemcachedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_names_servers_and_is_shown_without_its_password() {
        for (url, shown) in [
            ("memcached://127.0.0.1:11299", "memcached://127.0.0.1:11299"),
            ("memcached://cache", "memcached://cache:11211"),
            ("memcached://ada:hunter2@a:1,b", "memcached://a:1,b:11211"),
            ("memcached://[::1]", "memcached://[::1]:11211"),
            ("memcached://[::1]:5", "memcached://[::1]:5"),
        ] {
            let read = MemcachedUrl::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!((format!("{read}"), format!("{read:?}")), (shown.to_owned(), shown.to_owned()));
        }
    }

    #[test]
    fn a_login_is_percent_decoded() {
        let login = MemcachedUrl::parse("memcached://ada:hun%40ter@a").unwrap().login.unwrap();
        assert_eq!((login.user.as_str(), login.password.as_str()), ("ada", "hun@ter"));
    }

    #[test]
    fn any_other_url_is_refused_without_being_repeated() {
        for url in [
            "",
            "cache:11211",
            "redis://ada:hunter2@a",
            "memcached://",
            "memcached://a,,b",
            "memcached://a:x",
            "memcached://a/b",
            "memcached://hunter2@a",
            "memcached://ada:hun%20ter2@a",
            "memcached://ada:hunter2%0d%0aflush_all@a",
        ] {
            let refusal = MemcachedUrl::parse(url).map(|_| url).unwrap_err().to_string();
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }
}
