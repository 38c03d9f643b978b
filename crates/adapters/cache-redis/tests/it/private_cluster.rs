//! A Redis Cluster of a test's own: three masters on 127.0.0.1, with a password.

use std::time::Duration;

use tenantry_cache_contract::{FaultyServer, PrivateServer, free_port};

use crate::server::{PASSWORD, arguments, ask, start, until};

const SLOTS: u16 = 16_384;

pub(crate) struct PrivateCluster {
    masters: Vec<PrivateServer>,
    node_timeout: Duration,
    replica: Option<PrivateServer>,
}

impl PrivateCluster {
    /// Nodes that do not answer each other for so long count as failed.
    pub(crate) fn start(node_timeout: Duration) -> Self {
        let masters: Vec<_> = (0..3).map(|_| node(node_timeout)).collect();
        for (n, master) in masters.iter().enumerate() {
            let (first, last) = slots_of(n);
            tell(master.port(), &format!("CLUSTER ADDSLOTSRANGE {first} {last}"));
            tell(master.port(), &format!("CLUSTER SET-CONFIG-EPOCH {}", n + 1));
        }
        for other in &masters[1..] {
            meet(&masters[0], other);
        }
        let cluster = Self { masters, node_timeout, replica: None };
        cluster.wait_until_whole();
        cluster
    }

    /// Gives the first master a replica.
    pub(crate) fn add_replica(&mut self) {
        let replica = node(self.node_timeout);
        meet(&self.masters[0], &replica);
        let master = ask::<String>(self.port(0), "CLUSTER MYID").expect("the master's id");
        until("the replica knows its master", || {
            ask::<String>(replica.port(), &format!("CLUSTER REPLICATE {master}")).is_ok()
        });
        self.replica = Some(replica);
        self.wait_until_whole();
        self.wait_until_replicated();
    }

    /// Until the replica has all that the first master has.
    pub(crate) fn wait_until_replicated(&self) {
        let lag = "WAIT 1 20000";
        assert_eq!(ask::<u16>(self.port(0), lag).expect("an answer"), 1, "the replica does not follow");
    }

    pub(crate) fn replica(&mut self) -> &mut PrivateServer {
        self.replica.as_mut().expect("a replica")
    }

    pub(crate) fn master(&mut self, n: usize) -> &mut PrivateServer {
        &mut self.masters[n]
    }

    /// Until the replica is a master, and the others know.
    pub(crate) fn wait_until_promoted(&self) {
        let replica = self.replica.as_ref().expect("a replica").port();
        for port in [replica, self.port(1), self.port(2)] {
            until("the replica has the slots", || {
                let nodes = ask::<String>(port, "CLUSTER NODES").unwrap_or_default();
                nodes.lines().any(|line| {
                    line.contains(&format!(":{replica}@"))
                        && line.contains("master")
                        && line.ends_with(" 0-5460")
                })
            });
            until("the Cluster is whole", || info(port).contains("cluster_state:ok"));
        }
    }

    pub(crate) fn port(&self, n: usize) -> u16 {
        self.masters[n].port()
    }

    /// By one of its masters.
    pub(crate) fn url_of(&self, n: usize) -> String {
        format!("redis+cluster://:{PASSWORD}@127.0.0.1:{}", self.port(n))
    }

    /// Which of the masters had the key at first.
    pub(crate) fn first_owner(&self, name: &str) -> usize {
        let slot = ask::<u16>(self.port(1), &format!("CLUSTER KEYSLOT {name}")).expect("a slot");
        (0..3).find(|n| (slots_of(*n).0..=slots_of(*n).1).contains(&slot)).expect("an owner")
    }

    /// Until each node knows all others, and that all slots are served.
    pub(crate) fn wait_until_whole(&self) {
        let servers = || self.masters.iter().chain(&self.replica);
        let nodes = servers().count();
        for server in servers() {
            until("the Cluster is whole", || {
                let info = info(server.port());
                info.contains("cluster_state:ok") && info.contains(&format!("cluster_known_nodes:{nodes}\r"))
            });
        }
    }
}

impl FaultyServer for PrivateCluster {
    fn url(&self) -> String {
        let hosts: Vec<_> = self.masters.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://:{PASSWORD}@{}", hosts.join(","))
    }

    fn freeze(&mut self) {
        self.masters.iter_mut().for_each(FaultyServer::freeze);
    }

    fn thaw(&mut self) {
        self.masters.iter_mut().for_each(FaultyServer::thaw);
    }

    fn kill(&mut self) {
        self.masters.iter_mut().for_each(FaultyServer::kill);
    }

    fn restart(&mut self) {
        self.masters.iter_mut().for_each(FaultyServer::restart);
    }
}

fn node(node_timeout: Duration) -> PrivateServer {
    let (bus, timeout) = (free_port(), node_timeout.as_millis());
    start(move |_| {
        arguments(&format!(
            "--cluster-enabled yes --cluster-port {bus} --cluster-node-timeout {timeout} \
             --requirepass {PASSWORD} --masterauth {PASSWORD}"
        ))
    })
}

fn meet(one: &PrivateServer, other: &PrivateServer) {
    let bus = ask::<Vec<String>>(other.port(), "CONFIG GET cluster-port").expect("the port of its bus");
    tell(one.port(), &format!("CLUSTER MEET 127.0.0.1 {} {}", other.port(), bus[1]));
}

fn tell(port: u16, command: &str) {
    let told = ask::<String>(port, command);
    assert_eq!(told.as_deref().ok(), Some("OK"), "{command}: {told:?}");
}

fn info(port: u16) -> String {
    ask::<String>(port, "CLUSTER INFO").unwrap_or_default()
}

fn slots_of(master: usize) -> (u16, u16) {
    [(0, 5460), (5461, 10_922), (10_923, SLOTS - 1)][master]
}
