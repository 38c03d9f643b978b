//! How often, how long and how much.

use std::fmt;
use std::time::Duration;

use xtask::arguments::Arguments;
use xtask::random::fresh_seed;

use crate::Result;
use crate::engine::Engine;

/// Connections, each with one write under way.
pub(super) const CONNECTIONS: usize = 256;
/// Threads of the load generator.
pub(super) const THREADS: u64 = 2;
/// Keys that each thread writes.
pub(super) const KEYS_A_THREAD: u64 = 16;

/// The settings of the drill.
#[derive(Debug)]
pub(super) struct Settings {
    /// Crashes.
    pub(super) rounds: u64,
    /// The longest time of load before a crash.
    pub(super) longest: Duration,
    /// Acknowledged writes below which a round proves nothing.
    pub(super) minimum: u64,
    /// On which engine.
    pub(super) engine: Engine,
    /// What ids, contents and moments are made from.
    pub(super) seed: u64,
    /// Whether to plant a fault that must be found.
    pub(super) is_self_test: bool,
}

impl Settings {
    /// Reads `[--storage sqlite|postgres] [--rounds N] [--seconds N] [--minimum N] [--seed N] [--self-test]`.
    pub(super) fn read(mut arguments: Arguments) -> Result<Self> {
        let rounds = arguments.value("--rounds")?.unwrap_or(10);
        let seconds = arguments.value("--seconds")?.unwrap_or(2);
        let minimum = arguments.value("--minimum")?.unwrap_or(1000);
        let seed = arguments.value("--seed")?.unwrap_or_else(fresh_seed);
        let engine = arguments.value("--storage")?.unwrap_or(Engine::Sqlite);
        let is_self_test = arguments.switch("--self-test");
        expect_none_left(arguments)?;
        if !(1..=100_000).contains(&rounds) || !(1..=60).contains(&seconds) {
            return Err("--rounds is 1 to 100000, --seconds 1 to 60".into());
        }
        Ok(Self { rounds, longest: Duration::from_secs(seconds), minimum, engine, seed, is_self_test })
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, longest, minimum, engine, seed, is_self_test } = self;
        let seconds = longest.as_secs();
        let storage = match engine {
            Engine::Sqlite => "",
            Engine::Postgres => " --storage postgres",
        };
        write!(
            f,
            "cargo xtask drill crash{storage} --rounds {rounds} --seconds {seconds} --minimum {minimum} --seed {seed}"
        )?;
        f.write_str(if *is_self_test { " --self-test" } else { "" })
    }
}

/// Fails on words that no drill knows.
pub(super) fn expect_none_left(arguments: Arguments) -> Result<()> {
    match arguments.words()?.first() {
        Some(word) => Err(format!("there is no {word}").into()),
        None => Ok(()),
    }
}
