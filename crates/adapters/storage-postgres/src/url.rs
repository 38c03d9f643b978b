//! Where a database is, and who asks: `postgres://user:password@host:port/database?option=value`.

use std::fmt;

use percent_encoding::percent_decode_str;

/// What libpq is told beside what the URL says, unless the URL says it too. A server that is gone, its machine
/// or the network too, counts as such after some two seconds.
const DEFAULTS: [(&str, &str); 7] = [
    ("application_name", "tenantry"),
    ("connect_timeout", "2"),
    ("keepalives", "1"),
    ("keepalives_idle", "1"),
    ("keepalives_interval", "1"),
    ("keepalives_count", "2"),
    ("tcp_user_timeout", "2000"),
];

/// The URL of a database. Its password is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    text: String,
    place: String,
    secrets: Vec<String>,
}

/// Why a text is not taken as the URL of a PostgreSQL database. The text itself is not repeated: it may hold a
/// password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostgresUrlError {
    /// It begins otherwise.
    #[error("must begin with postgres:// or postgresql://")]
    Scheme,
    /// There is an `@`, a `/`, a `?` or a `#` where a name or a password ends too early.
    #[error(
        "must have @, /, ?, # and : in its user name and password percent-encoded (%40, %2F, %3F, %23, %3A)"
    )]
    Unencoded,
    /// A character that no URL holds.
    #[error("must not contain spaces or control characters")]
    Character,
}

impl PostgresUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// The first rule that the text breaks.
    pub fn parse(text: &str) -> Result<Self, PostgresUrlError> {
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
        let rest = rest.ok_or(PostgresUrlError::Scheme)?;
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(PostgresUrlError::Character);
        }
        let (location, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, database) = location.split_once('/').unwrap_or((location, ""));
        if authority.matches('@').count() > 1 || database.contains('@') || text.contains('#') {
            return Err(PostgresUrlError::Unencoded);
        }
        let (user, host) = authority.split_once('@').unwrap_or(("", authority));
        let (user_name, password) = user.split_once(':').unwrap_or((user, ""));
        if password.contains(':') || (!authority.contains('@') && query.contains('@')) {
            return Err(PostgresUrlError::Unencoded);
        }
        let parameters = || query.split('&').filter_map(|pair| pair.split_once('='));
        let of_query = parameters().filter(|(name, _)| matches!(*name, "password" | "sslpassword"));
        let passwords = [password].into_iter().chain(of_query.map(|(_, value)| value));
        let mut secrets: Vec<String> = passwords
            .flat_map(|secret| [secret.to_owned(), decoded(secret)])
            .filter(|secret| !secret.is_empty())
            .collect();
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        secrets.dedup();
        let parameter =
            |name: &str| parameters().find(|(given, _)| *given == name).map(|(_, value)| decoded(value));
        let place = place(host, database, user_name, parameter);
        Ok(Self { text: text.to_owned(), place, secrets })
    }

    /// The server, the database and the user, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The URL as it was given, without the password.
    #[must_use]
    pub fn without_password(&self) -> String {
        self.scrub(&self.text)
    }

    /// `message` without the password, should it be in there.
    #[must_use]
    pub fn scrub(&self, message: &str) -> String {
        let scrub = |message: String, secret: &String| message.replace(secret.as_str(), "•••");
        self.secrets.iter().fold(message.trim().to_owned(), scrub)
    }

    /// The URL for libpq, with what it must know beside.
    pub(crate) fn for_libpq(&self) -> String {
        let query = self.text.split_once('?').map_or("", |(_, query)| query);
        let is_given = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
        let mut text = self.text.clone();
        for (name, value) in DEFAULTS.iter().filter(|(name, _)| !is_given(name)) {
            let mark = if text.contains('?') { '&' } else { '?' };
            text.push_str(&format!("{mark}{name}={value}"));
        }
        text
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// What is known of the place, said as it is read.
fn place(host: &str, database: &str, user: &str, parameter: impl Fn(&str) -> Option<String>) -> String {
    let port = parameter("port").unwrap_or_else(|| "5432".to_owned());
    let host = match (host, parameter("host").or_else(|| parameter("hostaddr"))) {
        ("", None) => "the local socket".to_owned(),
        ("", Some(host)) if host.starts_with('/') => format!("the socket in {host}, port {port}"),
        ("", Some(host)) => format!("{host}:{port}"),
        (host, _) => {
            let ends_with_port = host
                .rsplit_once(':')
                .is_some_and(|(_, port)| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()));
            if ends_with_port { host.to_owned() } else { format!("{host}:{port}") }
        }
    };
    let user = Some(decoded(user)).filter(|user| !user.is_empty()).or_else(|| parameter("user"));
    let database = Some(decoded(database)).filter(|name| !name.is_empty()).or_else(|| parameter("dbname"));
    let database = database.or_else(|| user.clone()).unwrap_or_else(|| "of the user's name".to_owned());
    let user = user.map(|user| format!(", as {user}")).unwrap_or_default();
    format!("{host}, database {database}{user}")
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostgresUrl({})", self.place)
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> String {
        PostgresUrl::parse(text).unwrap().place().to_owned()
    }

    #[test]
    fn a_place_is_said_without_the_password() {
        for (text, expected) in [
            ("postgres://ada:secret@db.example:6432/shop", "db.example:6432, database shop, as ada"),
            ("postgresql://ada@db.example/shop", "db.example:5432, database shop, as ada"),
            ("postgres://ada:s%40cret@[::1]:5432/", "[::1]:5432, database ada, as ada"),
            ("postgres:///shop?host=/run/pg&port=5433", "the socket in /run/pg, port 5433, database shop"),
            ("postgres://a:1,b:2/shop?user=ada&password=secret", "a:1,b:2, database shop, as ada"),
            ("postgres://", "the local socket, database of the user's name"),
        ] {
            assert_eq!(place(text), expected);
            let url = PostgresUrl::parse(text).unwrap();
            assert!(!format!("{url} {url:?}").contains("cret"), "{url:?}");
        }
    }

    #[test]
    fn a_password_is_taken_out_of_messages_however_it_is_written() {
        let url = PostgresUrl::parse("postgres://ada:s%40crèt@host/db").unwrap();
        assert_eq!(url.scrub("no s@crèt, no s%40crèt\n"), "no •••, no •••");
    }

    #[test]
    fn what_would_end_a_password_too_early_is_refused() {
        for text in [
            "postgres://ada:p@ss@host/db",
            "postgres://ada:p/ss@host/db",
            "postgres://ada:p?s@host/db",
            "postgres://ada:p#s@host/db",
            "postgres://ada:p:s@host/db",
        ] {
            assert_eq!(PostgresUrl::parse(text), Err(PostgresUrlError::Unencoded), "{text}");
        }
        assert_eq!(PostgresUrl::parse("mysql://host/db"), Err(PostgresUrlError::Scheme));
        assert_eq!(PostgresUrl::parse("postgres://host/a b"), Err(PostgresUrlError::Character));
    }

    #[test]
    fn libpq_is_told_of_short_timeouts_unless_the_url_says_others() {
        let given = PostgresUrl::parse("postgres://host/db?connect_timeout=9").unwrap().for_libpq();
        assert!(given.contains("?connect_timeout=9&application_name=tenantry&"), "{given}");
        assert_eq!(given.matches("connect_timeout").count(), 1);
        assert!(
            PostgresUrl::parse("postgres://host/db").unwrap().for_libpq().contains("tcp_user_timeout=2000")
        );
    }
}
