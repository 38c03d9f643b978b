//! The key of the broker of jobs: what it may hold, and how it is shown.

use serde::{Deserialize as _, Deserializer};
use tenantry_queue_rabbitmq::RabbitMqUrl;

pub(super) fn is_rabbitmq_url(text: &str) -> Result<(), String> {
    read(text).map(|_| ())
}

pub(super) fn rabbitmq_url<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<RabbitMqUrl>, D::Error> {
    read(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn read(text: &str) -> Result<Option<RabbitMqUrl>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    RabbitMqUrl::parse(text).map(Some).map_err(|error| format!("{error}; or be empty"))
}

/// The URL without its password.
pub(super) fn shown(url: &str) -> String {
    RabbitMqUrl::parse(url).map(|url| url.to_string()).unwrap_or_default()
}
