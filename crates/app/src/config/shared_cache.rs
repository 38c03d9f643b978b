//! The keys of a cache that nodes share: what they may hold, and how they are shown.

use std::path::Path;

use serde::{Deserialize as _, Deserializer};
use tenantry_cache_memcached::MemcachedUrl;
use tenantry_cache_redis::{RedisCa, RedisUrl};

use super::database::Database;
use super::problem::Problem;
use super::settings::CacheSettings;

pub(super) fn is_redis_url(text: &str) -> Result<(), String> {
    read_redis(text).map(|_| ())
}

pub(super) fn is_redis_ca(text: &str) -> Result<(), String> {
    read_ca(text).map(|_| ())
}

pub(super) fn is_memcached_url(text: &str) -> Result<(), String> {
    read_memcached(text).map(|_| ())
}

pub(super) fn is_namespace(text: &str) -> Result<(), String> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if is_plain && (1..=32).contains(&text.len()) {
        return Ok(());
    }
    Err("must be 1 to 32 of the characters A-Z a-z 0-9 . _ -".to_owned())
}

pub(super) fn redis_url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RedisUrl>, D::Error> {
    read_redis(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

pub(super) fn redis_ca<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<RedisCa>, D::Error> {
    read_ca(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

pub(super) fn memcached_url<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<MemcachedUrl>, D::Error> {
    read_memcached(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn read_redis(text: &str) -> Result<Option<RedisUrl>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    RedisUrl::parse(text).map(Some).map_err(|error| format!("{error}; or be empty"))
}

fn read_ca(text: &str) -> Result<Option<RedisCa>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    RedisCa::read(Path::new(text))
        .map(Some)
        .map_err(|error| format!("must be a file of certificates in PEM, or be empty ({error})"))
}

fn read_memcached(text: &str) -> Result<Option<MemcachedUrl>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    MemcachedUrl::parse(text).map(Some).map_err(|error| format!("{error}; or be empty"))
}

/// Whether the key holds the URL of a shared cache, and so perhaps a password.
pub(super) fn is_key_of_url(key: &str) -> bool {
    matches!(key, "cache.redis_url" | "cache.memcached_url")
}

/// A URL of a shared cache without its password.
pub(super) fn shown(url: &str) -> String {
    let redis = RedisUrl::parse(url).map(|url| url.to_string());
    redis.or_else(|_| MemcachedUrl::parse(url).map(|url| url.to_string())).unwrap_or_default()
}

/// Where the keys contradict each other, or the database.
pub(super) fn conflicts(cache: &CacheSettings, database: &Database) -> Vec<Problem> {
    let set = [
        ("cache.redis_url", cache.redis_url.is_some()),
        ("cache.memcached_url", cache.memcached_url.is_some()),
    ];
    let set: Vec<_> = set.into_iter().filter_map(|(key, is_set)| is_set.then_some(key)).collect();
    let mut problems = Vec::new();
    if let [redis, memcached] = set[..] {
        problems
            .push(Problem::new(format!("{redis} and {memcached} are both set, but nodes share one cache")));
    }
    if cache.redis_ca_file.is_some() && !cache.redis_url.as_ref().is_some_and(RedisUrl::is_over_tls) {
        problems.push(Problem::new(
            "cache.redis_ca_file is set, but cache.redis_url is not over TLS. Leave it empty, or begin that URL \
             with rediss"
                .to_owned(),
        ));
    }
    if matches!(database, Database::InDataDir | Database::SqliteFile(_)) {
        problems.extend(set.iter().map(|key| {
            Problem::new(format!(
                "{key} is set, but the database is SQLite, which belongs to one node: a shared cache would only \
                 be slower than this node's memory. Leave it empty, or set database_url to PostgreSQL"
            ))
        }));
    }
    problems
}
