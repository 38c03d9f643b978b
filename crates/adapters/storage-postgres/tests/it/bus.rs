//! PostgreSQL passes the contract of the bus, and what is heard and announced when the database fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{Integer, Text};
use tenantry_cache_contract::{BusEvent, OpenBus, RecordedBus, change_bus_contract_tests, until};
use tenantry_domain::{Key, Revision, TenantNumber};
use tenantry_ports::{BusListener, Change, ChangeBus};
use tenantry_storage_postgres::{PostgresBus, PostgresOptions, PostgresUrl};
use tokio::task::JoinHandle;

use crate::proxy::{Mode, Proxy};
use crate::support::{Schema, connection, opened, server};

/// Machines that run tests stand still at times.
const PATIENT: Duration = Duration::from_secs(10);

/// A node's bus, on which it stays while this lives.
struct Node {
    bus: Arc<PostgresBus>,
    heard: Arc<RecordedBus>,
    running: JoinHandle<()>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.running.abort();
    }
}

impl Node {
    async fn join(bus: PostgresBus) -> Self {
        let heard = Arc::new(RecordedBus::default());
        let (bus, running) = start(bus, heard.clone());
        until("the node joins the bus", async || heard.all() == [BusEvent::Joined]).await;
        Self { bus, heard, running }
    }

    async fn behind(proxy: &Proxy, schema: &Schema) -> Self {
        let mut options = schema.options();
        options.url = PostgresUrl::parse(&proxy.url()).unwrap();
        Self::join(PostgresBus::new(&options)).await
    }

    fn count(&self, event: &BusEvent) -> usize {
        self.heard.all().iter().filter(|heard| *heard == event).count()
    }

    async fn loses_the_bus(&self) {
        until("the node loses the bus", async || self.count(&BusEvent::Lost) == 1).await;
    }

    /// It hears what `other` announces, once both have joined for the second time.
    async fn joins_again_and_hears(&self, other: &Self) {
        for node in [self, other] {
            until("the node joins again", async || node.count(&BusEvent::Joined) == 2).await;
        }
        other.bus.announce(vec![Change::Anything]).await.unwrap();
        let expected =
            [BusEvent::Joined, BusEvent::Lost, BusEvent::Joined, BusEvent::Changed(Change::Anything)];
        until("it is heard", async || self.heard.all().len() >= expected.len()).await;
        assert_eq!(self.heard.all(), expected);
    }
}

fn start(bus: PostgresBus, listener: Arc<dyn BusListener>) -> (Arc<PostgresBus>, JoinHandle<()>) {
    let bus = Arc::new(bus);
    let running = Arc::clone(&bus);
    (bus, tokio::spawn(async move { running.run(listener).await }))
}

/// A task that ends with this.
struct Task(JoinHandle<()>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The database must be one that an installation has been on: its roles are there then.
async fn open(namespace: String, listener: Arc<dyn BusListener>) -> OpenBus {
    let mut options = PostgresOptions::new(PostgresUrl::parse(&server()).unwrap());
    make_roles();
    options.schema = namespace;
    options.answer_wait = PATIENT;
    let (bus, running) = start(PostgresBus::new(&options).with_silence(PATIENT), listener);
    OpenBus { bus, keep_alive: Box::new(Task(running)) }
}

fn make_roles() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| drop(opened(Schema::new().options()).unwrap()));
}

/// A schema that was made, and so the roles.
fn schema() -> Schema {
    make_roles();
    Schema::new()
}

