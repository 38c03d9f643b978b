//! Reads from a streaming replica, which lags, stands still, dies and comes back.

use std::time::{Duration, Instant};

use tenantry_domain::{Order, PageLimit, Precondition, TenantNumber};
use tenantry_ports::{EntryQuery, EventQuery, EventRepository, HealthProbe, KeyValueRepository};
use tenantry_storage_postgres::{
    PostgresOptions, PostgresStorage, PostgresUrl, ReplicaInspection, inspect_replica,
};

use crate::cluster::{Alone, Cluster};
use crate::support::{event, key, opened, tenant, value};

/// What a machine that is busy may take.
const DEADLINE: Duration = Duration::from_secs(60);

fn options(cluster: &Cluster) -> PostgresOptions {
    let mut options = PostgresOptions::new(PostgresUrl::parse(&cluster.primary.url()).unwrap());
    options.read_url = Some(PostgresUrl::parse(&cluster.replica.url()).unwrap());
    options.allow_bypassing_role = true;
    options
}

async fn events(storage: &PostgresStorage, tenant: TenantNumber) -> usize {
    let query = EventQuery { order: Order::Descending, limit: PageLimit::MAX, ..EventQuery::default() };
    EventRepository::list(storage, tenant, query).await.unwrap().items.len()
}

async fn keys(storage: &PostgresStorage, tenant: TenantNumber) -> usize {
    let query = EntryQuery {
        prefix: String::new(),
        after: None,
        limit: PageLimit::MAX,
        keys_only: true,
        max_value_bytes: 1 << 20,
    };
    KeyValueRepository::list(storage, tenant, query).await.unwrap().items.len()
}

/// How many transactions of readers the replica has ended: each list is one.
fn reads_of_replica(cluster: &Cluster) -> i64 {
    cluster.replica.number(
        "(SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tenantry' AND query = 'COMMIT')",
    )
}

async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < DEADLINE, "this never came to be: {what}");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_written_reads_it_on_any_node_whether_the_replica_follows_or_not() {
    let cluster = Cluster::start();
    let storage = opened(options(&cluster)).unwrap();
    let other = opened(options(&cluster)).unwrap();
    let tenant = tenant(&storage).await;
    let health = storage.replica_health().unwrap();
    until("the replica has all", async || health.check().await.is_ok()).await;
    assert_eq!((health.name(), health.is_needed()), ("replica", false));
    let mut written = 0;
    let mut write_and_read = async || {
        written += 1;
        storage.append(tenant, vec![event("an event", "{}")]).await.unwrap();
        let put = key(&format!("k{written}"));
        storage.put(tenant, put, value("v"), Precondition::default()).await.unwrap();
        for node in [&storage, &other] {
            assert_eq!((events(node, tenant).await, keys(node, tenant).await), (written, written));
        }
    };
    for _ in 0..20 {
        write_and_read().await;
    }
    until("a list comes from the replica", async || {
        events(&other, tenant).await;
        reads_of_replica(&cluster) > 0
    })
    .await;

    cluster.replica.run("SELECT pg_wal_replay_pause()");
    for _ in 0..20 {
        write_and_read().await;
    }
    assert!(health.check().await.is_err(), "it lags");
    cluster.replica.run("SELECT pg_wal_replay_resume()");
    for _ in 0..20 {
        write_and_read().await;
    }
    until("the replica has all again", async || health.check().await.is_ok()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_down_costs_nobody_an_answer_and_is_used_again() {
    let mut cluster = Cluster::start();
    let storage = opened(options(&cluster)).unwrap();
    let tenant = tenant(&storage).await;
    storage.append(tenant, vec![event("an event", "{}")]).await.unwrap();
    cluster.replica.crash();
    let begun = Instant::now();
    for _ in 0..200 {
        assert_eq!(events(&storage, tenant).await, 1);
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    assert!(storage.replica_health().unwrap().check().await.is_err());
    assert_eq!(storage.check().await, Ok(()), "the database is up");
    cluster.replica.restart();
    until("a list comes from the replica", async || {
        assert_eq!(events(&storage, tenant).await, 1);
        reads_of_replica(&cluster) > 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_no_replica_is_not_read_from() {
    let cluster = Cluster::start();
    let mut options = options(&cluster);
    options.read_url = Some(options.url.clone());
    let storage = opened(options).unwrap();
    let tenant = tenant(&storage).await;
    storage.append(tenant, vec![event("an event", "{}")]).await.unwrap();
    assert_eq!(events(&storage, tenant).await, 1);
    let told = storage.replica_health().unwrap().check().await.unwrap_err();
    assert!(told.to_string().contains("it is no replica"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_row_level_security_does_not_hold_reads_no_replica() {
    let cluster = Cluster::start();
    drop(opened(options(&cluster)).unwrap());
    cluster.primary.run("CREATE ROLE server LOGIN IN ROLE tenantry_application");
    let as_server = |url: String| PostgresUrl::parse(&url.replace("postgres@", "server@")).unwrap();
    let mut strict = options(&cluster);
    strict.url = as_server(cluster.primary.url());
    strict.allow_bypassing_role = false;
    let refused = opened(strict.clone()).unwrap();
    let told = refused.replica_health().unwrap().check().await.unwrap_err();
    assert!(told.to_string().contains("is a superuser"), "{told}");
    let tenant = tenant(&refused).await;
    assert_eq!(events(&refused, tenant).await, 0, "the primary answers");

    strict.read_url = Some(as_server(cluster.replica.url()));
    let health = opened(strict).unwrap().replica_health().unwrap();
    until("the replica has all", async || health.check().await.is_ok()).await;
}

#[test]
fn a_look_at_a_replica_tells_what_keeps_it_from_being_read_from() {
    let mut cluster = Cluster::start();
    let mut options = options(&cluster);
    drop(opened(options.clone()).unwrap());
    let refused = |options: &PostgresOptions, words: &str| {
        let told = inspect_replica(options).unwrap_err().to_string();
        assert!(told.contains(words), "{words} is missing: {told}");
    };
    let found = until_it_follows(&options);
    assert!(!found.server_version.is_empty() && found.place.contains("127.0.0.1"), "{found:?}");

    cluster.replica.run("SELECT pg_wal_replay_pause()");
    cluster.primary.run("CREATE TABLE later (n int)");
    refused(&options, "lags behind");
    cluster.replica.run("SELECT pg_wal_replay_resume()");
    until_it_follows(&options);

    let other = Alone::start();
    drop(
        opened(PostgresOptions { read_url: None, url: url(&other.server.url()), ..options.clone() }).unwrap(),
    );
    options.read_url = Some(url(&other.server.url()));
    refused(&options, "a replica of another server");
    options.read_url = Some(options.url.clone());
    refused(&options, "it is no replica");
    options.read_url = Some(url(&cluster.replica.url()));
    options.allow_bypassing_role = false;
    refused(&options, "is a superuser");
    cluster.replica.crash();
    refused(&options, "Connection refused");
    options.read_url = None;
    assert_eq!(inspect_replica(&options), Ok(None));
}

fn until_it_follows(options: &PostgresOptions) -> ReplicaInspection {
    let begun = Instant::now();
    loop {
        match inspect_replica(options) {
            Ok(found) => return found.expect("one is configured"),
            Err(error) => assert!(begun.elapsed() < DEADLINE, "{error}"),
        }
    }
}

fn url(text: &str) -> PostgresUrl {
    PostgresUrl::parse(text).unwrap()
}
