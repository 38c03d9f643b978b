//! Which Redis is meant.

use std::fmt;

use redis::IntoConnectionInfo as _;
use redis::{ConnectionAddr, ConnectionInfo, ProtocolVersion, RedisConnectionInfo};

/// Where Redis is:
///
/// | URL | what |
/// |---|---|
/// | `redis://[USER:PASSWORD@]HOST[:PORT][/DB]` | one server |
/// | `rediss://…` | the same over TLS |
/// | `redis+cluster://[USER:PASSWORD@]HOST[:PORT],HOST[:PORT],…` (`rediss+cluster://…`) | a Cluster, by some of its nodes |
/// | `redis+sentinel://[USER:PASSWORD@]HOST[:PORT],…/MASTER[/DB]` (`rediss+sentinel://…`) | whom the Sentinels say is master |
///
/// User and password are Redis's; Sentinels are asked without. It is never shown with a password.
#[derive(Clone)]
pub struct RedisUrl {
    pub(crate) kind: Kind,
    text: String,
    shown: String,
}

#[derive(Clone)]
pub(crate) enum Kind {
    Single(ConnectionInfo),
    Cluster(Vec<ConnectionInfo>),
    Sentinel { sentinels: Vec<ConnectionInfo>, master: String, redis: RedisConnectionInfo },
}

/// Why a URL cannot be used. It does not repeat the URL: there may be a password in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisUrlError(&'static str);

impl fmt::Display for RedisUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for RedisUrlError {}

const FORMS: RedisUrlError = RedisUrlError(
    "must be redis://HOST:PORT, rediss://HOST:PORT, redis+cluster://HOST:PORT,… or \
     redis+sentinel://HOST:PORT,…/MASTER, with USER:PASSWORD@ before the first host if need be",
);

impl RedisUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What it must be.
    pub fn parse(url: &str) -> Result<Self, RedisUrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(FORMS)?;
        let (user, places) = rest.rsplit_once('@').map_or(("", rest), |(user, places)| (user, places));
        let user = if user.is_empty() { String::new() } else { format!("{user}@") };
        let (hosts, path) = places.split_once('/').unwrap_or((places, ""));
        let each = |tls: &str, user: &str, path: &str| -> Result<Vec<ConnectionInfo>, RedisUrlError> {
            hosts.split(',').map(|host| info(&format!("{tls}://{user}{host}{path}"))).collect()
        };
        let kind = match scheme {
            "redis" | "rediss" => Kind::Single(info(url)?),
            "redis+cluster" if path.is_empty() => Kind::Cluster(each("redis", &user, "")?),
            "rediss+cluster" if path.is_empty() => Kind::Cluster(each("rediss", &user, "")?),
            "redis+sentinel" | "rediss+sentinel" => {
                let (master, db) = path.split_once('/').unwrap_or((path, "0"));
                if master.is_empty() {
                    return Err(FORMS);
                }
                let node = info(&format!("redis://{user}localhost/{db}"))?;
                let redis = node.redis_settings().clone();
                Kind::Sentinel {
                    sentinels: each(scheme.trim_end_matches("+sentinel"), "", "")?,
                    master: master.to_owned(),
                    redis,
                }
            }
            _ => return Err(FORMS),
        };
        Ok(Self { kind, text: url.to_owned(), shown: format!("{scheme}://{places}") })
    }

    /// Whether it is over TLS.
    #[must_use]
    pub fn is_over_tls(&self) -> bool {
        self.text.starts_with("rediss")
    }
}

/// One server's URL, spoken to in RESP3.
fn info(url: &str) -> Result<ConnectionInfo, RedisUrlError> {
    let info = url.into_connection_info().map_err(|_| FORMS)?;
    if matches!(info.addr(), ConnectionAddr::Tcp(host, _) if host.is_empty()) {
        return Err(FORMS);
    }
    let redis = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Ok(info.set_redis_settings(redis))
}

impl PartialEq for RedisUrl {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for RedisUrl {}

impl fmt::Display for RedisUrl {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_url_is_read_and_shown_without_its_password() {
        for (url, shown) in [
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
            ("redis://ada:hunter2@cache/3", "redis://cache/3"),
            ("rediss://:hunter2@cache:6380", "rediss://cache:6380"),
            ("redis+cluster://ada:hunter2@a:1,b:2", "redis+cluster://a:1,b:2"),
            ("rediss+cluster://a,b", "rediss+cluster://a,b"),
            ("redis+sentinel://ada:hunter2@a:1,b:2/main/3", "redis+sentinel://a:1,b:2/main/3"),
            ("rediss+sentinel://ada:hunter2@a/main", "rediss+sentinel://a/main"),
        ] {
            let read = RedisUrl::parse(url).unwrap_or_else(|error| panic!("{url}: {error}"));
            assert_eq!((format!("{read}"), format!("{read:?}")), (shown.to_owned(), shown.to_owned()));
            assert_eq!(read.is_over_tls(), url.starts_with("rediss"));
        }
    }

    #[test]
    fn a_sentinel_url_says_master_database_and_who_asks() {
        let url = RedisUrl::parse("redis+sentinel://ada:hunter2@a:1,b:2/main/3").unwrap();
        let Kind::Sentinel { sentinels, master, redis } = url.kind else { panic!("a Sentinel URL") };
        assert_eq!((sentinels.len(), master.as_str()), (2, "main"));
        assert_eq!(sentinels[0].redis_settings().username(), None);
        assert_eq!((redis.db(), redis.username(), redis.password()), (3, Some("ada"), Some("hunter2")));
    }

    #[test]
    fn any_other_url_is_refused_without_being_repeated() {
        for url in [
            "",
            "cache:6379",
            "http://ada:hunter2@cache",
            "redis://ada:hunter2@",
            "redis://ada:hunter2@cache/x",
            "redis+cluster://ada:hunter2@a:x",
            "redis+cluster://ada:hunter2@a/3",
            "redis+sentinel://ada:hunter2@a:1",
        ] {
            let refusal = RedisUrl::parse(url).map(|_| url).unwrap_err().to_string();
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }
}
