//! Which server, how, and for how long.

use std::fmt;
use std::time::Duration;

use xtask::arguments::Arguments;
use xtask::random::fresh_seed;
use xtask::servers::Server;

use crate::Result;
use crate::drill::settings::expect_none_left;

/// The settings of the drill.
#[derive(Debug)]
pub(in crate::drill) struct Settings {
    /// Which server goes away.
    pub(super) server: Server,
    /// Whether it is frozen and goes on; else it is killed and started again.
    pub(super) is_frozen: bool,
    /// For how long.
    pub(super) outage: Duration,
    /// Writes and cached reads a second, each, below which there was no load.
    pub(super) minimum: u64,
    /// What ids and contents are made from.
    pub(super) seed: u64,
    /// Whether to plant faults that must be found.
    pub(super) is_self_test: bool,
}

impl Settings {
    /// Reads `--server NAME [--freeze] [--seconds N] [--minimum N] [--seed N] [--self-test]`.
    pub(in crate::drill) fn read(mut arguments: Arguments) -> Result<Self> {
        let name: String = arguments.value("--server")?.unwrap_or_default();
        let server = Server::ALL.into_iter().find(|server| server.word() == name);
        let server = server.ok_or("--server is postgres, redis, memcached or rabbitmq")?;
        let is_frozen = arguments.switch("--freeze");
        let seconds = arguments.value("--seconds")?.unwrap_or(30);
        let minimum = arguments.value("--minimum")?.unwrap_or(500);
        let seed = arguments.value("--seed")?.unwrap_or_else(fresh_seed);
        let is_self_test = arguments.switch("--self-test");
        expect_none_left(arguments)?;
        if !(1..=3600).contains(&seconds) {
            return Err("--seconds is 1 to 3600".into());
        }
        Ok(Self { server, is_frozen, outage: Duration::from_secs(seconds), minimum, seed, is_self_test })
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, is_frozen, outage, minimum, seed, is_self_test } = self;
        let (server, freeze) = (server.word(), if *is_frozen { " --freeze" } else { "" });
        let seconds = outage.as_secs();
        write!(
            f,
            "cargo xtask drill outage --server {server}{freeze} --seconds {seconds} --minimum {minimum} --seed {seed}"
        )?;
        f.write_str(if *is_self_test { " --self-test" } else { "" })
    }
}
