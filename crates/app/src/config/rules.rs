//! What each key may hold: the one table of keys.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use tenantry_storage_postgres::PostgresUrl;
use tracing_subscriber::EnvFilter;

use super::database::Database;
use super::{compat, jobs, shared_cache};

/// What a key holds.
#[derive(Debug, Clone)]
pub(super) enum Rule {
    /// `true` or `false`.
    Boolean,
    /// A whole number in this range.
    Integer(RangeInclusive<i64>),
    /// Text; the check answers what it must be.
    Text(fn(&str) -> Result<(), String>),
    /// A list of texts, each checked; in the environment parted by commas.
    List(fn(&str) -> Result<(), String>),
}

use Rule::{Boolean, Integer, List, Text};

const KIB: i64 = 1024;
const MIB: i64 = 1024 * KIB;
const GIB: i64 = 1024 * MIB;
const HOUR_SECONDS: i64 = 3600;
const DAY_SECONDS: i64 = 24 * HOUR_SECONDS;
const HOUR_MS: i64 = 1000 * HOUR_SECONDS;

/// Every key with its rule. The file of defaults holds the same keys, which a test sees to.
pub(super) const RULES: &[(&str, Rule)] = &[
    ("listen", Text(is_address)),
    ("data_dir", Text(is_path)),
    ("database_url", Text(is_database)),
    ("database_read_url", Text(is_postgres_url)),
    ("demo", Boolean),
    ("log.level", Text(is_log_filter)),
    ("log.format", Text(is_log_format)),
    ("log.requests", Boolean),
    ("http.workers", Integer(0..=1024)),
    ("http.max_connections", Integer(1..=1_000_000)),
    ("http.keep_alive_seconds", Integer(1..=HOUR_SECONDS)),
    ("http.header_timeout_seconds", Integer(1..=HOUR_SECONDS)),
    ("http.body_timeout_seconds", Integer(1..=HOUR_SECONDS)),
    ("http.shutdown_timeout_seconds", Integer(0..=HOUR_SECONDS)),
    ("http.cors_origins", List(is_origin)),
    ("limits.max_json_body_bytes", Integer(KIB..=64 * MIB)),
    ("limits.max_batch_body_bytes", Integer(KIB..=GIB)),
    ("limits.max_batch_items", Integer(1..=100_000)),
    ("limits.max_value_bytes", Integer(1..=64 * MIB)),
    ("limits.max_json_depth", Integer(2..=128)),
    ("limits.max_page_value_bytes", Integer(KIB..=GIB)),
    ("limits.max_feeds", Integer(1..=10_000)),
    ("compat.enabled", Boolean),
    ("compat.key_values.anonymous_tenant", Text(compat::is_tenant)),
    ("compat.key_values.anonymous_access", Text(compat::is_open_access)),
    ("compat.activity.anonymous_tenant", Text(compat::is_tenant)),
    ("compat.activity.anonymous_access", Text(compat::is_open_access)),
    ("compat.search.anonymous_tenant", Text(compat::is_tenant)),
    ("compat.search.anonymous_access", Text(compat::is_open_access)),
    ("cache.access_max_bytes", Integer(0..=1024 * GIB)),
    ("cache.tenants_max_bytes", Integer(0..=1024 * GIB)),
    ("cache.key_values_max_bytes", Integer(0..=1024 * GIB)),
    ("cache.search_max_bytes", Integer(0..=1024 * GIB)),
    ("cache.redis_url", Text(shared_cache::is_redis_url)),
    ("cache.redis_ca_file", Text(shared_cache::is_redis_ca)),
    ("cache.memcached_url", Text(shared_cache::is_memcached_url)),
    ("cache.namespace", Text(shared_cache::is_namespace)),
    ("cache.near_max_age_ms", Integer(100..=600_000)),
    ("cache.shared_ttl_seconds", Integer(5..=86_400)),
    ("cache.timeout_ms", Integer(10..=10_000)),
    ("feeds.allow_private_addresses", Boolean),
    ("feeds.connect_timeout_seconds", Integer(1..=300)),
    ("feeds.answer_timeout_seconds", Integer(1..=HOUR_SECONDS)),
    ("feeds.idle_timeout_seconds", Integer(1..=HOUR_SECONDS)),
    ("feeds.attempt_timeout_seconds", Integer(1..=DAY_SECONDS)),
    ("feeds.fetch_timeout_seconds", Integer(1..=DAY_SECONDS)),
    ("feeds.max_attempts", Integer(1..=100)),
    ("feeds.max_backoff_seconds", Integer(1..=HOUR_SECONDS)),
    ("feeds.breaker_failures", Integer(1..=1000)),
    ("feeds.breaker_pause_seconds", Integer(1..=DAY_SECONDS)),
    ("feeds.max_feed_bytes", Integer(MIB..=1024 * GIB)),
    ("catalog.max_leaving_percent", Integer(0..=100)),
    ("catalog.max_rejects", Integer(0..=1_000_000)),
    ("catalog.kept_runs", Integer(1..=100_000)),
    ("jobs.rabbitmq_url", Text(jobs::is_rabbitmq_url)),
    ("jobs.namespace", Text(shared_cache::is_namespace)),
    ("jobs.timeout_ms", Integer(100..=10_000)),
    ("jobs.run_in_serve", Boolean),
    ("jobs.workers", Integer(1..=64)),
    ("jobs.takeover_seconds", Integer(2..=HOUR_SECONDS)),
    ("sqlite.readers", Integer(1..=256)),
    ("sqlite.read_wait_ms", Integer(1..=60_000)),
    ("sqlite.max_queued_writes", Integer(1..=1_000_000)),
    ("sqlite.max_queued_bytes", Integer(MIB..=16 * GIB)),
    ("postgres.schema", Text(is_schema)),
    ("postgres.owner_url", Text(is_postgres_url)),
    ("postgres.allow_bypassing_role", Boolean),
    ("postgres.announce_changes", Boolean),
    ("postgres.writers", Integer(1..=64)),
    ("postgres.readers", Integer(1..=256)),
    ("postgres.read_wait_ms", Integer(1..=60_000)),
    ("postgres.answer_wait_ms", Integer(100..=60_000)),
    ("postgres.statement_timeout_ms", Integer(0..=HOUR_MS)),
    ("postgres.max_queued_writes", Integer(1..=1_000_000)),
    ("postgres.max_queued_bytes", Integer(MIB..=16 * GIB)),
    ("postgres.start_wait_seconds", Integer(0..=HOUR_SECONDS)),
    ("maintenance.erasure_interval_ms", Integer(10..=HOUR_MS)),
    ("maintenance.erasure_step_rows", Integer(1..=100_000)),
    ("maintenance.expiry_interval_ms", Integer(10..=HOUR_MS)),
    ("maintenance.expiry_step_entries", Integer(1..=100_000)),
    ("maintenance.key_use_interval_ms", Integer(10..=HOUR_MS)),
];

