//! What is found of the shared cache.

use tenantry_cache_memcached::MemcachedCache;
use tenantry_cache_redis::{RedisBus, RedisCache};

use super::Finding;
use crate::config::CacheSettings;

/// The shared cache, and the bus where it is Redis; nothing where none is configured.
pub(super) fn findings(settings: &CacheSettings) -> Vec<Finding> {
    let runtime = actix_web::rt::System::new();
    let namespace = &settings.namespace;
    let used = |is_used: bool| match is_used {
        true => format!("answers; nodes have used the namespace {namespace}"),
        false => format!("answers; nobody has used the namespace {namespace} yet"),
    };
    let mut findings = Vec::new();
    if let Some(options) = settings.redis_options() {
        let url = options.url.clone();
        let cache = runtime.block_on(RedisCache::new(options.clone()).inspect());
        findings.push((format!("shared cache {url}"), cache.map(used)));
        let bus = runtime.block_on(RedisBus::new(options).inspect());
        findings
            .push((format!("bus {url}"), bus.map(|()| "other nodes' changes can be heard of".to_owned())));
    }
    if let Some(options) = settings.memcached_options() {
        let url = options.url.clone();
        let cache = runtime.block_on(MemcachedCache::new(options).inspect());
        findings.push((format!("shared cache {url}"), cache.map(used)));
    }
    findings
}
