//! What is answered when the database is away, does not answer, or is in the way; and that service returns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use futures_util::future::join_all;
use tenantry_domain::{Event, KeyId, Order, PageLimit, Precondition, Stored, TenantNumber};
use tenantry_ports::{
    AccessKeyRepository, EventQuery, EventRepository, EventWriteError, HealthProbe, KeyValueRepository,
    StorageError, SystemClock,
};
use tenantry_storage_contract::{Commit, RecordedCommits};
use tenantry_storage_postgres::{PostgresOptions, PostgresStorage, PostgresUrl};

use crate::proxy::{Mode, Proxy};
use crate::support::{Schema, connection, event, key, opened, server, tenant, value};

/// How long something may take that is told to take a second, on a machine that is busy.
const MARGIN: Duration = Duration::from_secs(10);

fn behind(proxy: &Proxy, schema: &Schema) -> PostgresOptions {
    let mut options = schema.options();
    options.url = PostgresUrl::parse(&proxy.url()).unwrap();
    options.read_wait = Duration::from_secs(1);
    options.answer_wait = Duration::from_secs(1);
    options.writers = 1;
    options
}

/// Opens the schema behind the proxy. While it is opened it may take its time.
fn open_behind(proxy: &Proxy, schema: &Schema) -> PostgresStorage {
    opened(behind(proxy, schema)).unwrap()
}

async fn append(storage: &PostgresStorage, tenant: TenantNumber) -> Result<Vec<Stored>, EventWriteError> {
    storage.append(tenant, vec![event("an event", "{}")]).await
}

async fn events(storage: &PostgresStorage, tenant: TenantNumber) -> Vec<Event> {
    let query = EventQuery { order: Order::Ascending, limit: PageLimit::MAX, ..EventQuery::default() };
    EventRepository::list(storage, tenant, query).await.unwrap().items
}

fn is_unavailable<T>(answer: &Result<T, EventWriteError>) -> bool {
    matches!(answer, Err(EventWriteError::Storage(StorageError::Unavailable(_))))
}