/// The rule of a key; nothing for what is no key.
pub(super) fn rule_of(key: &str) -> Option<&'static Rule> {
    RULES.iter().find(|(known, _)| *known == key).map(|(_, rule)| rule)
}

/// The key that was probably meant. A key that only lost its section, or got a wrong one, counts as near.
pub(super) fn nearest_key(unknown: &str) -> Option<&'static str> {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let likeness = |known: &str| {
        let whole = strsim::normalized_damerau_levenshtein(known, unknown);
        let tail = strsim::normalized_damerau_levenshtein(&last(known), &last(unknown));
        whole.max(0.9 * tail)
    };
    RULES
        .iter()
        .map(|(known, _)| (*known, likeness(known)))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .and_then(|(known, likeness)| (likeness >= 0.6).then_some(known))
}

fn is_address(text: &str) -> Result<(), String> {
    let address = text.parse::<SocketAddr>();
    address
        .map(|_| ())
        .map_err(|_| "must be an address and a port, like 127.0.0.1:8080 or [::1]:8080".to_owned())
}

fn is_path(text: &str) -> Result<(), String> {
    if text.is_empty() { Err("must name a directory".to_owned()) } else { Ok(()) }
}

fn is_database(text: &str) -> Result<(), String> {
    Database::parse(text).map(|_| ())
}

fn is_schema(text: &str) -> Result<(), String> {
    let is_name = text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    let is_good = is_name && (1..=63).contains(&text.len()) && !text.starts_with("pg_");
    is_good.then_some(()).ok_or_else(|| {
        "must be a schema's name: 1 to 63 of a-z, 0-9 and _, and not begin with pg_".to_owned()
    })
}

fn is_postgres_url(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Ok(());
    }
    PostgresUrl::parse(text).map(|_| ()).map_err(|error| format!("{error}, or be empty"))
}

fn is_log_filter(text: &str) -> Result<(), String> {
    EnvFilter::try_new(text).map(|_| ()).map_err(|error| {
        format!("must be error, warn, info, debug, trace or off, or directives like \"info,tenantry_http=debug\" ({error})")
    })
}

fn is_log_format(text: &str) -> Result<(), String> {
    if matches!(text, "text" | "json") { Ok(()) } else { Err("must be \"text\" or \"json\"".to_owned()) }
}

fn is_origin(text: &str) -> Result<(), String> {
    let authority = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let good = |authority: &str| {
        !authority.is_empty() && authority.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b))
    };
    if text == "*" || authority.is_some_and(good) {
        return Ok(());
    }
    Err("must list origins like https://app.example.com (no path, no slash at the end), or \"*\"".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_the_one_that_was_meant() {
        for (unknown, meant) in [
            ("lisen", Some("listen")),
            ("http.keep_alive", Some("http.keep_alive_seconds")),
            ("keep_alive_seconds", Some("http.keep_alive_seconds")),
            ("http.max_value_bytes", Some("limits.max_value_bytes")),
            ("http_keep_alive_seconds", Some("http.keep_alive_seconds")),
            ("colour", None),
        ] {
            assert_eq!(nearest_key(unknown), meant, "{unknown}");
        }
    }

    #[test]
    fn the_file_of_defaults_tells_the_range_of_each_number() {
        for (key, rule) in RULES {
            let Integer(range) = rule else { continue };
            let (section, name) = key.split_once('.').unwrap();
            let section = super::super::DEFAULTS.split_once(&format!("\n[{section}]\n")).unwrap().1;
            let before = section.split_once(&format!("\n{name} = ")).unwrap().0;
            let comment = before.rsplit("\n\n").next().unwrap().replace("\n# ", " ");
            let told = format!(" {} to {}.", range.start(), range.end());
            assert!(comment.ends_with(&told), "the comment on {key} must end with{told}");
        }
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host() {
        for good in ["*", "https://app.example.com", "http://localhost:5173", "http://[::1]:80"] {
            assert!(is_origin(good).is_ok(), "{good}");
        }
        for bad in ["", "app.example.com", "https://", "https://a/", "https://a b", "null"] {
            assert!(is_origin(bad).is_err(), "{bad}");
        }
    }
}
