//! A Redis Cluster.

use std::time::Duration;

use tenantry_cache_contract::{
    FaultyServer as _, RecordedBus, change_bus_fault_tests, namespace, shared_cache_fault_tests, until,
};
use tenantry_ports::Change;

use crate::fault::{TIMEOUT, open, open_bus};
use crate::node::Node;
use crate::open::{bus, options};
use crate::private_cluster::PrivateCluster;
use crate::server::{Snapshot, ask};
use crate::whole_contract;

/// So long that the nodes do not give each other up while a case freezes them.
const NEVER: Duration = Duration::from_secs(10);

const SOON: Duration = Duration::from_secs(1);

fn server() -> PrivateCluster {
    PrivateCluster::start(NEVER)
}

shared_cache_fault_tests!(server, open);
change_bus_fault_tests!(server, open_bus);

#[test]
fn a_cluster_passes_the_contract_of_the_shared_cache() {
    whole_contract::passes_that_of_the_shared_cache(&server().url());
}

#[test]
fn a_cluster_passes_the_contract_of_the_bus() {
    whole_contract::passes_that_of_the_bus(&server().url());
}

/// A namespace whose generation is not on the first master, and a key that is.
fn apart(cluster: &PrivateCluster) -> (String, String) {
    let is_elsewhere = |namespace: &String| cluster.first_owner(&format!("{namespace}:generation")) != 0;
    let namespace = std::iter::repeat_with(namespace).find(is_elsewhere).expect("a namespace");
    let is_there = |key: &String| cluster.first_owner(&format!("{namespace}:1:{key}")) == 0;
    let key = (0..).map(|n| format!("key-{n}")).find(is_there).expect("a key");
    (namespace, key)
}

/// The generation stands on another node, which all the time answers: that one was lost is known by its connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_was_promoted_without_the_last_change_is_not_believed() {
    let mut cluster = PrivateCluster::start(SOON);
    cluster.add_replica();
    let (namespace, key) = apart(&cluster);
    let one = Node::up(options(&cluster.url(), namespace.clone(), TIMEOUT)).await;
    let other = Node::up(options(&cluster.url(), namespace, TIMEOUT)).await;
    one.is_believed_by(&other, &key).await;
    cluster.wait_until_replicated();
    cluster.replica().freeze();
    one.put(&key, 2).await.unwrap();
    assert_eq!(other.version(&key).await, Some(2));

    cluster.master(0).kill();
    cluster.replica().thaw();
    cluster.wait_until_promoted();
    for node in [&one, &other] {
        until("the node is up", async || {
            assert_ne!(node.version(&key).await, Some(1), "the last change was lost");
            node.is_up().await
        })
        .await;
    }
    until("both go on with what was promoted", async || {
        let is_put = one.put(&key, 3).await.is_ok();
        let version = other.version(&key).await;
        assert_ne!(version, Some(1), "the last change was lost");
        is_put && version == Some(3)
    })
    .await;
}

/// Nor is the node a failed one, so no slot moves, and the node's own generation stands elsewhere.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_comes_back_without_the_last_change_is_not_believed() {
    let mut cluster = PrivateCluster::start(NEVER);
    let (namespace, key) = apart(&cluster);
    let one = Node::up(options(&cluster.url(), namespace.clone(), TIMEOUT)).await;
    let other = Node::up(options(&cluster.url(), namespace, TIMEOUT)).await;
    one.is_believed_by(&other, &key).await;
    let before = Snapshot::of(cluster.master(0));
    one.put(&key, 2).await.unwrap();
    assert_eq!(other.version(&key).await, Some(2));

    cluster.master(0).kill();
    before.put_back();
    cluster.master(0).restart();
    cluster.wait_until_whole();
    for node in [&one, &other] {
        until("the node is up", async || {
            assert_ne!(node.version(&key).await, Some(1), "the last change was lost");
            node.is_up().await
        })
        .await;
    }
}

/// A replica that takes over by force may lack changes too, and no connection breaks.
#[tokio::test(flavor = "multi_thread")]
async fn slots_that_were_moved_by_force_begin_a_generation() {
    let mut cluster = PrivateCluster::start(NEVER);
    cluster.add_replica();
    let node = Node::up(options(&cluster.url(), namespace(), TIMEOUT)).await;
    assert_eq!(node.generations.began(), 1);
    let replica = cluster.replica().port();
    ask::<String>(replica, "CLUSTER FAILOVER TAKEOVER").unwrap();
    until("a generation begins", async || node.generations.began() == 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_is_reached_while_one_of_its_nodes_says_nothing() {
    let mut cluster = PrivateCluster::start(SOON);
    cluster.add_replica();
    cluster.master(0).freeze();
    cluster.wait_until_promoted();
    let node = Node::up(options(&cluster.url(), namespace(), TIMEOUT)).await;
    for n in 0..100 {
        node.put(&format!("key {n}"), 1).await.unwrap();
    }
    let heard = std::sync::Arc::new(RecordedBus::default());
    let _joined = bus(options(&cluster.url(), namespace(), TIMEOUT), heard.clone());
    until("the node joins the bus", async || !heard.all().is_empty()).await;
}

/// Else a message would go from node to node of the Cluster, which may have lost each other.
#[tokio::test(flavor = "multi_thread")]
async fn all_are_on_the_bus_by_the_same_node_of_the_cluster() {
    let cluster = PrivateCluster::start(NEVER);
    let namespace = namespace();
    let heard: Vec<_> = (0..3).map(|_| std::sync::Arc::new(RecordedBus::default())).collect();
    let buses: Vec<_> = (0..3)
        .map(|n| bus(options(&cluster.url_of(n), namespace.clone(), TIMEOUT), heard[n].clone()))
        .collect();
    until("all join", async || heard.iter().all(|heard| !heard.all().is_empty())).await;
    let channel = format!("{namespace}:changes");
    let owner = cluster.port(cluster.first_owner(&channel));
    let (_, count) = ask::<(String, usize)>(owner, &format!("PUBSUB NUMSUB {channel}")).unwrap();
    assert_eq!(count, 3);
    buses[0].bus.announce(vec![Change::Anything]).await.unwrap();
    until("the others hear", async || heard[1..].iter().all(|heard| heard.changes().len() == 1)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bus_follows_its_slot_to_the_next_master() {
    let mut cluster = PrivateCluster::start(SOON);
    cluster.add_replica();
    let is_there = |namespace: &String| cluster.first_owner(&format!("{namespace}:changes")) == 0;
    let namespace = std::iter::repeat_with(namespace).find(is_there).expect("a namespace");
    let heard: Vec<_> = (0..2).map(|_| std::sync::Arc::new(RecordedBus::default())).collect();
    let buses: Vec<_> = (0..2)
        .map(|n| bus(options(&cluster.url_of(n + 1), namespace.clone(), TIMEOUT), heard[n].clone()))
        .collect();
    until("both join", async || heard.iter().all(|heard| heard.all().len() == 1)).await;
    let replica = cluster.replica().port();
    ask::<String>(replica, "CLUSTER FAILOVER TAKEOVER").unwrap();
    until("both leave and join", async || heard.iter().all(|heard| heard.all().len() == 3)).await;
    let channel = format!("{namespace}:changes");
    let (_, count) = ask::<(String, usize)>(replica, &format!("PUBSUB NUMSUB {channel}")).unwrap();
    assert_eq!(count, 2);
    buses[0].bus.announce(vec![Change::Anything]).await.unwrap();
    until("the other hears", async || heard[1].changes().len() == 1).await;
}