/// Tries until it succeeds.
async fn until_ok<T, E: std::fmt::Debug>(mut attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    let begun = Instant::now();
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(error) => assert!(begun.elapsed() < 6 * MARGIN, "it does not come back: {error:?}"),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_whose_connection_is_cut_at_its_commit_is_not_acknowledged_and_can_be_sent_again() {
    let (proxy, schema) = (Proxy::start(), Schema::new());
    let storage = open_behind(&proxy, &schema);
    let tenant = tenant(&storage).await;
    for (mode, is_stored) in [(Mode::CutBeforeCommit, false), (Mode::CutAfterCommit, true)] {
        let sent = event("sent twice", "{}");
        proxy.set(mode);
        let answer = storage.append(tenant, vec![sent.clone()]).await;
        assert!(is_unavailable(&answer), "{mode:?}: {answer:?}");
        let again = until_ok(async || storage.append(tenant, vec![sent.clone()]).await).await;
        assert_eq!(again[0].is_duplicate(), is_stored, "{mode:?}");
        let stored = events(&storage, tenant).await;
        assert_eq!(stored.iter().filter(|event| event.id == sent.id).count(), 1, "{mode:?}");
    }
    let sequences: Vec<_> = events(&storage, tenant).await.iter().map(|event| event.sequence.get()).collect();
    assert_eq!(sequences, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn caches_hear_that_a_commit_is_in_doubt_and_once_more_when_it_is_decided() {
    let (proxy, schema) = (Proxy::start(), Schema::new());
    let heard = Arc::new(RecordedCommits::default());
    let storage =
        PostgresStorage::open(behind(&proxy, &schema), Arc::new(SystemClock), heard.clone()).unwrap();
    let tenant = tenant(&storage).await;
    heard.take();
    let put = async || storage.put(tenant, key("k"), value("v"), Precondition::default()).await;
    proxy.set(Mode::CutAfterCommit);
    assert!(put().await.is_err());
    let in_doubt = Commit::InDoubt { tenant, key: key("k") };
    let mut commits = heard.take();
    assert_eq!(commits.first(), Some(&in_doubt), "before whoever waits is answered");
    let begun = Instant::now();
    while commits.len() < 2 {
        assert!(begun.elapsed() < 6 * MARGIN, "it is never decided");
        commits.extend(heard.take());
        tokio::task::yield_now().await;
    }
    assert_eq!(commits, [in_doubt.clone(), in_doubt]);
    assert_eq!(until_ok(put).await.entry.meta.revision.get(), 2, "it had happened");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_database_counts_as_down_and_service_returns_when_it_goes_on() {
    let (proxy, schema) = (Proxy::start(), Schema::new());
    let storage = open_behind(&proxy, &schema);
    let tenant = tenant(&storage).await;
    append(&storage, tenant).await.unwrap();
    assert_eq!(storage.check().await, Ok(()));
    proxy.set(Mode::Frozen);
    let begun = Instant::now();
    let many = (0..20).map(|_| append(&storage, tenant)).collect::<Vec<_>>();
    for write in many {
        assert!(is_unavailable(&write.await));
    }
    assert!(is_unavailable(&append(&storage, tenant).await), "also one that comes later");
    let found = KeyValueRepository::find(&storage, tenant, key("k")).await;
    assert!(matches!(found, Err(StorageError::Unavailable(_))), "{found:?}");
    let list = EventRepository::list(&storage, tenant, EventQuery::default()).await;
    assert!(matches!(list, Err(StorageError::Unavailable(_))), "{list:?}");
    assert!(matches!(storage.check().await, Err(StorageError::Unavailable(_))));
    assert!(begun.elapsed() < 30 * Duration::from_secs(1) + MARGIN, "{:?}", begun.elapsed());
    proxy.set(Mode::Forward);
    until_ok(async || append(&storage, tenant).await).await;
    until_ok(async || KeyValueRepository::find(&storage, tenant, key("k")).await).await;
    let sequences: Vec<_> = events(&storage, tenant).await.iter().map(|event| event.sequence.get()).collect();
    assert_eq!(sequences, (1..=sequences.len() as u64).collect::<Vec<_>>(), "without gaps");
}

/// As ADR 0017 has it: a query that fails, fails for all that it was to read; and nobody waits for one that is stuck as
/// long as a read may wait for its turn.
#[tokio::test(flavor = "multi_thread")]
async fn gathered_reads_of_a_silent_database_are_given_up_in_time_and_later_ones_are_answered() {
    let (proxy, schema) = (Proxy::start(), Schema::new());
    let mut options = behind(&proxy, &schema);
    options.read_wait = 10 * MARGIN;
    // So that all queries are stuck on a connection that stands, and none fails because there is none.
    options.readers = 1;
    let storage = opened(options).unwrap();
    let tenant = tenant(&storage).await;
    storage.put(tenant, key("k"), value("v"), Precondition::default()).await.unwrap();
    let stored = storage.append(tenant, vec![event("an event", "{}")]).await.unwrap();
    let id = stored[0].event().id;
    until_ok(async || EventRepository::find(&storage, tenant, id).await).await;
    proxy.set(Mode::Frozen);
    let begun = Instant::now();
    let entries =
        join_all((0..300).map(|n| KeyValueRepository::find(&storage, tenant, key(&format!("k{n}")))));
    let events = join_all((0..300).map(|_| EventRepository::find(&storage, tenant, id)));
    let grants = join_all((0..300).map(|_| storage.find_grant(KeyId::parse("abcdefghijkl").unwrap())));
    let (entries, events, grants) = tokio::join!(entries, events, grants);
    let given_up = |error: &StorageError| matches!(error, StorageError::Unavailable(_));
    assert!(entries.iter().all(|found| found.as_ref().is_err_and(given_up)), "{:?}", entries[0]);
    assert!(events.iter().all(|found| found.as_ref().is_err_and(given_up)), "{:?}", events[0]);
    assert!(grants.iter().all(|found| found.as_ref().is_err_and(given_up)), "{:?}", grants[0]);
    assert!(begun.elapsed() < Duration::from_secs(1) + MARGIN, "{:?}", begun.elapsed());
    proxy.set(Mode::Forward);
    let found = until_ok(async || KeyValueRepository::find(&storage, tenant, key("k")).await).await;
    assert_eq!(found.expect("it is there").value, "v");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lone_write_to_a_frozen_database_is_answered_in_time() {
    let (proxy, schema) = (Proxy::start(), Schema::new());
    let storage = open_behind(&proxy, &schema);
    let tenant = tenant(&storage).await;
    proxy.set(Mode::Frozen);
    let begun = Instant::now();
    assert!(is_unavailable(&append(&storage, tenant).await));
    assert!(begun.elapsed() < Duration::from_secs(1) + MARGIN, "{:?}", begun.elapsed());
    let begun = Instant::now();
    tokio::task::spawn_blocking(move || storage.close()).await.unwrap();
    assert!(begun.elapsed() < 2 * MARGIN, "nor does closing wait for it: {:?}", begun.elapsed());
    proxy.set(Mode::Refuse);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_told_and_service_returns_when_it_is_back() {
    let (proxy, schema) = (Proxy::start(), Schema::new());
    let storage = open_behind(&proxy, &schema);
    let tenant = tenant(&storage).await;
    until_ok(async || KeyValueRepository::find(&storage, tenant, key("k")).await).await;
    proxy.set(Mode::Refuse);
    let begun = Instant::now();
    assert!(is_unavailable(&append(&storage, tenant).await));
    let found = KeyValueRepository::find(&storage, tenant, key("k")).await;
    assert!(matches!(found, Err(StorageError::Unavailable(_))), "{found:?}");
    assert!(matches!(storage.check().await, Err(StorageError::Unavailable(_))));
    assert!(begun.elapsed() < Duration::from_secs(4) + MARGIN, "{:?}", begun.elapsed());
    proxy.set(Mode::Forward);
    until_ok(async || append(&storage, tenant).await).await;
    until_ok(async || KeyValueRepository::find(&storage, tenant, key("k")).await).await;
    until_ok(async || storage.check().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_that_was_cut_is_replaced_without_anybody_noticing() {
    let (proxy, schema) = (Proxy::start(), Schema::new());
    let storage = open_behind(&proxy, &schema);
    let tenant = tenant(&storage).await;
    proxy.set(Mode::Refuse);
    proxy.set(Mode::Forward);
    append(&storage, tenant).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_is_given_up_and_the_next_goes_through() {
    let schema = Schema::new();
    let mut options = schema.options();
    options.statement_timeout_ms = 300;
    let storage = opened(options).unwrap();
    let tenant = tenant(&storage).await;
    let mut other = connection();
    let lock = format!("BEGIN; SELECT FROM \"{}\".tenant_counters FOR UPDATE", schema.name);
    other.batch_execute(&lock).unwrap();
    assert!(is_unavailable(&append(&storage, tenant).await));
    other.batch_execute("ROLLBACK").unwrap();
    append(&storage, tenant).await.unwrap();
    assert_eq!(events(&storage, tenant).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_made_read_only_takes_no_writes_and_is_still_read() {
    let schema = Schema::new();
    let storage = opened(schema.options()).unwrap();
    let tenant = tenant(&storage).await;
    append(&storage, tenant).await.unwrap();
    drop(storage);
    let mut options = schema.options();
    let mark = if server().contains('?') { '&' } else { '?' };
    let url = format!("{}{mark}options=-c%20default_transaction_read_only%3Don", server());
    options.url = PostgresUrl::parse(&url).unwrap();
    let storage = opened(options).unwrap();
    assert!(is_unavailable(&append(&storage, tenant).await));
    assert_eq!(events(&storage, tenant).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn several_nodes_that_write_to_the_same_tenants_neither_deadlock_nor_leave_gaps() {
    let schema = Schema::new();
    let nodes: Vec<_> = (0..3).map(|_| opened(schema.options()).unwrap()).collect();
    let mut tenants = Vec::new();
    for _ in 0..6 {
        tenants.push(tenant(&nodes[0]).await);
    }
    let mut writes = tokio::task::JoinSet::new();
    for number in 0..600_usize {
        let (node, tenant) = (nodes[number % 3].clone(), tenants[number * 7 % 6]);
        writes.spawn(async move {
            node.append(tenant, vec![event("an event", r#"{"n": 1}"#)]).await.unwrap();
            let key = key(&format!("key {}", number % 11));
            node.put(tenant, key, value("v"), Precondition::default()).await.unwrap();
        });
    }
    while let Some(done) = writes.join_next().await {
        done.unwrap();
    }
    for tenant in tenants {
        let sequences: Vec<_> =
            events(&nodes[1], tenant).await.iter().map(|event| event.sequence.get()).collect();
        assert_eq!(sequences, (1..=100).collect::<Vec<_>>());
        let put = nodes[2].put(tenant, key("last"), value("v"), Precondition::default()).await.unwrap();
        assert_eq!(put.entry.meta.revision.get(), 101);
    }
}
