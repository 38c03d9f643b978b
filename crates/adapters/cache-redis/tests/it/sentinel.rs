//! A Redis with Sentinels.

use tenantry_cache_contract::{
    FaultyServer as _, PrivateServer, change_bus_fault_tests, namespace, shared_cache_fault_tests, until,
};

use crate::fault::{TIMEOUT, open, open_bus};
use crate::node::Node;
use crate::open::options;
use crate::private_sentinel::PrivateSentinel;
use crate::server::{PASSWORD, start};
use crate::whole_contract;

/// Longer than a case freezes the primary.
const PATIENT_MS: u32 = 3_000;

fn server() -> PrivateSentinel {
    PrivateSentinel::start(PATIENT_MS)
}

shared_cache_fault_tests!(server, open);
change_bus_fault_tests!(server, open_bus);

#[test]
fn whom_sentinels_name_passes_the_contract_of_the_shared_cache() {
    whole_contract::passes_that_of_the_shared_cache(&server().url());
}

#[test]
fn whom_sentinels_name_passes_the_contract_of_the_bus() {
    whole_contract::passes_that_of_the_bus(&server().url());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_was_promoted_without_the_last_change_is_not_believed() {
    let mut all = PrivateSentinel::start(500);
    let namespace = namespace();
    let one = Node::up(options(&all.url(), namespace.clone(), TIMEOUT)).await;
    let other = Node::up(options(&all.url(), namespace, TIMEOUT)).await;
    one.is_believed_by(&other, "k").await;
    all.wait_until_replicated();
    all.replica().freeze();
    one.put("k", 2).await.unwrap();
    assert_eq!(other.version("k").await, Some(2));

    let former = all.primary().port();
    all.primary().kill();
    all.replica().thaw();
    all.wait_until_another_is_primary(former);
    for node in [&one, &other] {
        until("the node is up", async || {
            assert_ne!(node.version("k").await, Some(1), "the last change was lost");
            node.is_up().await
        })
        .await;
    }
    until("both go on with what was promoted", async || {
        let is_put = one.put("k", 3).await.is_ok();
        let version = other.version("k").await;
        assert_ne!(version, Some(1), "the last change was lost");
        is_put && version == Some(3)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentinel_that_says_nothing_is_passed_by() {
    let all = server();
    let mut silent: PrivateServer = start(|_| Vec::new());
    silent.freeze();
    let url = format!(
        "redis+sentinel://:{PASSWORD}@127.0.0.1:{},127.0.0.1:{}/main",
        silent.port(),
        all.sentinel_port()
    );
    Node::up(options(&url, namespace(), TIMEOUT)).await.put("k", 1).await.unwrap();
}
