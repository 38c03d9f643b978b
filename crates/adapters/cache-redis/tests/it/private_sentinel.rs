//! A primary, a replica and a Sentinel of a test's own on 127.0.0.1, with a password.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use tempfile::TempDir;
use tenantry_cache_contract::{FaultyServer, PrivateServer};

use crate::server::{PASSWORD, arguments, ask, question, start, until};

pub(crate) struct PrivateSentinel {
    servers: [PrivateServer; 2],
    sentinel: PrivateServer,
    /// Which of the servers whoever starts is to follow; 0 for none.
    followed: Arc<AtomicU16>,
    /// Which was frozen or killed.
    failed: usize,
    _directory: TempDir,
}

impl PrivateSentinel {
    /// A primary that does not answer for so long is given up.
    pub(crate) fn start(down_after_ms: u32) -> Self {
        let followed = Arc::new(AtomicU16::new(0));
        let primary = server(&followed);
        followed.store(primary.port(), Ordering::SeqCst);
        let servers = [primary, server(&followed)];
        let directory = tempfile::tempdir().expect("a directory");
        let sentinel = sentinel(&directory, servers[0].port(), down_after_ms);
        let all = Self { servers, sentinel, followed, failed: 0, _directory: directory };
        all.wait_until_it_may_fail_over();
        all
    }

    pub(crate) fn sentinel_port(&self) -> u16 {
        self.sentinel.port()
    }

    pub(crate) fn primary(&mut self) -> &mut PrivateServer {
        let primary = self.index_of_primary();
        &mut self.servers[primary]
    }

    pub(crate) fn replica(&mut self) -> &mut PrivateServer {
        let primary = self.index_of_primary();
        &mut self.servers[1 - primary]
    }

    /// Until the replica has all that the primary has.
    pub(crate) fn wait_until_replicated(&self) {
        let port = self.servers[self.index_of_primary()].port();
        assert_eq!(ask::<u16>(port, "WAIT 1 20000").expect("an answer"), 1, "the replica does not follow");
    }

    /// Until the Sentinel names another primary than that one, which is one.
    pub(crate) fn wait_until_another_is_primary(&self, former: u16) {
        until("another is primary", || {
            let named = self.servers[self.index_of_primary()].port();
            let replication = || ask::<String>(named, "INFO replication").unwrap_or_default();
            named != former && replication().contains("role:master")
        });
    }

    fn index_of_primary(&self) -> usize {
        let url = format!("redis://127.0.0.1:{}", self.sentinel.port());
        let named = question::<Vec<String>>(&url, "SENTINEL GET-MASTER-ADDR-BY-NAME main");
        let port = named.expect("the primary")[1].clone();
        self.servers.iter().position(|server| server.port().to_string() == port).expect("one of the two")
    }

    fn wait_until_it_may_fail_over(&self) {
        let url = format!("redis://127.0.0.1:{}", self.sentinel.port());
        let replica = self.servers[1 - self.index_of_primary()].port();
        until("the Sentinel knows the replica", || {
            let known =
                question::<Vec<std::collections::HashMap<String, String>>>(&url, "SENTINEL REPLICAS main");
            known.unwrap_or_default().iter().any(|known| {
                let is = |name: &str, value: &str| known.get(name).is_some_and(|found| found == value);
                is("port", &replica.to_string()) && is("flags", "slave") && is("master-link-status", "ok")
            })
        });
    }
}

impl FaultyServer for PrivateSentinel {
    fn url(&self) -> String {
        format!("redis+sentinel://:{PASSWORD}@127.0.0.1:{}/main", self.sentinel.port())
    }

    fn freeze(&mut self) {
        self.failed = self.index_of_primary();
        self.servers[self.failed].freeze();
    }

    fn thaw(&mut self) {
        self.servers[self.failed].thaw();
    }

    fn kill(&mut self) {
        self.failed = self.index_of_primary();
        self.servers[self.failed].kill();
    }

    /// Another has taken its place before it is back.
    fn restart(&mut self) {
        self.wait_until_another_is_primary(self.servers[self.failed].port());
        self.followed.store(self.servers[1 - self.failed].port(), Ordering::SeqCst);
        self.servers[self.failed].restart();
        self.wait_until_it_may_fail_over();
    }
}

fn server(followed: &Arc<AtomicU16>) -> PrivateServer {
    let followed = Arc::clone(followed);
    start(move |_| {
        let mut all = arguments(&format!("--requirepass {PASSWORD} --masterauth {PASSWORD}"));
        let primary = followed.load(Ordering::SeqCst);
        if primary != 0 {
            all.extend(arguments(&format!("--replicaof 127.0.0.1 {primary}")));
        }
        all
    })
}

fn sentinel(directory: &TempDir, primary: u16, down_after_ms: u32) -> PrivateServer {
    let file = directory.path().join("sentinel.conf");
    PrivateServer::start("redis", "redis-server", move |port| {
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor main 127.0.0.1 {primary} 1\n\
             sentinel auth-pass main {PASSWORD}\nsentinel down-after-milliseconds main {down_after_ms}\n\
             sentinel failover-timeout main 2000\n"
        );
        std::fs::write(&file, text).expect("the Sentinel's file is written");
        vec![file.display().to_string(), "--sentinel".to_owned()]
    })
}
