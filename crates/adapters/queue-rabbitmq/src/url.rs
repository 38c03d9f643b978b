//! Which RabbitMQ is meant.

use std::fmt;

use lapin::uri::AMQPUri;

/// Where RabbitMQ is: `amqp://USER:PASSWORD@HOST[:PORT][/VHOST]`, or `amqps://…` over TLS. It is never shown with
/// user and password.
#[derive(Clone, PartialEq, Eq)]
pub struct RabbitMqUrl(AMQPUri);

/// Why a URL cannot be used. It does not repeat the URL: there may be a password in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be amqp://USER:PASSWORD@HOST:PORT/VHOST, or amqps://… over TLS, with nothing behind it")]
pub struct RabbitMqUrlError;

impl RabbitMqUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What it must be.
    pub fn parse(url: &str) -> Result<Self, RabbitMqUrlError> {
        // Time limits are this crate's, and so are mechanisms.
        if url.contains(['?', '#']) {
            return Err(RabbitMqUrlError);
        }
        let uri: AMQPUri = url.parse().map_err(|_| RabbitMqUrlError)?;
        if uri.authority.host.is_empty() { Err(RabbitMqUrlError) } else { Ok(Self(uri)) }
    }

    /// The same for the client library.
    pub(crate) fn uri(&self) -> AMQPUri {
        self.0.clone()
    }
}

impl fmt::Display for RabbitMqUrl {
    /// Without user and password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AMQPUri { scheme, authority, vhost, .. } = &self.0;
        write!(f, "{scheme}://{}:{}/{}", authority.host, authority.port, vhost.trim_start_matches('/'))
    }
}

impl fmt::Debug for RabbitMqUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        for (url, shown) in [
            ("amqp://127.0.0.1", "amqp://127.0.0.1:5672/"),
            ("amqp://ada:hunter2@queue:5673/%2f", "amqp://queue:5673/"),
            ("amqps://ada:hunter2@queue/tenantry", "amqps://queue:5671/tenantry"),
        ] {
            let read = RabbitMqUrl::parse(url).unwrap();
            assert_eq!((format!("{read}"), format!("{read:?}")), (shown.to_owned(), shown.to_owned()));
        }
    }

    #[test]
    fn any_other_url_is_refused_without_being_repeated() {
        for url in [
            "",
            "queue:5672",
            "http://ada:hunter2@queue",
            "amqp://ada:hunter2@",
            "amqp://ada:hunter2@q?heartbeat=0",
        ] {
            let refusal = RabbitMqUrl::parse(url).map(|_| url).unwrap_err().to_string();
            assert!(!refusal.contains("hunter2"), "{refusal}");
        }
    }
}
