//! A Redis that asks who is there.

use std::time::Duration;

use tenantry_cache_contract::{PrivateServer, RecordedBus, namespace, until};
use tenantry_ports::Change;

use crate::fault::TIMEOUT;
use crate::node::Node;
use crate::open::{bus, options};
use crate::private_cluster::PrivateCluster;
use crate::private_sentinel::PrivateSentinel;
use crate::server::{PASSWORD, arguments, ask, start};
use crate::whole_contract;

fn server() -> PrivateServer {
    start(|_| arguments(&format!("--requirepass {PASSWORD}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_given() {
    let server = server();
    let url = format!("redis://:{PASSWORD}@127.0.0.1:{}", server.port());
    let node = Node::up(options(&url, namespace(), TIMEOUT)).await;
    node.put("k", 1).await.unwrap();
    assert_eq!(node.version("k").await, Some(1));
}

/// As little as docs/operations.md says.
const RIGHTS: &str =
    "~t* &t* +@connection +get +getrange +set +del +exists +eval +evalsha +script|load +publish +subscribe";

#[test]
fn a_user_with_few_rights_passes_both_contracts() {
    let server = server();
    let user = format!("ACL SETUSER tenantry on >secret {RIGHTS}");
    ask::<String>(server.port(), &user).unwrap();
    ask::<String>(server.port(), "ACL SETUSER default off").unwrap();
    let url = format!("redis://tenantry:secret@127.0.0.1:{}", server.port());
    whole_contract::passes_that_of_the_shared_cache(&url);
    whole_contract::passes_that_of_the_bus(&url);
}

#[tokio::test(flavor = "multi_thread")]
async fn in_a_cluster_the_user_also_looks_for_its_nodes() {
    let cluster = PrivateCluster::start(Duration::from_secs(10));
    for n in 0..3 {
        let user = format!("ACL SETUSER tenantry on >secret {RIGHTS} +cluster|info +cluster|slots");
        ask::<String>(cluster.port(n), &user).unwrap();
    }
    let url = format!("redis+cluster://tenantry:secret@127.0.0.1:{}", cluster.port(0));
    let options = options(&url, namespace(), TIMEOUT);
    let node = Node::up(options.clone()).await;
    for n in 0..20 {
        let key = format!("key {n}");
        node.put(&key, 1).await.unwrap();
        assert_eq!(node.version(&key).await, Some(1));
    }
    let heard = std::sync::Arc::new(RecordedBus::default());
    let _joined = bus(options, heard.clone());
    until("the node joins the bus", async || !heard.all().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn behind_sentinels_the_user_also_asks_whether_it_is_the_primary() {
    let mut all = PrivateSentinel::start(3_000);
    let user = format!("ACL SETUSER tenantry on >secret {RIGHTS} +role");
    ask::<String>(all.primary().port(), &user).unwrap();
    let url = format!("redis+sentinel://tenantry:secret@127.0.0.1:{}/main", all.sentinel_port());
    let options = options(&url, namespace(), TIMEOUT);
    let node = Node::up(options.clone()).await;
    node.put("k", 1).await.unwrap();
    assert_eq!(node.version("k").await, Some(1));
    let heard = std::sync::Arc::new(RecordedBus::default());
    let _joined = bus(options, heard.clone());
    until("the node joins the bus", async || !heard.all().is_empty()).await;
}

/// What is said of it holds no password.
#[tokio::test(flavor = "multi_thread")]
async fn with_another_password_the_cache_stays_down_and_the_bus_is_not_joined() {
    let server = server();
    for user in [":wrong", "", "nobody:hunter2"] {
        let url = format!("redis://{user}@127.0.0.1:{}", server.port());
        let options = options(&url, namespace(), TIMEOUT);
        let node = Node::start(options.clone());
        let heard = std::sync::Arc::new(RecordedBus::default());
        let open = bus(options, heard.clone());
        let attempts = || -> u64 {
            let stats = ask::<String>(server.port(), "INFO errorstats").unwrap();
            let errors =
                stats.lines().filter_map(|line| line.strip_prefix("errorstat_")?.split_once(":count="));
            errors.filter_map(|(_, count)| count.trim().parse::<u64>().ok()).sum()
        };
        let before = attempts();
        until("several attempts are refused", async || attempts() >= before + 6).await;
        assert!(!node.is_up().await);
        assert!(heard.all().is_empty());
        assert!(open.bus.announce(vec![Change::Anything]).await.is_err());
        assert!(node.put("k", 1).await.is_err());
        let refusal = node.refusal().await;
        assert!(!refusal.contains("wrong") && !refusal.contains("hunter2"), "{refusal}");
    }
}
