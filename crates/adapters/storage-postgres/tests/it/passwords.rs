//! A server that asks for a password.

use std::time::{Duration, Instant};

use tenantry_ports::{EventRepository, EventWriteError, StorageError};
use tenantry_storage_postgres::{OpenError, PostgresOptions, PostgresUrl, inspect};

use crate::cluster::Alone;
use crate::support::{event, opened, tenant};

const DEADLINE: Duration = Duration::from_secs(60);

/// A server with a schema, and how it is opened by a role whose password is `rosebud`, with this one.
fn asking(password: &str) -> (Alone, PostgresOptions) {
    let alone = Alone::start();
    let mut options = PostgresOptions::new(PostgresUrl::parse(&alone.server.url()).unwrap());
    options.start_wait = Duration::ZERO;
    options.allow_bypassing_role = true;
    drop(opened(options.clone()).unwrap());
    alone.server.run("CREATE ROLE server LOGIN PASSWORD 'rosebud' IN ROLE tenantry_application");
    alone.server.ask_for_password("server");
    let url = alone.server.url().replace("postgres@", &format!("server:{password}@"));
    options.url = PostgresUrl::parse(&url).unwrap();
    options.allow_bypassing_role = false;
    (alone, options)
}

#[test]
fn a_wrong_password_is_refused_at_once_and_not_repeated() {
    let (_alone, mut options) = asking("hunter2");
    // As what another try will not mend.
    options.start_wait = Duration::from_secs(600);
    let error = opened(options.clone()).err().expect("it is refused");
    assert!(matches!(error, OpenError::Refused { .. }), "{error:?}");
    assert_eq!(inspect(&options).unwrap_err(), error);
    let sentence = error.to_string();
    assert!(sentence.contains("password authentication failed for user \"server\""), "{sentence}");
    assert!(sentence.contains("database_url") && !sentence.contains("hunter2"), "{sentence}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_changed_while_it_serves_is_told_and_service_returns_with_the_old_one() {
    let (alone, options) = asking("rosebud");
    let storage = opened(options).unwrap();
    let tenant = tenant(&storage).await;
    storage.append(tenant, vec![event("an event", "{}")]).await.unwrap();
    alone.server.run("ALTER ROLE server PASSWORD 'another'");
    alone.server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'server'");
    let refused = storage.append(tenant, vec![event("an event", "{}")]).await.unwrap_err();
    let EventWriteError::Storage(StorageError::Unavailable(told)) = refused else { panic!("{refused:?}") };
    assert!(!told.contains("rosebud"), "{told}");
    alone.server.run("ALTER ROLE server PASSWORD 'rosebud'");
    let begun = Instant::now();
    while storage.append(tenant, vec![event("an event", "{}")]).await.is_err() {
        assert!(begun.elapsed() < DEADLINE, "it does not come back");
        tokio::task::yield_now().await;
    }
}