change_bus_contract_tests!(open);

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_freezes_is_lost_within_two_seconds_and_joined_again() {
    let (proxy, schema) = (Proxy::start(), schema());
    let (first, second) = (Node::behind(&proxy, &schema).await, Node::behind(&proxy, &schema).await);
    proxy.set(Mode::Frozen);
    let froze = Instant::now();
    first.loses_the_bus().await;
    second.loses_the_bus().await;
    assert!(froze.elapsed() < Duration::from_secs(2), "{:?}", froze.elapsed());
    proxy.set(Mode::Forward);
    first.joins_again_and_hears(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_lost_and_joined_again() {
    let (proxy, schema) = (Proxy::start(), schema());
    let (first, second) = (Node::behind(&proxy, &schema).await, Node::behind(&proxy, &schema).await);
    proxy.set(Mode::Refuse);
    first.loses_the_bus().await;
    second.loses_the_bus().await;
    proxy.set(Mode::Forward);
    first.joins_again_and_hears(&second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_the_server_ends_is_lost_and_made_anew() {
    let schema = schema();
    let options = PostgresOptions {
        // The schema's name tells this test's connections from others.
        url: PostgresUrl::parse(&named(&server(), &schema.name)).unwrap(),
        ..schema.options()
    };
    let (first, second) =
        (Node::join(PostgresBus::new(&options)).await, Node::join(PostgresBus::new(&options)).await);
    let ended = diesel::sql_query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
    )
    .bind::<Text, _>(&schema.name[..63.min(schema.name.len())])
    .execute(&mut connection());
    assert_eq!(ended, Ok(2), "one connection a node");
    first.loses_the_bus().await;
    second.loses_the_bus().await;
    first.joins_again_and_hears(&second).await;
}

fn named(url: &str, application: &str) -> String {
    let mark = if url.contains('?') { '&' } else { '?' };
    format!("{url}{mark}application_name={application}")
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_bus_is_lost_announcing_fails_at_once() {
    let (proxy, schema) = (Proxy::start(), schema());
    let node = Node::behind(&proxy, &schema).await;
    proxy.set(Mode::Frozen);
    node.loses_the_bus().await;
    let began = Instant::now();
    for _ in 0..1_000 {
        assert!(node.bus.announce(vec![Change::Anything]).await.is_err());
    }
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_announcement_to_a_server_that_freezes_fails_within_its_time_and_is_noticed() {
    let (proxy, schema) = (Proxy::start(), schema());
    let mut options = schema.options();
    options.url = PostgresUrl::parse(&proxy.url()).unwrap();
    options.answer_wait = Duration::from_millis(200);
    let node = Node::join(PostgresBus::new(&options).with_silence(PATIENT)).await;
    proxy.set(Mode::Frozen);
    let began = Instant::now();
    assert!(node.bus.announce(vec![Change::Anything]).await.is_err());
    node.loses_the_bus().await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_announced_is_as_large_as_changes_can_be() {
    let schema = schema();
    let options = schema.options();
    let (first, second) =
        (Node::join(PostgresBus::new(&options)).await, Node::join(PostgresBus::new(&options)).await);
    let longest = Key::new(&[b'\n'; Key::MAX_BYTES]).unwrap();
    let changes: Vec<_> = (1..=5_000)
        .map(|revision| Change::KeyValue {
            tenant: TenantNumber::new(i64::MAX).unwrap(),
            key: longest.clone(),
            revision: Revision::new(revision).unwrap(),
        })
        .collect();
    first.bus.announce(changes.clone()).await.unwrap();
    until("all of it is heard", async || second.heard.changes().len() == changes.len()).await;
    assert_eq!(second.heard.changes(), changes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_alone_is_heard_by_whoever_has_joined_since() {
    let schema = schema();
    let join = async || Node::join(PostgresBus::new(&schema.options())).await;
    let tell = |number| vec![Change::Tenant(TenantNumber::new(number).unwrap())];
    let node = join().await;
    for turn in 1..=3 {
        // The second time it knows already that it is alone.
        node.bus.announce(tell(100 * turn)).await.unwrap();
        node.bus.announce(tell(100 * turn + 1)).await.unwrap();
        let other = join().await;
        node.bus.announce(tell(turn)).await.unwrap();
        other.bus.announce(tell(10 * turn)).await.unwrap();
        until("each hears the other", async || {
            other.heard.changes() == tell(turn) && node.heard.changes().ends_with(&tell(10 * turn))
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_leaves_lets_go_of_its_connection() {
    let schema = schema();
    let options = PostgresOptions {
        url: PostgresUrl::parse(&named(&server(), &schema.name)).unwrap(),
        ..schema.options()
    };
    let node = Node::join(PostgresBus::new(&options)).await;
    let connections = || -> i32 {
        let count = "(SELECT count(*)::integer FROM pg_stat_activity WHERE application_name = ";
        let count = format!("{count}left('{}', 63))", schema.name);
        diesel::select(diesel::dsl::sql::<Integer>(&count)).get_result(&mut connection()).unwrap()
    };
    assert_eq!(connections(), 1);
    // Whoever may still announce does not keep it.
    let bus = Arc::clone(&node.bus);
    drop(node);
    until("the connection ends", async || connections() == 0).await;
    assert!(bus.announce(vec![Change::Anything]).await.is_err());
}

/// Else its silence would count as the server's.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hears_nothing_speaks_with_the_server_and_stays_on_the_bus() {
    let schema = schema();
    let options = PostgresOptions {
        url: PostgresUrl::parse(&named(&server(), &schema.name)).unwrap(),
        ..schema.options()
    };
    let node = Node::join(PostgresBus::new(&options).with_silence(PATIENT)).await;
    let asked = format!(
        "(SELECT coalesce(max(query_start), 'epoch')::text FROM pg_stat_activity \
         WHERE application_name = left('{}', 63) AND query = 'SELECT 1')",
        schema.name
    );
    let last_asked = || -> String {
        diesel::select(diesel::dsl::sql::<Text>(&asked)).get_result(&mut connection()).unwrap()
    };
    let mut before = last_asked();
    for _ in 0..3 {
        until("it speaks with the server", async || last_asked() != before).await;
        before = last_asked();
    }
    assert_eq!(node.heard.all(), [BusEvent::Joined]);
}
