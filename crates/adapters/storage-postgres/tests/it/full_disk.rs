//! A database whose disk gets full.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use tenantry_domain::{Event, Order, PageLimit, Precondition, TenantNumber};
use tenantry_ports::{
    EventQuery, EventRepository, EventWriteError, HealthProbe, KeyValueRepository, KeyValueWriteError,
    StorageError,
};
use tenantry_storage_postgres::{PostgresOptions, PostgresStorage, PostgresUrl};
use uuid::Uuid;

use crate::cluster::Alone;
use crate::small_disk::SmallDisk;
use crate::support::{event, key, opened, tenant, value};

/// How long a server may take to come back, on a machine that is busy.
const DEADLINE: Duration = Duration::from_secs(60);

/// The server, or nothing where it is not possible: then that is said.
fn start(holds_log: bool) -> Option<(Alone, SmallDisk)> {
    match Alone::start_on(holds_log) {
        Ok(started) => Some(started),
        Err(why) => {
            // Past libtest, which shows what a test prints only when it fails.
            let _ = io::stdout().write_all(format!("skipped: {why}\n").as_bytes());
            None
        }
    }
}

fn open(alone: &Alone) -> PostgresStorage {
    let mut options = PostgresOptions::new(PostgresUrl::parse(&alone.server.url()).unwrap());
    options.allow_bypassing_role = true;
    options.read_wait = DEADLINE;
    options.answer_wait = DEADLINE;
    opened(options).unwrap()
}

/// About 40 KB that cannot be made smaller.
fn large() -> String {
    let random = || Uuid::new_v5(&Uuid::now_v7(), b"").simple().to_string();
    let words: Vec<_> = (0..1_200).map(|_| format!("{:?}", random())).collect();
    format!("{{\"words\": [{}]}}", words.join(","))
}

async fn append(storage: &PostgresStorage, tenant: TenantNumber) -> Result<(), EventWriteError> {
    storage.append(tenant, vec![event("an event", &large())]).await.map(|_| ())
}

async fn events(storage: &PostgresStorage, tenant: TenantNumber) -> Result<Vec<Event>, StorageError> {
    let query = EventQuery { order: Order::Ascending, limit: PageLimit::MAX, ..EventQuery::default() };
    Ok(EventRepository::list(storage, tenant, query).await?.items)
}

async fn until_ok<T, E: std::fmt::Debug>(mut attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    let begun = Instant::now();
    loop {
        match attempt().await {
            Ok(done) => return done,
            Err(error) => assert!(begun.elapsed() < DEADLINE, "it does not come back: {error:?}"),
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_told_reads_go_on_and_it_recovers_by_itself() {
    let Some((alone, disk)) = start(false) else { return };
    let storage = open(&alone);
    let tenant = tenant(&storage).await;
    storage.put(tenant, key("k"), value("before"), Precondition::default()).await.unwrap();
    disk.fill();
    let mut stored = 0;
    let refused = loop {
        match append(&storage, tenant).await {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, EventWriteError::Storage(StorageError::Full(_))), "{refused:?}");
    let put = storage.put(tenant, key("k"), value(&large().repeat(20)), Precondition::default()).await;
    assert!(matches!(put, Err(KeyValueWriteError::Storage(StorageError::Full(_)))), "{put:?}");

    assert_eq!(
        events(&storage, tenant).await.unwrap().len(),
        stored,
        "what was acknowledged, and nothing else"
    );
    let found = KeyValueRepository::find(&storage, tenant, key("k")).await.unwrap().expect("it is there");
    assert_eq!(found.value, "before");
    assert_eq!(storage.check().await, Ok(()), "it can be read");

    disk.empty();
    append(&storage, tenant).await.unwrap();
    let put =
        storage.put(tenant, key("k"), value(&large().repeat(20)), Precondition::default()).await.unwrap();
    assert_eq!(put.entry.meta.revision.get(), 2, "what failed took no revision");
    let sequences: Vec<_> =
        events(&storage, tenant).await.unwrap().iter().map(|event| event.sequence.get()).collect();
    assert_eq!(sequences, (1..=stored as u64 + 1).collect::<Vec<_>>(), "nor a sequence");
}

/// As it is where data and log share a disk. Which of them finds no room first is chance: should it be the log,
/// PostgreSQL ends all connections and starts over.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_data_and_log_loses_nothing_that_was_acknowledged() {
    let Some((alone, disk)) = start(true) else { return };
    let storage = open(&alone);
    let tenant = tenant(&storage).await;
    disk.fill();
    let mut acknowledged = Vec::new();
    let mut unknown = Vec::new();
    while unknown.len() < 20 {
        let sent = event("an event", &large());
        match storage.append(tenant, vec![sent.clone()]).await {
            Ok(_) => acknowledged.push(sent.id),
            Err(EventWriteError::Storage(StorageError::Full(_) | StorageError::Unavailable(_))) => {
                unknown.push(sent);
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert!(!acknowledged.is_empty());

    disk.empty();
    // Whoever was not answered sends it again.
    for sent in &unknown {
        until_ok(async || storage.append(tenant, vec![sent.clone()]).await).await;
    }
    let stored = until_ok(async || events(&storage, tenant).await).await;
    let mut ids: Vec<_> = stored.iter().map(|event| event.id).collect();
    let mut expected: Vec<_> =
        acknowledged.iter().copied().chain(unknown.iter().map(|sent| sent.id)).collect();
    ids.sort_unstable();
    expected.sort_unstable();
    assert_eq!(ids, expected, "each once");
    let sequences: Vec<_> = stored.iter().map(|event| event.sequence.get()).collect();
    assert_eq!(sequences, (1..=stored.len() as u64).collect::<Vec<_>>(), "without gaps");
}
