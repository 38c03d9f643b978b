//! `tenantry check` also looks at what is beside the database.

use std::net::TcpListener;

use super::{Installation, server};
use crate::process::Finished;

fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("run `cargo xtask test`, which starts servers, or set {name}"))
}

/// The lines about this.
fn lines<'a>(ended: &'a Finished, what: &str) -> Vec<&'a str> {
    let is_about =
        |line: &&str| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ").starts_with(what);
    ended.stdout.lines().filter(is_about).collect()
}

/// A URL at which nobody is.
fn nobody(scheme: &str) -> String {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    format!("{scheme}://ada:hunter2@{address}")
}

#[test]
fn the_shared_cache_and_the_bus_are_tried_and_not_changed() {
    let installation = Installation::new();
    let namespace = uuid::Uuid::now_v7().simple().to_string();
    for (key, variable_name, whats) in [
        ("cache.redis_url", "TENANTRY_TEST_REDIS_URL", &["shared cache redis://", "bus redis://"][..]),
        ("cache.memcached_url", "TENANTRY_TEST_MEMCACHED_URL", &["shared cache memcached://"][..]),
    ] {
        let keys = [(key, variable(variable_name)), ("cache.namespace", namespace.clone())];
        for _ in 0..2 {
            let ended = installation.run("check", &keys);
            assert_eq!(ended.code, Some(0), "{ended:?}");
            for what in whats {
                assert_eq!(lines(&ended, what).len(), 1, "{what}: {ended:?}");
            }
            let words = format!("answers; nobody has used the namespace {namespace} yet");
            assert!(lines(&ended, whats[0])[0].ends_with(&words), "{ended:?}");
        }
    }
}

#[test]
fn a_shared_cache_that_is_not_there_is_a_failed_finding_without_its_password() {
    let installation = Installation::new();
    for (key, scheme, count) in [("cache.redis_url", "redis", 2), ("cache.memcached_url", "memcached", 1)] {
        let ended = installation.run("check", &[(key, nobody(scheme))]);
        assert_eq!(ended.code, Some(1), "{ended:?}");
        let failed = ended.stdout.lines().filter(|line| line.starts_with("failed ")).count();
        assert_eq!(failed, count, "{ended:?}");
        assert!(lines(&ended, "shared cache ")[0].contains("Connection refused"), "{ended:?}");
        assert!(!format!("{ended:?}").contains("hunter2"), "{ended:?}");
    }
}

#[test]
fn a_replica_that_is_none_is_a_failed_finding() {
    let installation = Installation::new();
    let read_url = [("database_read_url", server())];
    let ended = installation.run("check", &read_url);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        lines(&ended, "replica ")[0].contains("is not looked at before the database is there"),
        "{ended:?}"
    );
    assert_eq!(installation.run("migrate", &[]).code, Some(0));
    let ended = installation.run("check", &read_url);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(lines(&ended, "replica ")[0].contains("it is no replica"), "{ended:?}");
}
