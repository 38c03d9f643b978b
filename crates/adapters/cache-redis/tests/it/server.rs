//! A Redis of a test's own, and questions to one.

use std::fs;
use std::path::PathBuf;

use redis::{Client, FromRedisValue, IntoConnectionInfo as _, RedisResult, cmd};
use tenantry_cache_contract::PrivateServer;

/// What Redis itself and its replicas are asked with.
pub(crate) const PASSWORD: &str = "hunter2";

/// One on 127.0.0.1 that keeps all it has on disk, so that it comes back with what is old. `more` are further arguments.
pub(crate) fn start(more: impl Fn(u16) -> Vec<String> + 'static) -> PrivateServer {
    PrivateServer::start("redis", "redis-server", move |port| {
        let port_text = port.to_string();
        let lasting = ["--save", "", "--appendonly", "yes", "--appendfsync", "no"];
        let arguments = ["--port", &port_text, "--bind", "127.0.0.1"].into_iter().chain(lasting);
        arguments.map(str::to_owned).chain(more(port)).collect()
    })
}

/// Arguments, parted by spaces.
pub(crate) fn arguments(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// What a Redis has on disk of its data.
pub(crate) struct Snapshot(Vec<(PathBuf, Vec<u8>)>);

impl Snapshot {
    pub(crate) fn of(server: &PrivateServer) -> Self {
        let files = fs::read_dir(server.directory().join("appendonlydir")).expect("its log");
        let read = |file: fs::DirEntry| (file.path(), fs::read(file.path()).expect("read"));
        Self(files.map(|file| read(file.expect("a file"))).collect())
    }

    /// What came later is lost, as where it was not on the disk yet when the machine broke down.
    pub(crate) fn put_back(&self) {
        for (path, bytes) in &self.0 {
            fs::write(path, bytes).expect("written");
        }
    }
}

/// What a Redis that has the [password](PASSWORD) answers to a command.
pub(crate) fn ask<T: FromRedisValue>(port: u16, command: &str) -> RedisResult<T> {
    question(&format!("redis://:{PASSWORD}@127.0.0.1:{port}"), command)
}

/// What a Redis answers to a command.
pub(crate) fn question<T: FromRedisValue>(url: &str, command: &str) -> RedisResult<T> {
    let mut connection = Client::open(url.into_connection_info()?)?.get_connection()?;
    let mut words = command.split(' ');
    let mut question = cmd(words.next().unwrap_or_default());
    question.arg(words.collect::<Vec<_>>()).query(&mut connection)
}

/// Waits until it is so.
///
/// # Panics
/// When it is not within 20 seconds.
pub(crate) fn until(what: &str, condition: impl Fn() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !condition() {
        assert!(std::time::Instant::now() < end, "it did not come that {what}");
        std::thread::yield_now();
    }
}
